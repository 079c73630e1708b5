//! What is restricted leaks through nothing.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_goal_does_not_exist_for_others() {
    let door = Door::new().await;
    let (ilse, bo) = (door.ilse(), door.bo());
    for (path, seen, hidden) in [
        ("goals", vec![100, 101, 102, 103], vec![100, 101, 103]),
        ("goals?$filter=contains(title,'secret')", vec![102], vec![]),
        ("goals?$filter=description eq 'Nobody else''s' or id eq 100", vec![100, 102], vec![100]),
        ("goals?$search=%23102", vec![102], vec![]),
        ("goals?$orderby=isRestricted desc,id", vec![102, 100, 101, 103], vec![100, 101, 103]),
        ("checkIns", vec![1000, 1001], vec![1000]),
        ("checkIns?$filter=goalId eq 102", vec![1001], vec![]),
    ] {
        assert_eq!(door.ids(&ilse, path).await, seen, "{path}");
        assert_eq!(door.ids(&bo, path).await, hidden, "{path}");
    }
    for path in [
        "goals/102",
        "goals/102/checkIns",
        "goals/102/comments",
        "goals/102/tasks",
        "goals/102/checkIns/1001",
        "checkIns/1001",
    ] {
        let (there, nothing) = (
            door.get(&bo, path).await,
            door.get(&bo, &path.replace("102", "999").replace("1001", "9999")).await,
        );
        assert_eq!(door.get(&ilse, path).await.status, 200, "{path}");
        assert_eq!(
            (there.status, there.error().0, there.error().1),
            (404, nothing.error().0, nothing.error().1),
            "{path}"
        );
    }
    for count in ["goals/$count", "checkIns/$count"] {
        let of = async |client| door.get(client, count).await.text().parse::<u64>().expect("a number");
        assert_eq!(of(&bo).await + 1, of(&ilse).await, "{count}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_parent_is_neither_named_nor_felt() {
    let door = Door::new().await;
    let (ilse, bo) = (door.ilse(), door.bo());
    let seen = door.get(&ilse, "goals/103").await;
    let hidden = door.get(&bo, "goals/103").await;
    assert_eq!(seen.json()["parents"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        hidden.json()["parents"],
        serde_json::json!([{ "id": 100, "weight": null, "isFixed": false }])
    );
    // Its weight there is changed: who does not see it sees no other tag either.
    let number = goalpost::ids::OrganizationNumber(crate::imports::NUMBER);
    let changed = door.t.app.db.write_alone(number, std::time::Duration::from_secs(5), |tx| {
        let sql = "update goal_parent set weight = 50, revision = 99 where organization = ?1 and goal = 103 and parent = 102";
        tx.execute(sql, &[number.into()])
    });
    assert_eq!(changed.expect("the weight is changed"), 1);
    assert_ne!(door.get(&ilse, "goals/103").await.header("etag"), seen.header("etag"));
    assert_eq!(door.get(&bo, "goals/103").await.header("etag"), hidden.header("etag"));
}

/// 105 is a key result below the open 100, which a file restricted to Ilse.
fn narrower() -> Company {
    let mut company = company();
    let hidden = Objective { parent_ids: vec![100], owners: vec![person(10)], ..goal(105, "Kpi", "Quietly") };
    company.goals.push(Objective { permissions: Permissions::default(), ..hidden });
    company
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_below_is_neither_copied_nor_opened() {
    let door = Door::with(&narrower()).await;
    let (ilse, bo) = (door.ilse(), door.bo());
    let copied = door.send(&bo, "POST", "goals/100/clone", &serde_json::json!({ "withBelow": true })).await;
    assert_eq!(copied.status, 403, "it is a team's, and Bo may make none there: {}", copied.text());
    let everybody = serde_json::json!({ "goalPolicy": "members" });
    door.own("user10@contoso.example");
    let organization = format!("/api/v1/organizations/{}", door.organization);
    let request = ilse.request("PATCH", &organization).header("content-type", "application/json");
    assert_eq!(ilse.send(request.body(everybody.to_string())).await.status, 200);
    let copied =
        door.done(&bo, "POST", "goals/100/clone", &serde_json::json!({ "withBelow": true }), 201).await;
    assert_eq!(
        bo.get(copied.header("location").expect("an address")).await.json()["id"],
        copied.json()["id"]
    );
    let titles = door.get(&bo, "goals?$select=title&$filter=contains(title,'quietly')").await;
    assert_eq!(titles.json()["value"], serde_json::json!([]));
    for body in [serde_json::json!({ "isRestricted": false }), serde_json::json!({ "viewers": [] })] {
        door.done(&ilse, "PATCH", "goals/100", &body, 200).await;
        assert_eq!(door.get(&bo, "goals/105").await.status, 404, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_result_is_as_visible_as_its_objective() {
    let door = Door::new().await;
    let (ilse, bo) = (door.ilse(), door.bo());
    let new = serde_json::json!({ "title": "Under cover", "objectType": "keyResult", "periodId": 30, "owners": [10], "parents": [{ "id": 102 }] });
    let made = door.done(&ilse, "POST", "goals", &new, 201).await.json();
    let path = format!("goals/{}", made["id"]);
    assert_eq!(made["isRestricted"], true, "{made}");
    let opened = door.send(&ilse, "PATCH", &path, &serde_json::json!({ "isRestricted": false })).await;
    assert_eq!(opened.status, 400, "{}", opened.text());
    assert_eq!(door.get(&bo, &path).await.status, 404);
    door.done(&ilse, "PATCH", "goals/102", &serde_json::json!({ "viewers": [11] }), 200).await;
    assert_eq!(door.get(&bo, &path).await.status, 200, "with its objective");
    door.done(&ilse, "PATCH", "goals/102", &serde_json::json!({ "viewers": [] }), 200).await;
    assert_eq!(door.get(&bo, &path).await.status, 404);
}
