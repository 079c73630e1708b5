//! Files of what changed since an export: put into the file of then, they make the file of now.

use std::collections::BTreeMap;

use goalpost::views::Preset;
use serde_json::{Value, json};

use super::*;

const ALL: &str = "Goals.ReadWrite.All Goals-Export.ReadWrite.All";

/// A file as rows by number.
type File = BTreeMap<i64, Value>;

struct Reader {
    door: Door,
    client: Client,
}

impl Reader {
    async fn new() -> Self {
        let door = Door::new().await;
        door.own("user10@contoso.example");
        let client = door.t.client_with_scopes("user10@contoso.example", ALL);
        Self { door, client }
    }

    async fn edit(&self, method: &str, rest: &str, body: Value, status: u16) {
        self.door.done(&self.client, method, rest, &body, status).await;
    }

    /// Ask for an export, and let it be made; as it is then.
    async fn made(&self, body: &Value) -> Value {
        let made = self.door.done(&self.client, "POST", "exports", body, 201).await.json();
        while self.door.t.run_one().await {}
        self.door.get(&self.client, &format!("exports/{}", made["id"].as_str().expect("an id"))).await.json()
    }

    /// The lines of a file, and the id of its export.
    async fn lines(&self, view: &Value, since: Option<&str>) -> (String, Vec<Value>) {
        let mut body = json!({ "viewId": view, "format": "jsonl", "columns": "all" });
        if let Some(since) = since {
            body["since"] = since.into();
        }
        let made = self.made(&body).await;
        assert_eq!(made["status"], "succeeded", "{made}");
        let id = made["id"].as_str().expect("an id").to_owned();
        let content = self.door.get(&self.client, &format!("exports/{id}/content")).await;
        let lines: Vec<Value> =
            content.text().lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
        assert_eq!(made["rowsDone"], json!(lines.len()));
        (id, lines)
    }

    async fn whole(&self, view: &Value) -> (String, File) {
        let (id, lines) = self.lines(view, None).await;
        (id, lines.into_iter().map(|line| (line["Id"].as_i64().expect("a number"), line)).collect())
    }

    /// What became of the rows of a file since it was made; and what of each, in the order of the file.
    async fn follow(&self, view: &Value, since: &str, mut file: File) -> (File, Vec<(i64, String)>) {
        let mut told = Vec::new();
        for mut line in self.lines(view, Some(since)).await.1 {
            let id = line["Id"].as_i64().expect("a number");
            let change = line.as_object_mut().expect("an object").remove("Change");
            let change = change.as_ref().and_then(Value::as_str).expect("a change").to_owned();
            let there = match change.as_str() {
                "created" => file.insert(id, line).is_none(),
                "changed" => file.insert(id, line).is_some(),
                "removed" => file.remove(&id).is_some(),
                other => panic!("{other}"),
            };
            assert!(there, "{id} was {change}: {file:?}");
            told.push((id, change));
        }
        (file, told)
    }
}

fn told(changes: &[(i64, String)]) -> Vec<(i64, &str)> {
    changes.iter().map(|(id, change)| (*id, change.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn r14_the_file_of_then_and_what_changed_since_are_the_file_of_now() {
    let reader = Reader::new().await;
    let all = json!(Preset::AllObjectives.guid(reader.door.organization));
    let behind = json!({ "name": "Pruned", "filter": { "title": { "contains": "Prune" } } });
    let behind = reader.door.done(&reader.client, "POST", "views", &behind, 201).await.json()["id"].clone();
    let views = [all, behind];
    let mut first = Vec::new();
    for view in &views {
        first.push(reader.whole(view).await);
    }
    let mut before = first.clone();
    for (method, rest, body, status) in [
        ("POST", "goals/101/checkIns", json!({ "value": 250, "status": "At Risk" }), 201),
        // Its children print its title.
        ("PATCH", "goals/100", json!({ "title": "Another orchard" }), 200),
        ("PATCH", "goals/103", json!({ "title": "Prune it" }), 200),
        ("PATCH", "goals/101", json!({ "title": "Cut 300 trees" }), 200),
        ("PATCH", "goals/102", json!({ "tags": [40] }), 200),
        // Names stand in any row.
        ("PATCH", "people/11", json!({ "name": "Bo Quinton" }), 200),
        ("DELETE", "goals/103", Value::Null, 204),
    ] {
        reader.edit(method, rest, body, status).await;
        for (place, view) in views.iter().enumerate() {
            let (id, now) = reader.whole(view).await;
            for (since, file) in [&before[place], &first[place]] {
                let (followed, _) = reader.follow(view, since, file.clone()).await;
                assert_eq!(followed, now, "after {method} {rest}");
            }
            before[place] = (id, now);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_is_in_the_file() {
    let reader = Reader::new().await;
    let view = json!(Preset::AllObjectives.guid(reader.door.organization));
    let (id, file) = reader.whole(&view).await;
    let (_, changes) = reader.follow(&view, &id, file.clone()).await;
    assert_eq!(changes, []);
    reader.edit("POST", "goals/103/checkIns", json!({ "value": 7 }), 201).await;
    reader.edit("DELETE", "goals/101", Value::Null, 204).await;
    let (_, changes) = reader.follow(&view, &id, file.clone()).await;
    let changes = told(&changes);
    assert!(changes.contains(&(103, "changed")) && changes.contains(&(101, "removed")), "{changes:?}");
    assert_eq!(changes.last(), Some(&(101, "removed")), "what is gone stands at the end");

    // A CSV says the same, and so does the manifest.
    let made = reader.made(&json!({ "viewId": view, "columns": ["Id", "Title"], "since": id })).await;
    let path = format!("exports/{}", made["id"].as_str().expect("an id"));
    let csv = reader.door.get(&reader.client, &format!("{path}/content")).await.text();
    assert!(csv.starts_with("Change,Id,Title\r\n") && csv.ends_with("removed,101,\r\n"), "{csv}");
    let manifest = reader.door.get(&reader.client, &format!("{path}/manifest")).await.json();
    assert!(manifest["since"]["revision"].as_i64() < manifest["revision"].as_i64(), "{manifest}");
    assert_eq!(manifest["columns"][0]["name"], "Change");
    // Nor does the Graph door know of it.
    assert_eq!(reader.client.list_exports("").await.json()["value"].as_array().map(Vec::len), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_cannot_be_told_are_refused() {
    let reader = Reader::new().await;
    let view = json!(Preset::AllObjectives.guid(reader.door.organization));
    let (id, _) = reader.whole(&view).await;
    let mine = json!({ "name": "Mine", "filter": { "and": [] } });
    let mine = reader.door.done(&reader.client, "POST", "views", &mine, 201).await.json()["id"].clone();
    let gone = reader.made(&json!({ "viewId": view })).await["id"].clone();
    let gone = gone.as_str().expect("an id");
    reader.edit("DELETE", &format!("exports/{gone}"), Value::Null, 204).await;
    for (body, says) in [
        (json!({ "viewId": view, "since": gone }), "is gone"),
        (json!({ "viewId": view, "since": Uuid::nil() }), "none of yours"),
        (json!({ "viewId": view, "since": "2001-01-01" }), "The earliest instant"),
        (json!({ "viewId": view, "since": "soon" }), "write an instant"),
        (json!({ "viewId": view, "since": 7 }), "'since' must be a text"),
        (json!({ "viewId": view, "since": id, "asOf": "2026-01-01" }), "leave 'asOf' out"),
        (json!({ "viewId": view, "since": id, "rows": "checkIns" }), "a row for each goal"),
        (json!({ "viewId": view, "since": id, "columns": ["Title"] }), "needs the column `Id`"),
        (json!({ "viewId": mine, "since": id }), "the view was changed since"),
    ] {
        let refused = reader.door.send(&reader.client, "POST", "exports", &body).await;
        assert_eq!(refused.status, 400, "{body}: {}", refused.text());
        assert!(refused.text().contains(says), "{body}: {}", refused.text());
    }
    // A filter that names people cannot be asked about the time before one of them got another name.
    let owned = json!({ "name": "Bo's", "filter": { "owner": { "in": ["Bo Quint"] } } });
    let owned = reader.door.send(&reader.client, "POST", "views", &owned).await;
    assert_eq!(owned.status, 201, "{}", owned.text());
    let owned = owned.json()["id"].clone();
    let (id, _) = reader.whole(&owned).await;
    reader.edit("PATCH", "people/11", json!({ "name": "Bo Quinton" }), 200).await;
    let failed = reader.made(&json!({ "viewId": owned, "since": id })).await;
    assert_eq!(failed["status"], "failed", "{failed}");
    assert!(
        failed["statusDetail"].as_str().is_some_and(|why| why.contains("Ask for the whole file")),
        "{failed}"
    );
}
