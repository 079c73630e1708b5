//! Names of people, teams, periods and tags, and the numbers that they have here.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use goalpost_db::{Error, Result, Tx, params};

use crate::goals::Origin;
use crate::ids::{OrganizationNumber, fold};

/// Who or what bears each name. An organization has some thousands of each, of people some hundred thousand.
#[derive(Debug, Default)]
pub(in crate::imports) struct Names {
    by_number: HashMap<i64, String>,
    by_name: HashMap<String, Vec<i64>>,
    by_fold: HashMap<String, Vec<i64>>,
    by_email: HashMap<String, i64>,
    /// People who were only ever mentioned, by name alone.
    mentioned: HashSet<i64>,
}

impl Names {
    /// The teams, periods or tags of an organization.
    pub(in crate::imports) fn of_things(
        tx: &Tx<'_>,
        organization: OrganizationNumber,
        table: &str,
    ) -> Result<Self> {
        let mut names = Self::default();
        let sql =
            format!("-- imports::names\nselect id, name from {table} where organization = ?1 order by id");
        tx.each(&sql, params![organization], |row| {
            names.add_known(row.int(0)?, row.text(1)?);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        Ok(names)
    }

    /// The people of an organization.
    pub(in crate::imports) fn of_people(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Self> {
        let mut names = Self::default();
        tx.each(
            "-- imports::names_of_people
            select id, name, email_fold, origin from person where organization = ?1 order by id",
            params![organization],
            |row| {
                let (id, email) = (row.int(0)?, row.text(2)?);
                names.add_known(id, row.text(1)?);
                if !email.is_empty() {
                    names.by_email.entry(email.to_owned()).or_insert(id);
                } else if row.text(3)? == Origin::Reference.as_str() {
                    names.mentioned.insert(id);
                }
                Ok::<_, Error>(ControlFlow::Continue(()))
            },
        )?;
        Ok(names)
    }

    fn add_known(&mut self, id: i64, name: &str) {
        self.add(id, name);
        self.by_fold.entry(fold(name.trim())).or_default().push(id);
    }

    /// Note a new one. It is found by its very name only: a file that has two spellings means two things, as far as
    /// anybody can tell.
    pub(in crate::imports) fn add(&mut self, id: i64, name: &str) {
        self.by_number.insert(id, name.to_owned());
        self.by_name.entry(name.to_owned()).or_default().push(id);
    }

    /// Note a new person, who is only mentioned.
    pub(super) fn add_person(&mut self, id: i64, name: &str, email: Option<&str>) {
        self.add(id, name);
        match email {
            Some(email) => {
                self.by_email.entry(fold(email)).or_insert(id);
            }
            None => {
                self.mentioned.insert(id);
            }
        }
    }

    /// The name of a number; empty for none.
    pub(super) fn name(&self, id: i64) -> &str {
        self.by_number.get(&id).map_or("", String::as_str)
    }

    /// Whether something is called exactly so.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Whether this person was only ever mentioned, by name alone.
    pub(super) fn is_mentioned(&self, id: i64) -> bool {
        self.mentioned.contains(&id)
    }

    /// The team, period or tag of a name: as it is written, else in any case; the oldest of several.
    pub(in crate::imports) fn thing(&self, name: &str) -> Option<i64> {
        let found = self.by_name.get(name).or_else(|| self.by_fold.get(&fold(name.trim())));
        found.and_then(|ids| ids.first()).copied()
    }

    /// The person of an e-mail address.
    pub(in crate::imports) fn person_of_email(&self, email: &str) -> Option<i64> {
        self.by_email.get(&fold(email.trim())).copied()
    }

    /// Who bears a name, as it is written or else in any case.
    pub(in crate::imports) fn bearer(&self, name: &str) -> Bearer {
        let found = self.by_name.get(name).or_else(|| self.by_fold.get(&fold(name.trim())));
        match found.map(Vec::as_slice).unwrap_or_default() {
            [] => Bearer::Nobody,
            [one] => Bearer::One(*one),
            _ => Bearer::Several,
        }
    }

    /// The person of a name, as it is written or else in any case. Of several nobody is meant, unless one of them was
    /// made for mentions like this one.
    pub(super) fn person(&self, name: &str) -> Option<i64> {
        match self.by_name.get(name).or_else(|| self.by_fold.get(&fold(name.trim())))?.as_slice() {
            [one] => Some(*one),
            several => several.iter().find(|id| self.mentioned.contains(id)).copied(),
        }
    }
}

/// Who bears a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::imports) enum Bearer {
    Nobody,
    One(i64),
    Several,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_two_people_means_neither_but_the_one_made_for_mentions() {
        let mut names = Names::default();
        names.add_known(1, "Ada Quill");
        assert_eq!(names.person("ada quill "), Some(1));
        names.add_known(2, "Ada Quill");
        assert_eq!(names.person("Ada Quill"), None);
        names.add_person(3, "Ada Quill", None);
        assert_eq!(names.person("Ada Quill"), Some(3));
        names.add_person(4, "Bo", Some("Bo@contoso.example"));
        assert_eq!(names.person_of_email(" bo@CONTOSO.example"), Some(4));
    }
}
