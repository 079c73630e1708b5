//! A change of the organization: what all of them do.

use goalpost_db::{Error, Result, Tx, Value, params};
use serde_json::json;

use super::queries::{change_directory, raise_revision};
use crate::audit;
use crate::ids::{OrganizationNumber, PersonNumber, fold};
use crate::table::Table;

/// Why something of an organization was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OrgError {
    /// It is not there.
    #[error("there is no {what} {number}")]
    NoSuch {
        /// A person, a team, a time period, a tag.
        what: &'static str,
        /// The number that was named.
        number: i64,
    },
    /// Nothing is left of a name.
    #[error("a {0} needs a name")]
    NoName(&'static str),
    /// A name that is too long, or has several lines.
    #[error("a name has at most {NAME_LIMIT} characters, and is one line")]
    LongName,
    /// Two of a kind would have one name.
    #[error("there is a {what} named `{name}` already")]
    NameTaken {
        /// A team, a time period, a tag.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Two people would have one e-mail.
    #[error("somebody has the e-mail `{0}` already")]
    EmailTaken(String),
    /// Not an e-mail address.
    #[error("`{0}` is no e-mail address")]
    NoEmail(String),
    /// Nobody would be left who owns the organization.
    #[error("person {0} is the last active owner of the organization")]
    LastOwner(i64),
    /// Managers or teams in a circle.
    #[error("{what} {number} would be above itself")]
    Circle {
        /// A person or a team.
        what: &'static str,
        /// Which.
        number: i64,
    },
    /// Goals would lose it.
    #[error("{goals} goals have the {what} {number}")]
    InUse {
        /// A team, a time period, a tag.
        what: &'static str,
        /// Which.
        number: i64,
        /// How many have it.
        goals: i64,
    },
    /// Its last day would be before its first.
    #[error("a time period cannot end on {end}, before it begins on {start}")]
    Turned {
        /// The first day.
        start: jiff::civil::Date,
        /// The last day.
        end: jiff::civil::Date,
    },
    /// A time period has both days.
    #[error("a time period needs its first and its last day")]
    NoDays,
    /// A group, or somebody who only looks on.
    #[error("person {0} is an observer or a group, and owns no team")]
    CannotOwn(i64),
    /// Not from 1 to 12.
    #[error("there is no month {0}")]
    NoMonth(u8),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] Error),
}

const NAME_LIMIT: usize = 200;

/// A change under way.
#[derive(Clone, Copy)]
pub(super) struct Change<'a, 't> {
    pub(super) tx: &'a Tx<'t>,
    pub(super) organization: OrganizationNumber,
    pub(super) actor: Option<PersonNumber>,
    revision: i64,
}

impl<'a, 't> Change<'a, 't> {
    /// Raise the revision, and note that it changes people, teams, time periods or tags.
    pub(super) fn begin(
        tx: &'a Tx<'t>,
        organization: OrganizationNumber,
        actor: Option<PersonNumber>,
        cause: &str,
    ) -> Result<Self> {
        let revision = raise_revision(tx, organization, actor, cause)?;
        change_directory(tx, organization, revision)?;
        Ok(Self { tx, organization, actor, revision })
    }

    /// The columns of a row, which must be there.
    pub(super) fn find(
        &self,
        table: &Table,
        what: &'static str,
        number: i64,
    ) -> Result<Vec<Value>, OrgError> {
        let found = table.find(self.tx, self.organization, number)?;
        found.map(|(_, columns)| columns).ok_or(OrgError::NoSuch { what, number })
    }

    pub(super) fn put(&self, table: &Table, number: i64, columns: &[Value]) -> Result<()> {
        table.put(self.tx, self.organization, &[number], self.revision, columns)
    }

    pub(super) fn remove(&self, table: &Table, number: i64) -> Result<()> {
        table.remove(self.tx, self.organization, &[number], self.revision)
    }

    /// The list of one object.
    pub(super) fn list(&self, table: &Table, object: i64) -> Result<Vec<Value>> {
        let mut list = Vec::new();
        table.each(self.tx, self.organization, &[object], |_, values| {
            list.extend(values);
            Ok::<_, Error>(())
        })?;
        Ok(list)
    }

    pub(super) fn put_list(&self, table: &Table, object: i64, wanted: &[Value]) -> Result<()> {
        let present = self.list(table, object)?;
        let (organization, revision) = (self.organization, self.revision);
        crate::table::write_list(table, self.tx, organization, object, revision, &present, wanted)
    }

    /// No other row of the table has the name, without regard to case.
    pub(super) fn require_free_name(
        &self,
        table: &Table,
        what: &'static str,
        number: i64,
        name: &str,
    ) -> Result<(), OrgError> {
        let sql = format!(
            "-- orgs::has_name\nselect 1 from {} where organization = ?1 and name_fold = ?2 and id <> ?3",
            table.name
        );
        let taken = self
            .tx
            .query_opt(&sql, params![self.organization, fold(name), number], |_| Ok::<_, Error>(()))?;
        match taken {
            Some(()) => Err(OrgError::NameTaken { what, name: name.to_owned() }),
            None => Ok(()),
        }
    }

    /// No goal has it: how many do by a statement whose parameters are the organization and its number.
    pub(super) fn require_unused(
        &self,
        what: &'static str,
        number: i64,
        count: &str,
    ) -> Result<(), OrgError> {
        match self.tx.query_one(count, params![self.organization, number], |row| row.int(0))? {
            0 => Ok(()),
            goals => Err(OrgError::InUse { what, number, goals }),
        }
    }

    /// Going up from `from` by a table's column, `number` is not met.
    pub(super) fn require_no_circle(
        &self,
        (what, column): (&'static str, &str),
        number: i64,
        from: i64,
    ) -> Result<(), OrgError> {
        let sql = format!("-- orgs::above\nselect {column} from {what} where organization = ?1 and id = ?2");
        let mut seen = Vec::new();
        let mut next = Some(from);
        while let Some(at) = next.filter(|at| !seen.contains(at)) {
            if at == number {
                return Err(OrgError::Circle { what, number });
            }
            seen.push(at);
            let above = self.tx.query_opt(&sql, params![self.organization, at], |row| row.opt_int(0))?;
            next = above.ok_or(OrgError::NoSuch { what, number: at })?;
        }
        Ok(())
    }

    /// Leave an entry in the audit log.
    pub(super) fn audit(&self, action: &str, number: i64) -> Result<()> {
        audit::record(self.tx, self.organization, self.actor, action, &number.to_string(), &json!({}))
    }
}

/// A name, trimmed.
pub(super) fn name(what: &'static str, text: &str) -> Result<String, OrgError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(OrgError::NoName(what));
    }
    if text.chars().count() > NAME_LIMIT || text.chars().any(char::is_control) {
        return Err(OrgError::LongName);
    }
    Ok(text.to_owned())
}
