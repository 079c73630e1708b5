//! What the service says of itself in OData's terms: the service document, and its types as CSDL (OData 4.01).

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::Json;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::BASE;
use super::routes::{Deed, ROUTES};
use super::sets::{CHECK_INS, COMMENTS, GOALS, ORGANIZATIONS, Property, PropertyKind, SETS, Set, TASKS};
use super::write::Kind;
use crate::origin::Origin;

/// The document at the root: the one set to begin with.
pub(super) async fn get_service(origin: Origin) -> Response {
    let context = format!("{}{BASE}/$metadata", origin.as_str());
    let set = json!({ "name": ORGANIZATIONS.name, "kind": "EntitySet", "url": ORGANIZATIONS.name });
    Json(json!({ "@odata.context": context, "value": [set] })).into_response()
}

/// The types.
pub(super) async fn get_metadata() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(document);
    ([(CONTENT_TYPE, "application/xml")], TEXT.as_str()).into_response()
}

/// The CSDL document.
pub fn document() -> String {
    let mut out = String::from(
        r#"<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">
  <edmx:Reference Uri="https://docs.oasis-open.org/odata/odata-vocabularies/v4.0/vocabularies/Org.OData.Core.V1.xml">
    <edmx:Include Namespace="Org.OData.Core.V1"/>
  </edmx:Reference>
  <edmx:Reference Uri="https://docs.oasis-open.org/odata/odata-vocabularies/v4.0/vocabularies/Org.OData.Capabilities.V1.xml">
    <edmx:Include Namespace="Org.OData.Capabilities.V1"/>
  </edmx:Reference>
  <edmx:DataServices>
    <Schema Namespace="goalpost" xmlns="http://docs.oasis-open.org/odata/ns/edm">
"#,
    );
    let mut complex = Vec::new();
    for set in std::iter::once(&ORGANIZATIONS).chain(SETS) {
        entity_type(&mut out, set);
        for list in set.lists {
            if list.is_plain() || complex.contains(&list.entity) {
                continue;
            }
            complex.push(list.entity);
            line(&mut out, 3, &format!(r#"<ComplexType Name="{}">"#, list.entity));
            for (name, kind, nullable) in list.fields {
                property(&mut out, name, *kind, *nullable, false);
            }
            line(&mut out, 3, "</ComplexType>");
        }
    }
    line(&mut out, 3, r#"<EntityContainer Name="service">"#);
    let root = ORGANIZATIONS.name;
    let entity = ORGANIZATIONS.entity;
    line(&mut out, 4, &format!(r#"<EntitySet Name="{root}" EntityType="goalpost.{entity}">"#));
    for set in BELOW_GOALS {
        let name = set.name;
        line(
            &mut out,
            5,
            &format!(r#"<NavigationPropertyBinding Path="goals/{name}" Target="{root}/{name}"/>"#),
        );
    }
    line(&mut out, 4, "</EntitySet>");
    line(&mut out, 3, "</EntityContainer>");
    out.push_str(CAPABILITIES);
    out.push_str("    </Schema>\n  </edmx:DataServices>\n</edmx:Edmx>\n");
    out
}

/// What clients need not try.
const CAPABILITIES: &str = r#"      <Annotations Target="goalpost.service">
        <Annotation Term="Org.OData.Capabilities.V1.BatchSupported" Bool="false"/>
        <Annotation Term="Org.OData.Capabilities.V1.CrossJoinSupported" Bool="false"/>
      </Annotations>
      <Annotations Target="goalpost.service/organizations">
        <Annotation Term="Org.OData.Capabilities.V1.ExpandRestrictions">
          <Record><PropertyValue Property="Expandable" Bool="false"/></Record>
        </Annotation>
        <Annotation Term="Org.OData.Capabilities.V1.FilterRestrictions">
          <Record><PropertyValue Property="Filterable" Bool="false"/></Record>
        </Annotation>
        <Annotation Term="Org.OData.Capabilities.V1.SortRestrictions">
          <Record><PropertyValue Property="Sortable" Bool="false"/></Record>
        </Annotation>
        <Annotation Term="Org.OData.Capabilities.V1.SearchRestrictions">
          <Record><PropertyValue Property="Searchable" Bool="false"/></Record>
        </Annotation>
      </Annotations>
"#;

/// Sets that can be reached below one goal, too.
const BELOW_GOALS: [&Set; 3] = [&CHECK_INS, &COMMENTS, &TASKS];

fn entity_type(out: &mut String, set: &Set) {
    line(out, 3, &format!(r#"<EntityType Name="{}">"#, set.entity));
    line(out, 4, &format!(r#"<Key><PropertyRef Name="{}"/></Key>"#, set.key().name));
    for Property { name, kind, nullable, .. } in set.properties {
        property(out, name, *kind, *nullable, is_computed(set, name));
    }
    for list in set.lists {
        let item = if list.is_plain() {
            list.fields[0].1.edm().to_owned()
        } else {
            format!("goalpost.{}", list.entity)
        };
        let text = format!(r#"Name="{}" Type="Collection({item})" Nullable="false""#, list.name);
        element(out, &text, is_computed(set, list.name));
    }
    let (below, contained): (&[&Set], _) = match set.name {
        name if name == ORGANIZATIONS.name => (&SETS, r#" ContainsTarget="true""#),
        name if name == GOALS.name => (&BELOW_GOALS, ""),
        _ => (&[], ""),
    };
    for below in below {
        let (name, entity) = (below.name, below.entity);
        let text =
            format!(r#"<NavigationProperty Name="{name}" Type="Collection(goalpost.{entity})"{contained}/>"#);
        line(out, 4, &text);
    }
    line(out, 3, "</EntityType>");
}

/// Whether the server alone says what the property is: libraries leave those out of what they send. The key is known by
/// itself.
fn is_computed(set: &Set, name: &str) -> bool {
    let mut settable =
        ROUTES.iter().filter(|route| route.set.name == set.name).filter_map(|route| match route.deed {
            Deed::Write(write) if route.method == Method::PATCH || write.kind == Kind::Create => {
                Some(write.fields)
            }
            _ => None,
        });
    name != set.key().name && !settable.any(|fields| fields.iter().any(|field| field.name == name))
}

fn property(out: &mut String, name: &str, kind: PropertyKind, nullable: bool, is_computed: bool) {
    let nullable = if nullable { "" } else { r#" Nullable="false""# };
    let precision = if kind == PropertyKind::Moment { r#" Precision="6""# } else { "" };
    element(out, &format!(r#"Name="{name}" Type="{}"{nullable}{precision}"#, kind.edm()), is_computed);
}

fn element(out: &mut String, attributes: &str, is_computed: bool) {
    if is_computed {
        line(out, 4, &format!("<Property {attributes}>"));
        line(out, 5, r#"<Annotation Term="Org.OData.Core.V1.Computed" Bool="true"/>"#);
        line(out, 4, "</Property>");
    } else {
        line(out, 4, &format!("<Property {attributes}/>"));
    }
}

fn line(out: &mut String, depth: usize, text: &str) {
    let _ = writeln!(out, "{:width$}{text}", "", width = depth * 2);
}
