//! An organization's own words for its goals.

use goalpost_db::{Error, Result, Tx, params};

use crate::ids::OrganizationNumber;

/// The words, each `None` where the usual one stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// For goals of any kind: one of [`Self::OKR`].
    pub okr: Option<String>,
    /// For objectives: one of [`Self::OBJECTIVE`].
    pub objective: Option<String>,
    /// For key results: one of [`Self::KEY_RESULT`].
    pub key_result: Option<String>,
    /// For initiatives: one of [`Self::INITIATIVE`].
    pub initiative: Option<String>,
}

/// A word that is not offered for that.
#[derive(Debug, thiserror::Error)]
#[error("`{word}` is no word for {of}: there are {}", .offered.join(", "))]
pub struct NoTerm {
    of: &'static str,
    word: String,
    offered: &'static [&'static str],
}

impl Terms {
    /// The words for goals of any kind, the usual one first.
    pub const OKR: &[&str] = &["OKR", "Goal"];
    /// The words for objectives, the usual one first.
    pub const OBJECTIVE: &[&str] = &["Objective", "Goal", "Outcome", "Theme", "Big Rock"];
    /// The words for key results, the usual one first.
    pub const KEY_RESULT: &[&str] = &["Key Result", "Metric", "Outcome", "Result", "KPI"];
    /// The words for initiatives, the usual one first.
    pub const INITIATIVE: &[&str] = &["Initiative", "Project", "To Do", "Deliverable", "Milestone", "Action"];

    /// The organization's words.
    pub fn read(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Self> {
        let found = tx.query_opt(
            "-- orgs::find_terms
            select term_okr, term_objective, term_key_result, term_initiative from organization where number = ?1",
            params![organization],
            |row| {
                let word = |column| Ok::<_, Error>(row.opt_text(column)?.map(str::to_owned));
                Ok::<_, Error>(Self {
                    okr: word(0)?,
                    objective: word(1)?,
                    key_result: word(2)?,
                    initiative: word(3)?,
                })
            },
        )?;
        Ok(found.unwrap_or_default())
    }

    /// Write the organization's words, in a transaction that raised its revision.
    pub(crate) fn write(&self, tx: &Tx<'_>, organization: OrganizationNumber) -> Result<()> {
        tx.execute(
            "-- orgs::set_terms
            update organization set term_okr = ?2, term_objective = ?3, term_key_result = ?4, term_initiative = ?5
             where number = ?1",
            params![
                organization,
                self.okr.as_deref(),
                self.objective.as_deref(),
                self.key_result.as_deref(),
                self.initiative.as_deref()
            ],
        )?;
        Ok(())
    }

    /// The same in the spelling that is offered, whatever their case; the usual words count as none.
    ///
    /// # Errors
    /// A word that is not offered.
    pub fn checked(&self) -> Result<Self, NoTerm> {
        let check = |of, word: &Option<String>, offered: &'static [&'static str]| {
            let Some(word) = word else { return Ok(None) };
            let plain = word.trim().to_lowercase();
            let known = offered.iter().find(|known| known.to_lowercase() == plain);
            let known = known.ok_or_else(|| NoTerm { of, word: word.clone(), offered })?;
            Ok((*known != offered[0]).then(|| (*known).to_owned()))
        };
        Ok(Self {
            okr: check("goals", &self.okr, Self::OKR)?,
            objective: check("objectives", &self.objective, Self::OBJECTIVE)?,
            key_result: check("key results", &self.key_result, Self::KEY_RESULT)?,
            initiative: check("initiatives", &self.initiative, Self::INITIATIVE)?,
        })
    }

    pub(crate) fn label_of_objective(&self) -> String {
        sentence_case(self.objective.as_deref().unwrap_or(Self::OBJECTIVE[0]))
    }

    pub(crate) fn label_of_key_result(&self) -> String {
        sentence_case(self.key_result.as_deref().unwrap_or(Self::KEY_RESULT[0]))
    }

    pub(crate) fn label_of_initiative(&self) -> String {
        sentence_case(self.initiative.as_deref().unwrap_or(Self::INITIATIVE[0]))
    }
}

/// `Big Rock` as `Big rock`, as exports print it.
fn sentence_case(word: &str) -> String {
    let mut signs = word.chars();
    signs.next().into_iter().chain(signs.flat_map(char::to_lowercase)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_in_sentence_case_and_words_are_those_that_were_offered() {
        let said = Terms {
            objective: Some("big rock".to_owned()),
            key_result: Some("KPI".to_owned()),
            initiative: Some("Initiative".to_owned()),
            ..Terms::default()
        };
        let terms = said.checked().expect("all are offered");
        assert_eq!(terms.objective.as_deref(), Some("Big Rock"));
        assert_eq!(terms.initiative, None);
        let labels = [terms.label_of_objective(), terms.label_of_key_result(), terms.label_of_initiative()];
        assert_eq!(labels, ["Big rock", "Kpi", "Initiative"]);
        let refused = Terms { okr: Some("Wish".to_owned()), ..Terms::default() }.checked();
        let refused = refused.expect_err("it is not offered").to_string();
        assert_eq!(refused, "`Wish` is no word for goals: there are OKR, Goal");
    }
}
