//! The CSV of the people of an organization, as its admin page gave it.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use super::error::{CellError, SheetError};
use super::explorer::SheetLimits;
use super::header::fold;
use super::source::Text;
use crate::elements::Aside;
use crate::error::shown;

/// How large such a file may be, in bytes.
const BYTES: u64 = 64 << 20;
/// People that it may have.
const PEOPLE: usize = 200_000;

/// A column of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserColumn {
    /// The display name.
    Name,
    /// The e-mail address.
    Email,
    /// `Organization Owner`, `Member`.
    Role,
    /// `Regular`, `Observer`.
    AccountType,
    /// `Active`, `Pending`, `Deactivated`.
    Status,
    /// The manager's e-mail address, or name.
    Manager,
}

/// What each column may be called. How such a file called them is not known for sure, so many words will do.
const WORDS: &[(UserColumn, &[&str])] = &[
    (UserColumn::Name, &["name", "user", "user name", "username", "full name", "display name"]),
    (
        UserColumn::Email,
        &["email", "e-mail", "mail", "email address", "e-mail address", "email id", "user email"],
    ),
    (UserColumn::Role, &["role", "user role"]),
    (UserColumn::AccountType, &["account type", "member type", "user type", "type"]),
    (UserColumn::Status, &["status", "user status", "account status"]),
    (UserColumn::Manager, &["manager", "manager email", "manager e-mail", "manager name", "reports to"]),
];

/// A person of such a file. An empty cell says nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserRow {
    /// The row as a spreadsheet counts it: the header is row 1.
    pub row: u64,
    values: BTreeMap<UserColumn, String>,
    /// Cells of other columns: by header, as JSON texts.
    pub aside: Vec<Aside>,
}

impl UserRow {
    /// What stands in a column, without blanks around it; none where there is nothing.
    pub fn get(&self, column: UserColumn) -> Option<&str> {
        self.values.get(&column).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
    }
}

/// The people of a file, and what is wrong in it.
pub type UserRows = (Vec<UserRow>, Vec<CellError>);

/// Reads such a file; none where it is a table of something else. `words` are the operator's for headers.
///
/// # Errors
/// When it breaks a limit.
pub fn read_users<R: Read + Seek>(
    mut input: R,
    limits: SheetLimits,
    words: &BTreeMap<String, String>,
) -> Result<Option<UserRows>, SheetError> {
    if input.seek(SeekFrom::End(0))? > BYTES {
        return Ok(None);
    }
    let words: BTreeMap<String, &str> =
        words.iter().map(|(word, header)| (fold(word), header.as_str())).collect();
    let column = |word: &str| {
        let word = fold(word);
        let word = words.get(&word).map_or(word, |header| fold(header));
        WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(column, _)| *column)
    };
    let known = |cells: &[String]| cells.iter().filter(|cell| column(cell).is_some()).count();
    // What is wrong with another table, its own reader says better.
    let Ok((mut table, headers)) = Text::open(input, limits, &known) else { return Ok(None) };
    let columns: Vec<Option<UserColumn>> = headers.iter().map(|word| column(word)).collect();
    let has = |column| columns.contains(&Some(column));
    let is_of_goals =
        headers.iter().any(|word| matches!(fold(word).as_str(), "title" | "owner" | "okr reference"));
    let says_more = [UserColumn::Role, UserColumn::AccountType, UserColumn::Status, UserColumn::Manager];
    if is_of_goals || !has(UserColumn::Email) || !says_more.into_iter().any(has) {
        return Ok(None);
    }
    for (place, column) in columns.iter().enumerate() {
        if column.is_some() && columns[..place].contains(column) {
            return Err(SheetError::TwoHeaders { word: shown(&headers[place]) });
        }
    }
    let (mut users, mut problems) = (Vec::new(), Vec::new());
    table.each(limits, |row, cells| {
        let mut user = UserRow { row, ..UserRow::default() };
        for (place, cell) in cells {
            match columns.get(*place) {
                Some(Some(column)) => drop(user.values.insert(*column, cell.clone())),
                Some(None) => {
                    let json = serde_json::Value::from(cell.as_str()).to_string();
                    user.aside.push(Aside { path: shown(&headers[*place]), json });
                }
                None => problems.push(CellError {
                    row,
                    column: format!("column {}", place + 1),
                    value: shown(cell),
                    what: "stands behind the last header; was a quotation mark or a separator lost?"
                        .to_owned(),
                }),
            }
        }
        if users.len() == PEOPLE {
            return Err(SheetError::TooLarge { what: "people", limit: PEOPLE as u64, row: 0 });
        }
        users.push(user);
        Ok(())
    })?;
    Ok(Some((users, problems)))
}
