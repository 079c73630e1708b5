//! References that lead to nothing in the file.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringTreemap;

use crate::elements::Person;
use crate::error::Error;
use crate::ids::Ids;
use crate::member::Entity;

/// What is referred to in a file and not in it, each once, as the first reference printed it.
#[derive(Debug, Default)]
pub struct Unresolved {
    /// People whom `Users` lists neither by id nor by e-mail address; also managers, owners of tasks and
    /// people who checked in or commented.
    pub persons: Vec<Person>,
    /// Teams by id, with their names.
    pub teams: BTreeMap<i64, Option<String>>,
    /// Periods by id, with their names.
    pub periods: BTreeMap<i64, Option<String>>,
    /// Tags by id, with their names.
    pub tags: BTreeMap<i64, Option<String>>,
    /// Parents of goals by id, with their titles where an alignment has one.
    pub parents: BTreeMap<i64, Option<String>>,
    /// Names in `Parent Team` that no team has.
    pub parent_teams: BTreeSet<String>,
    /// Check-ins on goals that are not there.
    pub check_ins: Orphans,
    /// Comments on goals that are not there.
    pub comments: Orphans,
}

/// Elements that belong to goals which are not there.
#[derive(Debug, Default)]
pub struct Orphans {
    /// How many elements.
    pub count: u64,
    pub(crate) ids: Ids,
}

impl Orphans {
    pub(crate) fn add(&mut self, goal: i64) {
        self.count += 1;
        self.ids.insert(goal);
    }

    /// The ids of the goals.
    pub fn goal_ids(&self) -> &RoaringTreemap {
        self.ids.set()
    }
}

/// Collects unresolved references within a bound of memory.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    persons: BTreeMap<Identity, (u64, Person)>,
    found: Unresolved,
    bytes: usize,
}

/// What tells one person from another.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    Id(i64),
    Email(String),
    Name(String),
}

impl Gathering {
    /// Enough for a hundred thousand people or more. A file with more loose ends than this is a part of one.
    const LIMIT_BYTES: usize = 32 << 20;

    /// About what an entry takes besides its texts.
    const ENTRY_BYTES: usize = 160;

    pub(crate) fn person(&mut self, person: Person) {
        let identity = match (&person.id, &person.email) {
            (Some(id), _) => Identity::Id(*id),
            (None, Some(email)) => Identity::Email(email.trim().to_lowercase()),
            (None, None) => Identity::Name(person.name.clone().unwrap_or_default()),
        };
        if self.persons.contains_key(&identity) {
            return;
        }
        let texts = [&person.name, &person.email].into_iter().flatten().map(String::len).sum::<usize>();
        if self.has_room(2 * texts) {
            let place = self.persons.len() as u64;
            self.persons.insert(identity, (place, person));
        }
    }

    pub(crate) fn reference(&mut self, entity: Entity, id: i64, name: Option<String>) {
        let references = match entity {
            Entity::Teams => &self.found.teams,
            Entity::TimePeriods => &self.found.periods,
            Entity::Tags => &self.found.tags,
            _ => &self.found.parents,
        };
        if references.contains_key(&id) || !self.has_room(name.as_ref().map_or(0, String::len)) {
            return;
        }
        let references = match entity {
            Entity::Teams => &mut self.found.teams,
            Entity::TimePeriods => &mut self.found.periods,
            Entity::Tags => &mut self.found.tags,
            _ => &mut self.found.parents,
        };
        references.insert(id, name);
    }

    pub(crate) fn parent_team(&mut self, name: String) {
        if !self.found.parent_teams.contains(&name) && self.has_room(name.len()) {
            self.found.parent_teams.insert(name);
        }
    }

    fn has_room(&mut self, texts: usize) -> bool {
        self.bytes = self.bytes.saturating_add(Self::ENTRY_BYTES + texts);
        self.bytes <= Self::LIMIT_BYTES
    }

    /// Adds what was found to `unresolved`; an error when it is too much to be a whole organization's file.
    pub(crate) fn finish(self, unresolved: &mut Unresolved) -> Result<(), Error> {
        if self.bytes > Self::LIMIT_BYTES {
            return Err(Error::TooManyUnresolved { limit: Self::LIMIT_BYTES });
        }
        let mut persons: Vec<(u64, Person)> = self.persons.into_values().collect();
        persons.sort_by_key(|(place, _)| *place);
        let Unresolved { teams, periods, tags, parents, parent_teams, .. } = self.found;
        unresolved.persons = persons.into_iter().map(|(_, person)| person).collect();
        (unresolved.teams, unresolved.periods, unresolved.tags) = (teams, periods, tags);
        (unresolved.parents, unresolved.parent_teams) = (parents, parent_teams);
        Ok(())
    }
}
