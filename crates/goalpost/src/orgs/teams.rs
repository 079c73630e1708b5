//! Teams and their subteams.

use goalpost_db::{Error, Result, Tx, Value, params};

use super::change::{Change, OrgError, name};
use super::members::{MEMBER_TYPE, SOURCE};
use super::queries::mint_numbers;
use super::tables::{PERSON, TEAM, TEAM_MEMBER, TEAM_OWNER};
use crate::ids::{OrganizationNumber, PersonNumber, fold};

/// A team as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// The team above it.
    pub parent: Option<i64>,
    /// Division, department, or any other word.
    pub team_type: String,
    /// `Active` or `Archived`.
    pub status: String,
    /// What it is for.
    pub description: Option<String>,
    /// Who owns it.
    pub owners: Vec<PersonNumber>,
}

/// What is to become of a team. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TeamPatch {
    /// Its name, which no other team has.
    pub name: Option<String>,
    /// The team above it.
    pub parent: Option<Option<i64>>,
    /// Division, department, or any other word.
    pub team_type: Option<String>,
    /// What it is for.
    pub description: Option<Option<String>>,
    /// Who owns it.
    pub owners: Option<Vec<PersonNumber>>,
    /// Who belongs to it.
    pub members: Option<Vec<PersonNumber>>,
}

// Places among the columns of `TEAM`.
const NAME: usize = 0;
const NAME_FOLD: usize = 1;
const PARENT_NAME: usize = 2;
const PARENT: usize = 3;
const TEAM_TYPE: usize = 4;
const STATUS: usize = 5;
const DESCRIPTION: usize = 6;

const ACTIVE: &str = "Active";
const ARCHIVED: &str = "Archived";

/// Every team, by name.
pub fn list(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Vec<Team>> {
    let numbers = tx.query(
        "-- orgs::list_teams
        select id from team where organization = ?1 order by name_fold, id",
        params![organization],
        |row| row.int(0),
    )?;
    let mut found = read(tx, organization, &numbers)?;
    found.sort_by_key(|team| fold(&team.name));
    Ok(found)
}

/// The team with this number.
pub fn find(tx: &Tx<'_>, organization: OrganizationNumber, number: i64) -> Result<Option<Team>> {
    Ok(read(tx, organization, &[number])?.pop())
}

fn read(tx: &Tx<'_>, organization: OrganizationNumber, numbers: &[i64]) -> Result<Vec<Team>> {
    let text = |value: &Value| if let Value::Text(text) = value { Some(text.clone()) } else { None };
    let mut teams = std::collections::BTreeMap::new();
    TEAM.each(tx, organization, numbers, |key, columns| {
        let team = Team {
            number: key[0],
            name: text(&columns[NAME]).unwrap_or_default(),
            parent: if let Value::Int(parent) = columns[PARENT] { Some(parent) } else { None },
            team_type: text(&columns[TEAM_TYPE]).unwrap_or_default(),
            status: text(&columns[STATUS]).unwrap_or_default(),
            description: text(&columns[DESCRIPTION]),
            owners: Vec::new(),
        };
        teams.insert(key[0], team);
        Ok::<_, Error>(())
    })?;
    TEAM_OWNER.each(tx, organization, numbers, |key, columns| {
        if let (Some(team), Value::Int(person)) = (teams.get_mut(&key[0]), &columns[0]) {
            team.owners.push(PersonNumber(*person));
        }
        Ok::<_, Error>(())
    })?;
    Ok(teams.into_values().collect())
}

/// Make a team.
pub fn create(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    team: &TeamPatch,
) -> Result<Team, OrgError> {
    let change = Change::begin(tx, organization, actor, "team create")?;
    if team.name.is_none() {
        return Err(OrgError::NoName("team"));
    }
    let number = mint_numbers(tx, organization, 1)?;
    let null = || Value::Null;
    let mut columns =
        vec!["".into(), "".into(), null(), null(), "Classic".into(), ACTIVE.into(), null(), "local".into()];
    change.apply_team(number, team, &mut columns)?;
    change.audit("team.create", number)?;
    get(tx, organization, number)
}

/// Change a team.
pub fn change(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    number: i64,
    patch: &TeamPatch,
) -> Result<Team, OrgError> {
    let change = Change::begin(tx, organization, actor, "team change")?;
    let mut columns = change.find(&TEAM, "team", number)?;
    change.apply_team(number, patch, &mut columns)?;
    change.audit("team.change", number)?;
    get(tx, organization, number)
}

/// Put a team aside: it has no members any more, its subteams stand alone, and its goals stay.
pub fn archive(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    number: i64,
) -> Result<Team, OrgError> {
    let change = Change::begin(tx, organization, actor, "team archive")?;
    let mut columns = change.find(&TEAM, "team", number)?;
    columns[STATUS] = ARCHIVED.into();
    change.put(&TEAM, number, &columns)?;
    change.put_members(number, &[])?;
    change.free_subteams(number)?;
    change.audit("team.archive", number)?;
    get(tx, organization, number)
}

/// Take an archived team up again; members and subteams do not come back by themselves.
pub fn restore(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    number: i64,
) -> Result<Team, OrgError> {
    let change = Change::begin(tx, organization, actor, "team restore")?;
    let mut columns = change.find(&TEAM, "team", number)?;
    columns[STATUS] = ACTIVE.into();
    change.put(&TEAM, number, &columns)?;
    change.audit("team.restore", number)?;
    get(tx, organization, number)
}

/// Take away a team that no goal has. Its subteams stand alone.
pub fn delete(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    number: i64,
) -> Result<(), OrgError> {
    let change = Change::begin(tx, organization, actor, "team delete")?;
    change.find(&TEAM, "team", number)?;
    change.require_unused(
        "team",
        number,
        "-- orgs::count_goals_of_team
        select count(distinct goal) from goal_team where organization = ?1 and team = ?2",
    )?;
    change.put_members(number, &[])?;
    change.put_list(&TEAM_OWNER, number, &[])?;
    change.free_subteams(number)?;
    change.remove(&TEAM, number)?;
    Ok(change.audit("team.delete", number)?)
}

fn get(tx: &Tx<'_>, organization: OrganizationNumber, number: i64) -> Result<Team, OrgError> {
    find(tx, organization, number)?.ok_or(OrgError::NoSuch { what: "team", number })
}

impl Change<'_, '_> {
    fn apply_team(&self, number: i64, patch: &TeamPatch, columns: &mut [Value]) -> Result<(), OrgError> {
        if let Some(text) = &patch.name {
            let text = name("team", text)?;
            self.require_free_name(&TEAM, "team", number, &text)?;
            columns[NAME_FOLD] = fold(&text).into();
            columns[NAME] = text.into();
        }
        if let Some(parent) = patch.parent {
            columns[PARENT_NAME] = Value::Null;
            if let Some(parent) = parent {
                let above = self.find(&TEAM, "team", parent)?;
                self.require_no_circle(("team", "parent"), number, parent)?;
                columns[PARENT_NAME] = above[NAME].clone();
            }
            columns[PARENT] = parent.into();
        }
        if let Some(word) = &patch.team_type {
            columns[TEAM_TYPE] = name("team type", word)?.into();
        }
        if let Some(description) = &patch.description {
            columns[DESCRIPTION] = description.as_deref().into();
        }
        self.put(&TEAM, number, columns)?;
        if let Some(owners) = &patch.owners {
            let present = self.list(&TEAM_OWNER, number)?;
            let mut wanted = Vec::with_capacity(owners.len());
            for owner in owners {
                let owner = Value::Int(owner.0);
                if !present.contains(&owner) {
                    self.require_team_owner(&owner)?;
                }
                if !wanted.contains(&owner) {
                    wanted.push(owner);
                }
            }
            self.put_list(&TEAM_OWNER, number, &wanted)?;
        }
        if let Some(members) = &patch.members {
            for member in members {
                self.find(&PERSON, "person", member.0)?;
            }
            self.put_members(number, members)?;
        }
        Ok(())
    }

    fn require_team_owner(&self, person: &Value) -> Result<(), OrgError> {
        let Value::Int(person) = *person else { return Ok(()) };
        let columns = self.find(&PERSON, "person", person)?;
        let is = |column: usize, word: &str| matches!(&columns[column], Value::Text(text) if text.eq_ignore_ascii_case(word));
        if is(SOURCE, "group") || is(MEMBER_TYPE, "observer") {
            Err(OrgError::CannotOwn(person))
        } else {
            Ok(())
        }
    }

    /// Let these people, and nobody else, belong to a team.
    fn put_members(&self, team: i64, members: &[PersonNumber]) -> Result<()> {
        let present = self.tx.query(
            "-- orgs::members_of_team
            select person from team_member where organization = ?1 and team = ?2",
            params![self.organization, team],
            |row| row.int(0),
        )?;
        let wanted: Vec<i64> = members.iter().map(|member| member.0).collect();
        for &person in present.iter().filter(|person| !wanted.contains(person)) {
            let mut teams = self.list(&TEAM_MEMBER, person)?;
            teams.retain(|other| *other != Value::Int(team));
            self.put_list(&TEAM_MEMBER, person, &teams)?;
        }
        for &person in wanted.iter().filter(|person| !present.contains(person)) {
            let mut teams = self.list(&TEAM_MEMBER, person)?;
            if !teams.contains(&Value::Int(team)) {
                teams.push(Value::Int(team));
                self.put_list(&TEAM_MEMBER, person, &teams)?;
            }
        }
        Ok(())
    }

    fn free_subteams(&self, team: i64) -> Result<()> {
        self.tx.execute(
            "-- orgs::free_subteams
            update team set parent = null, parent_name = null where organization = ?1 and parent = ?2",
            params![self.organization, team],
        )?;
        Ok(())
    }
}
