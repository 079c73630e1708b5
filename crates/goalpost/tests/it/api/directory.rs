//! The organization, its people, teams, periods and tags, tasks and copies of goals, over HTTP.

use serde_json::{Value, json};

use super::*;

/// Ilse owns the organization.
async fn owned() -> Door {
    let mut company = company();
    company.users[0].role = Some("Organization Owner".to_owned());
    company
        .goals
        .push(Objective { type_label: Some("Project".to_owned()), ..goal(104, "Project", "Buy shears") });
    Door::with(&company).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_keeps_the_organization_in_order() {
    let door = owned().await;
    let ilse = door.ilse();
    let organization = format!("/api/v1/organizations/{}", door.organization);
    let patch = json!({ "name": "Contoso Woods", "exportPolicy": "members", "goalPolicy": "members", "termObjective": "Theme", "planningYearStart": 7 });
    let request = ilse.request("PATCH", &organization).header("content-type", "application/json");
    let changed = ilse.send(request.body(patch.to_string())).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let changed = changed.json();
    for name in ["name", "exportPolicy", "goalPolicy", "termObjective", "planningYearStart"] {
        assert_eq!(changed[name], patch[name], "{changed}");
    }
    for (set, new, change) in [
        (
            "people",
            json!({ "name": "Eve Moor", "email": "eve@contoso.example", "managerId": 10, "teamIds": [20] }),
            json!({ "memberType": "observer" }),
        ),
        (
            "teams",
            json!({ "name": "Grafting", "parentId": 20, "ownerIds": [11] }),
            json!({ "teamType": "Crew", "description": "With care" }),
        ),
        (
            "periods",
            json!({ "name": "Q2 2026", "startDate": "2026-04-01", "endDate": "2026-06-30" }),
            json!({ "name": "Spring" }),
        ),
        ("tags", json!({ "name": "Summer" }), json!({ "name": "Late summer" })),
    ] {
        let made = door.done(&ilse, "POST", set, &new, 201).await.json();
        let members = |json: &Value| json.as_object().expect("an object").clone();
        for (name, value) in members(&new) {
            assert_eq!(made[&name], value, "{set}: {made}");
        }
        let path = format!("{set}/{}", made["id"]);
        let changed = door.done(&ilse, "PATCH", &path, &change, 200).await.json();
        for (name, value) in members(&change) {
            assert_eq!(changed[&name], value, "{set}: {changed}");
        }
        if set != "people" {
            door.done(&ilse, "DELETE", &path, &Value::Null, 204).await;
            assert_eq!(door.get(&ilse, &path).await.status, 404);
        }
    }
    let archived = door.done(&ilse, "POST", "teams/20/archive", &json!({}), 200).await.json();
    assert_eq!(archived["status"], "Archived");
    let restored = door.done(&ilse, "POST", "teams/20/restore", &Value::Null, 200).await.json();
    assert_eq!(restored["status"], "Active");
    for (method, path, body, status, says) in [
        ("DELETE", "periods/30", Value::Null, 409, "goals have the time period 30"),
        ("DELETE", "teams/20", Value::Null, 409, "goals have the team 20"),
        ("POST", "tags", json!({ "name": "winter" }), 409, "already"),
        ("POST", "people", json!({ "name": "x", "email": "nowhere" }), 400, "nowhere"),
        ("PATCH", "people/10", json!({ "managerId": 10 }), 400, "above itself"),
        ("PATCH", "people/10", json!({ "role": "Member" }), 409, "last active owner"),
        ("PATCH", "periods/30", json!({ "endDate": "2020-01-01" }), 400, "before it begins"),
    ] {
        let refused = door.send(&ilse, method, path, &body).await;
        assert_eq!(refused.status, status, "{method} {path}: {}", refused.text());
        assert!(refused.error().1.contains(says), "{method} {path}: {}", refused.text());
    }
    let bo = door.bo();
    for (method, path) in
        [("PATCH", "people/11"), ("PATCH", "teams/20"), ("PATCH", "tags/40"), ("DELETE", "periods/30")]
    {
        let body = if method == "PATCH" { json!({ "name": "x" }) } else { Value::Null };
        assert_eq!(door.send(&bo, method, path, &body).await.status, 403, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_initiative_has_steps_and_a_goal_has_copies() {
    let door = owned().await;
    let ilse = door.ilse();
    let step = door
        .done(
            &ilse,
            "POST",
            "goals/104/tasks",
            &json!({ "name": "Choose them", "dueDate": "2026-02-01" }),
            201,
        )
        .await
        .json();
    assert_eq!((&step["goalId"], &step["status"]), (&json!(104), &json!("Incomplete")));
    let path = format!("goals/104/tasks/{}", step["id"]);
    let done =
        door.done(&ilse, "PATCH", &path, &json!({ "status": "Complete", "ownerId": 11 }), 200).await.json();
    assert_eq!((&done["status"], &done["ownerId"]), (&json!("Complete"), &json!(11)));
    door.done(&ilse, "DELETE", &path, &Value::Null, 204).await;
    assert_eq!(door.send(&ilse, "POST", "goals/100/tasks", &json!({ "name": "x" })).await.status, 400);

    let copy = door
        .done(
            &ilse,
            "POST",
            "goals/101/clone",
            &json!({ "title": "Prune more", "parents": [{ "id": 100 }] }),
            201,
        )
        .await
        .json();
    assert_eq!(
        (&copy["title"], &copy["metricTarget"], &copy["progress"]),
        (&json!("Prune more"), &json!(300.0), &Value::Null)
    );
    door.done(
        &ilse,
        "POST",
        "periods",
        &json!({ "name": "Q2 2026", "startDate": "2026-04-01", "endDate": "2026-06-30" }),
        201,
    )
    .await;
    let later =
        door.done(&ilse, "POST", "goals/101/postpone", &json!({ "note": "Too cold" }), 201).await.json();
    assert_eq!((&later["periodName"], &later["metricStart"]), (&json!("Q2 2026"), &json!(150.0)), "{later}");
    assert_eq!(door.get(&ilse, "goals/101").await.json()["status"], "Postponed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_in_is_mended_and_taken_back() {
    let door = owned().await;
    let ilse = door.ilse();
    let said = door.done(&ilse, "POST", "goals/101/checkIns", &json!({ "value": 250 }), 201).await.json();
    let path = format!("goals/101/checkIns/{}", said["id"]);
    door.done(&ilse, "PATCH", &path, &json!({ "value": 200, "note": "Miscounted" }), 200).await;
    assert_eq!(door.get(&ilse, "goals/101").await.json()["progress"], 200.0);
    door.done(&ilse, "DELETE", &path, &Value::Null, 204).await;
    assert_eq!(door.get(&ilse, "goals/101").await.json()["progress"], 150.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_lists_its_goals() {
    let door = owned().await;
    let (ilse, bo) = (door.ilse(), door.bo());
    let unaligned = goalpost::views::Preset::Unaligned.guid(door.organization);
    assert_eq!(door.ids(&ilse, &format!("views/{unaligned}/goals")).await, [100, 102, 104]);
    assert_eq!(door.ids(&bo, &format!("views/{unaligned}/goals?$filter=id gt 100")).await, [104]);
    assert_eq!(door.get(&bo, &format!("views/{}/goals", Uuid::nil())).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_its_owners_until_it_is_shared() {
    let door = owned().await;
    let (ilse, bo) = (door.ilse(), door.bo());
    let new = json!({ "name": "Late", "filter": { "due": "overdue" }, "topLevelOnly": true, "isFlat": false, "sort": "title" });
    let made = door.done(&bo, "POST", "views", &new, 201).await.json();
    assert_eq!(
        (&made["ownerId"], &made["isPublic"], &made["filter"]),
        (&json!(11), &json!(false), &new["filter"])
    );
    let path = format!("views/{}", made["id"].as_str().expect("a GUID"));
    assert_eq!(door.get(&ilse, &path).await.status, 404, "it is Bo's");
    door.done(&bo, "PATCH", &path, &json!({ "sharedWithPeople": [10], "name": "Too late" }), 200).await;
    let seen = door.get(&ilse, &path).await.json();
    assert_eq!((&seen["name"], &seen["sharedWithPeople"]), (&json!("Too late"), &json!([10])));
    door.done(&bo, "PATCH", &path, &json!({ "sharedWithPeople": [], "sharedWithTeams": [20] }), 200).await;
    assert_eq!(door.get(&ilse, &path).await.json()["sharedWithTeams"], json!([20]), "Ilse owns the team");
    let preset = goalpost::views::Preset::Overdue.guid(door.organization);
    for (path, body, status) in [
        (format!("views/{preset}"), json!({ "name": "x" }), 409),
        (path.clone(), json!({ "filter": { "colour": 1 } }), 400),
        (path.clone(), json!({ "sort": "sideways" }), 400),
        (path.clone(), json!({ "sharedWithPeople": [99] }), 400),
    ] {
        let refused = door.send(&bo, "PATCH", &path, &body).await;
        assert_eq!(refused.status, status, "{body}: {}", refused.text());
    }
    door.done(&bo, "DELETE", &path, &Value::Null, 204).await;
    assert_eq!(door.get(&bo, &path).await.status, 404);
}
