//! Pages by keyset: together they are the whole list, whatever the order.

use std::collections::BTreeSet;

use goalpost_testing::Client;
use serde_json::Value;

use super::*;

/// All rows of a list, by following its links; and how many pages they came in.
async fn all(client: &Client, path: &str, size: usize) -> (Vec<Value>, usize) {
    let (mut rows, mut pages, mut next) = (Vec::new(), 0, Some(path.to_owned()));
    while let Some(path) = next {
        let request = client.request("GET", &path).header("prefer", format!("odata.maxpagesize={size}"));
        let answer = client.send(request).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let json = answer.json();
        let page = json["value"].as_array().expect("a list");
        assert!(page.len() <= size, "{path}");
        rows.extend(page.iter().cloned());
        pages += 1;
        next = json["@odata.nextLink"].as_str().map(str::to_owned);
    }
    (rows, pages)
}

/// Goals of which many are alike in everything but their numbers.
fn orchard() -> Company {
    let mut company = company();
    for id in 200..240 {
        let mut tree = goal(
            id,
            if id % 3 == 0 { "Kpi" } else { "Big rock" },
            ["Äpfel", "apples", "Pears"][id as usize % 3],
        );
        tree.progress = (id % 4 != 0).then_some((id % 7) as f64 / 3.0);
        tree.start_date = (id % 5 == 0).then(|| jiff::civil::date(2026, 1, 1));
        tree.owners = vec![person(if id % 2 == 0 { 10 } else { 11 })];
        company.goals.push(tree);
    }
    company
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_together_are_the_whole_list_in_every_order() {
    let door = Door::with(&orchard()).await;
    let bo = door.bo();
    let everything: BTreeSet<i64> = door.ids(&bo, "goals").await.into_iter().collect();
    for property in goalpost::api::sets::GOALS.properties {
        for direction in ["asc", "desc"] {
            let path = door.path(&format!("goals?$select=id&$orderby={} {direction}", property.name));
            let (rows, pages) = all(&bo, &path, 7).await;
            let (whole, one) = all(&bo, &path, 1000).await;
            assert_eq!(rows, whole, "{path}");
            assert_eq!((pages, one), (everything.len().div_ceil(7), 1), "{path}");
            let found: BTreeSet<i64> = rows.iter().filter_map(|row| row["id"].as_i64()).collect();
            assert_eq!(found, everything, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_comes_before_everything_and_last_the_other_way() {
    let door = Door::with(&orchard()).await;
    let bo = door.bo();
    let progress = async |direction: &str| {
        let path = door.path(&format!("goals?$select=progress&$orderby=progress {direction}"));
        let (rows, _) = all(&bo, &path, 1000).await;
        rows.into_iter().map(|row| row["progress"].as_f64()).collect::<Vec<_>>()
    };
    let ascending = progress("asc").await;
    assert!(ascending[0].is_none());
    assert!(ascending.is_sorted(), "{ascending:?}");
    let mut descending = progress("desc").await;
    descending.reverse();
    assert_eq!(descending, ascending);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_of_the_whole_list_holds_over_its_pages() {
    let door = Door::with(&orchard()).await;
    let (rows, pages) = all(&door.bo(), &door.path("goals?$top=10&$skip=2&$count=true"), 4).await;
    assert_eq!((rows.len(), pages), (10, 3));
    assert_eq!(rows[0]["id"], 103);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_come_and_go_neither_repeat_nor_hide_others() {
    let door = Door::with(&orchard()).await;
    let bo = door.bo();
    let first = bo.get(&door.path("goals?$top=100&$orderby=title")).await;
    let expected = ids(&first);
    let request = bo.request("GET", &door.path("goals?$orderby=title")).header("prefer", "maxpagesize=20");
    let page = bo.send(request).await;
    let gone = ids(&page)[19];
    // The very row after which the next page begins.
    let number = goalpost_db::Value::Int(crate::imports::NUMBER);
    let deleted = door.t.app.db.write_alone(
        goalpost::ids::OrganizationNumber(crate::imports::NUMBER),
        std::time::Duration::from_secs(5),
        |tx| {
            tx.execute("delete from goal where organization = ?1 and id = ?2", &[number.clone(), gone.into()])
        },
    );
    assert_eq!(deleted.expect("the row is deleted"), 1);
    let next = bo.get(page.json()["@odata.nextLink"].as_str().expect("a link")).await;
    assert_eq!(ids(&next), expected[20..]);
}
