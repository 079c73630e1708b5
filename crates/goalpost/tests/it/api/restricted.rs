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
