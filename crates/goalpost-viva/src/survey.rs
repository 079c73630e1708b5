//! The first pass over a file: every element is read, and what the importer must know before it writes is
//! gathered in little memory.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Seek};

use roaring::RoaringTreemap;

use crate::archive::Archive;
use crate::elements::{CheckIn, Comment, Period, Person, Tag, Team, User};
use crate::error::{Error, ValueError};
use crate::hierarchy::{Circle, Hierarchy};
use crate::ids::Ids;
use crate::member::Entity;
use crate::objective::{Child, Objective};
use crate::read::Element;
use crate::unresolved::{Gathering, Unresolved};

/// How many problems are listed; the others are counted.
const LISTED: usize = 50;

/// How many different labels of object types are taken. An organization had one per kind.
const TYPE_LABELS: usize = 1000;

/// What a file holds.
#[derive(Debug, Default)]
pub struct Survey {
    ids: [Ids; Entity::ALL.len()],
    /// How many goals have each `Type`; those without one are counted under the empty text.
    pub type_labels: BTreeMap<String, u64>,
    /// What is referred to and not in the file.
    pub unresolved: Unresolved,
}

impl Survey {
    /// The ids of an entity's elements.
    pub fn ids(&self, entity: Entity) -> &RoaringTreemap {
        self.ids[entity as usize].set()
    }

    /// Whether an element has this id.
    pub fn has(&self, entity: Entity, id: i64) -> bool {
        self.ids[entity as usize].contains(id)
    }

    /// How many elements an entity has.
    pub fn count(&self, entity: Entity) -> u64 {
        self.ids(entity).len()
    }
}

/// Why a file cannot be imported: the first fifty problems, and how many more there are.
#[derive(Debug)]
pub struct Problems {
    /// The first problems, in the order of the file.
    pub listed: Vec<Error>,
    /// How many more there are.
    pub further: u64,
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.listed.len() as u64 + self.further;
        write!(f, "{count} {}", if count == 1 { "problem" } else { "problems" })?;
        for problem in self.listed.iter().take(1) {
            write!(f, ", the first: {problem}")?;
        }
        Ok(())
    }
}

/// Reads a whole file, checks every element, and tells what is in it. `progress` is called now and then with
/// the count of unpacked bytes read, which grows up to the sum of [`Archive::size_bytes`] over all entities.
///
/// Memory grows with the file by sets of ids and eight bytes or so per aligned goal; five million goals take
/// less than 120 MiB.
///
/// # Errors
/// Values that cannot be read, ids that stand twice, goals that are their own ancestors, damage: everything
/// that stands in the way of an import, as far as it can be found in one go.
pub fn survey<R: Read + Seek>(
    archive: &mut Archive<R>,
    progress: &mut dyn FnMut(u64),
) -> Result<Survey, Problems> {
    let mut surveyor = Surveyor {
        survey: Survey::default(),
        problems: Problems { listed: Vec::new(), further: 0 },
        emails: Vec::new(),
        team_names: Vec::new(),
        hierarchy: Hierarchy::default(),
        unseen_parents: HashMap::new(),
        gathering: Gathering::default(),
        bytes_before: 0,
        progress,
    };
    surveyor.pass(archive, |this, user: User| this.emails.extend(user.email.as_deref().map(folded_hash)));
    surveyor.emails.sort_unstable();
    surveyor.pass(archive, |this, team: Team| this.team_names.push(hash(&team.name)));
    surveyor.team_names.sort_unstable();
    surveyor.pass(archive, |_, _: Period| {});
    surveyor.pass(archive, |_, _: Tag| {});
    surveyor.references_of_users_and_teams(archive);
    surveyor.pass(archive, Surveyor::objective);
    surveyor.pass(archive, Surveyor::check_in);
    surveyor.pass(archive, Surveyor::comment);
    surveyor.finish()
}

struct Surveyor<'a> {
    survey: Survey,
    problems: Problems,
    /// Hashes of the users' e-mail addresses, sorted once all are there. That two of millions collide is
    /// unlikely, and would only hide an unresolved person.
    emails: Vec<u64>,
    /// Hashes of team names, likewise.
    team_names: Vec<u64>,
    hierarchy: Hierarchy,
    /// Titles of parents that were named before their own element was met.
    unseen_parents: HashMap<i64, String>,
    gathering: Gathering,
    bytes_before: u64,
    progress: &'a mut dyn FnMut(u64),
}

impl Surveyor<'_> {
    /// Reads one member and notes the ids of its elements.
    fn pass<R: Read + Seek, T: Element>(
        &mut self,
        archive: &mut Archive<R>,
        mut visit: impl FnMut(&mut Self, T),
    ) {
        const STEP_BYTES: u64 = 1 << 20;
        let size_bytes = archive.size_bytes(T::ENTITY);
        let (mut number, mut told) = (0, 0);
        let read = archive.walk(|element: Result<T, ValueError>, bytes| {
            number += 1;
            match element {
                Ok(element) => {
                    if !self.survey.ids[T::ENTITY as usize].insert(element.id()) {
                        let id = element.id();
                        self.add(Error::DuplicateId { entity: T::ENTITY, element: number, id });
                    }
                    visit(self, element);
                }
                Err(wrong) => self.add(Error::Value(Box::new(wrong))),
            }
            if bytes - told >= STEP_BYTES {
                told = bytes;
                (self.progress)(self.bytes_before + bytes);
            }
            Ok::<(), Error>(())
        });
        if let Err(error) = read {
            self.add(error);
        }
        self.bytes_before += size_bytes;
        (self.progress)(self.bytes_before);
    }

    fn add(&mut self, problem: Error) {
        if self.problems.listed.len() < LISTED {
            self.problems.listed.push(problem);
        } else {
            self.problems.further += 1;
        }
    }

    /// Reads users and teams once more: they refer to each other, and each to its own kind. Their problems
    /// are known.
    fn references_of_users_and_teams<R: Read + Seek>(&mut self, archive: &mut Archive<R>) {
        let users = archive.walk(|user: Result<User, ValueError>, _| {
            if let Ok(user) = user {
                self.person(user.manager);
                for team in user.teams {
                    self.reference(Entity::Teams, team.id, team.name);
                }
            }
            Ok::<(), Error>(())
        });
        let teams = archive.walk(|team: Result<Team, ValueError>, _| {
            if let Ok(team) = team {
                self.people(team.owners);
                if let Some(parent) = team.parent_team
                    && self.team_names.binary_search(&hash(&parent)).is_err()
                {
                    self.gathering.parent_team(parent);
                }
            }
            Ok::<(), Error>(())
        });
        // Damage has been told of by the first pass.
        drop((users, teams));
    }

    fn objective(&mut self, goal: Objective) {
        self.people(goal.owners);
        self.people(goal.check_in_owners);
        self.person(goal.created_by);
        self.person(goal.delegated_to);
        for child in goal.children {
            if let Child::Task(task) = child {
                self.person(task.owner);
            }
        }
        for team in goal.teams {
            self.reference(Entity::Teams, team.id, team.name);
        }
        for tag in goal.tags {
            self.reference(Entity::Tags, tag.id, tag.name);
        }
        if let Some(period) = goal.period {
            self.reference(Entity::TimePeriods, period.id, period.name);
        }
        self.type_label(goal.type_label.unwrap_or_default());
        self.unseen_parents.remove(&goal.id);
        for parent in goal.alignment {
            let is_parent = goal.parent_ids.contains(&parent.id);
            if is_parent && !self.survey.has(Entity::Objectives, parent.id) {
                self.remember_title(parent.id, parent.title);
            }
        }
        self.hierarchy.add(goal.id, &goal.parent_ids);
    }

    fn type_label(&mut self, label: String) {
        if let Some(count) = self.survey.type_labels.get_mut(&label) {
            *count += 1;
            return;
        }
        if self.survey.type_labels.len() == TYPE_LABELS {
            let (found, limit) = (TYPE_LABELS as u64 + 1, TYPE_LABELS as u64);
            return self.add(Error::TooLarge { what: "different labels in `Type`", found, limit });
        }
        self.survey.type_labels.insert(label, 1);
    }

    /// Keeps the title of a parent that may turn out to be missing. Children may all stand before their
    /// parents, so only so many are kept: a missing parent can do without its title.
    fn remember_title(&mut self, parent: i64, title: Option<String>) {
        const TITLES: usize = 100_000;
        const TITLE_BYTES: usize = 500;
        if let Some(title) = title
            && title.len() <= TITLE_BYTES
            && self.unseen_parents.len() < TITLES
        {
            self.unseen_parents.entry(parent).or_insert(title);
        }
    }

    fn check_in(&mut self, check_in: CheckIn) {
        self.person(check_in.owner);
        if !self.survey.has(Entity::Objectives, check_in.goal_id) {
            self.survey.unresolved.check_ins.add(check_in.goal_id);
        }
    }

    fn comment(&mut self, comment: Comment) {
        self.person(comment.created_by);
        if !self.survey.has(Entity::Objectives, comment.goal_id) {
            self.survey.unresolved.comments.add(comment.goal_id);
        }
    }

    fn people(&mut self, people: Vec<Person>) {
        for person in people {
            self.person(Some(person));
        }
    }

    /// A person is known by id, or else by e-mail address in any case.
    fn person(&mut self, person: Option<Person>) {
        let Some(person) = person else { return };
        let by_id = person.id.is_some_and(|id| self.survey.has(Entity::Users, id));
        let by_email = || {
            let email = person.email.as_deref().map(folded_hash);
            email.is_some_and(|email| self.emails.binary_search(&email).is_ok())
        };
        if !by_id && !by_email() {
            self.gathering.person(person);
        }
    }

    fn reference(&mut self, entity: Entity, id: i64, name: Option<String>) {
        if !self.survey.has(entity, id) {
            self.gathering.reference(entity, id, name);
        }
    }

    /// Tells of sets that met their bounds, and so do not hold what the file holds.
    fn bounds(&mut self) {
        for entity in Entity::ALL {
            if self.survey.ids[entity as usize].is_too_wide() {
                self.add(Error::IdsTooWide { entity });
            }
        }
        let Unresolved { check_ins, comments, .. } = &self.survey.unresolved;
        if [self.hierarchy.parents(), &check_ins.ids, &comments.ids].into_iter().any(Ids::is_too_wide) {
            self.add(Error::IdsTooWide { entity: Entity::Objectives });
        }
        if self.hierarchy.has_too_many_edges() {
            self.add(Error::TooManyParents { limit: Hierarchy::EDGES });
        }
    }

    fn finish(mut self) -> Result<Survey, Problems> {
        let room = LISTED.saturating_sub(self.problems.listed.len());
        let (circles, more) = self.hierarchy.circles(room);
        for Circle { ids, length } in circles {
            self.add(Error::ParentCycle { ids, length });
        }
        self.problems.further += more;

        self.bounds();

        let missing = self.hierarchy.parents().set() - self.survey.ids(Entity::Objectives);
        for id in &missing {
            let title = self.unseen_parents.remove(&id.cast_signed());
            self.gathering.reference(Entity::Objectives, id.cast_signed(), title);
        }
        match self.gathering.finish(&mut self.survey.unresolved) {
            Ok(()) if self.problems.listed.is_empty() => Ok(self.survey),
            Ok(()) => Err(self.problems),
            Err(too_many) => {
                self.problems.listed.truncate(LISTED - 1);
                self.problems.listed.push(too_many);
                Err(self.problems)
            }
        }
    }
}

fn folded_hash(text: &str) -> u64 {
    hash(&text.trim().to_lowercase())
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
