//! Explorer views: saved, changed, taken away.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::Done;
use crate::api::body::{FieldKind, field, invalid};
use crate::api::write::{Doing, Kind, Write, conflict};
use crate::audit;
use crate::goals::filter::Filter;
use crate::goals::rights::{Action, Subject};
use crate::http::{GraphError, parse_guid};
use crate::ids::PersonNumber;
use crate::views::change::{self, ViewChange};
use crate::views::sharing::Share;
use crate::views::{self, NewView, Selection, Sort, ViewError};

macro_rules! view_fields {
    ([$($required:ident)?] $($extra:expr),*) => {
        &[
            field("name", FieldKind::Text, "What it is called")$(.$required())?,
            field("isPublic", FieldKind::Flag, "Whether every member sees it"),
            field("sharedWithPeople", FieldKind::References, "People who see it besides"),
            field("sharedWithTeams", FieldKind::References, "Teams whose members and owners see it besides"),
            field("filter", FieldKind::Filter, "Which goals: docs/DATA.md, \"Filters\""),
            field("topLevelOnly", FieldKind::Flag, "Whether goals below others are left out"),
            field("isFlat", FieldKind::Flag, "Whether a page shows a list, not a tree"),
            field("sort", FieldKind::Text, "In which order a page shows them: docs/DATA.md, \"Views\""),
            $($extra),*
        ]
    };
}

/// A new view of who makes it.
pub(in crate::api) static CREATE: Write = Write {
    fields: view_fields!([required] field("id", FieldKind::Guid, "The GUID that clients already name")),
    kind: Kind::Create,
    run: create,
};

/// Another one of a view's properties.
pub(in crate::api) static CHANGE: Write = Write {
    fields: view_fields!([]
        field("apiSettings", FieldKind::ExportOptions, "How the files of the Graph door look; null: as Viva Goals' did")
            .or_null()
    ),
    kind: Kind::Change,
    run: change,
};

/// No view any more; exports that were asked for before go on.
pub(in crate::api) static DELETE: Write = Write { fields: &[], kind: Kind::Delete, run: delete };

fn create(doing: &Doing<'_>) -> Done {
    doing.ask(Action::SaveView, Subject::Organization)?;
    let body = doing.body;
    let new = NewView {
        guid: body.text("id").as_deref().and_then(parse_guid).unwrap_or_else(|| doing.ids.guid()),
        name: body.text("name").unwrap_or_default(),
        owner: doing.actor(),
        is_public: body.flag("isPublic").unwrap_or(false),
        shares: shares(doing).unwrap_or_default(),
        selection: Selection {
            filter: filter(doing)?.unwrap_or_default(),
            top_level: body.flag("topLevelOnly").unwrap_or(false),
        },
        flat: body.flag("isFlat").unwrap_or(true),
        sort: sort(doing)?.unwrap_or_default(),
    };
    let view = views::create(doing.tx, doing.organization, &new, doing.actor()).map_err(refusal)?;
    record(doing, "view.create", view.guid)?;
    Ok(Some(view.guid.into_bytes().into()))
}

fn change(doing: &Doing<'_>) -> Done {
    doing.ask(Action::SaveView, Subject::Organization)?;
    let body = doing.body;
    let change = ViewChange {
        name: body.text("name"),
        is_public: body.flag("isPublic"),
        shares: shares(doing),
        filter: filter(doing)?,
        top_level: body.flag("topLevelOnly"),
        flat: body.flag("isFlat"),
        sort: sort(doing)?,
        api_settings: body
            .get("apiSettings")
            .map(|options| (!options.is_null()).then(|| options.to_string())),
    };
    let guid = guid(doing);
    change::update(doing.tx, doing.organization, guid, &change, doing.actor()).map_err(refusal)?;
    record(doing, "view.change", guid)?;
    if let Some(settings) = body.get("apiSettings") {
        let detail = json!({ "apiSettings": settings });
        audit::record(
            doing.tx,
            doing.organization,
            doing.actor(),
            "view.apiSettings",
            &guid.to_string(),
            &detail,
        )?;
    }
    Ok(Some(guid.into_bytes().into()))
}

fn delete(doing: &Doing<'_>) -> Done {
    doing.ask(Action::SaveView, Subject::Organization)?;
    let guid = guid(doing);
    views::delete(doing.tx, doing.organization, guid, doing.actor()).map_err(refusal)?;
    record(doing, "view.delete", guid)?;
    Ok(None)
}

fn record(doing: &Doing<'_>, action: &str, view: Uuid) -> Result<(), GraphError> {
    let detail = Json::Object(serde_json::Map::new());
    Ok(audit::record(doing.tx, doing.organization, doing.actor(), action, &view.to_string(), &detail)?)
}

fn guid(doing: &Doing<'_>) -> Uuid {
    doing.present["id"].as_str().and_then(parse_guid).unwrap_or_default()
}

fn filter(doing: &Doing<'_>) -> Result<Option<Filter>, GraphError> {
    let filter = doing.body.get("filter").cloned().map(Filter::try_from).transpose();
    filter.map_err(|error| invalid(error.to_string()))
}

fn sort(doing: &Doing<'_>) -> Result<Option<Sort>, GraphError> {
    let sort = doing.body.text("sort").map(|text| text.parse()).transpose();
    sort.map_err(|error| invalid(format!("'sort': {error}")))
}

/// With whom it is to be shared; of people and teams, those that are not given stay.
fn shares(doing: &Doing<'_>) -> Option<Vec<Share>> {
    if !doing.gives_any(&["sharedWithPeople", "sharedWithTeams"]) {
        return None;
    }
    let numbers = |name: &str| {
        let list = doing.given_or_present(name).as_array().cloned().unwrap_or_default();
        list.into_iter().filter_map(|item| item.as_i64().or_else(|| item["id"].as_i64()))
    };
    let people = numbers("sharedWithPeople").map(|person| Share::Person(PersonNumber(person)));
    Some(people.chain(numbers("sharedWithTeams").map(Share::Team)).collect())
}

/// A refusal of the views' own, as the door words it.
fn refusal(error: ViewError) -> GraphError {
    match error {
        ViewError::Database(error) => error.into(),
        ViewError::NotFound(_) => crate::api::no_such(&crate::api::sets::VIEWS),
        ViewError::GuidTaken(_) => conflict("idTaken", error),
        ViewError::IsPreset(_) => conflict("isPreset", error),
        ViewError::MayNot(_) => GraphError::service(
            axum::http::StatusCode::FORBIDDEN,
            "forbidden",
            "notPermitted",
            format!("Not permitted: {error}."),
        ),
        error => invalid(error.to_string()),
    }
}
