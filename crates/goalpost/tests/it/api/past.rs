//! What was, what changed since, and who changed it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;

/// The server's time now, as a query has it.
fn now(door: &Door) -> String {
    let at =
        door.t.app.db.snapshot(goalpost_db::Scope::Global, |tx| Ok::<_, goalpost_db::Error>(tx.now_us()));
    let at = jiff::Timestamp::from_microsecond(at.expect("a readable database")).expect("a moment");
    at.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_read_as_they_were() {
    let door = Door::new().await;
    let ilse = door.ilse();
    door.t.advance(Duration::from_mins(1));
    let then = now(&door);
    let before = door.get(&ilse, "goals").await.json()["value"].clone();
    door.t.advance(Duration::from_mins(1));
    door.done(&ilse, "PATCH", "goals/101", &json!({ "title": "Prune 400 trees", "tags": [] }), 200).await;
    door.done(&ilse, "POST", "goals/101/checkIns", &json!({ "value": 250 }), 201).await;
    door.done(&ilse, "DELETE", "goals/103", &Value::Null, 204).await;
    assert_eq!(door.get(&ilse, &format!("goals?asOf={then}")).await.json()["value"], before);
    assert_eq!(door.ids(&ilse, &format!("goals?asOf={then}&$filter=contains(title,'300')")).await, [101]);
    assert_eq!(door.ids(&ilse, &format!("checkIns?asOf={then}")).await, [1000, 1001]);
    assert_eq!(door.get(&ilse, &format!("goals/$count?asOf={then}")).await.text(), "4");
    assert_eq!(door.get(&ilse, &format!("goals/103?asOf={then}")).await.json()["title"], "Graft it");
    assert_eq!(door.get(&ilse, "goals/103").await.status, 404);
    for (query, says) in [
        ("goals?asOf=2001-01-01", "The earliest instant is"),
        ("goals?asOf=2999-01-01", "still to come"),
        ("goals?asOf=yesterday", "yesterday"),
        ("people?asOf=2026-01-01", "no history"),
        ("goals?asOf=2026-01-01&$filter=parents/any(p: p/id eq 100)", "asOf"),
    ] {
        let refused = door.get(&ilse, query).await;
        assert_eq!(refused.status, 400, "{query}: {}", refused.text());
        assert!(refused.error().1.contains(says), "{query}: {}", refused.text());
    }
}

/// Everything, then the changes of each link, applied to a copy: it must always be what a full read says.
struct Follower {
    copy: BTreeMap<i64, Value>,
    link: String,
}

impl Follower {
    async fn new(client: &Client, path: &str) -> Self {
        let mut this = Self { copy: BTreeMap::new(), link: path.to_owned() };
        while !this.step(client).await {}
        this
    }

    /// Take one answer; whether it was the last for now.
    async fn step(&mut self, client: &Client) -> bool {
        let request = client.request("GET", &self.link).header("prefer", "maxpagesize=2");
        let answer = client.send(request).await;
        assert_eq!(answer.status, 200, "{}: {}", self.link, answer.text());
        let json = answer.json();
        for row in json["value"].as_array().expect("a list") {
            let id = row["id"].as_i64().expect("a number");
            if row["@removed"].is_object() {
                self.copy.remove(&id);
            } else {
                self.copy.insert(id, row.clone());
            }
        }
        let link = json["@odata.nextLink"].as_str().or(json["@odata.deltaLink"].as_str());
        link.expect("a link").clone_into(&mut self.link);
        json["@odata.deltaLink"].is_string()
    }

    async fn follows(&mut self, door: &Door, client: &Client, list: &str) {
        self.step(client).await;
        let full = door.get(client, list).await.json();
        let full: Vec<Value> = full["value"].as_array().expect("a list").clone();
        assert_eq!(self.copy.values().cloned().collect::<Vec<_>>(), full);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_and_then_what_changed_is_everything_then() {
    let door = Door::new().await;
    let (ilse, bo) = (door.ilse(), door.bo());
    let mut all = Follower::new(&ilse, &door.path("goals/delta")).await;
    let mut bos = Follower::new(&bo, &door.path("goals/delta")).await;
    let mut some = Follower::new(&ilse, &door.path("goals/delta?$filter=contains(title,'tree')")).await;
    let mut said = Follower::new(&ilse, &door.path("checkIns/delta")).await;
    assert_eq!((all.copy.len(), bos.copy.len(), some.copy.len(), said.copy.len()), (4, 3, 2, 2));
    for (method, path, body, status) in [
        ("PATCH", "goals/103", json!({ "title": "A tree" }), 200),
        (
            "POST",
            "goals",
            json!({ "title": "A new tree", "periodId": 30, "owners": [10], "parents": [{ "id": 100 }] }),
            201,
        ),
        ("PATCH", "goals/101", json!({ "title": "Prune" }), 200),
        ("POST", "goals/101/checkIns", json!({ "value": 250 }), 201),
        ("PATCH", "goals/102", json!({ "isRestricted": false }), 200),
        ("DELETE", "goals/103", Value::Null, 204),
        ("POST", "goals/101/unalign", json!({ "id": 100 }), 200),
        ("PATCH", "goals/100", json!({ "isRestricted": true, "owners": [10], "viewers": [] }), 200),
    ] {
        door.done(&ilse, method, path, &body, status).await;
        all.follows(&door, &ilse, "goals").await;
        bos.follows(&door, &bo, "goals").await;
        some.follows(&door, &ilse, "goals?$filter=contains(title,'tree')").await;
        said.follows(&door, &ilse, "checkIns").await;
    }
    assert!(!bos.copy.contains_key(&100), "it became restricted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_begins_at_an_instant_a_revision_or_an_export() {
    let door = Door::new().await;
    let ilse = door.ilse();
    door.t.advance(Duration::from_mins(1));
    let then = now(&door);
    door.t.advance(Duration::from_mins(1));
    door.done(&ilse, "PATCH", "goals/101", &json!({ "title": "Prune" }), 200).await;
    assert_eq!(door.ids(&ilse, &format!("goals/delta?since={then}")).await, [101]);
    let history = door.get(&ilse, "goals/101/history").await.json();
    let revision = history["value"][1]["revision"].as_i64().expect("a revision");
    assert_eq!(door.ids(&ilse, &format!("goals/delta?since={}", revision - 1)).await, [101]);
    assert_eq!(door.ids(&ilse, &format!("goals/delta?since={revision}")).await, [0; 0]);
    for (query, status) in [
        ("goals/delta?since=2001-01-01", 400),
        ("goals/delta?since=never", 400),
        ("goals/delta?$deltatoken=x", 400),
        ("goals/delta?sinceExport=x", 400),
        ("goals/delta?$top=1", 400),
        ("goals/delta?since=1&$filter=metricTarget gt 5", 400),
    ] {
        let refused = door.get(&ilse, query).await;
        assert_eq!(refused.status, status, "{query}: {}", refused.text());
    }
    // A filter by what has no history, after that changed: everything is to be read anew.
    let named = "goals/delta?$filter=teams/any(t: t/name eq 'Pruning')";
    let mut follower = Follower::new(&ilse, &door.path(named)).await;
    assert!(!follower.copy.is_empty());
    follower.follows(&door, &ilse, "goals?$filter=teams/any(t: t/name eq 'Pruning')").await;
    let owner = door.t.client_with_scopes("user10@contoso.example", SCOPES);
    door.own("user10@contoso.example");
    door.done(&owner, "PATCH", "teams/20", &json!({ "name": "Cutting" }), 200).await;
    let gone = ilse.get(&follower.link).await;
    assert_eq!((gone.status, gone.error().2.as_deref()), (410, Some("fullReadNeeded")));
    let anew = gone.header("location").expect("where to read").to_owned();
    assert_eq!(ilse.get(&anew).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_tells_who_changed_what() {
    let door = Door::new().await;
    let (ilse, bo) = (door.ilse(), door.bo());
    door.done(&ilse, "PATCH", "goals/101", &json!({ "title": "Prune", "owners": [10] }), 200).await;
    let history = door.get(&ilse, "goals/101/history").await.json();
    let changes = history["value"].as_array().expect("a list");
    assert_eq!(changes.len(), 2, "{history}");
    assert_eq!((&changes[0]["isCreated"], &changes[0]["cause"]), (&json!(true), &json!("import")));
    assert_eq!((&changes[1]["actorId"], &changes[1]["cause"]), (&json!(10), &json!("goal change")));
    let title = json!({ "property": "title", "old": "Prune 300 trees", "new": "Prune" });
    assert!(changes[1]["properties"].as_array().expect("a list").contains(&title), "{history}");
    assert_eq!(door.get(&bo, "goals/102/history").await.status, 404);
    // What it was while it was restricted stays with those who may edit it.
    door.done(&ilse, "PATCH", "goals/102", &json!({ "title": "Not yet for all" }), 200).await;
    door.done(&ilse, "PATCH", "goals/102", &json!({ "isRestricted": false }), 200).await;
    door.done(&ilse, "PATCH", "goals/102", &json!({ "title": "For all" }), 200).await;
    let all = door.get(&ilse, "goals/102/history").await;
    assert!(all.text().contains("Nobody else's"));
    let others = door.get(&bo, "goals/102/history").await;
    assert_eq!(others.json()["value"].as_array().map(Vec::len), Some(1), "{}", others.text());
    assert!(!others.text().contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_begins_at_the_state_that_an_export_shows() {
    let door = Door::new().await;
    door.own("user10@contoso.example");
    let (ilse, bo) = (door.ilse(), door.bo());
    let exporter = door.t.client("user10@contoso.example");
    door.done(&ilse, "PATCH", "goals/103", &json!({ "title": "Before it" }), 200).await;
    let everything = goalpost::views::Preset::AllObjectives.guid(door.organization);
    let export = exporter.create_export(door.organization, everything).await.id();
    let since = format!("goals/delta?sinceExport={export}");
    assert_eq!(door.get(&ilse, &since).await.status, 400, "it shows nothing yet");
    assert!(door.t.run_one().await);
    assert_eq!(door.ids(&ilse, &since).await, [0; 0]);
    door.done(&ilse, "PATCH", "goals/101", &json!({ "title": "Behind it" }), 200).await;
    assert_eq!(door.ids(&ilse, &since).await, [101]);
    assert_eq!(door.get(&bo, &since).await.status, 400, "it is not his to know of");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_chooses_otherwise_is_read_anew() {
    let door = Door::new().await;
    let ilse = door.ilse();
    let view = door.done(&ilse, "POST", "views", &json!({ "name": "All" }), 201).await.json();
    let path = format!("views/{}", view["id"].as_str().expect("a GUID"));
    let delta = door.path(&format!("goals/delta?viewId={}", view["id"].as_str().expect("a GUID")));
    let follower = Follower::new(&ilse, &delta).await;
    assert_eq!(follower.copy.len(), 4);
    assert_eq!(ilse.get(&follower.link).await.status, 200);
    door.done(&ilse, "PATCH", &path, &json!({ "filter": { "keyword": { "contains": "graft" } } }), 200).await;
    let gone = ilse.get(&follower.link).await;
    assert_eq!(gone.status, 410, "{}", gone.text());
    assert_eq!(Follower::new(&ilse, gone.header("location").expect("where")).await.copy.len(), 1);
}
