//! What an import replaces among the rows that have no history, and what it puts there: kept, so that it can be taken back.
//! Goals, check-ins and comments need none of this, since their history has it.

use goalpost_db::{Error, Result, Tx, Value, params};
use serde_json::Value as Json;

use super::ImportError;
use super::run::Import;
use crate::goals::edit::ImportedValues;
use crate::ids::OrganizationNumber;
use crate::keyset::Keyset;
use crate::table::{Kind, Table};

/// The values that were imported last for fields of a goal that are others here, by its number.
pub(super) const IMPORTED_VALUES: &str = "imported";
/// The number that the organization's files carry.
pub(super) const FILE_NUMBER: &str = "fileNumber";
/// Before the name of an entity: what its element had that has no place.
pub(super) const ASIDE: &str = "aside/";

/// A row with the list that hangs on it, as JSON; null for none.
pub(super) fn image(row: Option<(&[Value], &[Value])>) -> Json {
    row.map_or(Json::Null, |(columns, list)| {
        Json::from(vec![Keyset::to_json(columns), Keyset::to_json(list)])
    })
}

/// The row and the list that an image is of.
pub(super) fn row_of(
    image: &Json,
    table: &Table,
    list: Option<&Table>,
) -> Result<Option<(Vec<Value>, Vec<Value>)>> {
    if image.is_null() {
        return Ok(None);
    }
    let read = || {
        let columns = values(&image[0], table.columns.iter().map(|(_, kind)| *kind))?;
        let kinds = list.into_iter().flat_map(|list| list.columns).map(|(_, kind)| *kind).cycle();
        Some((columns, values(&image[1], kinds)?))
    };
    read().map(Some).ok_or_else(|| Error::unexpected(format!("a kept row of {} cannot be read", table.name)))
}

fn values(json: &Json, kinds: impl Iterator<Item = Kind>) -> Option<Vec<Value>> {
    let values = json.as_array()?;
    let value = |(json, kind): (&Json, Kind)| match (json, kind) {
        (Json::Null, _) => Some(Value::Null),
        (_, Kind::Int) => json.as_i64().map(Value::Int),
        (_, Kind::Real) => json.as_f64().map(Value::Real),
        (_, Kind::Bool) => json.as_bool().map(Value::Bool),
        (_, Kind::Text) => json.as_str().map(Value::from),
        (_, Kind::Guid) => {
            let bytes = json.as_array()?.iter().map(|byte| byte.as_u64()?.try_into().ok());
            bytes.collect::<Option<Vec<u8>>>().map(Value::Blob)
        }
    };
    let read: Option<Vec<Value>> = values.iter().zip(kinds).map(value).collect();
    read.filter(|read| read.len() == values.len())
}

/// The row of a number with its list, as it is now.
pub(super) fn present(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    table: &Table,
    list: Option<&Table>,
    id: i64,
) -> Result<Json> {
    let (mut columns, mut entries) = (None, Vec::new());
    table.each(tx, organization, &[id], |_, values| {
        columns = Some(values);
        Ok::<_, Error>(())
    })?;
    if let Some(list) = list {
        list.each(tx, organization, &[id], |_, values| {
            entries.extend(values);
            Ok::<_, Error>(())
        })?;
    }
    Ok(image(columns.as_ref().map(|columns| (columns.as_slice(), entries.as_slice()))))
}

/// Rows of `import_kept` in the making.
#[derive(Debug, Default)]
pub(super) struct Kept(Vec<Value>);

impl Kept {
    const COLUMNS: [&str; 6] = ["organization", "revision", "kind", "id", "was", "became"];

    /// Note what a row was, and what it is now.
    pub(super) fn push(
        &mut self,
        organization: OrganizationNumber,
        revision: i64,
        kind: &str,
        id: i64,
        was: &Json,
        became: &Json,
    ) {
        let text = |json: &Json| if json.is_null() { Value::Null } else { json.to_string().into() };
        self.0.extend([
            organization.into(),
            revision.into(),
            kind.into(),
            id.into(),
            text(was),
            text(became),
        ]);
    }

    /// Write what was noted, none of which may have been noted before.
    pub(super) fn insert(self, tx: &Tx<'_>) -> Result<()> {
        tx.insert_all("import_kept", &Self::COLUMNS, &self.0)
    }
}

impl Import<'_> {
    /// Keep one thing. Of one that is met twice, what it was at first and what it is at last.
    pub(super) fn keep(&mut self, kind: &str, id: i64, was: &Json, became: &Json) -> Result<(), ImportError> {
        let Some(revision) = self.revision()? else { return Ok(()) };
        let mut kept = Kept::default();
        kept.push(self.number(), revision, kind, id, was, became);
        self.tx.execute(
            "-- imports::keep
            insert into import_kept (organization, revision, kind, id, was, became) values (?1, ?2, ?3, ?4, ?5, ?6)
            on conflict (organization, revision, kind, id) do update set became = excluded.became",
            &kept.0,
        )?;
        Ok(())
    }

    /// Keep which values of a goal were imported last, where they are others here.
    pub(super) fn keep_imported_values(&mut self, goal: i64) -> Result<(), ImportError> {
        match ImportedValues::read(self.tx, self.number(), &[goal])?.of_goal(goal) {
            Some(values) => self.keep(IMPORTED_VALUES, goal, &values, &Json::Null),
            None => Ok(()),
        }
    }

    /// Let the organization have its file's number, if it had none.
    pub(super) fn keep_file_number(&mut self) -> Result<(), ImportError> {
        let present = self.tx.query_opt(
            "-- imports::file_number\nselect file_number from organization where number = ?1",
            params![self.number()],
            |row| row.opt_int(0),
        )?;
        if let (Some(None), Some(number)) = (present, self.organization.file_number) {
            self.tx.execute(
                "-- imports::adopt\nupdate organization set file_number = ?2 where number = ?1",
                params![self.number(), number],
            )?;
            self.keep(FILE_NUMBER, 0, &Json::Null, &number.into())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orgs::tables::{PERSON, TEAM, TEAM_MEMBER};

    #[test]
    fn a_row_comes_back_as_it_was() {
        let text = |text: &str| Value::from(text);
        let mut columns = vec![text("x"); PERSON.columns.len()];
        (columns[0], columns[9], columns[10]) = (Value::Blob(vec![0; 16]), Value::Int(7), Value::Null);
        let list = vec![Value::Int(1), Value::Int(2)];
        let kept: Json = serde_json::from_str(&image(Some((&columns, &list))).to_string()).unwrap();
        assert_eq!(row_of(&kept, &PERSON, Some(&TEAM_MEMBER)).unwrap(), Some((columns, list)));
        assert_eq!(row_of(&Json::Null, &PERSON, None).unwrap(), None);
        assert!(row_of(&kept, &TEAM, None).is_err());
    }
}
