//! How each element is read from its object, key by key.

use serde::Serialize;

use crate::elements::{Aside, CheckIn, Comment, Named, Note, Period, Person, Tag, Team, User};
use crate::error::{ValueError, shown};
use crate::member::Entity;
use crate::object::{Object, Raw, Wrong};
use crate::objective::{
    Access, Alignment, Child, Configuration, Objective, Outcome, Permissions, PhasedTarget, PhasedTargets,
    Task,
};
use crate::value::{day, id, moment, number_if_any, text, weight};

/// An element of a member: what [`crate::Archive::each`] reads and [`crate::Writer::write`] writes.
pub trait Element: Serialize + Readable {
    /// The member it stands in.
    const ENTITY: Entity;

    /// Its id.
    fn id(&self) -> i64;

    /// What of it is not understood.
    fn aside(&self) -> &[Aside];
}

/// Closes [`Element`]: what the file holds is the format's to say.
pub trait Readable: Sized {
    /// Reads the keys that are known.
    fn read(object: &mut Object<'_>) -> Result<Self, Wrong>;

    /// Where what is left goes.
    fn aside_mut(&mut self) -> &mut Vec<Aside>;
}

/// Reads one element from its JSON, if it is JSON.
pub(crate) fn element<T: Element>(number: u64, json: Result<Raw<'_>, Wrong>) -> Result<T, ValueError> {
    let mut known_id = None;
    let whole = || {
        let mut object = Object::open(json?)?;
        known_id = object.peek("ID").and_then(|raw| id(raw).ok());
        let mut element = T::read(&mut object)?;
        *element.aside_mut() = object.into_aside()?;
        Ok(element)
    };
    let read = whole();
    read.map_err(|Wrong { path, what }| ValueError {
        entity: T::ENTITY,
        element: number,
        id: known_id,
        path: shown(&path),
        what,
    })
}

macro_rules! element {
    ($type:ident, $entity:ident, $read:path) => {
        impl Element for $type {
            const ENTITY: Entity = Entity::$entity;

            fn id(&self) -> i64 {
                self.id
            }

            fn aside(&self) -> &[Aside] {
                &self.aside
            }
        }

        impl Readable for $type {
            fn read(object: &mut Object<'_>) -> Result<Self, Wrong> {
                $read(object)
            }

            fn aside_mut(&mut self) -> &mut Vec<Aside> {
                &mut self.aside
            }
        }
    };
}

element!(User, Users, user);
element!(Team, Teams, team);
element!(Period, TimePeriods, period);
element!(Tag, Tags, tag);
element!(Objective, Objectives, objective);
element!(CheckIn, CheckIns, check_in);
element!(Comment, Comments, comment);

fn user(object: &mut Object<'_>) -> Result<User, Wrong> {
    Ok(User {
        id: object.required("ID", id)?,
        name: object.optional("Name", text)?,
        email: object.optional("Email", text)?,
        manager: object.nested("Manager", person)?.flatten(),
        teams: object.each("Teams", named)?,
        last_active: object.optional("Last Active", moment)?.flatten(),
        role: object.optional("Role", text)?,
        source: object.optional("Source", text)?,
        member_type: object.optional("Member Type", text)?,
        status: object.optional("Status", text)?,
        aside: Vec::new(),
    })
}

fn team(object: &mut Object<'_>) -> Result<Team, Wrong> {
    Ok(Team {
        id: object.required("ID", id)?,
        name: object.required("Team Name", text)?,
        parent_team: object.optional("Parent Team", text)?.filter(|name| !name.is_empty()),
        owners: people(object, "Team Owners")?,
        team_type: object.optional("Team Type", text)?,
        status: object.optional("Status", text)?,
        description: object.optional("Description", text)?,
        aside: Vec::new(),
    })
}

fn period(object: &mut Object<'_>) -> Result<Period, Wrong> {
    let present = |raw: Raw<'_>| day(raw)?.ok_or_else(|| Wrong::value(raw, "a date such as \"2025-01-31\""));
    Ok(Period {
        id: object.required("ID", id)?,
        name: object.required("Time Period Name", text)?,
        start_date: object.required("Start Date", present)?,
        end_date: object.required("End Date", present)?,
        aside: Vec::new(),
    })
}

fn tag(object: &mut Object<'_>) -> Result<Tag, Wrong> {
    Ok(Tag { id: object.required("ID", id)?, name: object.optional("Tag Name", text)?, aside: Vec::new() })
}

fn objective(object: &mut Object<'_>) -> Result<Objective, Wrong> {
    Ok(Objective {
        id: object.required("ID", id)?,
        title: object.required("Title", text)?,
        type_label: object.optional("Type", text)?,
        created_by: object.nested("Created By", person)?.flatten(),
        owners: people(object, "Owner")?,
        teams: object.each("Teams", named)?,
        period: object.nested("Time Period", named)?,
        start_date: object.optional("Start Date", day)?.flatten(),
        end_date: object.optional("End Date", day)?.flatten(),
        alignment: object.each("Alignment", alignment)?,
        delegated_to: delegate(object)?,
        permissions: permissions(object.take("Permissions").unwrap_or(Raw::new("null")))?,
        description: object.optional("Description", text)?,
        tags: object.each("Tags", tag)?,
        configuration: object.nested("Progress and Status Configuration", configuration)?.unwrap_or_default(),
        progress: object.optional("Progress", number_if_any)?.flatten(),
        status: object.optional("Status", text)?,
        outcome: object.nested("Outcome", outcome)?,
        phased_targets: phased_targets(object)?,
        check_in_owners: people(object, "Check-in Owners")?,
        parent_ids: parent_ids(object)?,
        children: children(object)?,
        score: object.optional("Score", number_if_any)?.flatten(),
        goal_type: object.optional("Goal Type", text)?,
        created_at: object.optional("Created At", moment)?.flatten(),
        last_check_in: object.optional("Last Check-in", moment)?.flatten(),
        aside: Vec::new(),
    })
}

fn check_in(object: &mut Object<'_>) -> Result<CheckIn, Wrong> {
    Ok(CheckIn {
        id: object.required("ID", id)?,
        goal_id: object.required("OKR ID", id)?,
        date: object.optional("CheckIn Date", moment)?.flatten(),
        owner: object.nested("Check In Owner", person)?.flatten(),
        note: object.nested("Check In Note", note)?,
        metric_name: object.optional("Metric Name", text)?,
        status: object.optional("Status", text)?,
        current_value: object.optional("Current Value", number_if_any)?.flatten(),
        recorded_at: object.optional("Activity Date", moment)?.flatten(),
        aside: Vec::new(),
    })
}

fn comment(object: &mut Object<'_>) -> Result<Comment, Wrong> {
    Ok(Comment {
        id: object.required("ID", id)?,
        goal_id: object.required("OKR ID", id)?,
        text: object.optional("Comment", text)?,
        created_by: object.nested("Created By", person)?.flatten(),
        created_at: object.optional("Created At", moment)?.flatten(),
        aside: Vec::new(),
    })
}

/// A person; `None` when nothing is said about who it is, as for somebody who was erased.
fn person(object: &mut Object<'_>) -> Result<Option<Person>, Wrong> {
    let person = Person {
        id: object.optional("ID", id)?,
        name: object.optional("Name", text)?,
        email: object.optional("Email", text)?,
    };
    Ok((person != Person::default()).then_some(person))
}

fn people(object: &mut Object<'_>, key: &str) -> Result<Vec<Person>, Wrong> {
    Ok(object.each(key, person)?.into_iter().flatten().collect())
}

fn named(object: &mut Object<'_>) -> Result<Named, Wrong> {
    Ok(Named { id: object.required("ID", id)?, name: object.optional("Name", text)? })
}

fn alignment(object: &mut Object<'_>) -> Result<Alignment, Wrong> {
    Ok(Alignment {
        id: object.required("ID", id)?,
        title: object.optional("Title", text)?,
        weight: object.optional("Weight", weight)?.flatten(),
    })
}

fn configuration(object: &mut Object<'_>) -> Result<Configuration, Wrong> {
    Ok(Configuration {
        progress: object.optional("Progress", text)?,
        status: object.optional("Status", text)?,
        data_source: object.optional("Data Source", text)?,
    })
}

fn outcome(object: &mut Object<'_>) -> Result<Outcome, Wrong> {
    Ok(Outcome {
        outcome_type: object.optional("Outcome Type", text)?,
        metric_name: object.optional("Metric Name", text)?,
        metric_unit: object.optional("Metric Unit", text)?,
        start: object.optional("Start", number_if_any)?.flatten(),
        target: object.optional("Target", number_if_any)?.flatten(),
        target_type: object.optional("Target Type", text)?,
    })
}

fn note(object: &mut Object<'_>) -> Result<Note, Wrong> {
    Ok(Note {
        text: object.optional("Check In Note", text)?,
        html: object.optional("Check In Note HTML", text)?,
    })
}

/// No export with a delegate is known: one person is taken, anything else is set aside.
fn delegate(object: &mut Object<'_>) -> Result<Option<Person>, Wrong> {
    const KEY: &str = "Delegated To";
    match object.peek(KEY) {
        Some(raw) if raw.is_list() && !raw.is_empty() => {
            object.take(KEY);
            let mut list = raw.list().map_err(|wrong| wrong.under(KEY))?;
            if let (Some(one), None) = (list.next(), list.next())
                && one.is_object()
            {
                return object.inner(|| format!("{KEY}[0]"), one, person);
            }
            object.set_aside(KEY, raw)?;
            Ok(None)
        }
        _ => Ok(object.nested(KEY, person)?.flatten()),
    }
}

fn phased_targets(object: &mut Object<'_>) -> Result<Option<PhasedTargets>, Wrong> {
    const KEY: &str = "Phased Targets";
    let Some(raw) = object.peek(KEY).filter(|raw| !raw.is_object()) else {
        return object.nested(KEY, |object| {
            Ok(PhasedTargets {
                interval: object.optional("Interval", text)?,
                targets: object.each(KEY, |object| {
                    Ok(PhasedTarget {
                        value: object.optional("Target Value", number_if_any)?.flatten(),
                        date: object.optional("Target Date", day)?.flatten(),
                    })
                })?,
            })
        });
    };
    object.take(KEY);
    if raw.quoted() != Some("Disabled") && !raw.is_null() && !raw.is_empty() {
        object.set_aside(KEY, raw)?;
    }
    Ok(None)
}

fn parent_ids(object: &mut Object<'_>) -> Result<Vec<i64>, Wrong> {
    const KEY: &str = "Parent IDs";
    let ids: Result<Vec<i64>, Wrong> = object.values(KEY)?.map(id).collect();
    ids.map_err(|wrong| wrong.under(KEY))
}

/// Child goals and tasks share one list. A child of another shape is set aside: children can be told from
/// their own `Parent IDs`, so nothing depends on it.
fn children(object: &mut Object<'_>) -> Result<Vec<Child>, Wrong> {
    const KEY: &str = "Children";
    let mut children = Vec::new();
    for (index, raw) in object.values(KEY)?.enumerate() {
        let step = || format!("{KEY}[{index}]");
        if raw.is_object() {
            children.extend(object.inner(step, raw, child)?);
        } else {
            object.set_aside(&step(), raw)?;
        }
    }
    Ok(children)
}

fn child(object: &mut Object<'_>) -> Result<Option<Child>, Wrong> {
    if object.has("Task Name") {
        return Ok(Some(Child::Task(Task {
            id: object.required("ID", id)?,
            name: object.required("Task Name", text)?,
            status: object.optional("Task Status", text)?,
            date: object.optional("Task Date", day)?.flatten(),
            owner: object.nested("Task Owner", person)?.flatten(),
        })));
    }
    if object.has("Title") {
        return Ok(Some(Child::Goal {
            id: object.required("ID", id)?,
            title: object.optional("Title", text)?,
            type_label: object.optional("Type", text)?,
        }));
    }
    Ok(None)
}

/// Permissions are never an error and never set aside: what is not understood restricts, and the JSON is kept
/// whole.
fn permissions(raw: Raw<'_>) -> Result<Permissions, Wrong> {
    let under = |wrong: Wrong| wrong.under("Permissions");
    let mut permissions = Permissions { json: raw.compact().map_err(under)?, ..Permissions::default() };
    if raw.is_object() {
        let object = Object::open_sorted(raw).map_err(under)?;
        let access = |key| object.peek(key).map_or(Access::Unclear, access);
        permissions.view = access("View");
        permissions.edit = access("Edit");
        permissions.align = access("Align");
    }
    Ok(permissions)
}

/// `"Everybody"`, a list of people, or an object of such lists.
fn access(raw: Raw<'_>) -> Access {
    if raw.quoted().is_some_and(|word| word.eq_ignore_ascii_case("Everybody")) {
        return Access::Everybody;
    }
    let lists =
        if raw.is_object() { Object::open_sorted(raw).map(Object::into_values) } else { Ok(vec![raw]) };
    let people = |list: Raw<'_>| {
        let people = list.list()?.map(|raw| {
            let person = person(&mut Object::open_sorted(raw)?)?;
            person.ok_or_else(|| Wrong::value(raw, "a person"))
        });
        people.collect::<Result<Vec<Person>, Wrong>>()
    };
    let found: Result<Vec<Vec<Person>>, Wrong> =
        lists.and_then(|lists| lists.into_iter().map(people).collect());
    found.map_or(Access::Unclear, |people| Access::Only(people.concat()))
}

impl Permissions {
    /// Everybody may see and align, nobody beyond the roles may edit: what Viva Goals gave a goal that nobody
    /// restricted.
    pub fn everybody() -> Self {
        Self {
            view: Access::Everybody,
            edit: Access::Only(Vec::new()),
            align: Access::Everybody,
            json: r#"{"View":"Everybody","Edit":{},"Align":"Everybody"}"#.to_owned(),
        }
    }

    /// Only these people, besides the goal's own, may see and align.
    pub fn only(people: Vec<Person>) -> Self {
        let list = serde_json::to_string(&people).expect("numbers and texts always print");
        Self {
            view: Access::Only(people.clone()),
            edit: Access::Only(Vec::new()),
            align: Access::Only(people),
            json: format!(r#"{{"View":{list},"Edit":{{}},"Align":{list}}}"#),
        }
    }
}

/// Nothing is said, which restricts.
impl Default for Permissions {
    fn default() -> Self {
        Self { view: Access::Unclear, edit: Access::Unclear, align: Access::Unclear, json: "null".to_owned() }
    }
}
