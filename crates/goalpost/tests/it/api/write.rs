//! Writing over HTTP: what becomes of goals, and what is refused without a trace.

use serde_json::{Value, json};

use super::*;

/// What is made is read back as it was given.
#[tokio::test(flavor = "multi_thread")]
async fn a_goal_is_made_changed_and_taken_away() {
    let door = Door::new().await;
    let ilse = door.ilse();
    let wanted = json!({
        "title": "Graft twelve rows", "objectType": "keyResult", "periodId": 30, "owners": [11, { "id": 10 }], "tags": [40],
        "description": "On old stock", "outcomeType": "Metric", "metricName": "Rows", "metricUnit": "Number",
        "targetType": "increaseFrom", "metricStart": 2, "metricTarget": 12, "goalType": "Committed",
        "phasedInterval": "Custom", "phasedTargets": [{ "value": 6, "dueDate": "2026-02-15" }], "parents": [{ "id": 100, "weight": 40 }],
    });
    let made = door.done(&ilse, "POST", "goals", &wanted, 201).await;
    let goal = made.json();
    let id = goal["id"].as_i64().expect("a number");
    assert_eq!(
        made.header("location"),
        Some(&*format!("{}{}", door.t.url, door.path(&format!("goals/{id}"))))
    );
    for name in [
        "title",
        "objectType",
        "periodId",
        "description",
        "metricTarget",
        "targetType",
        "goalType",
        "phasedTargets",
    ] {
        let (given, held) = (&wanted[name], &goal[name]);
        assert!(
            given == held || given.as_f64() == held.as_f64() && given.is_number() || name == "phasedTargets",
            "{name}: {held}"
        );
    }
    assert_eq!(goal["phasedTargets"], json!([{ "value": 6.0, "dueDate": "2026-02-15" }]));
    assert_eq!(goal["owners"][0]["id"], 11);
    assert_eq!(goal["parents"], json!([{ "id": 100, "weight": 40.0, "isFixed": true }]));
    assert_eq!(
        (&goal["creatorId"], &goal["origin"], &goal["status"]),
        (&json!(10), &json!("local"), &json!("Not Started"))
    );
    assert_eq!(goal["endDate"], "2026-03-31", "as its period");

    let path = format!("goals/{id}");
    let patch = json!({ "@odata.type": "#goalpost.goal", "title": "Graft ten rows", "metricTarget": 10, "description": null });
    let changed = door.done(&ilse, "PATCH", &path, &patch, 200).await.json();
    assert_eq!((&changed["title"], &changed["description"]), (&json!("Graft ten rows"), &Value::Null));
    assert_eq!(
        (&changed["metricTarget"], &changed["metricStart"], &changed["metricName"]),
        (&json!(10.0), &json!(2.0), &json!("Rows"))
    );
    assert_eq!(changed["owners"], goal["owners"]);

    door.done(&ilse, "DELETE", &path, &Value::Null, 204).await;
    assert_eq!(door.get(&ilse, &path).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_in_is_made_and_rolls_up() {
    let door = Door::new().await;
    let ilse = door.ilse();
    door.done(&ilse, "PATCH", "goals/100", &json!({ "progressMode": "Update from Children" }), 200).await;
    let made = door
        .done(&ilse, "POST", "goals/101/checkIns", &json!({ "value": 200, "note": "Half of it" }), 201)
        .await;
    let said = made.json();
    assert_eq!(
        (&said["goalId"], &said["value"], &said["note"], &said["ownerId"]),
        (&json!(101), &json!(200.0), &json!("Half of it"), &json!(10))
    );
    assert_eq!(door.get(&ilse, "goals/101").await.json()["progressPercent"], 50.0);
    // 50 of the one, 40 of 103.
    assert_eq!(door.get(&ilse, "goals/100").await.json()["progressPercent"], 45.0);
    let one = made.header("location").expect("an address").to_owned();
    let mut read = ilse.get(&one).await.json();
    read["@odata.context"] = said["@odata.context"].clone();
    assert_eq!(read, said);
}

/// Many check-ins are made by one request, or none of them.
#[tokio::test(flavor = "multi_thread")]
async fn many_check_ins_are_made_at_once() {
    let door = Door::new().await;
    let ilse = door.ilse();
    let before = door.get(&ilse, "checkIns").await.text();
    for (check_ins, status, says) in [
        (json!([{ "goalId": 101, "value": 1 }, { "goalId": 999, "value": 1 }]), 400, "no goal 999"),
        (
            json!([{ "goalId": 101, "value": 1 }, { "goalId": 100, "value": 1, "asOfDate": "2999-01-01" }]),
            400,
            "'checkIns[1]': 2999-01-01 is still to come",
        ),
        (json!([{ "goalId": 101, "value": 1 }, { "goalId": 101 }]), 400, "'checkIns[1]': a check-in needs"),
        (json!([{ "value": 1 }]), 400, "'checkIns[0].goalId' is missing"),
        (json!([]), 400, "at least one"),
    ] {
        let refused = door.send(&ilse, "POST", "checkIns", &json!({ "checkIns": check_ins })).await;
        assert_eq!(refused.status, status, "{}", refused.text());
        assert!(refused.text().contains(says), "{}", refused.text());
    }
    assert_eq!(door.get(&ilse, "checkIns").await.text(), before);
    let both = json!({ "checkIns": [
        { "goalId": 101, "value": 150, "note": "A quarter" },
        { "goalId": 101, "value": 200, "note": "Half of it" },
    ] });
    door.done(&ilse, "POST", "checkIns", &both, 204).await;
    let goal = door.get(&ilse, "goals/101").await.json();
    assert_eq!((&goal["progress"], &goal["checkInCount"]), (&json!(200.0), &json!(3)));
    let notes = door.get(&ilse, "goals/101/checkIns?$orderby=id desc&$top=2").await.json();
    assert_eq!(
        (&notes["value"][0]["note"], &notes["value"][1]["note"]),
        (&json!("Half of it"), &json!("A quarter"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_seen_the_last_change_overwrites_nothing() {
    let door = Door::new().await;
    let ilse = door.ilse();
    let path = door.path("goals/101");
    let patch = async |etag: &str, title: &str| {
        let request =
            ilse.request("PATCH", &path).header("if-match", etag).header("content-type", "application/json");
        ilse.send(request.body(json!({ "title": title }).to_string())).await
    };
    let seen = ilse.get(&path).await.header("etag").expect("a tag").to_owned();
    let first = patch(&seen, "By one").await;
    assert_eq!(first.status, 200, "{}", first.text());
    let second = patch(&seen, "By another").await;
    assert_eq!((second.status, second.error().2.as_deref()), (412, Some("changedMeanwhile")));
    assert_eq!(ilse.get(&path).await.json()["title"], "By one");
    let current = first.header("etag").expect("a tag").to_owned();
    assert_eq!(ilse.get(&path).await.header("etag"), Some(&*current));
    assert_eq!(patch(&format!("\"x\", {current}"), "By another").await.status, 200);
    assert_eq!(patch("*", "By whoever").await.status, 200);
    let gone = ilse.send(ilse.request("DELETE", &path).header("if-match", &seen)).await;
    assert_eq!(gone.status, 412);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_many_who_saw_the_same_one_comes_in_time() {
    let door = Door::new().await;
    let (ilse, path) = (door.ilse(), door.path("goals/101"));
    for round in 0..5 {
        let seen = ilse.get(&path).await.header("etag").expect("a tag").to_owned();
        let patches = (0..8).map(|number| {
            let request = ilse.request("PATCH", &path).header("if-match", &seen);
            let body = json!({ "title": format!("{round} by {number}") }).to_string();
            let (ilse, request) =
                (ilse.clone(), request.header("content-type", "application/json").body(body));
            tokio::spawn(async move { ilse.send(request).await.status })
        });
        let mut statuses = Vec::new();
        for patch in patches.collect::<Vec<_>>() {
            statuses.push(patch.await.expect("an answer"));
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_can_be_sent_back() {
    let door = Door::new().await;
    let ilse = door.ilse();
    for id in [101, 103] {
        let path = format!("goals/{id}");
        let mut goal = door.get(&ilse, &path).await.json();
        goal["title"] = "Another title".into();
        // As clients write whole numbers.
        goal["progress"] = (goal["progress"].as_f64().expect("a number") as i64).into();
        let changed = door.done(&ilse, "PATCH", &path, &goal, 200).await.json();
        assert_eq!(changed["title"], "Another title");
        goal["progressPercent"] = 99.into();
        let refused = door.send(&ilse, "PATCH", &path, &goal).await;
        assert_eq!(refused.status, 400, "{}", refused.text());
        assert!(refused.error().1.contains("'progressPercent' cannot be set"), "{}", refused.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn goals_are_closed_reopened_aligned_and_weighed() {
    let door = Door::new().await;
    let ilse = door.ilse();
    let closed = door
        .done(&ilse, "POST", "goals/101/close", &json!({ "score": 0.7, "note": "Enough" }), 200)
        .await
        .json();
    assert_eq!((&closed["status"], &closed["score"]), (&json!("Closed"), &json!(0.7)));
    for (method, path, body) in [
        ("PATCH", "goals/101", json!({ "title": "Too late" })),
        ("POST", "goals/101/checkIns", json!({ "value": 1 })),
        ("POST", "goals/101/close", json!({ "score": 1 })),
    ] {
        let refused = door.send(&ilse, method, path, &body).await;
        assert_eq!(refused.status, 409, "{path}: {}", refused.text());
    }
    let open = door.done(&ilse, "POST", "goals/101/reopen", &json!({}), 200).await.json();
    assert_eq!(open["score"], Value::Null);
    assert_ne!(open["status"], "Closed");

    let above = door
        .done(&ilse, "POST", "goals", &json!({ "title": "Above", "periodId": 30, "owners": [10] }), 201)
        .await
        .json();
    let above = above["id"].as_i64().expect("a number");
    let aligned =
        door.done(&ilse, "POST", "goals/100/align", &json!({ "id": above, "weight": 25 }), 200).await.json();
    assert_eq!(aligned["parents"], json!([{ "id": above, "weight": 25.0, "isFixed": true }]));
    let circle = door.send(&ilse, "POST", &format!("goals/{above}/align"), &json!({ "id": 101 })).await;
    assert_eq!(circle.status, 400);
    assert!(circle.error().1.contains("below itself"), "{}", circle.text());
    let weights = json!({ "weights": [{ "id": 101, "weight": 60 }, { "id": 103, "weight": 41 }] });
    let refused = door.send(&ilse, "POST", "goals/100/weights", &weights).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    door.done(&ilse, "POST", "goals/100/weights", &json!({ "weights": [{ "id": 101, "weight": 60 }] }), 200)
        .await;
    assert_eq!(door.get(&ilse, "goals/101").await.json()["parents"][0]["weight"], 60.0);
    door.done(&ilse, "POST", "goals/100/weights", &json!({ "reset": true }), 200).await;
    let away = door.done(&ilse, "POST", "goals/100/unalign", &json!({ "id": above }), 200).await.json();
    assert_eq!(away["parents"], json!([]));
    let refused = door.send(&ilse, "DELETE", "goals/100", &Value::Null).await;
    assert_eq!((refused.status, refused.error().2.as_deref()), (409, Some("goalHasChildren")));
    door.done(&ilse, "DELETE", "goals/100?children=keep", &Value::Null, 204).await;
    assert_eq!(door.get(&ilse, "goals/101").await.json()["parents"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_is_its_authors() {
    let door = Door::new().await;
    let (ilse, bo) = (door.ilse(), door.bo());
    let made =
        door.done(&bo, "POST", "goals/101/comments", &json!({ "text": "Which trees?" }), 201).await.json();
    assert_eq!((&made["authorId"], &made["text"]), (&json!(11), &json!("Which trees?")));
    let path = format!("goals/101/comments/{}", made["id"]);
    let changed = door.done(&bo, "PATCH", &path, &json!({ "text": "Which of them?" }), 200).await.json();
    assert_eq!(changed["text"], "Which of them?");
    assert_eq!(
        door.send(&ilse, "PATCH", &path.replace("101", "100"), &json!({ "text": "x" })).await.status,
        404
    );
    door.done(&bo, "DELETE", &path, &Value::Null, 204).await;
    assert_eq!(door.get(&bo, &path).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_and_leaves_no_trace() {
    let door = Door::new().await;
    let ilse = door.ilse();
    let before = door.get(&ilse, "goals").await.text();
    for (method, path, body, status, says) in [
        ("POST", "goals", json!({ "periodId": 30, "owners": [10] }), 400, "title"),
        ("POST", "goals", json!({ "title": "x", "owners": [10] }), 400, "period"),
        ("POST", "goals", json!({ "title": "x", "periodId": 31, "owners": [10] }), 400, "31"),
        ("POST", "goals", json!({ "title": "x", "periodId": 30, "owners": [99] }), 400, "99"),
        (
            "POST",
            "goals",
            json!({ "title": "x", "periodId": 30, "owners": [10], "status": "Closed" }),
            400,
            "'status' cannot be set",
        ),
        (
            "POST",
            "goals",
            json!({ "title": "x", "periodId": 30, "owners": [10], "metricName": "m" }),
            400,
            "targetType",
        ),
        (
            "POST",
            "goals",
            json!({ "title": "x", "periodId": 30, "owners": [10], "targetType": "reach" }),
            400,
            "needs a target",
        ),
        (
            "POST",
            "goals",
            json!({ "title": "x", "periodId": 30, "owners": [10], "targetType": "stayBelow", "metricTarget": 5, "riskThreshold": 4 }),
            400,
            "risk threshold",
        ),
        (
            "POST",
            "goals",
            json!({ "title": "x", "periodId": 30, "owners": [10], "parents": [{ "id": 999 }] }),
            400,
            "999",
        ),
        (
            "POST",
            "goals",
            json!({ "title": "x", "periodId": 30, "owners": [10], "parents": [{ "weight": 9 }] }),
            400,
            "parents[0].id",
        ),
        ("PATCH", "goals/101", json!({ "endDate": "yesterday" }), 400, "endDate"),
        ("PATCH", "goals/101", json!({ "id": 5 }), 400, "'id' cannot be set"),
        ("PATCH", "goals/999", json!({ "title": "x" }), 404, "goal"),
        ("POST", "goals/101/checkIns", json!({}), 400, "needs a value"),
        ("POST", "goals/101/checkIns", json!({ "value": 1, "asOfDate": "2999-01-01" }), 400, "still to come"),
        ("POST", "goals/101/checkIns", json!({ "status": "Closed" }), 400, "status"),
        ("POST", "goals/999/checkIns", json!({ "value": 1 }), 404, "goal"),
        ("POST", "goals/101/align", json!({ "id": 101 }), 400, "below itself"),
        ("POST", "goals/101/unalign", json!({ "id": 103 }), 409, "not aligned"),
        ("POST", "goals/101/close", json!({ "score": 1.5 }), 400, "1.5"),
        ("POST", "goals/101/weights", json!({}), 400, "reset"),
        ("POST", "goals/101/comments", json!({ "text": " " }), 400, "empty"),
    ] {
        let answer = door.send(&ilse, method, path, &body).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text());
        assert!(answer.error().1.contains(says), "{method} {path} {body}: {}", answer.text());
    }
    for (kind, body, status) in [
        ("text/plain", "{}", 415),
        ("application/json", "[", 400),
        ("application/json", "", 400),
        ("application/json", "{\"title\":1,\"title\":2}", 400),
    ] {
        let request = ilse.request("POST", &door.path("goals")).header("content-type", kind).body(body);
        assert_eq!(ilse.send(request).await.status, status, "{kind} {body}");
    }
    assert_eq!(door.get(&ilse, "goals").await.text(), before);
    assert_eq!(door.get(&ilse, "comments/$count").await.text(), "1");
}
