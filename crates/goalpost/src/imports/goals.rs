//! Goals: what the file says of each, and what becomes of a field that was changed here since the last import.
//!
//! | here since the last import | in the file since then | result |
//! |---|---|---|
//! | the same | changed | the file's value |
//! | changed | the same | ours, silently |
//! | changed | changed to the same value | that value, and nothing is special about it any more |
//! | changed | changed otherwise | a conflict: ours, or the file's with `take_file`; reported either way |

use std::fs::File;

use goalpost_db::Value;
use goalpost_okr::TargetType;
use goalpost_viva::{Access, Archive, Aside, Child, Entity, Objective, Permissions};
use jiff::civil::{DateTime, Time};

use super::ImportError;
use super::aside::Asides;
use super::checkins::count_check_ins;
use super::kept::IMPORTED_VALUES;
use super::people::People;
use super::report::{Conflict, ReferenceKind};
use super::run::{BATCH, Import};
use super::time::{day, micros};
use crate::goals::edit::{Field, ImportedValues, forget_imported};
use crate::goals::record::{Column, GoalRecord, List, NewGoals};
use crate::goals::{ObjectType, Origin};

impl Import<'_> {
    pub(super) fn write_goals(
        &mut self,
        archive: &mut Archive<File>,
        people: &mut People,
        asides: &mut Asides,
    ) -> Result<(), ImportError> {
        let is_first = self.is_empty("goal")?;
        let mut new = NewGoals::default();
        self.batches(archive, |import, mut goals: Vec<Objective>| {
            goals.sort_unstable_by_key(|goal| goal.id);
            let survey = import.survey;
            let in_file = |id: i64| survey.has(Entity::Objectives, id);
            asides.write(import, &goals, |goal| unplaced(goal, in_file))?;
            let mut records = Vec::with_capacity(goals.len());
            for goal in goals {
                records.push(record(import, people, goal)?);
            }
            if is_first { import.insert_goals(&mut new, records) } else { import.update_goals(records) }
        })?;
        self.write_placeholders()
    }

    fn insert_goals(&mut self, new: &mut NewGoals, records: Vec<GoalRecord>) -> Result<(), ImportError> {
        self.report.tally_mut(Entity::Objectives).added += records.len() as u64;
        if records.is_empty() {
            return Ok(());
        }
        let Some(revision) = self.revision()? else { return Ok(()) };
        let ids: Vec<i64> = records.iter().map(|record| record.id).collect();
        let counts = count_check_ins(self.tx, self.number(), &ids)?;
        for mut record in records {
            record.set(Column::CheckinCount, counts.get(&record.id).copied().unwrap_or(0));
            new.push(self.number(), revision, record);
        }
        Ok(new.insert(self.tx)?)
    }

    fn update_goals(&mut self, records: Vec<GoalRecord>) -> Result<(), ImportError> {
        let (tx, organization) = (self.tx, self.number());
        let ids: Vec<i64> = records.iter().map(|record| record.id).collect();
        let mut present = GoalRecord::read(tx, organization, &ids)?;
        let imported = ImportedValues::read(tx, organization, &ids)?;
        let counts = count_check_ins(tx, organization, &ids)?;
        for mut wanted in records {
            let old = present.remove(&wanted.id);
            wanted.set(Column::CheckinCount, counts.get(&wanted.id).copied().unwrap_or(0));
            if let Some(old) = &old {
                wanted.set(Column::UpdatedAt, old.get(Column::UpdatedAt).clone());
            }
            if let (Some(old), Some(partial)) = (&old, &self.partial) {
                partial.carry_over(old, &mut wanted);
            }
            let settled = match &old {
                Some(old) if imported.has(old.id) => self.keep_changes(old, &mut wanted, &imported),
                _ => Vec::new(),
            };
            let tally = self.report.tally_mut(Entity::Objectives);
            match &old {
                Some(old) if !old.is_from(Origin::Reference) => {
                    let differs = |field: Field| field.value(old) != field.value(&wanted);
                    if Field::all().any(differs) { tally.changed += 1 } else { tally.unchanged += 1 }
                }
                _ => tally.added += 1,
            }
            if self.partial.is_some()
                && old.as_ref().map_or(&[][..], |old| old.list(List::Parents)) != wanted.list(List::Parents)
            {
                let parents = wanted.list(List::Parents).chunks_exact(List::Parents.width());
                let parents = parents.filter_map(|entry| match entry[0] {
                    Value::Int(parent) => Some(parent),
                    _ => None,
                });
                self.new_parents.insert(wanted.id, parents.collect());
            }
            if self.options.dry_run {
                continue;
            }
            let differs = old.as_ref() != Some(&wanted);
            if (differs || !settled.is_empty())
                && let Some(values) = imported.of_goal(wanted.id)
            {
                // What becomes of it follows from the goal.
                self.keep(IMPORTED_VALUES, wanted.id, &values, &serde_json::Value::Null)?;
            }
            if differs && let Some(revision) = self.revision()? {
                wanted.write(tx, organization, revision, old.as_ref())?;
            }
            for field in settled {
                forget_imported(tx, organization, wanted.id, field)?;
            }
        }
        Ok(())
    }

    /// Carry over to `wanted` what was changed here and stays; returns the fields of which the file's value stands.
    fn keep_changes(
        &mut self,
        present: &GoalRecord,
        wanted: &mut GoalRecord,
        imported: &ImportedValues,
    ) -> Vec<Field> {
        let mut settled = Vec::new();
        for field in Field::all() {
            let Some(before) = imported.get(present.id, field) else { continue };
            if self.partial.as_ref().is_some_and(|partial| partial.is_unsaid(field)) {
                continue;
            }
            let file = field.to_json(field.value(wanted));
            if field.value(present) == field.value(wanted) {
                settled.push(field);
            } else if *before == file {
                field.copy(present, wanted);
            } else {
                let here = field.to_json(field.value(present));
                let taken = self.options.take_file;
                self.report.conflicts.add(|| Conflict {
                    goal: present.id,
                    field: field.name(),
                    here,
                    file,
                    taken,
                });
                if taken {
                    settled.push(field);
                } else {
                    field.copy(present, wanted);
                }
            }
        }
        wanted.derive();
        settled
    }

    /// Give each parent that the file only mentions a row, so that alignments lead somewhere.
    fn write_placeholders(&mut self) -> Result<(), ImportError> {
        let mentioned: Vec<(&i64, &Option<String>)> = self.survey.unresolved.parents.iter().collect();
        for batch in mentioned.chunks(BATCH) {
            let ids: Vec<i64> = batch.iter().map(|(id, _)| **id).collect();
            let present = GoalRecord::read(self.tx, self.number(), &ids)?;
            for (id, title) in batch {
                let old = present.get(*id);
                if old.is_some_and(|old| !old.is_from(Origin::Reference)) {
                    continue;
                }
                let wanted = match (old, title) {
                    (Some(_), None) => continue,
                    (_, title) => placeholder(**id, title.as_deref().unwrap_or_default()),
                };
                if old != Some(&wanted)
                    && let Some(revision) = self.revision()?
                {
                    wanted.write(self.tx, self.number(), revision, old)?;
                }
            }
        }
        Ok(())
    }
}

/// The row of a goal of which only its id, and perhaps its title, is known.
pub(super) fn placeholder(id: i64, title: &str) -> GoalRecord {
    let mut record = GoalRecord::new(id, Origin::Reference);
    record.set(Column::ObjectType, ObjectType::Objective.as_str());
    record.set(Column::Title, title);
    record.derive();
    record
}

/// A goal as rows. People whom it mentions get theirs on the way.
fn record(import: &mut Import<'_>, people: &mut People, goal: Objective) -> Result<GoalRecord, ImportError> {
    let mut record = GoalRecord::new(goal.id, Origin::File);
    let label = goal.type_label.unwrap_or_default();
    record.set(Column::ObjectType, import.labels.object_type(&label).as_str());
    record.set(Column::TypeLabel, label);
    record.set(Column::Status, goal.status.unwrap_or_default());
    record.set(Column::Creator, people.resolve(import, goal.created_by.as_ref())?);
    record.set(Column::Delegate, people.resolve(import, goal.delegated_to.as_ref())?);
    record.set(Column::StartDate, day(goal.start_date));
    record.set(Column::EndDate, day(goal.end_date));
    record.set(Column::CreatedAt, goal.created_at.map(micros));
    record.set(Column::LastCheckinDate, day(goal.last_check_in.map(DateTime::date)));
    record.set(Column::GoalType, goal.goal_type.unwrap_or_default());
    record.set(Column::Progress, goal.progress);
    record.set(Column::Score, goal.score);
    record.set(Column::ProgressMode, goal.configuration.progress);
    record.set(Column::StatusMode, goal.configuration.status);
    record.set(Column::DataSource, goal.configuration.data_source);
    record.set(Column::Title, goal.title);
    record.set(Column::Description, goal.description);
    if let Some(outcome) = goal.outcome {
        record.set(Column::OutcomeType, outcome.outcome_type.unwrap_or_default());
        record.set(Column::MetricName, outcome.metric_name);
        record.set(Column::MetricUnit, outcome.metric_unit);
        record.set(Column::MetricStart, outcome.start);
        record.set(Column::MetricTarget, outcome.target);
        let target_type = outcome.target_type.as_deref().and_then(target_type);
        record.set(Column::TargetType, target_type.map(TargetType::as_str));
    }
    record.derive();

    *record.list_mut(List::Owners) = people.resolve_all(import, &goal.owners)?;
    *record.list_mut(List::CheckinOwners) = people.resolve_all(import, &goal.check_in_owners)?;
    set_permissions(import, people, &mut record, &goal.permissions)?;
    if let Some(period) = goal.period {
        import.mention(Entity::TimePeriods, ReferenceKind::Period, period.id);
        record.set(Column::Period, period.id);
    }
    for team in goal.teams {
        import.mention(Entity::Teams, ReferenceKind::Team, team.id);
        record.list_mut(List::Teams).push(team.id.into());
    }
    for tag in goal.tags {
        import.mention(Entity::Tags, ReferenceKind::Tag, tag.id);
        record.list_mut(List::Tags).push(tag.id.into());
    }
    for parent in goal.parent_ids {
        import.mention(Entity::Objectives, ReferenceKind::Parent, parent);
        let weight = goal.alignment.iter().find(|entry| entry.id == parent).and_then(|entry| entry.weight);
        record.list_mut(List::Parents).extend([parent.into(), weight.into(), false.into()]);
    }
    if let Some(phased) = goal.phased_targets {
        record.set(Column::Phased, true);
        record.set(Column::PhasedInterval, phased.interval);
        let targets = phased.targets.into_iter().flat_map(|target| [target.value.into(), day(target.date)]);
        record.list_mut(List::PhasedTargets).extend(targets);
    }
    for child in goal.children {
        let Child::Task(task) = child else { continue };
        let owner = people.resolve(import, task.owner.as_ref())?;
        import.report.tasks += 1;
        record.list_mut(List::Tasks).extend([
            task.id.into(),
            task.name.into(),
            day(task.date),
            task.status.unwrap_or_default().into(),
            owner,
        ]);
    }
    Ok(record)
}

/// A goal that not everybody may see is restricted; where the file does not say in a known shape who may, nobody
/// beyond the goal's own people does.
fn set_permissions(
    import: &mut Import<'_>,
    people: &mut People,
    record: &mut GoalRecord,
    permissions: &Permissions,
) -> Result<(), ImportError> {
    if permissions.json == PUBLIC {
        return Ok(());
    }
    record.set(Column::Permissions, &permissions.json);
    match &permissions.view {
        Access::Everybody => return Ok(()),
        Access::Only(viewers) => *record.list_mut(List::Viewers) = people.resolve_all(import, viewers)?,
        Access::Unclear => import.report.unclear_permissions.add(|| record.id),
    }
    record.set(Column::Restricted, true);
    import.report.restricted_goals += 1;
    Ok(())
}

/// The permissions of a goal that nobody restricted, as the file prints them.
const PUBLIC: &str = r#"{"View":"Everybody","Edit":{},"Align":"Everybody"}"#;

/// `Increase From`, `Find a Baseline`, …
fn target_type(words: &str) -> Option<TargetType> {
    Some(match words.trim().to_lowercase().as_str() {
        "reach" => TargetType::Reach,
        "increase from" => TargetType::IncreaseFrom,
        "decrease from" => TargetType::DecreaseFrom,
        "stay above" => TargetType::StayAbove,
        "stay below" => TargetType::StayBelow,
        "find a baseline" | "find baseline" | "baseline" => TargetType::Baseline,
        _ => return None,
    })
}

/// What a goal says and its rows do not. A child that is in the file says by its own `Parent IDs` where it belongs.
fn unplaced(goal: &Objective, in_file: impl Fn(i64) -> bool) -> Vec<Aside> {
    let mut unplaced = Vec::new();
    let mut keep = |path: String, value: serde_json::Value| {
        unplaced.push(Aside { path, json: value.to_string() });
    };
    for (index, child) in goal.children.iter().enumerate() {
        if let Child::Goal { id, title, type_label } = child
            && !in_file(*id)
        {
            let value = serde_json::json!({ "ID": id, "Title": title, "Type": type_label });
            keep(format!("Children[{index}]"), value);
        }
    }
    for (index, entry) in goal.alignment.iter().enumerate() {
        if !goal.parent_ids.contains(&entry.id) {
            let value = serde_json::json!({ "ID": entry.id, "Title": entry.title, "Weight": entry.weight });
            keep(format!("Alignment[{index}]"), value);
        }
    }
    if let Some(words) = goal.outcome.as_ref().and_then(|outcome| outcome.target_type.as_ref())
        && target_type(words).is_none()
    {
        keep("Outcome.Target Type".to_owned(), words.as_str().into());
    }
    if let Some(at) = goal.last_check_in
        && at.time() != Time::midnight()
    {
        keep("Last Check-in".to_owned(), at.to_string().into());
    }
    unplaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_permissions_are_those_that_the_file_prints() {
        assert_eq!(Permissions::everybody().json, PUBLIC);
    }
}
