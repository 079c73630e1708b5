//! The organization and its short lists: people, teams, time periods, tags.

use serde_json::Value as Json;
use uuid::Uuid;

use super::Done;
use crate::api::body::{Field, FieldKind, field, invalid};
use crate::api::write::{Doing, Kind, Write, conflict};
use crate::goals::rights::{Action, Subject};
use crate::goals::write::terms::{self, TermsError};
use crate::http::GraphError;
use crate::ids::PersonNumber;
use crate::orgs::members::{self, PersonPatch};
use crate::orgs::periods::{self, PeriodPatch};
use crate::orgs::settings::{self, Settings};
use crate::orgs::teams::{self, TeamPatch};
use crate::orgs::terms::Terms;
use crate::orgs::{OrgError, queries, tags};

/// What an organization is called, and what it lets its people do.
pub(in crate::api) static CHANGE_ORGANIZATION: Write = Write {
    fields: &[
        field("name", FieldKind::Text, "What it is called"),
        field("exportPolicy", FieldKind::OneOf(&["owners", "members", "people"]), "Who may export"),
        field(
            "exportPeople",
            FieldKind::References,
            "Who may export besides the owners, by the policy people",
        ),
        field(
            "goalPolicy",
            FieldKind::OneOf(&["owners", "teamOwners", "members"]),
            "Who may make goals that are nobody's",
        ),
        field("planningYearStart", FieldKind::Int, "The month with which planning years begin").or_null(),
        field("termOkr", FieldKind::Text, "Its own word for OKR").or_null(),
        field("termObjective", FieldKind::Text, "Its own word for Objective").or_null(),
        field("termKeyResult", FieldKind::Text, "Its own word for Key result").or_null(),
        field("termInitiative", FieldKind::Text, "Its own word for Initiative").or_null(),
    ],
    kind: Kind::Change,
    run: change_organization,
};

macro_rules! person_fields {
    ($($required:ident)?) => {
        &[
            field("name", FieldKind::Text, "Their name")$(.$required())?,
            field("email", FieldKind::Text, "Their e-mail address, which nobody else has")$(.$required())?,
            field("role", FieldKind::OneOf(&["Organization Owner", "Member"]), "What they are"),
            field("memberType", FieldKind::OneOf(&["regular", "observer"]), "How far they take part"),
            field("status", FieldKind::OneOf(&["active", "pending", "deactivated"]), "Only active people are let in"),
            field("managerId", FieldKind::Int, "The person whom they report to").or_null(),
            field("teamIds", FieldKind::References, "Teams that they are members of"),
        ]
    };
}

/// A new person.
pub(in crate::api) static CREATE_PERSON: Write =
    Write { fields: person_fields!(required), kind: Kind::Create, run: create_person };

/// Another one of a person's properties.
pub(in crate::api) static CHANGE_PERSON: Write =
    Write { fields: person_fields!(), kind: Kind::Change, run: change_person };

macro_rules! team_fields {
    ($($required:ident)?) => {
        &[
            field("name", FieldKind::Text, "What it is called")$(.$required())?,
            field("parentId", FieldKind::Int, "The team that it is part of").or_null(),
            field("teamType", FieldKind::Text, "What kind of team it is"),
            field("description", FieldKind::Text, "More about it").or_null(),
            field("ownerIds", FieldKind::References, "People who own it"),
            field("memberIds", FieldKind::References, "People who belong to it, instead of those who did"),
        ]
    };
}

/// A new team.
pub(in crate::api) static CREATE_TEAM: Write =
    Write { fields: team_fields!(required), kind: Kind::Create, run: create_team };

/// Another one of a team's properties.
pub(in crate::api) static CHANGE_TEAM: Write =
    Write { fields: team_fields!(), kind: Kind::Change, run: change_team };

/// A team that is shown no more.
pub(in crate::api) static ARCHIVE_TEAM: Write = Write { fields: &[], kind: Kind::Change, run: archive_team };

/// A team that is shown again.
pub(in crate::api) static RESTORE_TEAM: Write = Write { fields: &[], kind: Kind::Change, run: restore_team };

/// No team any more.
pub(in crate::api) static DELETE_TEAM: Write = Write { fields: &[], kind: Kind::Delete, run: delete_team };

macro_rules! period_fields {
    ($($required:ident)?) => {
        &[
            field("name", FieldKind::Text, "What it is called")$(.$required())?,
            field("startDate", FieldKind::Day, "Its first day")$(.$required())?,
            field("endDate", FieldKind::Day, "Its last day, which belongs to it")$(.$required())?,
        ]
    };
}

/// A new time period.
pub(in crate::api) static CREATE_PERIOD: Write =
    Write { fields: period_fields!(required), kind: Kind::Create, run: create_period };

/// Another one of a time period's properties.
pub(in crate::api) static CHANGE_PERIOD: Write =
    Write { fields: period_fields!(), kind: Kind::Change, run: change_period };

/// No time period any more.
pub(in crate::api) static DELETE_PERIOD: Write =
    Write { fields: &[], kind: Kind::Delete, run: delete_period };

const TAG: &[Field] = &[field("name", FieldKind::Text, "What it is called").required()];

/// A new tag.
pub(in crate::api) static CREATE_TAG: Write = Write { fields: TAG, kind: Kind::Create, run: create_tag };

/// Another name of a tag.
pub(in crate::api) static CHANGE_TAG: Write = Write { fields: TAG, kind: Kind::Change, run: change_tag };

/// No tag any more.
pub(in crate::api) static DELETE_TAG: Write = Write { fields: &[], kind: Kind::Delete, run: delete_tag };

fn change_organization(doing: &Doing<'_>) -> Done {
    let body = doing.body;
    doing.ask(Action::ManageOrganization, Subject::Organization)?;
    let guid = doing.present["id"].as_str().and_then(|text| Uuid::try_parse(text).ok()).unwrap_or_default();
    let organization = queries::find_by_guid(doing.tx, guid)?
        .ok_or_else(|| crate::api::no_such(&crate::api::sets::ORGANIZATIONS))?;
    let month = |month: Option<i64>| month.map(|month| u8::try_from(month).unwrap_or(u8::MAX));
    let settings = Settings {
        name: body.text("name"),
        export_policy: body.word("exportPolicy"),
        export_people: doing.people("exportPeople"),
        goal_policy: body.word("goalPolicy"),
        planning_year_start: body.opt_int("planningYearStart").map(month),
    };
    if settings != Settings::default() {
        settings::change(doing.tx, &organization, doing.actor(), &settings).map_err(refusal)?;
    }
    if doing.gives_any(&["termOkr", "termObjective", "termKeyResult", "termInitiative"]) {
        let term = |name| doing.given_or_present(name).as_str().map(str::to_owned);
        let terms = Terms {
            okr: term("termOkr"),
            objective: term("termObjective"),
            key_result: term("termKeyResult"),
            initiative: term("termInitiative"),
        };
        terms::set(doing.tx, doing.organization, doing.actor(), &terms).map_err(|error| match error {
            TermsError::Database(error) => error.into(),
            TermsError::NoTerm(error) => invalid(error.to_string()),
        })?;
    }
    Ok(Some(guid.into_bytes().into()))
}

fn create_person(doing: &Doing<'_>) -> Done {
    doing.ask(Action::ManageOrganization, Subject::Organization)?;
    let made = members::add(doing.tx, doing.organization, doing.actor(), doing.ids.guid(), &person(doing));
    Ok(Some(made.map_err(refusal)?.number.into()))
}

fn change_person(doing: &Doing<'_>) -> Done {
    doing.ask(Action::ManageOrganization, Subject::Organization)?;
    let number = PersonNumber(doing.id());
    members::change(doing.tx, doing.organization, doing.actor(), number, &person(doing)).map_err(refusal)?;
    Ok(Some(number.into()))
}

fn person(doing: &Doing<'_>) -> PersonPatch {
    let body = doing.body;
    PersonPatch {
        name: body.text("name"),
        email: body.text("email"),
        role: body.word("role"),
        member_type: body.word("memberType"),
        status: body.word("status"),
        manager: body.opt_int("managerId").map(|manager| manager.map(PersonNumber)),
        teams: body.references("teamIds"),
    }
}

fn create_team(doing: &Doing<'_>) -> Done {
    doing.ask(Action::ManageOrganization, Subject::Organization)?;
    let made = teams::create(doing.tx, doing.organization, doing.actor(), &team(doing));
    Ok(Some(made.map_err(refusal)?.number.into()))
}

fn change_team(doing: &Doing<'_>) -> Done {
    doing.ask(Action::ManageTeam, Subject::Teams(&[doing.id()]))?;
    let changed = teams::change(doing.tx, doing.organization, doing.actor(), doing.id(), &team(doing));
    Ok(Some(changed.map_err(refusal)?.number.into()))
}

fn archive_team(doing: &Doing<'_>) -> Done {
    doing.ask(Action::ManageTeam, Subject::Teams(&[doing.id()]))?;
    let archived = teams::archive(doing.tx, doing.organization, doing.actor(), doing.id());
    Ok(Some(archived.map_err(refusal)?.number.into()))
}

fn restore_team(doing: &Doing<'_>) -> Done {
    doing.ask(Action::ManageTeam, Subject::Teams(&[doing.id()]))?;
    let restored = teams::restore(doing.tx, doing.organization, doing.actor(), doing.id());
    Ok(Some(restored.map_err(refusal)?.number.into()))
}

fn delete_team(doing: &Doing<'_>) -> Done {
    doing.ask(Action::ManageTeam, Subject::Teams(&[doing.id()]))?;
    teams::delete(doing.tx, doing.organization, doing.actor(), doing.id()).map_err(refusal)?;
    Ok(None)
}

fn team(doing: &Doing<'_>) -> TeamPatch {
    let body = doing.body;
    TeamPatch {
        name: body.text("name"),
        parent: body.opt_int("parentId"),
        team_type: body.text("teamType"),
        description: body.opt_text("description"),
        owners: doing.people("ownerIds"),
        members: doing.people("memberIds"),
    }
}

fn create_period(doing: &Doing<'_>) -> Done {
    doing.ask(Action::ManageOrganization, Subject::Organization)?;
    let made = periods::create(doing.tx, doing.organization, doing.actor(), &period(doing));
    Ok(Some(made.map_err(refusal)?.number.into()))
}

fn change_period(doing: &Doing<'_>) -> Done {
    doing.ask(Action::ManageOrganization, Subject::Organization)?;
    let changed = periods::change(doing.tx, doing.organization, doing.actor(), doing.id(), &period(doing));
    Ok(Some(changed.map_err(refusal)?.number.into()))
}

fn delete_period(doing: &Doing<'_>) -> Done {
    doing.ask(Action::ManageOrganization, Subject::Organization)?;
    periods::delete(doing.tx, doing.organization, doing.actor(), doing.id()).map_err(refusal)?;
    Ok(None)
}

fn period(doing: &Doing<'_>) -> PeriodPatch {
    let body = doing.body;
    PeriodPatch { name: body.text("name"), start: body.day("startDate"), end: body.day("endDate") }
}

fn create_tag(doing: &Doing<'_>) -> Done {
    doing.ask(Action::ManageOrganization, Subject::Organization)?;
    let made = tags::create(doing.tx, doing.organization, doing.actor(), &name(doing));
    Ok(Some(made.map_err(refusal)?.number.into()))
}

fn change_tag(doing: &Doing<'_>) -> Done {
    doing.ask(Action::ManageOrganization, Subject::Organization)?;
    let renamed = tags::rename(doing.tx, doing.organization, doing.actor(), doing.id(), &name(doing));
    Ok(Some(renamed.map_err(refusal)?.number.into()))
}

fn delete_tag(doing: &Doing<'_>) -> Done {
    doing.ask(Action::ManageOrganization, Subject::Organization)?;
    tags::delete(doing.tx, doing.organization, doing.actor(), doing.id()).map_err(refusal)?;
    Ok(None)
}

fn name(doing: &Doing<'_>) -> String {
    doing.body.get("name").and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// A refusal of the organization's own, as the door words it.
fn refusal(error: OrgError) -> GraphError {
    match error {
        OrgError::Database(error) => error.into(),
        OrgError::InUse { .. } => conflict("inUse", format!("{error}; give those another one first")),
        OrgError::LastOwner(_) => {
            conflict("lastOwner", format!("{error}; make somebody else an owner first"))
        }
        OrgError::NameTaken { .. } | OrgError::EmailTaken(_) => conflict("nameTaken", error),
        error => invalid(error.to_string()),
    }
}
