//! What an organization's own words for object types mean.
//!
//! Viva Goals let an organization rename objectives, key results and initiatives from closed lists, and its
//! exports print the chosen word in sentence case, such as `Big rock`.

/// One of the three kinds of goals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectType {
    /// What is to be achieved.
    Objective,
    /// How it is measured.
    KeyResult,
    /// What is done for it.
    Initiative,
}

/// Whether a label has one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The label stands on one of the lists only.
    Certain,
    /// Organizations use the label for more than one kind, so a person should confirm the meaning.
    Ambiguous,
}

/// The kind of goals that a label most likely stands for; case and outer blanks do not matter. `None` for a
/// label that Viva Goals never offered.
pub fn object_type(label: &str) -> Option<(ObjectType, Certainty)> {
    use Certainty::{Ambiguous, Certain};
    use ObjectType::{Initiative, KeyResult, Objective};
    Some(match label.trim().to_lowercase().as_str() {
        "objective" | "theme" | "big rock" => (Objective, Certain),
        // A word for the OKR as a whole, too.
        "goal" => (Objective, Ambiguous),
        // On the lists for objectives and for key results.
        "outcome" => (KeyResult, Ambiguous),
        "key result" | "metric" | "result" | "kpi" => (KeyResult, Certain),
        "initiative" | "project" | "to do" | "deliverable" | "milestone" | "action" => (Initiative, Certain),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_known_in_any_case() {
        for (label, meaning) in [
            ("Big rock", Some((ObjectType::Objective, Certainty::Certain))),
            ("KPI", Some((ObjectType::KeyResult, Certainty::Certain))),
            (" Key result ", Some((ObjectType::KeyResult, Certainty::Certain))),
            ("Deliverable", Some((ObjectType::Initiative, Certainty::Certain))),
            ("Goal", Some((ObjectType::Objective, Certainty::Ambiguous))),
            ("Outcome", Some((ObjectType::KeyResult, Certainty::Ambiguous))),
            ("Ambition", None),
            ("", None),
        ] {
            assert_eq!(object_type(label), meaning, "{label}");
        }
    }
}
