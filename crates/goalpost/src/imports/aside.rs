//! What has no place in the model: kept word for word, under the element it stood in.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use goalpost_db::{Error, Tx, Value, params};
use goalpost_viva::{Aside, Element, Entity};

use super::ImportError;
use super::kept::ASIDE;
use super::report::KeptAside;
use super::run::Import;
use super::table::CELLS;
use crate::ids::OrganizationNumber;
use crate::table::{key_batches, keys_at_once};

/// Writes to `import_aside`. For an element of the file, its rows there become what the file says; those of other
/// elements stay.
pub(super) struct Asides {
    /// Entities of which an earlier import set something aside, so that rows have to be looked for.
    known: HashSet<String>,
}

pub(super) type Cells = BTreeMap<String, String>;

impl Asides {
    pub(super) fn open(import: &Import<'_>) -> Result<Self, ImportError> {
        let known = import.tx.query(
            "-- imports::aside_entities\nselect distinct entity from import_aside where organization = ?1",
            params![import.number()],
            |row| Ok::<_, Error>(row.text(0)?.to_owned()),
        )?;
        Ok(Self { known: known.into_iter().collect() })
    }

    /// Keep what the reader of the file set aside in these elements, and what `more` finds.
    pub(super) fn write<T: Element>(
        &self,
        import: &mut Import<'_>,
        elements: &[T],
        more: impl Fn(&T) -> Vec<Aside>,
    ) -> Result<(), ImportError> {
        let mut present = self.present(import, T::ENTITY, elements)?;
        for element in elements {
            let mut cells = Cells::new();
            for aside in element.aside().iter().cloned().chain(more(element)) {
                report(import, T::ENTITY, element.id(), &aside);
                let mut path = aside.path;
                // A key may hold a dot, and so lead to where another path leads.
                while cells.contains_key(&path) {
                    path.push('\'');
                }
                cells.insert(path, aside.json);
            }
            let present = present.remove(&element.id()).unwrap_or_default();
            if import.partial.is_some() {
                // A table does not know what the ZIP had beside the goal.
                let others = present.iter().filter(|(path, _)| !path.starts_with(CELLS));
                cells.extend(others.map(|(path, json)| (path.clone(), json.clone())));
            }
            if cells != present {
                replace(import, T::ENTITY, element.id(), &present, &cells)?;
            }
        }
        Ok(())
    }

    fn present<T: Element>(
        &self,
        import: &Import<'_>,
        entity: Entity,
        elements: &[T],
    ) -> Result<BTreeMap<i64, Cells>, ImportError> {
        let mut present: BTreeMap<i64, Cells> = BTreeMap::new();
        if !self.known.contains(entity.word()) {
            return Ok(present);
        }
        let ids: Vec<_> = elements.iter().map(Element::id).collect();
        for mut params in key_batches(import.number(), &ids) {
            params.push(entity.word().into());
            let sql = format!(
                "-- imports::asides
                select id, path, value from import_aside
                 where organization = ?1 and id in ({}) and entity = ?{}",
                keys_at_once(&ids),
                params.len()
            );
            import.tx.each(&sql, &params, |row| {
                let cells = present.entry(row.int(0)?).or_default();
                cells.insert(row.text(1)?.to_owned(), row.text(2)?.to_owned());
                Ok::<_, Error>(ControlFlow::Continue(()))
            })?;
        }
        Ok(present)
    }
}

fn report(import: &mut Import<'_>, entity: Entity, id: i64, aside: &Aside) {
    const CHARS: usize = 200;
    import.report.asides.add(|| {
        let mut value: String = aside.json.chars().take(CHARS).collect();
        if value.len() < aside.json.len() {
            value.push('…');
        }
        KeptAside { entity, id, path: aside.path.clone(), value }
    });
}

fn replace(
    import: &mut Import<'_>,
    entity: Entity,
    id: i64,
    present: &Cells,
    wanted: &Cells,
) -> Result<(), ImportError> {
    if import.revision()?.is_none() {
        return Ok(());
    }
    let cells = |cells: &Cells| serde_json::to_value(cells).unwrap_or_default();
    import.keep(&format!("{ASIDE}{}", entity.word()), id, &cells(present), &cells(wanted))?;
    write_cells(import.tx, import.number(), entity.word(), id, present, wanted)
}

/// Make what is kept aside of one element from `present` into `wanted`.
pub(super) fn write_cells(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    entity: &str,
    id: i64,
    present: &Cells,
    wanted: &Cells,
) -> Result<(), ImportError> {
    let key = |path: &str| -> [Value; 4] { [organization.into(), entity.into(), id.into(), path.into()] };
    for (path, _) in present.iter().filter(|(path, value)| wanted.get(*path) != Some(value)) {
        tx.execute(
            "-- imports::remove_aside
            delete from import_aside where organization = ?1 and entity = ?2 and id = ?3 and path = ?4",
            &key(path),
        )?;
    }
    for (path, value) in wanted.iter().filter(|(path, value)| present.get(*path) != Some(value)) {
        let [organization, entity, id, path] = key(path);
        tx.execute(
            "-- imports::insert_aside
            insert into import_aside (organization, entity, id, path, value) values (?1, ?2, ?3, ?4, ?5)",
            &[organization, entity, id, path, value.into()],
        )?;
    }
    Ok(())
}
