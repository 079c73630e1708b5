//! Requests as Excel, Power BI and OData libraries send them, and what they look for in the answers.

use reqwest::RequestBuilder;
use serde_json::json;

use super::*;

/// What Power Query sends with every request.
const EXCEL_ACCEPT: &str = "application/json;odata.metadata=minimal;q=1.0,application/json;odata=minimalmetadata;q=0.9,\
                            application/atomsvc+xml;q=0.8,application/atom+xml;q=0.8,application/xml;q=0.7,text/plain;q=0.7";

fn as_excel(request: RequestBuilder) -> RequestBuilder {
    request
        .header("accept", EXCEL_ACCEPT)
        .header("maxdataserviceversion", "3.0")
        .header("odata-maxversion", "4.0")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spreadsheet_finds_its_way_from_the_root_to_every_row() {
    let door = Door::new().await;
    let ilse = door.ilse();
    let get = async |path: &str| ilse.send(as_excel(ilse.request("GET", path))).await;
    for root in ["/api/v1", "/api/v1/"] {
        let service = get(root).await;
        assert_eq!((service.status, service.header("odata-version")), (200, Some("4.0")));
        assert_eq!(
            service.json()["value"][0],
            json!({ "name": "organizations", "kind": "EntitySet", "url": "organizations" })
        );
    }
    let types = get("/api/v1/$metadata").await;
    assert_eq!((types.status, types.header("odata-version")), (200, Some("4.0")));
    assert_eq!(types.header("content-type"), Some("application/xml"));
    let organizations = get("/api/v1/organizations").await;
    assert_eq!(organizations.header("content-type"), Some("application/json;odata.metadata=minimal"));
    let key = organizations.json()["value"][0]["id"].as_str().expect("a key").to_owned();
    let goals = |rest: &str| format!("/api/v1/organizations({key})/goals{rest}");
    let first = get(&goals("?$top=1000&$skip=2")).await;
    assert_eq!(ids(&first), [102, 103]);
    assert_eq!(first.header("odata-version"), Some("4.0"));
    let nothing = get(&goals("?$top=1000&$skip=1000")).await;
    assert_eq!(nothing.json()["value"], json!([]));
    let refused = get(&goals("?$expand=checkIns")).await;
    assert_eq!((refused.status, refused.header("odata-version")), (400, Some("4.0")), "errors too");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_are_understood_however_they_are_spelt() {
    let door = Door::new().await;
    let ilse = door.ilse();
    let columns = goalpost::api::sets::GOALS.properties.iter().map(|property| property.name);
    let columns = columns.collect::<Vec<_>>().join(",");
    for (query, expected) in [
        ("goals?%24filter=id%20eq%20101", vec![101]),
        ("goals?$filter=id+eq+101+or+title+eq+'A+secret+orchard'", vec![101, 102]),
        ("goals?%24top=1&%24skip=1&%24orderby=id%20desc&%24format=json", vec![102]),
        ("goals?$filter=contains(title,'orchard')%20eq%20true", vec![102]),
        ("goals?$filter=contains(title,'orchard')%20eq%20false%20and%20id%20gt%20100", vec![101, 103]),
        ("goals/?$top=2", vec![100, 101]),
        (
            "checkIns?$filter=asOfDateTime%20ge%202026-01-01T00:00:00Z%20and%20asOfDateTime%20lt%202027-01-01T00:00:00.000Z",
            vec![1000, 1001],
        ),
        ("checkIns?$filter=asOfDateTime%20ge%202026-01-01T01:00:00%2B01:00", vec![1000, 1001]),
        ("goals?$format=application/json;odata.metadata%3Dnone&$top=1", vec![100]),
        (&format!("goals?$select={columns}&$top=1"), vec![100]),
        ("goals?$count=true&$top=1", vec![100]),
    ] {
        assert_eq!(door.ids(&ilse, query).await, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_of_the_kind_that_the_client_takes() {
    let door = Door::new().await;
    let ilse = door.ilse();
    let path = door.path("goals?$top=1&$count=true&$filter=id eq 101");
    let get =
        async |path: &str, accept: &str| ilse.send(ilse.request("GET", path).header("accept", accept)).await;

    let minimal = get(&path, "application/json;odata.metadata=full").await;
    assert_eq!(
        minimal.header("content-type"),
        Some("application/json;odata.metadata=minimal"),
        "there is no more"
    );
    let minimal = minimal.json();
    assert!(
        minimal["@odata.context"].is_string() && minimal["value"][0]["@odata.etag"].is_string(),
        "{minimal}"
    );

    let bare = get(&path, "application/json;odata.metadata=none").await;
    assert_eq!(bare.header("content-type"), Some("application/json;odata.metadata=none"));
    let bare = bare.json();
    assert_eq!((bare.get("@odata.context"), &bare["@odata.count"]), (None, &json!(1)));
    let names = bare["value"][0].as_object().expect("a goal").keys();
    assert_eq!(names.filter(|name| name.starts_with('@')).count(), 0, "{bare}");
    let paged = ilse.request("GET", &door.path("goals")).header("prefer", "odata.maxpagesize=1");
    let paged = ilse.send(paged.header("accept", "application/json;odata.metadata=none")).await;
    assert!(paged.json()["@odata.nextLink"].is_string(), "a list is read to its end");

    let texts = get(&path, "application/json;IEEE754Compatible=true").await;
    assert!(texts.header("content-type").is_some_and(|kind| kind.contains("IEEE754Compatible=true")));
    let texts = texts.json();
    let goal = &texts["value"][0];
    assert_eq!(
        (&texts["@odata.count"], &goal["id"], &goal["owners"][0]["id"]),
        (&json!("1"), &json!("101"), &json!("10"))
    );
    assert_eq!(goal["progressPercent"], minimal["value"][0]["progressPercent"], "a double is a number");
    let one = get(&door.path("goals/101"), "application/json;IEEE754Compatible=true").await;
    assert_eq!(one.json()["id"], "101");
    assert_eq!(one.header("etag"), minimal["value"][0]["@odata.etag"].as_str(), "it is the same goal");

    for (path, status) in [
        (door.path("goals"), 406),
        (door.path("goals/101"), 406),
        (door.path("goals/$count"), 200),
        ("/api/v1/$metadata".to_owned(), 200),
    ] {
        let xml = get(&path, "application/atom+xml,application/xml").await;
        assert_eq!(xml.status, status, "{path}: {}", xml.text());
    }
    let xml = door.get(&ilse, "goals?$format=atom").await;
    assert_eq!((xml.status, xml.error().0.as_str()), (406, "notAcceptable"));
    assert!(
        get(&door.path("goals/999"), "*/*")
            .await
            .header("content-type")
            .is_some_and(|kind| kind.contains("json"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_of_an_answer_is_one_that_the_client_knows() {
    let door = Door::new().await;
    let ilse = door.ilse();
    for (header, value, status, version) in [
        ("odata-maxversion", "4.0", 200, "4.0"),
        ("odata-maxversion", "4.01", 200, "4.01"),
        ("odata-version", "4.0", 200, "4.0"),
        ("odata-maxversion", "3.0", 400, ""),
        ("odata-version", "3.0", 400, ""),
    ] {
        let answer = ilse.send(ilse.request("GET", &door.path("goals/101")).header(header, value)).await;
        assert_eq!(answer.status, status, "{header}: {value}");
        assert_eq!(answer.header("odata-version").unwrap_or_default(), version, "{header}: {value}");
    }
    let request = ilse.request("POST", &door.path("goals/100/comments")).header("odata-maxversion", "4.0");
    let made = ilse
        .send(
            request
                .header("content-type", "application/json;odata.metadata=minimal")
                .body(r#"{"text":"Hm"}"#),
        )
        .await;
    assert_eq!((made.status, made.header("odata-version")), (201, Some("4.0")), "{}", made.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_besides_are_answered_as_http_has_them() {
    let door = Door::new().await;
    let ilse = door.ilse();
    for rest in ["goals", "goals/101", "goals/$count"] {
        let (got, head) =
            (door.get(&ilse, rest).await, ilse.send(ilse.request("HEAD", &door.path(rest))).await);
        assert_eq!((head.status, head.bytes.len()), (200, 0), "{rest}");
        for name in ["content-type", "content-length", "etag", "odata-version"] {
            assert_eq!(head.header(name), got.header(name), "{rest}: {name}");
        }
    }
    let options = ilse.send(ilse.request("OPTIONS", &door.path("goals"))).await;
    assert_eq!(options.status, 405);
    assert_eq!(options.header("allow"), Some("GET, POST"));
}

/// A library that makes a thing leaves out what the server alone says.
#[tokio::test(flavor = "multi_thread")]
async fn the_types_say_what_is_not_for_clients_to_write() {
    let door = Door::new().await;
    let xml = door.t.client_with_token(None).get("/api/v1/$metadata").await.text();
    let goal =
        xml.split("<EntityType Name=\"goal\">").nth(1).and_then(|rest| rest.split("</EntityType>").next());
    let goal = goal.expect("the type of goals");
    let computed = |name: &str| {
        let rest =
            goal.split(&format!("<Property Name=\"{name}\"")).nth(1).unwrap_or_else(|| panic!("no {name}"));
        rest.split("<Property ").next().is_some_and(|own| own.contains("Org.OData.Core.V1.Computed"))
    };
    for (name, expected) in [
        ("title", false),
        ("id", false),
        ("owners", false),
        ("checkInCount", true),
        ("creatorId", true),
        ("score", true),
    ] {
        assert_eq!(computed(name), expected, "{name}");
    }
}
