//! One goal as its rows hold it: the row of `goal`, and the lists that hang on it.

use std::collections::BTreeMap;

use goalpost_db::{Result, Tx, Value, params};
use goalpost_okr::{Scale, TargetType};

use super::Origin;
use super::history::AsOf;
use crate::ids::{OrganizationNumber, fold};
use crate::table::{Kind, Table, write_list};

macro_rules! columns {
    ($($(#[$doc:meta])* $column:ident = $name:literal $kind:ident),* $(,)?) => {
        /// A column of `goal` besides its key and its revision. What each holds: docs/DATA.md.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Column { $(#[doc = concat!("`", $name, "`.")] $column),* }

        impl Column {
            /// Every column, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$column),*];

            const NAMED: &[(&str, Kind)] = &[$(($name, Kind::$kind)),*];
        }
    };
}

columns! {
    Origin = "origin" Text,
    ObjectType = "object_type" Text,
    TypeLabel = "type_label" Text,
    Status = "status" Text,
    Period = "period" Int,
    Creator = "creator" Int,
    Delegate = "delegate" Int,
    StartDate = "start_date" Text,
    EndDate = "end_date" Text,
    CreatedAt = "created_at" Int,
    LastCheckinDate = "last_checkin_date" Text,
    CheckinCount = "checkin_count" Int,
    Restricted = "restricted" Bool,
    GoalType = "goal_type" Text,
    OutcomeType = "outcome_type" Text,
    MetricName = "metric_name" Text,
    MetricUnit = "metric_unit" Text,
    MetricStart = "metric_start" Real,
    MetricTarget = "metric_target" Real,
    TargetType = "target_type" Text,
    Progress = "progress" Real,
    ProgressPercent = "progress_percent" Real,
    Score = "score" Real,
    ProgressMode = "progress_mode" Text,
    StatusMode = "status_mode" Text,
    DataSource = "data_source" Text,
    PhasedInterval = "phased_interval" Text,
    Phased = "phased" Bool,
    Permissions = "permissions" Text,
    Title = "title" Text,
    TitleFold = "title_fold" Text,
    Description = "description" Text,
    RiskThreshold = "risk_threshold" Real,
    Priority = "priority" Int,
    NewChildrenContribute = "new_children_contribute" Bool,
    EndingNote = "ending_note" Text,
    UpdatedAt = "updated_at" Int,
}

const COLUMNS: usize = Column::ALL.len();

impl Column {
    /// Its name in the database.
    pub fn name(self) -> &'static str {
        Self::NAMED[self as usize].0
    }

    pub(crate) fn kind(self) -> Kind {
        Self::NAMED[self as usize].1
    }

    /// Whether it follows from other columns or rows, or from the change itself, and is never set by itself.
    pub fn is_derived(self) -> bool {
        matches!(
            self,
            Self::Origin | Self::CheckinCount | Self::ProgressPercent | Self::TitleFold | Self::UpdatedAt
        )
    }
}

/// A list that hangs on a goal: ordered rows of a table of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum List {
    /// Owners: person.
    Owners,
    /// Check-in owners: person.
    CheckinOwners,
    /// People whom a restricted goal names: person.
    Viewers,
    /// Teams: team.
    Teams,
    /// Tags: tag.
    Tags,
    /// Parents: goal, weight in percent or null, whether the weight is fixed.
    Parents,
    /// Targets on the way: value, day.
    PhasedTargets,
    /// Tasks: id, name, day, status, owner.
    Tasks,
}

const PERSON: &[(&str, Kind)] = &[("person", Kind::Int)];

const fn list(name: &'static str, columns: &'static [(&'static str, Kind)]) -> Table {
    Table { name, key: &["goal", "position"], columns, has_history: true }
}

static LISTS: [Table; 8] = [
    list("goal_owner", PERSON),
    list("goal_checkin_owner", PERSON),
    list("goal_viewer", PERSON),
    list("goal_team", &[("team", Kind::Int)]),
    list("goal_tag", &[("tag", Kind::Int)]),
    list("goal_parent", &[("parent", Kind::Int), ("weight", Kind::Real), ("fixed", Kind::Bool)]),
    list("goal_phased_target", &[("value", Kind::Real), ("due_date", Kind::Text)]),
    list(
        "task",
        &[
            ("id", Kind::Int),
            ("name", Kind::Text),
            ("due_date", Kind::Text),
            ("status", Kind::Text),
            ("owner", Kind::Int),
        ],
    ),
];

pub(crate) static GOAL: Table =
    Table { name: "goal", key: &["id"], columns: Column::NAMED, has_history: true };

impl List {
    /// Every list.
    pub const ALL: &[Self] = &[
        Self::Owners,
        Self::CheckinOwners,
        Self::Viewers,
        Self::Teams,
        Self::Tags,
        Self::Parents,
        Self::PhasedTargets,
        Self::Tasks,
    ];

    pub(crate) fn table(self) -> &'static Table {
        &LISTS[self as usize]
    }

    /// How many values one entry of the list has.
    pub fn width(self) -> usize {
        self.table().columns.len()
    }
}

/// A goal as its rows hold it.
#[derive(Clone, Debug, PartialEq)]
pub struct GoalRecord {
    /// The goal's number.
    pub id: i64,
    columns: [Value; COLUMNS],
    lists: [Vec<Value>; LISTS.len()],
}

impl GoalRecord {
    /// A goal of which nothing is known yet: every column null, but for those that may not be.
    pub fn new(id: i64, origin: Origin) -> Self {
        let mut record = Self { id, columns: [const { Value::Null }; COLUMNS], lists: Default::default() };
        record.set(Column::CheckinCount, 0_i64);
        for column in [Column::Restricted, Column::Phased] {
            record.set(column, false);
        }
        for column in [
            Column::TypeLabel,
            Column::ObjectType,
            Column::Status,
            Column::GoalType,
            Column::OutcomeType,
            Column::Title,
            Column::TitleFold,
        ] {
            record.set(column, "");
        }
        record.set(Column::Origin, origin.as_str());
        record
    }

    /// What a column holds.
    pub fn get(&self, column: Column) -> &Value {
        &self.columns[column as usize]
    }

    /// Whether it came to be in this way.
    pub fn is_from(&self, origin: Origin) -> bool {
        self.text(Column::Origin) == origin.as_str()
    }

    /// Put a value into a column. The value must be of the column's kind.
    pub fn set(&mut self, column: Column, value: impl Into<Value>) {
        let value = value.into();
        debug_assert!(column.kind().takes(&value), "{} does not hold {value:?}", column.name());
        self.columns[column as usize] = value;
    }

    /// The values of a list, entry after entry, [`List::width`] values each.
    pub fn list(&self, list: List) -> &[Value] {
        &self.lists[list as usize]
    }

    /// The same, to be changed.
    pub fn list_mut(&mut self, list: List) -> &mut Vec<Value> {
        &mut self.lists[list as usize]
    }

    /// Bring the columns that follow from others up to date, except the number of check-ins.
    pub fn derive(&mut self) {
        self.set(Column::TitleFold, fold(self.text(Column::Title)));
        self.set(Column::ProgressPercent, self.progress_percent());
    }

    fn progress_percent(&self) -> Option<f64> {
        let progress = self.real(Column::Progress)?;
        // Without a metric, progress is a percentage as it stands.
        if !self.has_metric() {
            return Some(progress);
        }
        self.scale()?.percent(progress)
    }

    /// What a column of numbers holds.
    pub(crate) fn real(&self, column: Column) -> Option<f64> {
        match self.get(column) {
            Value::Real(value) => Some(*value),
            _ => None,
        }
    }

    /// What a column of whole numbers holds.
    pub(crate) fn int(&self, column: Column) -> Option<i64> {
        match self.get(column) {
            Value::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// What a column of texts holds; empty for none.
    pub(crate) fn text(&self, column: Column) -> &str {
        match self.get(column) {
            Value::Text(text) => text,
            _ => "",
        }
    }

    /// Whether progress counts in the unit of a metric, and not in percent of the whole.
    pub(super) fn has_metric(&self) -> bool {
        self.text(Column::OutcomeType) == "Metric"
    }

    /// The metric's scale, if there is a metric of a kind that is known.
    pub(super) fn scale(&self) -> Option<Scale> {
        if !self.has_metric() {
            return None;
        }
        let target_type = self.text(Column::TargetType).parse().ok()?;
        let (start, target) = (self.real(Column::MetricStart), self.real(Column::MetricTarget));
        Some(Scale { target_type, start, target, risk: self.real(Column::RiskThreshold) })
    }

    /// Whether it only collects values.
    pub(super) fn is_baseline(&self) -> bool {
        self.scale().is_some_and(|scale| scale.target_type == TargetType::Baseline)
    }

    /// The goals among `ids` that have rows. Costs one statement per table for every 250 ids.
    pub fn read(
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        ids: &[i64],
    ) -> Result<BTreeMap<i64, GoalRecord>> {
        Self::read_with(tx, organization, ids, List::ALL)
    }

    /// The goals among `ids` that had rows then, as they were.
    pub fn read_as_of(
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        ids: &[i64],
        as_of: AsOf,
    ) -> Result<BTreeMap<i64, GoalRecord>> {
        Self::read_spelled(tx, organization, ids, List::ALL, &|sql| as_of.text(tx, sql).into_owned())
    }

    /// The same with these lists only; the others are empty, whatever their rows say.
    pub(super) fn read_with(
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        ids: &[i64],
        lists: &[List],
    ) -> Result<BTreeMap<i64, GoalRecord>> {
        Self::read_spelled(tx, organization, ids, lists, &str::to_owned)
    }

    fn read_spelled(
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        ids: &[i64],
        lists: &[List],
        spell: &dyn Fn(&str) -> String,
    ) -> Result<BTreeMap<i64, GoalRecord>> {
        let mut records = BTreeMap::new();
        GOAL.each_spelled(tx, organization, ids, spell, |key, columns| {
            let columns = columns.try_into().expect("as many values as the table has columns");
            records.insert(key[0], GoalRecord { id: key[0], columns, lists: Default::default() });
            Ok::<_, goalpost_db::Error>(())
        })?;
        for &list in lists {
            list.table().each_spelled(tx, organization, ids, spell, |key, values| {
                if let Some(record) = records.get_mut(&key[0]) {
                    record.list_mut(list).extend(values);
                }
                Ok::<_, goalpost_db::Error>(())
            })?;
        }
        Ok(records)
    }

    /// Write what differs from `present`, which is what the rows hold now; replaced rows move to the history. Tells
    /// whether anything differed.
    pub fn write(
        &self,
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        revision: i64,
        present: Option<&GoalRecord>,
    ) -> Result<bool> {
        if present == Some(self) {
            return Ok(false);
        }
        if present.map(|present| &present.columns) != Some(&self.columns) {
            GOAL.put(tx, organization, &[self.id], revision, &self.columns)?;
        }
        for &list in List::ALL {
            let old = present.map_or(&[][..], |present| present.list(list));
            write_list(list.table(), tx, organization, self.id, revision, old, self.list(list))?;
        }
        Ok(true)
    }

    /// Write the own rows of goals that have one each; replaced ones move to the history.
    pub(super) fn write_rows<'a>(
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        revision: i64,
        goals: impl Iterator<Item = &'a Self>,
    ) -> Result<()> {
        let goals: Vec<&Self> = goals.collect();
        if let [goal] = *goals {
            return GOAL.put(tx, organization, &[goal.id], revision, &goal.columns);
        }
        let (mut ids, mut rows) = (Vec::new(), Vec::new());
        for goal in goals {
            ids.push(goal.id);
            GOAL.push_row(&mut rows, organization, &[goal.id], revision, goal.columns.iter().cloned());
        }
        GOAL.put_all(tx, organization, &ids, revision, &rows)
    }

    /// Take the goal's rows away; they move to the history.
    pub fn remove(&self, tx: &Tx<'_>, organization: OrganizationNumber, revision: i64) -> Result<()> {
        let mut nothing = self.clone();
        nothing.lists = Default::default();
        nothing.write(tx, organization, revision, Some(self))?;
        GOAL.remove(tx, organization, &[self.id], revision)
    }
}

/// The numbers of goals after one, in their order; placeholders are left out.
pub fn list_ids(tx: &Tx<'_>, organization: OrganizationNumber, after: i64, limit: i64) -> Result<Vec<i64>> {
    tx.query(
        "-- goals::list_ids
        select id from goal where organization = ?1 and id > ?2 and origin <> ?3 order by id limit ?4",
        params![organization, after, Origin::Reference.as_str(), limit],
        |row| row.int(0),
    )
}

/// Rows of new goals, collected and inserted table by table.
#[derive(Debug, Default)]
pub struct NewGoals {
    goals: Vec<Value>,
    lists: [Vec<Value>; LISTS.len()],
}

impl NewGoals {
    /// Add a goal that has no rows yet.
    pub fn push(&mut self, organization: OrganizationNumber, revision: i64, record: GoalRecord) {
        GOAL.push_row(&mut self.goals, organization, &[record.id], revision, record.columns);
        for (&list, values) in List::ALL.iter().zip(record.lists) {
            let rows = &mut self.lists[list as usize];
            let mut values = values.into_iter();
            for position in 0.. {
                if values.len() == 0 {
                    break;
                }
                let entry = values.by_ref().take(list.width());
                list.table().push_row(rows, organization, &[record.id, position], revision, entry);
            }
        }
    }

    /// Insert what was collected, and be empty again.
    pub fn insert(&mut self, tx: &Tx<'_>) -> Result<()> {
        GOAL.insert_all(tx, &self.goals)?;
        self.goals.clear();
        for (&list, rows) in List::ALL.iter().zip(&mut self.lists) {
            list.table().insert_all(tx, rows)?;
            rows.clear();
        }
        Ok(())
    }
}
