//! What the organization's own words for object types mean.

use std::collections::BTreeMap;

use goalpost_viva::label;

use super::report::{Certainty, Label};
use crate::goals::ObjectType;

/// The meaning of every label that a file has.
#[derive(Debug)]
pub(super) struct Labels {
    meanings: BTreeMap<String, ObjectType>,
    /// The same, for the report.
    pub(super) listed: Vec<Label>,
    /// Words that `--label` gave a meaning to and that no goal has.
    pub(super) unused: Vec<String>,
}

impl Labels {
    /// Decide over the labels that a file has, each with the number of its goals. What the operator says comes first.
    pub(super) fn decide(counts: &BTreeMap<String, u64>, said: &[(String, ObjectType)]) -> Self {
        let listed: Vec<Label> = counts.iter().map(|(label, &goals)| meaning(label, goals, said)).collect();
        let is_used = |word: &str| counts.keys().any(|label| same(label, word));
        Self {
            meanings: listed.iter().map(|label| (label.label.clone(), label.object_type)).collect(),
            unused: said.iter().filter(|(word, _)| !is_used(word)).map(|(word, _)| word.clone()).collect(),
            listed,
        }
    }

    /// What a label means. The empty label is that of a goal without one.
    pub(super) fn object_type(&self, label: &str) -> ObjectType {
        self.meanings.get(label).copied().unwrap_or(ObjectType::Objective)
    }
}

fn meaning(label: &str, goals: u64, said: &[(String, ObjectType)]) -> Label {
    let (object_type, certainty, reason) = match said.iter().rev().find(|(word, _)| same(label, word)) {
        Some((_, object_type)) => (*object_type, Certainty::Said, "said with --label"),
        None => match label::object_type(label) {
            Some((known, label::Certainty::Certain)) => {
                (known.into(), Certainty::Known, "Viva Goals offered this word for nothing else")
            }
            Some((known, label::Certainty::Ambiguous)) => {
                (known.into(), Certainty::Guessed, "Viva Goals offered this word for more than one type")
            }
            None if label.is_empty() => {
                (ObjectType::Objective, Certainty::Guessed, "these goals have no label")
            }
            None => (ObjectType::Objective, Certainty::Guessed, "Viva Goals never offered this word"),
        },
    };
    Label { label: label.to_owned(), goals, object_type, certainty, reason }
}

fn same(label: &str, word: &str) -> bool {
    label.trim().to_lowercase() == word.trim().to_lowercase()
}

impl From<label::ObjectType> for ObjectType {
    fn from(known: label::ObjectType) -> Self {
        match known {
            label::ObjectType::Objective => Self::Objective,
            label::ObjectType::KeyResult => Self::KeyResult,
            label::ObjectType::Initiative => Self::Initiative,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_beats_what_is_known_and_what_is_known_beats_a_guess() {
        let counts = [("Big rock", 3), ("Goal", 2), ("Moonshot", 1), ("", 1)];
        let counts = counts.map(|(label, goals)| (label.to_owned(), goals)).into();
        let said =
            [("MOONSHOT ".to_owned(), ObjectType::Initiative), ("Kpi".to_owned(), ObjectType::Objective)];
        let labels = Labels::decide(&counts, &said);
        let found: Vec<_> = labels
            .listed
            .iter()
            .map(|label| (label.label.as_str(), label.object_type, label.certainty))
            .collect();
        assert_eq!(
            found,
            [
                ("", ObjectType::Objective, Certainty::Guessed),
                ("Big rock", ObjectType::Objective, Certainty::Known),
                ("Goal", ObjectType::Objective, Certainty::Guessed),
                ("Moonshot", ObjectType::Initiative, Certainty::Said),
            ]
        );
        assert_eq!(labels.object_type("Moonshot"), ObjectType::Initiative);
        assert_eq!(labels.unused, ["Kpi"]);
    }
}
