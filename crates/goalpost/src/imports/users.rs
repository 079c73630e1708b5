//! The CSV of the people of an organization: its rows become the users that the ZIP of one has, and go the same way from
//! there. A person is known by the e-mail address; what a row does not say stays as it is here.

use std::collections::HashMap;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;

use goalpost_db::{Error, Tx, params};
use goalpost_viva::sheet::{CellError, SheetLimits, UserColumn as Cell, UserRow, read_users};
use goalpost_viva::{Archive, Named, Person, User};

use super::spool::Spool;
use super::table::{Bearer, CellProblems, Kind, Minter, Names, Partial, distinct};
use super::{ImportError, ImportOptions};
use crate::ids::{OrganizationNumber, fold};

/// Read a file as one of people; none where it is a table of goals.
pub(super) fn check(
    file: &File,
    path: &Path,
    kind: Kind,
    limits: SheetLimits,
    options: &ImportOptions,
) -> Result<Option<Vec<UserRow>>, ImportError> {
    if kind != Kind::Table {
        return Ok(None);
    }
    let read = read_users(file, limits, &options.map.headers);
    let read = read.map_err(|source| ImportError::Table { path: path.to_owned(), source })?;
    let Some((users, mut problems)) = read else { return Ok(None) };
    if options.prune {
        return Err(ImportError::NothingToPrune);
    }
    let mut rows: HashMap<String, u64> = HashMap::new();
    for user in &users {
        let mut problem = |cell: &str, value: &str, what: &str| {
            let (column, value) = (cell.to_owned(), value.chars().take(120).collect());
            problems.push(CellError { row: user.row, column, value, what: what.to_owned() });
        };
        match user.get(Cell::Email) {
            Some(email) if !email.contains('@') => problem("E-mail", email, "is no e-mail address"),
            Some(email) => {
                if let Some(row) = rows.insert(fold(email), user.row) {
                    problem("E-mail", email, &format!("is that of row {row} too"));
                }
            }
            None => problem("E-mail", "", "is empty, and people are known by it"),
        }
        if let Some(word) = user.get(Cell::Status).filter(|word| status(word).is_none()) {
            problem("Status", word, "is not Active, Pending or Deactivated");
        }
        if let Some(word) = user.get(Cell::AccountType).filter(|word| member_type(word).is_none()) {
            problem("Account type", word, "is not Regular or Observer");
        }
    }
    let mut told = CellProblems::default();
    problems.sort_by_key(|problem| problem.row);
    for problem in problems {
        told.add(problem);
    }
    told.into_result()?;
    Ok(Some(users))
}

/// Turn the rows into users.
pub(super) fn translate(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    rows: &[UserRow],
    options: &ImportOptions,
    path: &Path,
    data_folder: &Path,
) -> Result<(Archive<File>, Partial), ImportError> {
    let names = Names::of_people(tx, organization)?;
    let mut present = present(tx, organization)?;
    let mut minter = Minter::new(tx, organization, options.dry_run);
    let mut ids = HashMap::with_capacity(rows.len());
    for row in rows {
        let email = row.get(Cell::Email).unwrap_or_default();
        let id = match names.person_of_email(email) {
            Some(id) => id,
            None => minter.mint()?,
        };
        ids.insert(fold(email), id);
    }
    let mut spool = Spool::begin(data_folder, path)?;
    for row in rows {
        let email = row.get(Cell::Email).unwrap_or_default();
        let id = ids.get(&fold(email)).copied().unwrap_or_default();
        let before = present.remove(&id).unwrap_or_else(|| User {
            email: Some(email.to_owned()),
            role: Some("Member".to_owned()),
            source: Some("Individual".to_owned()),
            member_type: Some("regular".to_owned()),
            status: Some("active".to_owned()),
            ..User::default()
        });
        let some = |cell: Cell| row.get(cell).map(str::to_owned);
        let user = User {
            id,
            name: some(Cell::Name).or(before.name).or_else(|| Some(email.to_owned())),
            role: row.get(Cell::Role).map(role).or(before.role),
            member_type: row
                .get(Cell::AccountType)
                .and_then(member_type)
                .map(str::to_owned)
                .or(before.member_type),
            status: row.get(Cell::Status).and_then(status).map(str::to_owned).or(before.status),
            manager: row.get(Cell::Manager).map(|word| manager(word, &ids, &names)).or(before.manager),
            ..before
        };
        spool.write_with(&user, &distinct(row.aside.clone()))?;
    }
    Ok((spool.into_archive()?, Partial::of_people()))
}

/// Everybody who is here, as far as a file says it.
fn present(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<HashMap<i64, User>, ImportError> {
    let mut present = HashMap::new();
    tx.each(
        "-- imports::users
        select id, name, email, role, source, member_type, status, manager, origin from person where organization = ?1",
        params![organization],
        |row| {
            let text = |column| Ok::<_, Error>(Some(row.text(column)?.to_owned()));
            let manager = row.opt_int(7)?.map(|id| Person { id: Some(id), ..Person::default() });
            // Who was only mentioned until now comes in: a file of people is the list of them.
            let is_mention = row.text(8)? == crate::goals::Origin::Reference.as_str();
            let (source, status) = if is_mention {
                (Some("Individual".to_owned()), Some("active".to_owned()))
            } else {
                (text(4)?, text(6)?)
            };
            let user = User {
                id: row.int(0)?,
                name: text(1)?,
                email: text(2)?,
                role: text(3)?,
                source,
                member_type: text(5)?,
                status,
                manager,
                ..User::default()
            };
            present.insert(user.id, user);
            Ok::<_, Error>(ControlFlow::Continue(()))
        },
    )?;
    tx.each(
        "-- imports::teams_of_users
        select person, team from team_member where organization = ?1 order by person, position",
        params![organization],
        |row| {
            if let Some(user) = present.get_mut(&row.int(0)?) {
                user.teams.push(Named { id: row.int(1)?, name: None });
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        },
    )?;
    Ok(present)
}

/// The manager whom a cell names: by e-mail address, in the file or here, else by a name that one person bears.
fn manager(word: &str, ids: &HashMap<String, i64>, names: &Names) -> Person {
    let by_email = ids.get(&fold(word)).copied().or_else(|| names.person_of_email(word));
    let id = by_email.or_else(|| match names.bearer(word) {
        Bearer::One(id) => Some(id),
        Bearer::Nobody | Bearer::Several => None,
    });
    let said = Some(word.to_owned());
    match id {
        Some(id) => Person { id: Some(id), ..Person::default() },
        None if word.contains('@') => Person { email: said.clone(), name: said, id: None },
        None => Person { name: said, ..Person::default() },
    }
}

fn role(word: &str) -> String {
    const KNOWN: [&str; 2] = ["Organization Owner", "Member"];
    KNOWN.iter().find(|known| fold(known) == fold(word)).map_or(word, |known| *known).to_owned()
}

fn status(word: &str) -> Option<&'static str> {
    match fold(word).as_str() {
        "active" => Some("active"),
        "pending" | "invited" => Some("pending"),
        "deactivated" | "inactive" => Some("deactivated"),
        _ => None,
    }
}

fn member_type(word: &str) -> Option<&'static str> {
    match fold(word).as_str() {
        "regular" | "member" => Some("regular"),
        "observer" => Some("observer"),
        _ => None,
    }
}
