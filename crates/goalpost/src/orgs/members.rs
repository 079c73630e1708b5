//! People as they come, change and go.
//!
//! What a file says of a person stands again after the next import of a file that lists them.

use goalpost_db::{Error, Tx, Value, params};
use goalpost_okr::words;
use uuid::Uuid;

use super::change::{Change, OrgError, name};
use super::people::{Person, find};
use super::queries::mint_numbers;
use super::tables::{PERSON, TEAM, TEAM_MEMBER};
use crate::ids::{OrganizationNumber, PersonNumber, fold};

words!(
    /// What a person is in the organization, in the words of the files.
    MemberRole {
        /// Owns it.
        Owner => "Organization Owner",
        /// Belongs to it.
        Member => "Member",
    }
);

words!(
    /// How far a person takes part, in the words of the files.
    MemberType {
        /// In everything.
        Regular => "regular",
        /// By looking on and commenting.
        Observer => "observer",
    }
);

words!(
    /// Whether a person takes part, in the words of the files.
    MemberStatus {
        /// Yes.
        Active => "active",
        /// Not yet.
        Pending => "pending",
        /// No more. What is theirs stays theirs.
        Deactivated => "deactivated",
    }
);

/// What is to become of a person. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonPatch {
    /// Their name.
    pub name: Option<String>,
    /// Their e-mail, which nobody else has.
    pub email: Option<String>,
    /// What they are.
    pub role: Option<MemberRole>,
    /// How far they take part.
    pub member_type: Option<MemberType>,
    /// Whether they do.
    pub status: Option<MemberStatus>,
    /// Whom they report to.
    pub manager: Option<Option<PersonNumber>>,
    /// The teams that they belong to.
    pub teams: Option<Vec<i64>>,
}

// Places among the columns of `PERSON`.
const NAME: usize = 1;
const NAME_FOLD: usize = 2;
const EMAIL: usize = 3;
const EMAIL_FOLD: usize = 4;
const ROLE: usize = 5;
pub(super) const SOURCE: usize = 6;
pub(super) const MEMBER_TYPE: usize = 7;
const STATUS: usize = 8;
const MANAGER: usize = 9;

/// Let somebody be of the organization: an active member of the regular type unless the patch says otherwise. `guid` is
/// a new one.
pub fn add(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    guid: Uuid,
    person: &PersonPatch,
) -> Result<Person, OrgError> {
    let change = Change::begin(tx, organization, actor, "person create")?;
    if person.name.is_none() {
        return Err(OrgError::NoName("person"));
    }
    if person.email.is_none() {
        return Err(OrgError::NoEmail(String::new()));
    }
    let number = mint_numbers(tx, organization, 1)?;
    let mut columns = vec![
        guid.into_bytes().into(),
        "".into(),
        "".into(),
        "".into(),
        "".into(),
        MemberRole::Member.as_str().into(),
        "Individual".into(),
        MemberType::Regular.as_str().into(),
        MemberStatus::Active.as_str().into(),
        Value::Null,
        Value::Null,
        "local".into(),
    ];
    change.apply_person(number, person, &mut columns)?;
    change.audit("person.create", number)?;
    get(tx, organization, number)
}

/// Change a person. Who is deactivated keeps what is theirs, and can do nothing any more.
pub fn change(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    number: PersonNumber,
    patch: &PersonPatch,
) -> Result<Person, OrgError> {
    let change = Change::begin(tx, organization, actor, "person change")?;
    let mut columns = change.find(&PERSON, "person", number.0)?;
    change.apply_person(number.0, patch, &mut columns)?;
    if change.owners()? == 0
        && (patch.role.is_some() || patch.status.is_some() || patch.member_type.is_some())
    {
        return Err(OrgError::LastOwner(number.0));
    }
    change.audit("person.change", number.0)?;
    get(tx, organization, number.0)
}

fn get(tx: &Tx<'_>, organization: OrganizationNumber, number: i64) -> Result<Person, OrgError> {
    find(tx, organization, PersonNumber(number))?.ok_or(OrgError::NoSuch { what: "person", number })
}

impl Change<'_, '_> {
    fn apply_person(&self, number: i64, patch: &PersonPatch, columns: &mut [Value]) -> Result<(), OrgError> {
        if let Some(text) = &patch.name {
            let text = name("person", text)?;
            columns[NAME_FOLD] = fold(&text).into();
            columns[NAME] = text.into();
        }
        if let Some(email) = &patch.email {
            let email = email.trim();
            let is_address =
                email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
            if !is_address || email.chars().any(|sign| sign.is_whitespace() || sign.is_control()) {
                return Err(OrgError::NoEmail(email.to_owned()));
            }
            let taken = self.tx.query_opt(
                "-- orgs::has_email
                select 1 from person where organization = ?1 and email_fold = ?2 and id <> ?3 limit 1",
                params![self.organization, fold(email), number],
                |_| Ok::<_, Error>(()),
            )?;
            if taken.is_some() {
                return Err(OrgError::EmailTaken(email.to_owned()));
            }
            columns[EMAIL_FOLD] = fold(email).into();
            columns[EMAIL] = email.into();
        }
        let words = [
            (ROLE, patch.role.map(MemberRole::as_str)),
            (MEMBER_TYPE, patch.member_type.map(MemberType::as_str)),
            (STATUS, patch.status.map(MemberStatus::as_str)),
        ];
        for (column, word) in words {
            if let Some(word) = word {
                columns[column] = word.into();
            }
        }
        if let Some(manager) = patch.manager {
            if let Some(manager) = manager {
                self.find(&PERSON, "person", manager.0)?;
                self.require_no_circle(("person", "manager"), number, manager.0)?;
            }
            columns[MANAGER] = manager.map(|person| person.0).into();
        }
        self.put(&PERSON, number, columns)?;
        if let Some(teams) = &patch.teams {
            for &team in teams {
                self.find(&TEAM, "team", team)?;
            }
            let teams: Vec<Value> = teams.iter().map(|&team| team.into()).collect();
            self.put_list(&TEAM_MEMBER, number, &teams)?;
        }
        Ok(())
    }

    /// How many active owners the organization has.
    fn owners(&self) -> Result<i64, Error> {
        self.tx.query_one(
            "-- orgs::count_owners
            select count(*) from person
             where organization = ?1 and lower(role) in ('organization owner', 'organization admin')
               and lower(status) = 'active' and lower(source) <> 'group' and lower(member_type) <> 'observer'",
            params![self.organization],
            |row| row.int(0),
        )
    }
}
