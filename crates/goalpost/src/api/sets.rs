//! What the service has: sets of things, and their properties. Rows, filters, orders, `$metadata` and the OpenAPI document
//! are all made from these tables.

use crate::table::Kind;

/// A set of things of one kind, such as `goals`.
#[derive(Debug)]
pub struct Set {
    /// Its name in paths and in `$metadata`.
    pub name: &'static str,
    /// The name of one of them, and of their type.
    pub entity: &'static str,
    /// What it holds, in one sentence.
    pub about: &'static str,
    /// The tables that its rows come from; the first alias is the set's own.
    pub(super) from: &'static str,
    /// The expression that is the organization's number.
    pub(super) organization: &'static str,
    /// Who may see a row.
    pub(super) visible: Visible,
    /// The properties with one value; the first is the key.
    pub properties: &'static [Property],
    /// The properties with a list of values.
    pub lists: &'static [List],
}

/// Which rows of a set a member sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visible {
    /// All of them.
    All,
    /// Those of goals that are held and that the member sees; the goal's alias is `g`.
    OfGoals,
    /// Views that are the organization's, public, the member's own or shared with the member; the view's alias is `v`.
    Views,
    /// Exports that the member asked for; the job's alias is `x`.
    Exports,
    /// All of them, for who may import and nobody else.
    Imports,
}

/// A property with one value.
#[derive(Debug)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What values it has.
    pub kind: PropertyKind,
    /// Whether it may be null.
    pub nullable: bool,
    /// What it says.
    pub about: &'static str,
    /// Its expression; `?1` is the organization.
    pub(super) sql: &'static str,
    /// The expression of the same text without regard to case, where one is kept.
    pub(super) fold: Option<&'static str>,
}

/// What values a property has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyKind {
    /// A whole number of 64 bits.
    Int,
    /// A number.
    Real,
    /// True or false.
    Flag,
    /// A text.
    Text,
    /// A day, `2026-01-31`.
    Day,
    /// An instant, `2026-01-31T12:00:00Z`, stored as microseconds.
    Moment,
    /// A GUID.
    Guid,
    /// Any JSON, stored as text.
    Json,
}

impl PropertyKind {
    /// Its type in OData's words.
    pub fn edm(self) -> &'static str {
        match self {
            Self::Int => "Edm.Int64",
            Self::Real => "Edm.Double",
            Self::Flag => "Edm.Boolean",
            Self::Text => "Edm.String",
            Self::Day => "Edm.Date",
            Self::Moment => "Edm.DateTimeOffset",
            Self::Guid => "Edm.Guid",
            Self::Json => "Edm.Untyped",
        }
    }

    /// What the database holds of it.
    pub(super) fn stored(self) -> Kind {
        match self {
            Self::Int | Self::Moment => Kind::Int,
            Self::Real => Kind::Real,
            Self::Flag => Kind::Bool,
            Self::Text | Self::Day | Self::Json => Kind::Text,
            Self::Guid => Kind::Guid,
        }
    }
}

/// A property with a list of values, in their order.
#[derive(Debug)]
pub struct List {
    /// Its name.
    pub name: &'static str,
    /// The name of the type of its items; unused for plain numbers.
    pub entity: &'static str,
    /// What it says.
    pub about: &'static str,
    /// Its items' members: name, kind, whether it may be null. A list of plain values has one of them, without a name.
    pub fields: &'static [(&'static str, PropertyKind, bool)],
    /// Selects the number of the thing, and then the fields, for all things of which `{keys}` are the numbers; `?1` is the
    /// organization. `{visible}` is the condition that a goal `g` is for the caller to see.
    pub(super) sql: &'static str,
}

impl List {
    /// Whether its items are plain values.
    pub fn is_plain(&self) -> bool {
        self.fields[0].0.is_empty()
    }
}

impl Set {
    /// The inner code of an error for one that is not there.
    pub(super) fn not_found(&self) -> &'static str {
        match self.entity {
            "organization" => "organizationNotFound",
            "goal" => "goalNotFound",
            "checkIn" => "checkInNotFound",
            "comment" => "commentNotFound",
            "task" => "taskNotFound",
            "person" => "personNotFound",
            "team" => "teamNotFound",
            "period" => "periodNotFound",
            "tag" => "tagNotFound",
            "export" => "exportNotFound",
            "import" => "importNotFound",
            _ => "viewNotFound",
        }
    }

    /// The property by which one of them is named.
    pub fn key(&self) -> &'static Property {
        &self.properties[0]
    }

    /// The property by whose number its lists are found.
    pub(super) fn number(&self) -> &'static str {
        if self.key().kind == PropertyKind::Guid { "number" } else { self.key().name }
    }

    /// The property of this name.
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

const fn property(
    name: &'static str,
    kind: PropertyKind,
    sql: &'static str,
    about: &'static str,
) -> Property {
    Property { name, kind, nullable: false, about, sql, fold: None }
}

impl Property {
    const fn or_null(mut self) -> Self {
        self.nullable = true;
        self
    }

    const fn folded(mut self, fold: &'static str) -> Self {
        self.fold = Some(fold);
        self
    }
}

use PropertyKind::{Day, Flag, Guid, Int, Json, Moment, Real, Text};

/// A list of people on goals, by its table.
macro_rules! people {
    ($name:literal, $table:literal, $about:literal) => {
        List {
            name: $name,
            entity: "personRef",
            about: $about,
            fields: PERSON_REF,
            sql: concat!(
                "select l.goal, l.person, x.name, x.email from ",
                $table,
                " l left join person x on x.organization = ?1 and x.id = l.person
                 where l.organization = ?1 and l.goal in ({keys}) order by l.goal, l.position"
            ),
        }
    };
}

/// A list on goals of things that have a name, by their table, whose name is that of the list's column too.
macro_rules! named {
    ($name:literal, $table:literal, $about:literal) => {
        List {
            name: $name,
            entity: "nameRef",
            about: $about,
            fields: NAME_REF,
            sql: concat!(
                "select l.goal, l.",
                $table,
                ", x.name from goal_",
                $table,
                " l left join ",
                $table,
                " x on x.organization = ?1 and x.id = l.",
                $table,
                " where l.organization = ?1 and l.goal in ({keys}) order by l.goal, l.position"
            ),
        }
    };
}

/// A list of numbers, by its table, the column of the thing and that of the number.
macro_rules! numbers {
    ($name:literal, $table:literal, $thing:literal, $number:literal, $about:literal) => {
        List {
            name: $name,
            entity: "",
            about: $about,
            fields: &[("", Int, false)],
            sql: concat!(
                "select l.",
                $thing,
                ", l.",
                $number,
                " from ",
                $table,
                " l where l.organization = ?1 and l.",
                $thing,
                " in ({keys}) and l.",
                $number,
                " is not null order by l.",
                $thing,
                ", l.position"
            ),
        }
    };
}

/// The rows of a table that hang on goals.
macro_rules! of_goals {
    ($table:literal) => {
        concat!($table, " c join goal g on g.organization = c.organization and g.id = c.goal")
    };
}

/// How a thing came to be.
const fn origin(sql: &'static str) -> Property {
    property("origin", Text, sql, "file, reference (only mentioned) or local (made here)")
}

const PERSON_REF: &[(&str, PropertyKind, bool)] =
    &[("id", Int, false), ("name", Text, true), ("email", Text, true)];
const NAME_REF: &[(&str, PropertyKind, bool)] = &[("id", Int, false), ("name", Text, true)];

/// Organizations that the caller is in.
pub static ORGANIZATIONS: Set = Set {
    name: "organizations",
    entity: "organization",
    about: "Organizations that the caller is in",
    from: "organization o",
    organization: "o.number",
    visible: Visible::All,
    properties: &[
        property("id", Guid, "o.guid", "The id that exports name"),
        property("name", Text, "o.name", "What it is called"),
        property("fileNumber", Int, "o.file_number", "The number in the names of its files").or_null(),
        property("exportPolicy", Text, "o.export_policy", "Who may export: owners, members or people"),
        property("goalPolicy", Text, "o.goal_policy", "Who may make goals of the organization and of teams")
            .or_null(),
        property(
            "planningYearStart",
            Int,
            "o.planning_year_start",
            "The month with which its planning years begin",
        )
        .or_null(),
        property("termOkr", Text, "o.term_okr", "Its own word for OKR").or_null(),
        property("termObjective", Text, "o.term_objective", "Its own word for Objective").or_null(),
        property("termKeyResult", Text, "o.term_key_result", "Its own word for Key result").or_null(),
        property("termInitiative", Text, "o.term_initiative", "Its own word for Initiative").or_null(),
        property("createdDateTime", Moment, "o.created_at", "When it was made here"),
    ],
    lists: &[],
};

/// Objectives, key results and initiatives.
pub static GOALS: Set = Set {
    name: "goals",
    entity: "goal",
    about: "Objectives, key results and initiatives that the caller may see",
    from: "goal g",
    organization: "g.organization",
    visible: Visible::OfGoals,
    properties: &[
        property("id", Int, "g.id", "The number that exports print"),
        property("objectType", Text, "g.object_type", "objective, keyResult or initiative"),
        property("typeLabel", Text, "g.type_label", "The organization's own word for it"),
        property("title", Text, "g.title", "What it is called").folded("g.title_fold"),
        property("description", Text, "g.description", "More about it").or_null(),
        property(
            "status",
            Text,
            "g.status",
            "Not Started, On Track, Behind, At Risk, Closed, Postponed and others",
        ),
        property("progress", Real, "g.progress", "The metric's value, or percent where there is no metric")
            .or_null(),
        property(
            "progressPercent",
            Real,
            "g.progress_percent",
            "The place between start (0) and target (100), not clamped",
        )
        .or_null(),
        property("score", Real, "g.score", "What it was worth, from 0 to 1").or_null(),
        property("periodId", Int, "g.period", "Its time period").or_null(),
        property(
            "periodName",
            Text,
            "(select x.name from period x where x.organization = ?1 and x.id = g.period)",
            "The name of that period",
        )
        .or_null(),
        property("startDate", Day, "g.start_date", "Its first day").or_null(),
        property("endDate", Day, "g.end_date", "The day by which it is due").or_null(),
        property("creatorId", Int, "g.creator", "The person who made it").or_null(),
        property("delegateId", Int, "g.delegate", "The person who acts for its owner").or_null(),
        property("createdDateTime", Moment, "g.created_at", "When it was made").or_null(),
        property("lastCheckInDate", Day, "g.last_checkin_date", "The day of its latest check-in").or_null(),
        property("lastUpdatedDateTime", Moment, "g.updated_at", "When it was last changed here").or_null(),
        property("checkInCount", Int, "g.checkin_count", "How many check-ins it has"),
        property("goalType", Text, "g.goal_type", "Aspirational or Committed"),
        property("outcomeType", Text, "g.outcome_type", "Percentage or Metric"),
        property("metricName", Text, "g.metric_name", "What is measured").or_null(),
        property("metricUnit", Text, "g.metric_unit", "In which unit").or_null(),
        property("metricStart", Real, "g.metric_start", "The value that counts as 0 percent").or_null(),
        property("metricTarget", Real, "g.metric_target", "The value that counts as 100 percent").or_null(),
        property(
            "targetType",
            Text,
            "g.target_type",
            "reach, increaseFrom, decreaseFrom, stayAbove, stayBelow or baseline",
        )
        .or_null(),
        property("riskThreshold", Real, "g.risk_threshold", "Beyond it a control metric is at risk")
            .or_null(),
        property("progressMode", Text, "g.progress_mode", "Where its progress comes from").or_null(),
        property("statusMode", Text, "g.status_mode", "Where its status comes from").or_null(),
        property("dataSource", Text, "g.data_source", "The program that updates it").or_null(),
        property("phasedInterval", Text, "g.phased_interval", "How its targets on the way are spaced")
            .or_null(),
        property("priority", Int, "g.priority", "Its place among others").or_null(),
        property("isRestricted", Flag, "g.restricted", "Whether only the people around it see it"),
        property("origin", Text, "g.origin", "file, or local: made here"),
    ],
    lists: &[
        people!("owners", "goal_owner", "Who owns it, in order"),
        people!("checkInOwners", "goal_checkin_owner", "Who checks in on it, in order"),
        people!("viewers", "goal_viewer", "Who else sees it if it is restricted"),
        named!("teams", "team", "Teams that share it, in order"),
        named!("tags", "tag", "Its tags, in order"),
        List {
            name: "parents",
            entity: "alignment",
            about: "Goals that it contributes to and that the caller may see",
            fields: &[("id", Int, false), ("weight", Real, true), ("isFixed", Flag, false)],
            sql: "select l.goal, l.parent, l.weight, l.fixed from goal_parent l
                  join goal g on g.organization = ?1 and g.id = l.parent and g.origin <> 'reference'
                  where l.organization = ?1 and l.goal in ({keys}) and {visible} order by l.goal, l.position",
        },
        List {
            name: "phasedTargets",
            entity: "phasedTarget",
            about: "Targets on the way",
            fields: &[("value", Real, true), ("dueDate", Day, true)],
            sql: "select l.goal, l.value, l.due_date from goal_phased_target l
                  where l.organization = ?1 and l.goal in ({keys}) order by l.goal, l.position",
        },
    ],
};

/// What people said of goals.
pub static CHECK_INS: Set = Set {
    name: "checkIns",
    entity: "checkIn",
    about: "What was said of goals that the caller may see, and when",
    from: of_goals!("checkin"),
    organization: "c.organization",
    visible: Visible::OfGoals,
    properties: &[
        property("id", Int, "c.id", "Its number"),
        property("goalId", Int, "c.goal", "The goal that it speaks of"),
        property("asOfDateTime", Moment, "c.as_of_at", "The moment that it speaks of"),
        property("recordedDateTime", Moment, "c.recorded_at", "When it was written down").or_null(),
        property("ownerId", Int, "c.owner", "The person who said it").or_null(),
        property("status", Text, "c.status", "How it went"),
        property("value", Real, "c.value", "The metric's value, or percent").or_null(),
        property("metricName", Text, "c.metric_name", "What was measured").or_null(),
        property("note", Text, "c.note", "Anything else").or_null(),
        property("noteHtml", Text, "c.note_html", "The same with its marks").or_null(),
    ],
    lists: &[],
};

/// What people wrote below goals.
pub static COMMENTS: Set = Set {
    name: "comments",
    entity: "comment",
    about: "What was written below goals that the caller may see",
    from: of_goals!("comment"),
    organization: "c.organization",
    visible: Visible::OfGoals,
    properties: &[
        property("id", Int, "c.id", "Its number"),
        property("goalId", Int, "c.goal", "The goal that it stands below"),
        property("authorId", Int, "c.author", "The person who wrote it").or_null(),
        property("createdDateTime", Moment, "c.created_at", "When it was written").or_null(),
        property("text", Text, "c.text", "What it says"),
    ],
    lists: &[],
};

/// Steps of initiatives.
pub static TASKS: Set = Set {
    name: "tasks",
    entity: "task",
    about: "Steps of initiatives that the caller may see",
    from: of_goals!("task"),
    organization: "c.organization",
    visible: Visible::OfGoals,
    properties: &[
        property("id", Int, "c.id", "Its number"),
        property("goalId", Int, "c.goal", "The initiative that it is a step of"),
        property("position", Int, "c.position", "Its place among the steps, from 0"),
        property("name", Text, "c.name", "What is to be done"),
        property("status", Text, "c.status", "Complete, Incomplete or Unknown"),
        property("dueDate", Day, "c.due_date", "By when").or_null(),
        property("ownerId", Int, "c.owner", "The person who does it").or_null(),
    ],
    lists: &[],
};

/// People, and groups of the directory.
pub static PEOPLE: Set = Set {
    name: "people",
    entity: "person",
    about: "People of the organization",
    from: "person p",
    organization: "p.organization",
    visible: Visible::All,
    properties: &[
        property("id", Int, "p.id", "The number that files know them by"),
        property("objectId", Guid, "p.guid", "The `oid` of tokens that this server issues for them"),
        property("name", Text, "p.name", "Their name").folded("p.name_fold"),
        property("email", Text, "p.email", "Their e-mail address").folded("p.email_fold"),
        property("role", Text, "p.role", "Organization Owner or Member, as a file said"),
        property("source", Text, "p.source", "Individual, or Group for a row that is no person"),
        property("memberType", Text, "p.member_type", "regular or observer"),
        property("status", Text, "p.status", "Only active people are let in"),
        property("managerId", Int, "p.manager", "The person whom they report to").or_null(),
        property(
            "lastActiveDateTime",
            Moment,
            "p.last_active_at",
            "When they were last seen, as a file said",
        )
        .or_null(),
        origin("p.origin"),
    ],
    lists: &[numbers!(
        "teamIds",
        "team_member",
        "person",
        "team",
        "Teams that they are members of, in order"
    )],
};

/// Teams and their subteams.
pub static TEAMS: Set = Set {
    name: "teams",
    entity: "team",
    about: "Teams and subteams of the organization",
    from: "team t",
    organization: "t.organization",
    visible: Visible::All,
    properties: &[
        property("id", Int, "t.id", "Its number"),
        property("name", Text, "t.name", "What it is called").folded("t.name_fold"),
        property("parentId", Int, "t.parent", "The team that it is part of").or_null(),
        property("parentName", Text, "t.parent_name", "The name of that team, as a file printed it")
            .or_null(),
        property("teamType", Text, "t.team_type", "What kind of team it is"),
        property("status", Text, "t.status", "Active or Archived"),
        property("description", Text, "t.description", "More about it").or_null(),
        origin("t.origin"),
    ],
    lists: &[numbers!("ownerIds", "team_owner", "team", "person", "People who own it, in order")],
};

/// Quarters, years and others.
pub static PERIODS: Set = Set {
    name: "periods",
    entity: "period",
    about: "Time periods of the organization",
    from: "period t",
    organization: "t.organization",
    visible: Visible::All,
    properties: &[
        property("id", Int, "t.id", "Its number"),
        property("name", Text, "t.name", "What it is called").folded("t.name_fold"),
        property("startDate", Day, "t.start_date", "Its first day").or_null(),
        property("endDate", Day, "t.end_date", "Its last day, which belongs to it").or_null(),
        origin("t.origin"),
    ],
    lists: &[],
};

/// Tags.
pub static TAGS: Set = Set {
    name: "tags",
    entity: "tag",
    about: "Tags of the organization",
    from: "tag t",
    organization: "t.organization",
    visible: Visible::All,
    properties: &[
        property("id", Int, "t.id", "Its number"),
        property("name", Text, "t.name", "What it is called").folded("t.name_fold"),
        origin("t.origin"),
    ],
    lists: &[],
};

/// Saved Explorer views.
pub static VIEWS: Set = Set {
    name: "views",
    entity: "view",
    about: "Explorer views that the caller may see",
    from: "view v",
    organization: "v.organization",
    visible: Visible::Views,
    properties: &[
        property("id", Guid, "v.guid", "The id that exports name"),
        property("number", Int, "v.id", "Its number in the organization"),
        property("name", Text, "v.name", "What it is called"),
        property("ownerId", Int, "v.owner", "Whose it is; null: the organization's").or_null(),
        property("isPublic", Flag, "v.is_public", "Whether every member sees it"),
        property("preset", Text, "v.preset", "Which of the presets it is").or_null(),
        property("topLevelOnly", Flag, "v.top_level", "Whether goals below others are left out"),
        property("isFlat", Flag, "v.flat", "Whether a page shows a list, not a tree"),
        property("filter", Json, "v.filter", "Which goals it holds"),
        property("sort", Text, "v.sort", "In which order a page shows them"),
        property("apiSettings", Json, "v.api_settings", "How the files of the Graph door look").or_null(),
        property("createdDateTime", Moment, "v.created_at", "When it was saved"),
    ],
    lists: &[
        numbers!("sharedWithPeople", "view_share", "view", "person", "People who see it besides"),
        numbers!(
            "sharedWithTeams",
            "view_share",
            "view",
            "team",
            "Teams whose members and owners see it besides"
        ),
    ],
};

/// Exports.
pub static EXPORTS: Set = Set {
    name: "exports",
    entity: "export",
    about: "Exports that the caller asked for",
    from: "job x left join export e on e.organization = x.organization and e.job = x.id",
    organization: "x.organization",
    visible: Visible::Exports,
    properties: &[
        property("id", Guid, "x.id", "Its id"),
        property("viewId", Guid, "coalesce(x.view, x.pair)", "The view that it is of"),
        property("status", Text, "x.state", "notStarted, running, succeeded or failed"),
        property("statusDetail", Text, "x.status_detail", "Why it failed").or_null(),
        property("createdDateTime", Moment, "x.created_at", "When it was asked for"),
        property("startedDateTime", Moment, "x.started_at", "When a worker began").or_null(),
        property("finishedDateTime", Moment, "x.finished_at", "When it ended").or_null(),
        property("expirationDateTime", Moment, "x.expires_at", "When it is forgotten"),
        property("rowsDone", Int, "coalesce(e.row_count, x.rows_done)", "Rows that are written").or_null(),
        property("rowsExpected", Int, "coalesce(e.row_count, x.rows_all)", "Rows in all, once that is known")
            .or_null(),
        property("fileName", Text, "e.file_name", "What its file is called").or_null(),
        property("sizeBytes", Int, "e.size_bytes", "How long its file is").or_null(),
        property("revision", Int, "e.revision", "The state of the organization that its file shows")
            .or_null(),
        property("asOfDateTime", Moment, "e.as_of_at", "The instant of that state").or_null(),
    ],
    lists: &[],
};

/// Files that are brought in.
pub static IMPORTS: Set = Set {
    name: "imports",
    entity: "import",
    about: "Files that were brought in, or are to be; for organization owners",
    from: "import i left join job x on x.organization = i.organization and x.id = i.id",
    organization: "i.organization",
    visible: Visible::Imports,
    properties: &[
        property("id", Guid, "i.id", "Its id"),
        property(
            "status",
            Text,
            "coalesce(x.state, 'succeeded')",
            "notStarted, running, succeeded or failed",
        ),
        property("statusDetail", Text, "x.status_detail", "Why it failed").or_null(),
        property("createdDateTime", Moment, "i.created_at", "When it was asked for"),
        property("creatorId", Int, "i.creator", "Who asked for it; null: the operator").or_null(),
        property("startedDateTime", Moment, "x.started_at", "When a worker began").or_null(),
        property("finishedDateTime", Moment, "coalesce(i.finished_at, x.finished_at)", "When it ended")
            .or_null(),
        property(
            "expirationDateTime",
            Moment,
            "case when i.revision is null then x.expires_at end",
            "When it is forgotten; null: never, since it changed something",
        )
        .or_null(),
        property("rowsDone", Int, "coalesce(i.read_count, x.rows_done)", "Elements that are written")
            .or_null(),
        property(
            "rowsExpected",
            Int,
            "coalesce(i.read_count, x.rows_all)",
            "Elements of the file, once they are known",
        )
        .or_null(),
        property("added", Int, "i.added_count", "Elements that were new").or_null(),
        property("changed", Int, "i.changed_count", "Elements that are others now").or_null(),
        property("removed", Int, "i.removed_count", "Things that were taken away").or_null(),
        property("fileName", Text, "i.file_name", "What its file was called"),
        property("sizeBytes", Int, "i.size_bytes", "How long its file is"),
        property("isDryRun", Flag, "i.dry_run", "Whether it only says what it would change"),
        property("revision", Int, "i.revision", "The state of the organization that it made").or_null(),
        property("undoneDateTime", Moment, "i.undone_at", "When it was taken back").or_null(),
        property("undoneById", Int, "i.undone_by", "Who took it back; null: nobody, or the operator")
            .or_null(),
    ],
    lists: &[],
};

/// Every set of an organization, in the order in which the service names them.
pub static SETS: [&Set; 11] =
    [&GOALS, &CHECK_INS, &COMMENTS, &TASKS, &PEOPLE, &TEAMS, &PERIODS, &TAGS, &VIEWS, &EXPORTS, &IMPORTS];
