//! Lists, single things, filters, and their errors.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_is_read_with_all_that_belongs_to_it() {
    let door = Door::new().await;
    let answer = door.get(&door.ilse(), "goals/101").await;
    let mut json = answer.json();
    assert_eq!(json["@odata.etag"].as_str(), answer.header("etag"));
    assert_eq!(answer.header("odata-version"), Some("4.01"));
    let context = format!("/api/v1/$metadata#organizations({})/goals/$entity", door.organization);
    assert!(json["@odata.context"].as_str().expect("a context").ends_with(&context));
    json["@odata.context"] = "[context]".into();
    json["@odata.etag"] = "[etag]".into();
    insta::assert_json_snapshot!(json);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_set_has_its_rows_a_count_and_single_things() {
    let door = Door::new().await;
    for (set, count) in [
        ("goals", 4),
        ("checkIns", 2),
        ("comments", 1),
        ("tasks", 0),
        ("people", 2),
        ("teams", 1),
        ("periods", 1),
        ("tags", 1),
        ("views", 7),
    ] {
        let list = door.get(&door.ilse(), &format!("{set}?$count=true")).await.json();
        assert_eq!(list["@odata.count"], count, "{set}: {list}");
        assert_eq!(list["value"].as_array().map(Vec::len), Some(count), "{set}");
        assert_eq!(door.get(&door.ilse(), &format!("{set}/$count")).await.text(), count.to_string());
        for row in list["value"].as_array().expect("a list") {
            let id = row["id"].to_string();
            let one = door.get(&door.ilse(), &format!("{set}/{}", id.trim_matches('"'))).await;
            assert_eq!(one.status, 200, "{set}/{id}: {}", one.text());
            let mut one = one.json();
            one.as_object_mut().expect("an object").remove("@odata.context");
            assert_eq!(one, *row, "{set}");
        }
    }
    assert_eq!(door.ids(&door.ilse(), "goals/101/checkIns").await, [1000]);
    assert_eq!(door.ids(&door.ilse(), "goals/100/comments").await, [2000]);
    assert_eq!(door.get(&door.ilse(), "goals/101/checkIns/1000").await.status, 200);
    assert_eq!(door.get(&door.ilse(), "goals/100/checkIns/1000").await.status, 404, "of another goal");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_stand_in_brackets_too_and_the_root_leads_to_everything() {
    let door = Door::new().await;
    let ilse = door.ilse();
    let organization = door.organization;
    let root = ilse.get("/api/v1").await.json();
    assert_eq!(root["value"][0]["url"], "organizations");
    let list = ilse.get("/api/v1/organizations?$select=id,name").await.json();
    assert_eq!(list["value"], serde_json::json!([{ "id": organization.to_string(), "name": "Contoso" }]));
    for path in [
        format!("/api/v1/organizations({organization})/goals(101)"),
        format!("/api/v1/organizations('{organization}')/goals/101/"),
        format!("/api/v1/organizations%28{organization}%29/goals%28101%29"),
    ] {
        assert_eq!(ilse.get(&path).await.json()["title"], "Prune 300 trees", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_filtered_sorted_and_cut() {
    let door = Door::new().await;
    let ilse = door.ilse();
    for (query, expected) in [
        ("goals?$filter=id gt 100 and objectType eq 'keyResult'", vec![101, 103]),
        ("goals?$filter=contains(tolower(title),'TREES')", vec![100, 101]),
        ("goals?$filter=not (id in (100, 103))&$orderby=id desc", vec![102, 101]),
        ("goals?$filter=startDate eq null and progress le 40", vec![100, 102, 103]),
        ("goals?$search=orchard", vec![102]),
        ("goals?$orderby=title", vec![102, 103, 100, 101]),
        ("goals?$orderby=progressPercent desc,title desc&$top=2", vec![100, 103]),
        ("goals?$skip=3", vec![103]),
        ("checkIns?$filter=asOfDateTime ge 2026-01-12T00:00:00Z and goalId eq 101", vec![1000]),
        ("people?$filter=endswith(email,'10@contoso.example')", vec![10]),
        ("goals?$top=0", vec![]),
    ] {
        assert_eq!(door.ids(&ilse, query).await, expected, "{query}");
    }
    let chosen = door.get(&ilse, "goals/101?$select=title,owners").await.json();
    assert_eq!(chosen.as_object().map(serde_json::Map::len), Some(3), "{chosen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_refused_and_named() {
    let door = Door::new().await;
    let ilse = door.ilse();
    for (query, says) in [
        ("goals?$filter=colour eq 1", "colour"),
        ("goals?$filter=title eq", "$filter"),
        ("goals?$select=colour", "colour"),
        ("goals?$orderby=colour", "colour"),
        ("goals?$orderby=title sideways", "sideways"),
        ("goals?$skiptoken=abc", "@odata.nextLink"),
        ("goals?$top=-1", "$top"),
        ("goals?$expand=owners", "$expand"),
        ("goals?$apply=x", "$apply"),
        ("goals?$skip=100001", "100000"),
        ("people?$search=x", "$search"),
        ("goals/101?$filter=id eq 1", "$filter"),
    ] {
        let answer = door.get(&ilse, query).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        assert!(answer.error().1.contains(says), "{query}: {}", answer.text());
    }
    for path in [
        "goals/999",
        "goals/x",
        "goals/999/checkIns",
        "people/999",
        "views/999",
        "colours",
        "goals/100/colours",
    ] {
        let answer = door.get(&ilse, path).await;
        assert_eq!((answer.status, answer.error().0.as_str()), (404, "notFound"), "{path}");
    }
    let refused = ilse.send(ilse.request("PUT", &door.path("goals"))).await;
    assert_eq!(refused.status, 405);
    assert!(refused.header("allow").is_some_and(|allow| allow.contains("GET")), "{:?}", refused.headers);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_learns_that_the_organization_exists() {
    let door = Door::new().await;
    let stranger = door.t.client_with_scopes("ann@wren.example", SCOPES);
    let nowhere = format!("/api/v1/organizations/{}/goals", Uuid::nil());
    let (theirs, nothing) = (door.get(&stranger, "goals").await, stranger.get(&nowhere).await);
    assert_eq!((theirs.status, theirs.error()), (nothing.status, nothing.error()));
    assert_eq!(theirs.status, 404);
    assert_eq!(stranger.get(&format!("/api/v1/organizations/{}", door.organization)).await.status, 404);
    let none = door.t.client_with_token(None);
    assert_eq!(door.get(&none, "goals").await.status, 401);
    assert_eq!(door.get(&none, "colours").await.status, 401, "not even that there is no such thing");
    let other = door.t.client_with_scopes("user10@contoso.example", "Mail.Read");
    assert_eq!(door.get(&other, "goals").await.status, 403);
    let exports = door.t.client_with_scopes("user10@contoso.example", "Goals-Export.Read.All");
    assert_eq!(door.get(&exports, "goals").await.status, 200, "Graph's scope speaks of goals too");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_thing_already_is_told_so() {
    let door = Door::new().await;
    let (ilse, path) = (door.ilse(), door.path("goals/101"));
    let etag = ilse.get(&path).await.header("etag").expect("a tag").to_owned();
    for held in [etag.clone(), format!("\"x\", {etag}"), format!("W/{etag}")] {
        let again = ilse.send(ilse.request("GET", &path).header("if-none-match", held)).await;
        assert_eq!((again.status, again.bytes.len()), (304, 0));
    }
    let other = ilse.send(ilse.request("GET", &path).header("if-none-match", "\"x\"")).await;
    assert_eq!(other.status, 200);
}
