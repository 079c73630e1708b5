//! People: those that the file lists, and those that it only mentions.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use goalpost_db::{Value, params};
use goalpost_viva::{Archive, Entity, Person, User};

use super::ImportError;
use super::aside::Asides;
use super::flat::FlatRow;
use super::kept::image;
use super::report::{Reference, ReferenceKind};
use super::run::Import;
use super::time::micros;
use crate::goals::Origin;
use crate::ids::fold;
use crate::orgs::tables::{PERSON, TEAM_MEMBER};

/// Who a mention of a person means: the one with its id, else the one with its e-mail address, else, where it has
/// neither, the one with its name. A mention that leads to nobody makes an inactive person.
pub(super) struct People {
    /// Hashes of the e-mail addresses that the file lists, sorted, each with the person's id.
    emails: Vec<(u64, i64)>,
    /// People who have a row and whom the file does not list.
    unlisted: HashSet<i64>,
    /// Answers to mentions without a known id.
    found: HashMap<String, i64>,
    mentions: BTreeMap<i64, (String, u64)>,
}

impl People {
    /// Learn who is there. Costs one pass over the file's users, and one over the organization's people.
    pub(super) fn open(import: &Import<'_>, archive: &mut Archive<File>) -> Result<Self, ImportError> {
        let mut emails = Vec::new();
        let read = archive.each(|user: User| {
            emails.extend(address(user.email.as_deref()).map(|email| (hash(&email), user.id)));
            Ok::<_, goalpost_viva::Error>(())
        });
        read.map_err(|error| import.file_error(error))?;
        emails.sort_unstable();

        let mut unlisted = HashSet::new();
        import.tx.each(
            "-- imports::people\nselect id from person where organization = ?1",
            params![import.number()],
            |row| {
                let id = row.int(0)?;
                if !import.is_in_file(Entity::Users, id) {
                    unlisted.insert(id);
                }
                Ok::<_, goalpost_db::Error>(ControlFlow::Continue(()))
            },
        )?;
        Ok(Self { emails, unlisted, found: HashMap::new(), mentions: BTreeMap::new() })
    }

    /// The person whom a mention means, or null where nobody is mentioned.
    pub(super) fn resolve(
        &mut self,
        import: &mut Import<'_>,
        mention: Option<&Person>,
    ) -> Result<Value, ImportError> {
        match mention {
            Some(person) => Ok(self.id_of(import, person)?.into()),
            None => Ok(Value::Null),
        }
    }

    /// The people whom a list of mentions means.
    pub(super) fn resolve_all(
        &mut self,
        import: &mut Import<'_>,
        mentions: &[Person],
    ) -> Result<Vec<Value>, ImportError> {
        mentions.iter().map(|person| self.resolve(import, Some(person))).collect()
    }

    fn id_of(&mut self, import: &mut Import<'_>, person: &Person) -> Result<i64, ImportError> {
        if let Some(id) = person.id
            && import.is_in_file(Entity::Users, id)
        {
            return Ok(id);
        }
        let email = address(person.email.as_deref());
        if let Some(id) = email.as_deref().and_then(|email| self.listed(email)) {
            return Ok(id);
        }
        let id = match person.id {
            Some(id) => {
                self.make_if_new(import, id, person)?;
                id
            }
            None => self.id_by_words(import, person, email)?,
        };
        let name = || [&person.name, &person.email].into_iter().flatten().next().cloned().unwrap_or_default();
        self.mentions.entry(id).or_insert_with(|| (name(), 0)).1 += 1;
        Ok(id)
    }

    fn listed(&self, email: &str) -> Option<i64> {
        let hash = hash(email);
        let at = self.emails.partition_point(|(listed, _)| *listed < hash);
        self.emails.get(at).filter(|(listed, _)| *listed == hash).map(|(_, id)| *id)
    }

    /// Find a person whom the file mentions without an id: one that an earlier import made, or a new one.
    fn id_by_words(
        &mut self,
        import: &mut Import<'_>,
        person: &Person,
        email: Option<String>,
    ) -> Result<i64, ImportError> {
        let (sql, words) = match email {
            Some(email) => (
                "-- imports::person_by_email
                select id from person where organization = ?1 and email_fold = ?2 order by id",
                email,
            ),
            None => (
                "-- imports::person_by_name
                select id from person where organization = ?1 and name_fold = ?2 and email = ''
                and origin = 'reference' order by id",
                fold(person.name.as_deref().unwrap_or_default()),
            ),
        };
        if let Some(&id) = self.found.get(&words) {
            return Ok(id);
        }
        let there = import.tx.query_opt(sql, params![import.number(), &words], |row| row.int(0))?;
        let id = if let Some(id) = there {
            id
        } else {
            let id = import.mint()?;
            self.make_if_new(import, id, person)?;
            id
        };
        self.found.insert(words, id);
        Ok(id)
    }

    fn make_if_new(&mut self, import: &mut Import<'_>, id: i64, person: &Person) -> Result<(), ImportError> {
        if !self.unlisted.insert(id) {
            return Ok(());
        }
        let Some(revision) = import.directory_revision()? else { return Ok(()) };
        let name = person.name.as_deref().unwrap_or_default();
        let email = person.email.as_deref().unwrap_or_default();
        let columns = [
            import.options.ids.guid().into_bytes().into(),
            name.into(),
            fold(name).into(),
            email.into(),
            address(Some(email)).unwrap_or_default().into(),
            "Member".into(),
            "Reference".into(),
            "regular".into(),
            "inactive".into(),
            Value::Null,
            Value::Null,
            Origin::Reference.as_str().into(),
        ];
        PERSON.put(import.tx, import.number(), &[id], revision, &columns)?;
        import.keep(PERSON.name, id, &image(None), &image(Some((&columns, &[]))))
    }

    /// Add the people whom the file mentions and does not list to the report.
    pub(super) fn report_mentions(&self, import: &mut Import<'_>) {
        for (&id, (name, times)) in &self.mentions {
            if import.partial.as_ref().is_some_and(|partial| !partial.loose.contains(&id)) {
                continue;
            }
            import.report.references.add(|| Reference {
                kind: ReferenceKind::Person,
                id: Some(id),
                name: name.clone(),
                times: *times,
            });
        }
    }
}

/// The column of a person that says when they were last active.
const LAST_ACTIVE: usize = 10;

impl Import<'_> {
    pub(super) fn write_users(
        &mut self,
        archive: &mut Archive<File>,
        people: &mut People,
        asides: &mut Asides,
    ) -> Result<(), ImportError> {
        self.batches(archive, |import, users: Vec<User>| {
            asides.write(import, &users, |_| Vec::new())?;
            let mut rows = Vec::with_capacity(users.len());
            for user in users {
                for team in &user.teams {
                    import.mention(Entity::Teams, ReferenceKind::Team, team.id);
                }
                let manager = people.resolve(import, user.manager.as_ref())?;
                rows.push(row(import, user, manager));
            }
            let keeps_activity = import.partial.as_ref().is_some_and(|partial| partial.keeps_activity);
            let keep = |present: &[Value], wanted: &mut [Value]| {
                wanted[0] = present[0].clone();
                if keeps_activity {
                    wanted[LAST_ACTIVE] = present[LAST_ACTIVE].clone();
                }
            };
            import.write_flat(Entity::Users, &PERSON, Some(&TEAM_MEMBER), rows, keep)
        })
    }
}

fn row(import: &Import<'_>, user: User, manager: Value) -> FlatRow {
    let name = user.name.unwrap_or_default();
    let email = user.email.unwrap_or_default();
    FlatRow {
        id: user.id,
        list: user.teams.iter().map(|team| team.id.into()).collect(),
        columns: vec![
            import.options.ids.guid().into_bytes().into(),
            (&name).into(),
            fold(&name).into(),
            (&email).into(),
            address(Some(&email)).unwrap_or_default().into(),
            user.role.unwrap_or_default().into(),
            user.source.unwrap_or_default().into(),
            user.member_type.unwrap_or_default().into(),
            user.status.unwrap_or_default().into(),
            manager,
            user.last_active.map(micros).into(),
            Origin::File.as_str().into(),
        ],
    }
}

/// An e-mail address as it is looked for; none for an empty one.
fn address(email: Option<&str>) -> Option<String> {
    email.map(|email| fold(email.trim())).filter(|email| !email.is_empty())
}

/// That two of some millions collide is unlikely, and would only give a stray mention to the wrong one of two people.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
