//! What the service says of itself.

use goalpost::api::routes::ROUTES;
use goalpost::api::sets::{GOALS, SETS};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_types_are_well_formed_and_name_every_property() {
    let door = Door::new().await;
    let nobody = door.t.client_with_token(None);
    let xml = nobody.get("/api/v1/$metadata").await;
    assert_eq!(xml.header("content-type"), Some("application/xml"));
    let xml = xml.text();
    let mut reader = quick_xml::Reader::from_str(&xml);
    reader.config_mut().check_end_names = true;
    while reader.read_event().expect("well-formed XML") != quick_xml::events::Event::Eof {}
    for set in SETS {
        assert!(xml.contains(&format!("<EntityType Name=\"{}\">", set.entity)), "{}", set.entity);
    }
    insta::assert_snapshot!(xml);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_members_that_are_described() {
    let door = Door::new().await;
    let document = door.t.client_with_token(None).get("/api/v1/openapi.json").await.json();
    let goal = door.get(&door.ilse(), "goals/101").await.json();
    let described = document["components"]["schemas"]["goal"]["properties"].as_object().expect("a schema");
    let answered: Vec<&String> =
        goal.as_object().expect("a goal").keys().filter(|name| !name.starts_with('@')).collect();
    assert_eq!(answered, described.keys().collect::<Vec<_>>());
    assert_eq!(described.len(), GOALS.properties.len() + GOALS.lists.len());
    for route in ROUTES {
        let path = format!("/api/v1{}", route.path);
        let method = route.method.as_str().to_ascii_lowercase();
        assert_eq!(document["paths"][&path][&method]["operationId"], route.name, "{path}");
    }
}
