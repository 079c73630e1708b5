//! A view's API settings: how the files look that clients get who cannot say it themselves.

use goalpost_testing::{Answer, Client, ORGANIZATION, TestApp, VIEW};
use serde_json::{Value, json};

use super::{finished_export, insert_goal};

const ALL: &str = "Goals-Export.ReadWrite.All Goals.ReadWrite.All";

async fn patch(t: &TestApp, email: &str, settings: &Value) -> Answer {
    let client = t.client_with_scopes(email, ALL);
    let path = format!("/api/v1/organizations/{ORGANIZATION}/views/{VIEW}");
    let body = json!({ "apiSettings": settings }).to_string();
    client.send(client.request("PATCH", &path).header("content-type", "application/json").body(body)).await
}

async fn content(ann: &Client, id: &str) -> Answer {
    let content = ann.get_content(id).await;
    assert_eq!(content.status, 200, "{}", content.text());
    content
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_of_a_view_shape_its_files_until_they_are_taken_away() {
    let t = TestApp::start().await;
    insert_goal(&t, 1, "Open to all", None);
    let ann = t.ann();
    let before = content(&ann, &finished_export(&t).await).await;

    let settings = json!({ "format": "jsonl", "columns": ["Id", "Title"] });
    let changed = patch(&t, "ann@wren.example", &settings).await;
    assert_eq!((changed.status, &changed.json()["apiSettings"]), (200, &settings), "{}", changed.text());
    let id = ann.create_export(ORGANIZATION, VIEW).await.id();
    // What was asked for is frozen, and one export of the view is pending however it looks.
    assert_eq!(patch(&t, "ann@wren.example", &Value::Null).await.status, 200);
    assert_eq!(ann.create_export(ORGANIZATION, VIEW).await.status, 409);
    assert!(t.run_one().await);
    let lines = content(&ann, &id).await;
    assert_eq!(lines.text(), "{\"Id\":1,\"Title\":\"Open to all\"}\n");
    assert_eq!(lines.header("content-type"), Some("application/jsonl"));
    assert!(lines.header("content-disposition").is_some_and(|name| name.contains(".jsonl")), "{lines:?}");
    assert_eq!(ann.list_exports("").await.json()["value"].as_array().map(Vec::len), Some(2));

    let after = content(&ann, &finished_export(&t).await).await;
    assert_eq!((after.bytes, after.headers[0].clone()), (before.bytes, before.headers[0].clone()));
    let audit = t.app.db.snapshot(super::NUMBER, |tx| {
        tx.query(
            "select detail from audit where organization = ?1 and action = 'view.apiSettings' order by id",
            goalpost_db::params![super::NUMBER],
            |row| Ok::<_, goalpost_db::Error>(row.text(0)?.to_owned()),
        )
    });
    let audit: Vec<Value> =
        audit.unwrap().iter().map(|detail| serde_json::from_str(detail).unwrap()).collect();
    assert_eq!(audit, [json!({ "apiSettings": settings }), json!({ "apiSettings": null })]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_the_settings_is_another_export() {
    let t = TestApp::start().await;
    insert_goal(&t, 1, "Open to all", None);
    let (ann, client) = (t.ann(), t.client_with_scopes("ann@wren.example", ALL));
    patch(&t, "ann@wren.example", &json!({ "format": "jsonl", "columns": ["Title"] })).await;
    let of_graph = ann.create_export(ORGANIZATION, VIEW).await.id();
    let exports = format!("/api/v1/organizations/{ORGANIZATION}/exports");
    let body = json!({ "viewId": VIEW }).to_string();
    let request = client.request("POST", &exports).header("content-type", "application/json").body(body);
    let plain = client.send(request).await;
    assert_eq!(plain.status, 201, "{}", plain.text());
    assert!(t.run_one().await && t.run_one().await);
    let plain_file = client.get(&format!("{exports}/{}/content", plain.id())).await;
    assert!(plain_file.text().starts_with("Id,Title,"), "{}", plain_file.text());
    assert_eq!(content(&ann, &of_graph).await.text(), "{\"Title\":\"Open to all\"}\n");
    // It could not have been asked for at the Graph door, which does not list it.
    assert_eq!(ann.list_exports("").await.json()["value"].as_array().map(Vec::len), Some(1));
    let again = client.request("POST", &format!("{exports}/{}/retry", plain.id()));
    assert_eq!(client.send(again).await.status, 201);
    assert_eq!(ann.list_exports("").await.json()["value"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_without_an_address_are_refused_before_they_are_promised() {
    let t = TestApp::start().await;
    let changed = patch(&t, "ann@wren.example", &json!({ "format": "xlsx", "links": "id" })).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let refused = t.ann().create_export(ORGANIZATION, VIEW).await;
    assert_eq!(refused.status, 400);
    assert!(refused.error().1.contains("the operator sets `public_url`"), "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_for_who_may_change_the_view_and_must_fit_together() {
    let t = TestApp::start().await;
    let refused = patch(&t, "ben@wren.example", &json!({ "format": "xlsx" })).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    for (settings, says) in [
        (json!({ "format": "pdf" }), "unknown variant `pdf`"),
        (json!({ "format": "xlsx", "compression": "gzip" }), "packed already"),
        (json!({ "columns": ["Colour"] }), "no column `Colour`"),
        (json!("xlsx"), "apiSettings"),
    ] {
        let refused = patch(&t, "ann@wren.example", &settings).await;
        assert_eq!(refused.status, 400, "{settings}");
        assert!(refused.error().1.contains(says), "{settings}: {}", refused.text());
    }
    let preset = goalpost::views::Preset::AllObjectives.guid(ORGANIZATION);
    let client = t.client_with_scopes("ann@wren.example", ALL);
    let path = format!("/api/v1/organizations/{ORGANIZATION}/views/{preset}");
    let body = json!({ "apiSettings": null }).to_string();
    let request = client.request("PATCH", &path).header("content-type", "application/json").body(body);
    assert_eq!(client.send(request).await.status, 409);
}
