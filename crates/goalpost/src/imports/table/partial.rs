//! What a table leaves open, so that it stays as it is here.

use std::collections::{BTreeMap, HashMap, HashSet};

use goalpost_viva::sheet::{Column as Header, Explorer};

use crate::goals::Origin;
use crate::goals::edit::Field;
use crate::goals::record::{Column, GoalRecord, List};

/// What is known about a file that shows a part of the organization, and a part of each goal.
#[derive(Debug, Default)]
pub(in crate::imports) struct Partial {
    /// Fields that no row speaks of.
    unsaid: HashSet<Field>,
    /// Fields of goals of which the file prints what is here: names, rounded numbers.
    same: HashMap<i64, Vec<Field>>,
    /// Numbers given to what has no element: people, and periods without days.
    pub(in crate::imports) loose: HashSet<i64>,
    /// Names that lead to nobody, or to several people.
    pub(in crate::imports) unknown_people: BTreeMap<String, u64>,
    /// Goals that were here, with parents that they had not.
    pub(in crate::imports) new_edges: Vec<(i64, i64)>,
    /// Whether the file does not say when people were last active.
    pub(in crate::imports) keeps_activity: bool,
    pub(in crate::imports) notes: Vec<String>,
}

impl Partial {
    pub(super) fn of<R: std::io::Read + std::io::Seek>(table: &Explorer<R>) -> Self {
        let unsaid = Field::all().filter(|field| !headers(*field).iter().any(|header| table.has(*header)));
        Self { unsaid: unsaid.collect(), ..Self::default() }
    }

    /// What a file of people leaves open: goals, and when people were last active.
    pub(in crate::imports) fn of_people() -> Self {
        Self { keeps_activity: true, ..Self::default() }
    }

    pub(in crate::imports) fn is_unsaid(&self, field: Field) -> bool {
        self.unsaid.contains(&field)
    }

    /// Note that the file prints these fields of a goal as this server would.
    pub(in crate::imports) fn keep(&mut self, goal: i64, fields: Vec<Field>) {
        if !fields.is_empty() {
            self.same.insert(goal, fields);
        }
    }

    pub(super) fn is_same(&self, goal: i64, field: Field) -> bool {
        self.same.get(&goal).is_some_and(|fields| fields.contains(&field))
    }

    /// Give `wanted` what the file leaves open of a goal that is here.
    pub(in crate::imports) fn carry_over(&self, present: &GoalRecord, wanted: &mut GoalRecord) {
        if present.is_from(Origin::Reference) {
            return;
        }
        for field in self.unsaid.iter().chain(self.same.get(&present.id).into_iter().flatten()) {
            field.copy(present, wanted);
        }
        wanted.set(Column::Origin, present.get(Column::Origin).clone());
        wanted.derive();
    }
}

/// The columns of a table that speak of a field.
fn headers(field: Field) -> &'static [Header] {
    const OUTCOME: &[Header] = &[Header::MetricName, Header::Unit, Header::Target, Header::Start];
    match field {
        Field::Column(column) => match column {
            Column::Title => &[Header::Title],
            Column::ObjectType | Column::TypeLabel => &[Header::ObjectType],
            Column::Status => &[Header::Status],
            Column::Period => &[Header::Period],
            Column::Creator => &[Header::Creator],
            Column::StartDate => &[Header::StartDate],
            Column::EndDate => &[Header::EndDate],
            Column::CreatedAt => &[Header::CreatedAt],
            Column::LastCheckinDate => &[Header::LastCheckIn],
            Column::GoalType => &[Header::GoalType],
            Column::OutcomeType | Column::TargetType => OUTCOME,
            Column::MetricName => &[Header::MetricName],
            Column::MetricUnit => &[Header::Unit],
            Column::MetricStart => &[Header::Start],
            Column::MetricTarget => &[Header::Target],
            Column::Progress => &[Header::Progress, Header::ActualProgress],
            Column::Score => &[Header::Score],
            Column::Description => &[Header::Description],
            _ => &[],
        },
        Field::List(list) => match list {
            List::Owners => &[Header::Owner],
            List::Teams => &[Header::Team, Header::OkrType],
            List::Tags => &[Header::Tag],
            List::Parents => &[Header::AlignedTo],
            _ => &[],
        },
    }
}
