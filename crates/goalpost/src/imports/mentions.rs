//! How often the file mentions what it does not hold.

use std::collections::BTreeMap;

use goalpost_viva::Entity;

use super::ImportError;
use super::checkins::is_known;
use super::report::{Reference, ReferenceKind};
use super::run::Import;
use super::table::Partial;

/// Mentions of teams, periods, tags and goals that the file does not hold. The survey bounds how many there are; goals
/// of check-ins are bounded here.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    by_id: BTreeMap<(ReferenceKind, i64), u64>,
    goals: BTreeMap<i64, u64>,
    parent_teams: BTreeMap<String, u64>,
}

impl Mentions {
    /// Goals of stray check-ins and comments that are told apart; a report lists no more.
    const GOALS: usize = 1_000;
}

impl Import<'_> {
    /// Count a mention, unless the file holds what it leads to.
    pub(super) fn mention(&mut self, entity: Entity, kind: ReferenceKind, id: i64) {
        // What a table names and is here is no loose end.
        let is_loose = |partial: &Partial| kind == ReferenceKind::Parent || partial.loose.contains(&id);
        if !self.is_in_file(entity, id) && self.partial.as_ref().is_none_or(is_loose) {
            *self.mentions.by_id.entry((kind, id)).or_default() += 1;
        }
    }

    pub(super) fn mention_parent_team(&mut self, name: &str) {
        *self.mentions.parent_teams.entry(name.to_owned()).or_default() += 1;
    }

    /// Count a check-in or comment whose goal nobody knows.
    pub(super) fn mention_goal(&mut self, goal: i64) {
        let goals = &mut self.mentions.goals;
        if goals.len() < Mentions::GOALS || goals.contains_key(&goal) {
            *goals.entry(goal).or_default() += 1;
        }
    }

    /// Add what was counted to the report.
    pub(super) fn report_mentions(&mut self) -> Result<(), ImportError> {
        let Mentions { by_id, goals, parent_teams } = std::mem::take(&mut self.mentions);
        let unresolved = &self.survey.unresolved;
        let references = &mut self.report.references;
        for ((kind, id), times) in by_id {
            if self.partial.is_some()
                && kind == ReferenceKind::Parent
                && is_known(self.tx, self.organization.number, id)?
            {
                continue;
            }
            let names = match kind {
                ReferenceKind::Team => &unresolved.teams,
                ReferenceKind::Period => &unresolved.periods,
                ReferenceKind::Tag => &unresolved.tags,
                _ => &unresolved.parents,
            };
            let name = || names.get(&id).cloned().flatten().unwrap_or_default();
            references.add(|| Reference { kind, id: Some(id), name: name(), times });
        }
        for (name, times) in parent_teams {
            references.add(|| Reference { kind: ReferenceKind::ParentTeam, id: None, name, times });
        }
        for (&goal, &times) in &goals {
            let (id, name) = (Some(goal), String::new());
            references.add(|| Reference { kind: ReferenceKind::Goal, id, name, times });
        }
        if goals.len() == Mentions::GOALS {
            let all = (unresolved.check_ins.goal_ids() | unresolved.comments.goal_ids()).len();
            references.total += all.saturating_sub(goals.len() as u64);
        }
        Ok(())
    }
}
