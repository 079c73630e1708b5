//! The service described as an OpenAPI 3.1 document, for tools that do not speak OData.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value as Json, json};

use super::BASE;
use super::body::{Field, FieldKind};
use super::exports::Deed as Of;
use super::imports::Deed as Bring;
use super::routes::{Deed, ROUTES, Route};
use super::sets::{GOALS, ORGANIZATIONS, Property, PropertyKind, SETS, Set, Visible};
use super::write::{Kind, Write};
use crate::exports::{columns, options};

/// The document.
pub(super) async fn get_document() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", document()));
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// The OpenAPI document.
pub fn document() -> Json {
    let mut paths = Map::new();
    for route in ROUTES {
        let item = paths.entry(format!("{BASE}{}", route.path)).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    let mut schemas = Map::from_iter([("error".to_owned(), error_schema())]);
    for set in std::iter::once(&ORGANIZATIONS).chain(SETS) {
        schemas.insert(set.entity.to_owned(), entity_schema(set));
        for list in set.lists.iter().filter(|list| !list.is_plain()) {
            let fields = list.fields.iter().map(|(name, kind, nullable)| (*name, *kind, *nullable, None));
            schemas.insert(list.entity.to_owned(), object_schema(fields));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Goalpost",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "Goals and what belongs to them, by the conventions of OData 4.01. Types: `/api/v1/$metadata`.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }],
        "tags": std::iter::once(&ORGANIZATIONS)
            .chain(SETS)
            .map(|set| json!({ "name": set.name, "description": set.about }))
            .collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
        },
    })
}

fn operation(route: &Route) -> Json {
    let mut parameters: Vec<Json> = path_names(route.path).map(|name| path_parameter(route, name)).collect();
    let options: &[&str] = match route.deed {
        Deed::List if route.set.name == ORGANIZATIONS.name => &["$select", "$top", "$skip", "$count"],
        Deed::List => &[
            "$filter",
            "$search",
            "$select",
            "$orderby",
            "$top",
            "$skip",
            "$count",
            "$skiptoken",
            "asOf",
            "Prefer",
        ],
        Deed::Count => &["$filter", "$search", "asOf"],
        Deed::Get => &["$select", "asOf", "If-None-Match"],
        Deed::Delta => {
            &["$filter", "$search", "viewId", "since", "sinceExport", "$deltatoken", "$skiptoken", "snapshot"]
        }
        Deed::Import(Bring::Create) => &["dryRun", "prune", "takeFile", "label", "map", "fileName"],
        Deed::History
        | Deed::Export(_)
        | Deed::Import(_)
        | Deed::Write(Write { kind: Kind::Create | Kind::CreateAll, .. }) => &[],
        Deed::Write(Write { kind: Kind::Change, .. }) => &["If-Match"],
        Deed::Write(Write { kind: Kind::Delete, .. }) => &["children", "If-Match"],
    };
    let has = |name: &str| match name {
        "$search" => route.set.name == GOALS.name || matches!(route.deed, Deed::Delta),
        "children" => route.set.name == GOALS.name,
        "asOf" => route.set.visible == Visible::OfGoals,
        _ => true,
    };
    parameters.extend(options.iter().filter(|name| has(name)).map(|name| option(route.set, name)));
    let ok = match route.deed {
        Deed::List => json!({
            "description": "A page; `@odata.nextLink` leads to the next one",
            "content": { "application/json": { "schema": page_schema(route.set) } },
        }),
        Deed::Count => json!({
            "description": "The number",
            "content": { "text/plain": { "schema": { "type": "string", "pattern": "^[0-9]+$" } } },
        }),
        Deed::Get if matches!(route.set.visible, Visible::Exports | Visible::Imports) => json!({
            "description": "The job, with its entity tag in `ETag`, and with `Retry-After`, seconds, until it has ended",
            "headers": {
                "ETag": { "schema": { "type": "string" } },
                "Retry-After": { "schema": { "type": "integer" } },
            },
            "content": { "application/json": { "schema": reference(route.set.entity) } },
        }),
        Deed::Get => json!({
            "description": "The thing, with its entity tag in `ETag`",
            "headers": { "ETag": { "schema": { "type": "string" } } },
            "content": { "application/json": { "schema": reference(route.set.entity) } },
        }),
        Deed::Delta => json!({
            "description": "Things that are new or others, and what is gone; `@odata.deltaLink` leads to what changes next",
            "content": { "application/json": { "schema": delta_schema(route.set) } },
        }),
        Deed::History => json!({
            "description": "Changes, the first one first",
            "content": { "application/json": { "schema": history_schema() } },
        }),
        Deed::Write(Write { kind: Kind::Delete, .. })
        | Deed::Export(Of::Delete)
        | Deed::Import(Bring::Delete) => {
            json!({ "description": "It is gone" })
        }
        Deed::Import(Bring::Create) => json!({
            "description": "The import, which a worker will do; `Location` is where it is looked at",
            "headers": { "Location": { "schema": { "type": "string" } } },
            "content": { "application/json": { "schema": reference(route.set.entity) } },
        }),
        Deed::Import(Bring::Undo) => json!({
            "description": "The import, which is taken back",
            "content": { "application/json": { "schema": reference(route.set.entity) } },
        }),
        Deed::Import(Bring::Report) => json!({
            "description": "What it did, or would; or why it failed",
            "content": {
                "application/json": { "schema": { "type": "object" } },
                "text/csv": { "schema": { "type": "string" } },
            },
        }),
        Deed::Export(Of::Content) => json!({
            "description": "The file, whole or in part (RFC 9110 §14)",
            "content": { "*/*": { "schema": { "type": "string", "format": "binary" } } },
        }),
        Deed::Export(Of::Manifest) => json!({
            "description": "What the file is",
            "content": { "application/json": { "schema": { "type": "object" } } },
        }),
        Deed::Export(Of::Create | Of::Retry) => json!({
            "description": "The export, which a worker will make; `Location` is where it is looked at",
            "headers": { "Location": { "schema": { "type": "string" } } },
            "content": { "application/json": { "schema": reference(route.set.entity) } },
        }),
        Deed::Write(Write { kind: Kind::CreateAll, .. }) => json!({ "description": "All of them are made" }),
        Deed::Write(_) => json!({
            "description": "What it has become",
            "headers": { "ETag": { "schema": { "type": "string" } } },
            "content": { "application/json": { "schema": reference(route.set.entity) } },
        }),
    };
    let success = match route.deed {
        Deed::Write(Write { kind: Kind::Create, .. })
        | Deed::Export(Of::Create | Of::Retry)
        | Deed::Import(Bring::Create) => "201",
        Deed::Write(Write { kind: Kind::Delete | Kind::CreateAll, .. })
        | Deed::Export(Of::Delete)
        | Deed::Import(Bring::Delete) => "204",
        _ => "200",
    };
    let mut responses = Map::from_iter([(success.to_owned(), ok)]);
    let of_writes: &[(&str, &str)] = &[
        ("204", "Done; what it has become is not for the caller to see"),
        ("409", "The thing is not in a state for it; the message says what to do first"),
        ("412", "The thing was changed since it was read"),
        ("413", "The body is too large"),
        ("415", "The body is no JSON"),
    ];
    let mut refusals = match route.deed {
        Deed::Write(_) => of_writes.to_vec(),
        Deed::Export(Of::Create) => vec![
            ("409", "One like it is pending; `Location` is where"),
            ("413", "The body is too large"),
            ("415", "The body is no JSON"),
        ],
        Deed::Export(Of::Retry) => vec![("409", "One like it is pending; `Location` is where")],
        Deed::Export(Of::Content) => vec![
            ("206", "The part that `Range` names"),
            ("304", "It is still what `If-None-Match` says"),
            ("409", "It has made no file, or not yet; `Retry-After` says when to look again"),
            ("416", "The part lies outside of the file"),
        ],
        Deed::Export(Of::Manifest) => vec![("409", "It has made no file, or not yet")],
        Deed::Import(Bring::Create) => vec![
            ("409", "One is pending; `Location` is where"),
            ("413", "The file is too large"),
            ("415", "The body is neither a ZIP nor a CSV"),
        ],
        Deed::Import(Bring::Report) => vec![("409", "It has none, or not yet")],
        Deed::Import(Bring::Undo) => {
            vec![("409", "It changed nothing, was taken back before, or things were changed since")]
        }
        Deed::Get => vec![("304", "It is still what `If-None-Match` says")],
        Deed::Delta => vec![("410", "What changed cannot be told; read everything anew at `Location`")],
        _ => Vec::new(),
    };
    if success == "204" && matches!(route.deed, Deed::Write(_)) {
        refusals.remove(0);
    }
    refusals.extend([
        ("400", "The request is not understood; the message says what to change"),
        ("401", "There is no token, or not a good one"),
        ("403", "The token does not allow it"),
        ("404", "There is no such thing, or it is not for the caller to see"),
        ("406", "The client takes no JSON"),
        ("429", "Too many requests; `Retry-After` says how long to wait"),
        ("503", "The server cannot answer now; `Retry-After` says when to try again"),
    ]);
    for (status, about) in refusals {
        if matches!(status, "204" | "206" | "304") {
            responses.insert(status.to_owned(), json!({ "description": about }));
            continue;
        }
        let content = json!({ "application/json": { "schema": reference("error") } });
        responses.insert(status.to_owned(), json!({ "description": about, "content": content }));
    }
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.about,
        "tags": [route.set.name],
        "parameters": parameters,
        "responses": responses,
    });
    if let Deed::Write(write) = route.deed
        && !write.fields.is_empty()
    {
        let content = json!({ "application/json": { "schema": body_schema(write.fields) } });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    if let Deed::Export(Of::Create) = route.deed {
        let content = json!({ "application/json": { "schema": export_schema() } });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    if let Deed::Import(Bring::Create) = route.deed {
        let file = json!({ "schema": { "type": "string", "format": "binary", "minLength": 1 } });
        let content = json!({
            "application/zip": file,
            "text/csv": file,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": file,
            "application/jsonl": file,
            "application/vnd.apache.parquet": file,
            "application/gzip": file,
            "application/zstd": file,
            "application/octet-stream": file,
        });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}

/// What may be said of a file.
fn export_schema() -> Json {
    let words = |words: &[(&str, &str)]| {
        let says: Vec<String> = words.iter().map(|(word, says)| format!("`{word}`: {says}")).collect();
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        json!({ "type": "string", "enum": words, "description": says.join(". ") })
    };
    let names: Vec<&str> = columns::COLUMNS.iter().map(|column| column.name).collect();
    let chosen = json!({ "type": "array", "items": { "type": "string", "enum": names }, "minItems": 1, "uniqueItems": true });
    json!({
        "type": "object",
        "required": ["viewId"],
        "additionalProperties": false,
        "properties": {
            "viewId": { "type": "string", "format": "uuid", "description": "The view that is exported" },
            "asOf": { "type": "string", "description": "As it was at this instant or on this day" },
            "format": words(options::Format::WORDS),
            "columns": { "anyOf": [words(options::KnownColumns::WORDS), chosen] },
            "rows": words(options::Rows::WORDS),
            "checkIns": words(options::CheckInCells::WORDS),
            "tags": words(options::Tags::WORDS),
            "children": { "type": "integer", "minimum": 0, "maximum": u32::MAX, "description": "How many levels below the view's goals come along" },
            "labels": words(options::Labels::WORDS),
            "timeZone": { "type": "string", "description": "The IANA zone by whose clocks it is told when something was written down; UTC without it" },
            "links": words(options::Links::WORDS),
            "compression": words(options::Compression::WORDS),
            "profile": words(options::Profile::WORDS),
            "separator": words(options::Separator::WORDS),
            "decimalMark": words(options::DecimalMark::WORDS),
            "byteOrderMark": { "type": "boolean", "description": "Whether a CSV begins with a byte order mark" },
            "formulas": words(options::FormulaGuard::WORDS),
        },
    })
}

fn body_schema(fields: &[Field]) -> Json {
    let mut properties = Map::new();
    for field in fields {
        let mut schema = match field.kind {
            FieldKind::Text => json!({ "type": "string" }),
            FieldKind::Words => json!({ "type": "string", "pattern": r"\S" }),
            FieldKind::Int => schema(PropertyKind::Int, false),
            FieldKind::Real => schema(PropertyKind::Real, false),
            FieldKind::Flag => schema(PropertyKind::Flag, false),
            FieldKind::Day => schema(PropertyKind::Day, false),
            FieldKind::Guid => schema(PropertyKind::Guid, false),
            FieldKind::OneOf(words) => json!({ "type": "string", "enum": words }),
            FieldKind::References => {
                let number = schema(PropertyKind::Int, false);
                let object = json!({ "type": "object", "required": ["id"], "properties": { "id": number } });
                json!({ "type": "array", "items": { "anyOf": [number, object] } })
            }
            FieldKind::Objects(fields) => json!({ "type": "array", "items": body_schema(fields) }),
            FieldKind::Filter | FieldKind::ExportOptions => json!({ "type": "object" }),
        };
        if field.nullable {
            schema = json!({ "anyOf": [schema, { "type": "null" }] });
        }
        schema["description"] = field.about.into();
        properties.insert(field.name.to_owned(), schema);
    }
    let required: Vec<_> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

/// The names of a path's parameters.
fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn path_parameter(route: &Route, name: &str) -> Json {
    let is_guid = match name {
        "id" => route.set.key().kind == PropertyKind::Guid,
        "organization" | "view" => true,
        _ => false,
    };
    let kind = if is_guid { PropertyKind::Guid } else { PropertyKind::Int };
    let about = match name {
        "organization" => "The organization's `id`".to_owned(),
        "goal" => "The goal's number".to_owned(),
        _ => format!("Which {}, by its `{}`", route.set.entity, route.set.key().name),
    };
    let schema = schema(kind, false);
    json!({ "name": name, "in": "path", "required": true, "description": about, "schema": schema })
}

fn option(set: &Set, name: &str) -> Json {
    let text = || json!({ "type": "string", "minLength": 1 });
    // An empty header is none, and an empty token begins at the beginning for clients that leave it out.
    let any_text = || json!({ "type": "string" });
    let by_commas = |words: Vec<String>| json!({ "type": "array", "items": { "type": "string", "enum": words }, "minItems": 1, "uniqueItems": true });
    let is_list = matches!(name, "$select" | "$orderby");
    let (about, schema, example) = match name {
        "$filter" => ("Which ones: an OData condition", text(), json!("id gt 5")),
        "$search" => ("Words of the title, or the number", text(), json!("customers")),
        "$select" => {
            let names = set.properties.iter().map(|property| property.name);
            let names = names.chain(set.lists.iter().map(|list| list.name));
            (
                "Properties of the answer, by commas",
                by_commas(names.map(str::to_owned).collect()),
                json!(["id"]),
            )
        }
        "$orderby" => {
            let names = set.properties.iter().filter(|property| property.kind != PropertyKind::Json);
            let orders = names.flat_map(|Property { name, .. }| [(*name).to_owned(), format!("{name} desc")]);
            (
                "Properties to sort by, each perhaps with `desc`",
                by_commas(orders.collect()),
                json!(["id desc"]),
            )
        }
        "$top" => ("How many at most", json!({ "type": "integer", "minimum": 0 }), json!(10)),
        "$skip" => (
            "How many to leave out first",
            json!({ "type": "integer", "minimum": 0, "maximum": 100_000 }),
            json!(20),
        ),
        "$count" => {
            ("Whether to say how many there are on all pages", json!({ "type": "boolean" }), json!(true))
        }
        "viewId" => ("The goals of this view", json!({ "type": "string", "format": "uuid" }), Json::Null),
        "since" => ("What changed since this instant, day or revision", text(), json!("2026-01-31")),
        "sinceExport" => ("What changed since the state that this export shows", any_text(), Json::Null),
        "$deltatoken" => ("Where the delta begins, from `@odata.deltaLink`", any_text(), Json::Null),
        "snapshot" => ("The state of the first page, from `@odata.nextLink`", any_text(), Json::Null),
        "asOf" => ("As it was at this instant or on this day", text(), json!("2026-01-31T12:00:00Z")),
        "Prefer" => ("Rows of a page, at most", any_text(), json!("odata.maxpagesize=100")),
        "If-None-Match" => ("The `ETag` of what you have; 304 if it is still that", any_text(), Json::Null),
        "If-Match" => ("The `ETag` of what you have; 412 if it was changed since", any_text(), Json::Null),
        "dryRun" => (
            "Whether to find out and report everything, and write nothing",
            json!({ "type": "boolean" }),
            json!(true),
        ),
        "prune" => {
            ("Whether to take away what the file no longer holds", json!({ "type": "boolean" }), Json::Null)
        }
        "takeFile" => (
            "Whether the file wins where a field was changed here and in the file",
            json!({ "type": "boolean" }),
            Json::Null,
        ),
        "label" => (
            "What a custom label means, such as `Big rock=objective`; may stand several times",
            json!({ "type": "array", "items": { "type": "string", "pattern": "^[a-z]+=(objective|keyResult|initiative)$" } }),
            Json::Null,
        ),
        "map" => (
            "What names and headers of a CSV mean, as the TOML of `goalpost import --map`",
            text(),
            Json::Null,
        ),
        "fileName" => (
            "What the file is called; that of a CSV may say the organization's number",
            json!({ "type": "string", "pattern": r"^[\w .-]{1,100}$" }),
            json!("export.zip"),
        ),
        "children" => (
            "What becomes of goals below it: they stay. Without it, a goal that has some is not deleted",
            json!({ "type": "string", "enum": ["keep"] }),
            Json::Null,
        ),
        _ => ("Where the page begins, from `@odata.nextLink`", any_text(), Json::Null),
    };
    let place = if name.starts_with(|sign: char| sign.is_ascii_uppercase()) { "header" } else { "query" };
    let mut option = json!({ "name": name, "in": place, "description": about, "schema": schema });
    if is_list {
        option["style"] = "form".into();
        option["explode"] = false.into();
    }
    if !example.is_null() {
        option["example"] = example;
    }
    option
}

fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn page_schema(set: &Set) -> Json {
    json!({
        "type": "object",
        "required": ["@odata.context", "value"],
        "properties": {
            "@odata.context": { "type": "string" },
            "@odata.count": { "type": "integer" },
            "@odata.nextLink": { "type": "string" },
            "value": { "type": "array", "items": reference(set.entity) },
        },
    })
}

fn delta_schema(set: &Set) -> Json {
    let gone = json!({
        "type": "object",
        "required": ["@removed", "id"],
        "properties": {
            "@removed": { "type": "object", "properties": { "reason": { "type": "string" } } },
            "id": schema(set.key().kind, false),
        },
    });
    json!({
        "type": "object",
        "required": ["@odata.context", "value"],
        "properties": {
            "@odata.context": { "type": "string" },
            "@odata.nextLink": { "type": "string" },
            "@odata.deltaLink": { "type": "string" },
            "value": { "type": "array", "items": { "anyOf": [gone, reference(set.entity)] } },
        },
    })
}

fn history_schema() -> Json {
    let property = json!({
        "type": "object",
        "required": ["property", "old", "new"],
        "properties": { "property": { "type": "string" }, "old": {}, "new": {} },
    });
    let change = object_schema(
        [
            ("revision", PropertyKind::Int, false, Some("The organization's revision that it made")),
            ("changedDateTime", PropertyKind::Moment, false, Some("When")),
            ("actorId", PropertyKind::Int, true, Some("Who, if a person was named")),
            ("cause", PropertyKind::Text, false, Some("What for")),
            ("isCreated", PropertyKind::Flag, false, Some("Whether the goal is there since")),
        ]
        .into_iter(),
    );
    let mut change = change;
    change["properties"]["properties"] = json!({ "type": "array", "items": property });
    json!({
        "type": "object",
        "required": ["value"],
        "properties": { "value": { "type": "array", "items": change } },
    })
}

fn entity_schema(set: &Set) -> Json {
    let properties = set.properties.iter();
    let mut schema = object_schema(
        properties.map(|property| (property.name, property.kind, property.nullable, Some(property.about))),
    );
    for list in set.lists {
        let item =
            if list.is_plain() { self::schema(list.fields[0].1, false) } else { reference(list.entity) };
        schema["properties"][list.name] =
            json!({ "type": "array", "items": item, "description": list.about });
    }
    schema["description"] = set.about.into();
    schema
}

fn object_schema<'a>(fields: impl Iterator<Item = (&'a str, PropertyKind, bool, Option<&'a str>)>) -> Json {
    let mut properties = Map::new();
    for (name, kind, nullable, about) in fields {
        let mut schema = schema(kind, nullable);
        if let Some(about) = about {
            schema["description"] = about.into();
        }
        properties.insert(name.to_owned(), schema);
    }
    json!({ "type": "object", "properties": properties })
}

fn schema(kind: PropertyKind, nullable: bool) -> Json {
    let (word, format) = match kind {
        PropertyKind::Int => ("integer", Some("int64")),
        PropertyKind::Real => ("number", Some("double")),
        PropertyKind::Flag => ("boolean", None),
        PropertyKind::Text => ("string", None),
        PropertyKind::Day => ("string", Some("date")),
        PropertyKind::Moment => ("string", Some("date-time")),
        PropertyKind::Guid => ("string", Some("uuid")),
        PropertyKind::Json => return json!({}),
    };
    let mut schema = json!({ "type": if nullable { json!([word, "null"]) } else { word.into() } });
    if let Some(format) = format {
        schema["format"] = format.into();
    }
    schema
}

fn error_schema() -> Json {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": { "type": "string" },
                "message": { "type": "string", "description": "What is wrong, and what to change" },
                "target": { "type": "string" },
                "innerError": { "type": "object" },
            },
        }},
    })
}
