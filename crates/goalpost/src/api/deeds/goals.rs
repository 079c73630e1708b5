//! Goals: made, changed, aligned, ended, taken away.

use goalpost_okr::TargetType;

use super::Done;
use crate::api::body::{Body, Field, FieldKind, field, invalid};
use crate::api::write::{Doing, Kind, Write, conflict};
use crate::goals::ending::{self, Ended, Ending, EndingError};
use crate::goals::rights::{Action, Subject, creation};
use crate::goals::write::align::{self, Alignment, NewWeights, Weight};
use crate::goals::write::carry::{self, Cloning, Postponing};
use crate::goals::write::change;
use crate::goals::write::create::{self, NewGoal};
use crate::goals::write::delete::{self, Below};
use crate::goals::write::fields::{Metric, Outcome, Patch, Phased, Visibility};
use crate::http::GraphError;
use crate::ids::PersonNumber;

const PARENT: &[Field] = &[
    field("id", FieldKind::Int, "The goal above").required(),
    field("weight", FieldKind::Real, "Percent of its progress; null for a share of what is free").or_null(),
];

const PHASED_TARGET: &[Field] = &[
    field("value", FieldKind::Real, "In the metric's unit, or percent").required(),
    field("dueDate", FieldKind::Day, "By when").required(),
];

/// What a goal's body may hold; `$needed` is said of what a new one cannot do without.
macro_rules! goal_fields {
    ([$($needed:tt)*] $($extra:expr),*) => {
        &[
            field("objectType", FieldKind::OneOf(&["objective", "keyResult", "initiative"]), "What it is"),
            field("title", FieldKind::Words, "What it is called; one line")$($needed)*,
            field("description", FieldKind::Text, "More about it").or_null(),
            field("owners", FieldKind::References, "Whose it is, in order"),
            field("checkInOwners", FieldKind::References, "Who checks in; the first owner otherwise"),
            field("delegateId", FieldKind::Int, "Who acts for the owners").or_null(),
            field("teams", FieldKind::References, "Teams that share it"),
            field("tags", FieldKind::References, "Its tags"),
            field("periodId", FieldKind::Int, "Its time period")$($needed)*,
            field("startDate", FieldKind::Day, "Its first day; the period's if null").or_null(),
            field("endDate", FieldKind::Day, "Its last day; the period's if null").or_null(),
            field("outcomeType", FieldKind::OneOf(&["Percentage", "Metric"]), "How progress is counted"),
            field("metricName", FieldKind::Text, "What is measured").or_null(),
            field("metricUnit", FieldKind::Text, "Number, Percentage, Dollar or another word").or_null(),
            field("metricStart", FieldKind::Real, "The value that counts as 0 percent").or_null(),
            field("metricTarget", FieldKind::Real, "The value that counts as 100 percent").or_null(),
            field("targetType", FieldKind::OneOf(TARGET_TYPES), "How a value is held against the target"),
            field("riskThreshold", FieldKind::Real, "Of stayAbove and stayBelow: beyond it there is a risk").or_null(),
            field("phasedInterval", FieldKind::Text, "Monthly, Quarterly or Custom").or_null(),
            field("phasedTargets", FieldKind::Objects(PHASED_TARGET), "Targets on the way"),
            field(
                "progressMode",
                FieldKind::OneOf(&["Update Manually", "Update from Children", "Update from Integration"]),
                "Where its progress comes from",
            ),
            field(
                "statusMode",
                FieldKind::OneOf(&["Update Manually", "Update based on Progress", "Update based on Key Results"]),
                "Where its status comes from",
            ),
            field("goalType", FieldKind::OneOf(&["Aspirational", "Committed"]), "How sure one may be of it"),
            field("isRestricted", FieldKind::Flag, "Whether only the people around it see it"),
            field("viewers", FieldKind::References, "Who else sees it if it is restricted"),
            field("priority", FieldKind::Int, "Its place among others").or_null(),
            field("newChildrenContribute", FieldKind::Flag, "Whether goals aligned from now on count in its progress"),
            $($extra),*
        ]
    };
}

const TARGET_TYPES: &[&str] =
    &["reach", "increaseFrom", "decreaseFrom", "stayAbove", "stayBelow", "baseline"];

/// A new goal.
pub(in crate::api) static CREATE: Write = Write {
    fields: goal_fields!([.required()] field("parents", FieldKind::Objects(PARENT), "Goals that it contributes to")),
    kind: Kind::Create,
    run: create,
};

/// Another one of a goal's properties.
pub(in crate::api) static CHANGE: Write = Write { fields: goal_fields!([]), kind: Kind::Change, run: change };

/// No goal any more.
pub(in crate::api) static DELETE: Write = Write { fields: &[], kind: Kind::Delete, run: delete };

const CHILDREN: &str = "children";

const ENDING: &[Field] = &[
    field("value", FieldKind::Real, "The metric's last value, or the last percentage"),
    field("score", FieldKind::Real, "What it was worth, from 0 to 1"),
    field("note", FieldKind::Text, "What is to be learned from it"),
];

/// A goal that is over.
pub(in crate::api) static CLOSE: Write = Write { fields: ENDING, kind: Kind::Change, run: close };

/// A closed goal that is under way again.
pub(in crate::api) static REOPEN: Write =
    Write { fields: &[field("note", FieldKind::Text, "Why")], kind: Kind::Change, run: reopen };

/// A goal that goes on in another time period.
pub(in crate::api) static POSTPONE: Write = Write {
    fields: &[
        field("periodId", FieldKind::Int, "To which time period; to the next one otherwise"),
        field("keepProgress", FieldKind::Flag, "Whether what was reached counts there, too"),
        field("note", FieldKind::Text, "Why"),
    ],
    kind: Kind::Create,
    run: postpone,
};

/// Another goal like this one.
pub(in crate::api) static CLONE: Write = Write {
    fields: &[
        field("periodId", FieldKind::Int, "In which time period; in the same otherwise"),
        field("title", FieldKind::Text, "With which title; with the same otherwise"),
        field("withBelow", FieldKind::Flag, "Whether with the key results and initiatives below it"),
        field("parents", FieldKind::Objects(PARENT), "Below which goals; below none otherwise"),
    ],
    kind: Kind::Create,
    run: clone,
};

/// A goal below another one.
pub(in crate::api) static ALIGN: Write = Write { fields: PARENT, kind: Kind::Change, run: align };

/// A goal that is below another one no more.
pub(in crate::api) static UNALIGN: Write = Write {
    fields: &[field("id", FieldKind::Int, "The goal above").required()],
    kind: Kind::Change,
    run: unalign,
};

/// What the goals below a goal contribute.
pub(in crate::api) static WEIGHTS: Write = Write {
    fields: &[
        field("reset", FieldKind::Flag, "Whether all share equally again"),
        field("weights", FieldKind::Objects(CHILD_WEIGHT), "Weights that are fixed, or free again"),
    ],
    kind: Kind::Change,
    run: weights,
};

const CHILD_WEIGHT: &[Field] = &[
    field("id", FieldKind::Int, "The goal below").required(),
    field("weight", FieldKind::Real, "Percent of the progress above; null for a share of what is free")
        .or_null()
        .required(),
];

fn create(doing: &Doing<'_>) -> Done {
    let fields = patch(doing)?;
    let owners = fields.owners.as_deref().unwrap_or_default().len();
    let (action, subject) = creation(fields.teams.as_deref().unwrap_or_default(), owners);
    doing.ask(action, subject)?;
    let parents = parents(doing)?;
    let new = NewGoal { fields, parents };
    let made = create::create(doing.tx, doing.organization, doing.actor(), &new);
    Ok(Some(made.map_err(|error| doing.refusal(error))?.goal.into()))
}

fn change(doing: &Doing<'_>) -> Done {
    let goal = doing.goal();
    doing.ask(Action::Edit, Subject::Goal(goal))?;
    let patch = patch(doing)?;
    if patch.owners.is_some() || patch.teams.is_some() {
        doing.ask(Action::ChangeOwners, Subject::Goal(goal))?;
        doing.ask_to_become(&patch)?;
    }
    change::change(doing.tx, doing.organization, doing.actor(), goal, &patch)
        .map_err(|error| doing.refusal(error))?;
    Ok(Some(goal.into()))
}

fn delete(doing: &Doing<'_>) -> Done {
    let goal = doing.goal();
    doing.ask(Action::Delete, Subject::Goal(goal))?;
    let below = match doing.option(CHILDREN) {
        None => Below::None,
        Some("keep") => Below::Stays,
        Some(_) => return Err(GraphError::bad_request("`children` is `keep`, or is not given.")),
    };
    delete::delete(doing.tx, doing.organization, doing.actor(), goal, below)
        .map_err(|error| doing.refusal(error))?;
    Ok(None)
}

fn close(doing: &Doing<'_>) -> Done {
    end(doing, ending::close)
}

fn reopen(doing: &Doing<'_>) -> Done {
    end(doing, ending::reopen)
}

type End = fn(
    &goalpost_db::Tx<'_>,
    crate::ids::OrganizationNumber,
    Option<PersonNumber>,
    &Ending,
) -> Result<Ended, EndingError>;

fn end(doing: &Doing<'_>, end: End) -> Done {
    let goal = doing.goal();
    doing.ask(Action::Close, Subject::Goal(goal))?;
    let ending = Ending {
        goal,
        value: doing.body.real("value"),
        score: doing.body.real("score"),
        note: doing.body.text("note"),
        owner: doing.actor(),
    };
    end(doing.tx, doing.organization, doing.actor(), &ending).map_err(|error| match error {
        EndingError::Database(error) => error.into(),
        EndingError::IsOver(..) | EndingError::IsOpen(..) => conflict("goalIsNotSo", error),
        error => invalid(error.to_string()),
    })?;
    Ok(Some(goal.into()))
}

fn postpone(doing: &Doing<'_>) -> Done {
    let goal = doing.goal();
    doing.ask(Action::Close, Subject::Goal(goal))?;
    let how = Postponing {
        period: doing.body.int("periodId"),
        keep_progress: doing.body.flag("keepProgress").unwrap_or(false),
        note: doing.body.text("note"),
    };
    let carried = carry::postpone(doing.tx, doing.organization, doing.actor(), goal, &how);
    Ok(Some(carried.map_err(|error| doing.refusal(error))?.goal.into()))
}

fn clone(doing: &Doing<'_>) -> Done {
    let goal = doing.goal();
    doing.ask(Action::Clone, Subject::Goal(goal))?;
    let (teams, owners) = (doing.numbers("teams"), doing.numbers("owners"));
    let (action, subject) = creation(&teams, owners.len());
    doing.ask(action, subject)?;
    let how = Cloning {
        period: doing.body.int("periodId"),
        title: doing.body.text("title"),
        with_below: doing.body.flag("withBelow").unwrap_or(false),
        parents: parents(doing)?,
    };
    let carried = carry::clone(doing.tx, doing.organization, doing.actor(), goal, &how);
    Ok(Some(carried.map_err(|error| doing.refusal(error))?.goal.into()))
}

/// The goals below which one is to be, each of which may take it.
fn parents(doing: &Doing<'_>) -> Result<Vec<Alignment>, GraphError> {
    let mut parents = Vec::new();
    for parent in doing.body.objects("parents").unwrap_or_default() {
        let alignment = alignment(&parent);
        doing.ask_to_align(&alignment)?;
        parents.push(alignment);
    }
    Ok(parents)
}

fn align(doing: &Doing<'_>) -> Done {
    let goal = doing.goal();
    let alignment = alignment(doing.body);
    doing.ask(Action::Edit, Subject::Goal(goal))?;
    doing.ask_to_align(&alignment)?;
    align::align(doing.tx, doing.organization, doing.actor(), goal, &alignment)
        .map_err(|error| doing.refusal(error))?;
    Ok(Some(goal.into()))
}

fn unalign(doing: &Doing<'_>) -> Done {
    let goal = doing.goal();
    doing.ask(Action::Edit, Subject::Goal(goal))?;
    let parent = doing.body.int("id").unwrap_or_default();
    doing.ask(Action::See, Subject::Goal(parent))?;
    align::unalign(doing.tx, doing.organization, doing.actor(), goal, parent)
        .map_err(|error| doing.refusal(error))?;
    Ok(Some(goal.into()))
}

fn weights(doing: &Doing<'_>) -> Done {
    let goal = doing.goal();
    doing.ask(Action::SetWeights, Subject::Goal(goal))?;
    let wanted = match (doing.body.flag("reset"), doing.body.objects("weights")) {
        (Some(true), None) => NewWeights::Reset,
        (None | Some(false), Some(weights)) => {
            let mut wanted = Vec::new();
            for child in weights {
                let id = child.int("id").unwrap_or_default();
                doing.ask(Action::See, Subject::Goal(id))?;
                wanted.push((id, weight(&child).unwrap_or(Weight::Free)));
            }
            NewWeights::Of(wanted)
        }
        _ => return Err(invalid("either 'reset' is true, or 'weights' says which goals get others")),
    };
    align::set_weights(doing.tx, doing.organization, doing.actor(), goal, &wanted)
        .map_err(|error| doing.refusal(error))?;
    Ok(Some(goal.into()))
}

impl Doing<'_> {
    /// The numbers of a list of the goal as it is now.
    fn numbers(&self, list: &str) -> Vec<i64> {
        let items = self.present.get(list).and_then(|list| list.as_array()).into_iter().flatten();
        items.filter_map(|item| item["id"].as_i64()).collect()
    }

    /// Whether the goal may be given to these teams and owners: as if it were made so.
    fn ask_to_become(&self, patch: &Patch) -> Result<(), GraphError> {
        let (present, had_owners) = (self.numbers("teams"), self.numbers("owners").len());
        let teams = patch.teams.as_deref().unwrap_or(&present);
        for team in teams.iter().filter(|team| !present.contains(team)) {
            self.ask(Action::CreateTeamGoal, Subject::Teams(&[*team]))?;
        }
        let owners = patch.owners.as_ref().map_or(had_owners, Vec::len);
        let (was, is) = (creation(&present, had_owners).0, creation(teams, owners).0);
        if teams.is_empty() && was != is { self.ask(is, Subject::Organization) } else { Ok(()) }
    }

    /// Whether a goal may be put below another, with this weight there.
    fn ask_to_align(&self, alignment: &Alignment) -> Result<(), GraphError> {
        self.ask(Action::AlignTo, Subject::Goal(alignment.parent))?;
        match alignment.weight {
            Some(_) => self.ask(Action::SetWeights, Subject::Goal(alignment.parent)),
            None => Ok(()),
        }
    }
}

fn alignment(body: &Body) -> Alignment {
    Alignment { parent: body.int("id").unwrap_or_default(), weight: weight(body) }
}

fn weight(body: &Body) -> Option<Weight> {
    body.get("weight").map(|weight| weight.as_f64().map_or(Weight::Free, Weight::Fixed))
}

/// What the body says that is to become of a goal. What is one thing in the model and several members here, such as a
/// metric, keeps those that are not given.
fn patch(doing: &Doing<'_>) -> Result<Patch, GraphError> {
    let body = doing.body;
    Ok(Patch {
        object_type: body.word("objectType"),
        title: body.text("title"),
        description: body.opt_text("description"),
        owners: doing.people("owners"),
        checkin_owners: doing.people("checkInOwners"),
        delegate: body.opt_int("delegateId").map(|person| person.map(PersonNumber)),
        teams: body.references("teams"),
        tags: body.references("tags"),
        period: body.int("periodId"),
        start_date: body.opt_day("startDate"),
        end_date: body.opt_day("endDate"),
        outcome: outcome(doing)?,
        phased: phased(doing),
        progress_mode: body.word("progressMode"),
        status_mode: body.word("statusMode"),
        goal_type: body.word("goalType"),
        visibility: visibility(doing),
        priority: body.opt_int("priority"),
        new_children_contribute: body.flag("newChildrenContribute"),
    })
}

fn outcome(doing: &Doing<'_>) -> Result<Option<Outcome>, GraphError> {
    const METRIC: [&str; 6] =
        ["metricName", "metricUnit", "metricStart", "metricTarget", "targetType", "riskThreshold"];
    let says_metric = doing.gives_any(&METRIC);
    let outcome_type = match doing.body.text("outcomeType") {
        None if !says_metric => return Ok(None),
        None => "Metric".to_owned(),
        Some(word) => word,
    };
    if outcome_type != "Metric" {
        return if says_metric {
            Err(invalid("a goal of 'outcomeType' \"Percentage\" has no metric; leave out its members"))
        } else {
            Ok(Some(Outcome::Percentage))
        };
    }
    let text = |name| doing.given_or_present(name).as_str().map(str::to_owned);
    let real = |name| doing.given_or_present(name).as_f64();
    let target_type: Option<TargetType> = text("targetType").and_then(|word| word.parse().ok());
    Ok(Some(Outcome::Metric(Metric {
        name: text("metricName"),
        unit: text("metricUnit"),
        target_type: target_type.ok_or_else(|| invalid("a metric needs a 'targetType'"))?,
        start: real("metricStart"),
        target: real("metricTarget"),
        risk_threshold: real("riskThreshold"),
    })))
}

#[expect(clippy::option_option, reason = "as a patch has it")]
fn phased(doing: &Doing<'_>) -> Option<Option<Phased>> {
    if !doing.gives_any(&["phasedInterval", "phasedTargets"]) {
        return None;
    }
    let targets = doing.given_or_present("phasedTargets").as_array().cloned().unwrap_or_default();
    let target = |target: &serde_json::Value| {
        Some((target["value"].as_f64()?, target["dueDate"].as_str()?.parse().ok()?))
    };
    let targets: Vec<_> = targets.iter().filter_map(target).collect();
    let interval = doing.given_or_present("phasedInterval").as_str().map(str::to_owned);
    Some((!targets.is_empty()).then_some(Phased { interval, targets }))
}

fn visibility(doing: &Doing<'_>) -> Option<Visibility> {
    if !doing.gives_any(&["isRestricted", "viewers"]) {
        return None;
    }
    let is_restricted = doing.given_or_present("isRestricted").as_bool() == Some(true);
    let viewers = doing.given_or_present("viewers").as_array().into_iter().flatten();
    let viewers = viewers.filter_map(|viewer| viewer.as_i64().or_else(|| viewer["id"].as_i64()));
    Some(if is_restricted {
        Visibility::Only(viewers.map(PersonNumber).collect())
    } else {
        Visibility::Everyone
    })
}
