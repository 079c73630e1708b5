//! Where the simulated workers work: one server's parts, two organizations, and everything that can fail.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use goalpost::exports::worker::MakeExport;
use goalpost::identity::Member;
use goalpost::ids::{OrganizationNumber, PersonNumber};
use goalpost::jobs::Runner;
use goalpost::nodes;
use goalpost::orgs::queries as orgs;
use goalpost::store::ContentStore;
use goalpost::views::{self, View};
use goalpost_db::{Fault, Op, params};
use goalpost_testing::{Engine, ORGANIZATION, OTHER_ORGANIZATION, TestApp};
use tempfile::TempDir;
use uuid::Uuid;

use super::objects::Objects;
use crate::jobs::save_views;

/// Views of each organization.
const VIEWS: u128 = 3;
/// Where the database's clock begins: a day in 2026.
const BEGINNING_US: i64 = 1_780_000_000_000_000;
/// The title that the first goal has at first; others are as long.
const FIRST_TITLE: &str = "Title 000000000";

/// Decides which of the next transactions are lost.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    pub(super) fn decide(&self, faults: impl IntoIterator<Item = Fault>) {
        *self.0.lock().unwrap() = faults.into_iter().collect();
    }
}

impl goalpost_db::Faults for Faults {
    fn next(&self, _: Op) -> Fault {
        self.0.lock().unwrap().pop_front().unwrap_or(Fault::None)
    }
}

/// An organization, and what its files must hold.
#[derive(Debug)]
pub(super) struct Organization {
    pub(super) member: Member,
    pub(super) views: Vec<View>,
    file: String,
    /// The first goal's title, by the revision since which it has it.
    titles: BTreeMap<i64, String>,
}

/// A place is used by one seed after another; each leaves it as it found it.
pub(super) struct Place {
    pub(super) t: TestApp,
    pub(super) objects: Objects,
    pub(super) faults: Arc<Faults>,
    pub(super) organizations: Vec<Organization>,
    _data: TempDir,
}

impl Place {
    pub(super) async fn new() -> Self {
        // Where syncing costs nothing, if there is such a place.
        let memory = std::path::Path::new("/dev/shm");
        let data = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let faults = Arc::new(Faults::default());
        let mut t = TestApp::start_on(Engine::Sqlite, |config| {
            data.path().clone_into(&mut config.data);
            config.database.settings.faults = Some(Arc::<Faults>::clone(&faults));
            config.database.settings.clock_stands_at_us = Some(BEGINNING_US);
            config.exports.max_attempts = 2;
            config.exports.max_open = 2;
            config.exports.max_kept = 2;
            config.exports.max_running_per_organization = Some(2);
            config.exports.in_database_bytes = 0;
        })
        .await;
        nodes::join(&t.app).await.unwrap();
        let objects = Objects::default();
        let content = ContentStore::over(Arc::new(objects.clone()), Arc::clone(objects.memory()) as _);
        t.app.change(|parts| parts.content = content);
        let mut this = Self { t, objects, faults, organizations: Vec::new(), _data: data };
        for (number, guid, more) in [(15_229, ORGANIZATION, ""), (15_230, OTHER_ORGANIZATION, " and more")] {
            let organization = this.fill(OrganizationNumber(number), guid, more).await;
            this.organizations.push(organization);
        }
        this
    }

    /// Give an organization goals and views, and make one export to know what its files look like.
    async fn fill(&self, number: OrganizationNumber, guid: Uuid, more: &str) -> Organization {
        let db = &self.t.app.db;
        db.write_alone(number, Duration::from_secs(5), |tx| {
            tx.execute(
                "insert into goal (organization, id, revision, origin, object_type, type_label, status,
                                   checkin_count, restricted, goal_type, outcome_type, phased, progress, title,
                                   title_fold, description)
                 values (?1, 1, 1, 'file', 'objective', 'Objective', 'On Track', 0, ?2, '', '', ?2, 0, ?3, ?3, ?4),
                        (?1, 2, 1, 'file', 'objective', 'Objective', 'On Track', 0, ?2, '', '', ?2, 0, ?4, ?4, ?4)",
                params![number, false, FIRST_TITLE, format!("of {number}{more}")],
            )
        })
        .unwrap();
        let guids = save_views(db, number, VIEWS);
        let member = Member {
            organization: number,
            organization_guid: guid,
            person: PersonNumber(1),
            active: true,
            may_export: true,
        };
        let views = guids.iter().map(|guid| {
            let found = db.snapshot(number, |tx| views::queries::find(tx, number, *guid));
            found.unwrap().unwrap()
        });
        let organization = Organization {
            member,
            views: views.collect(),
            file: String::new(),
            titles: BTreeMap::from([(0, FIRST_TITLE.to_owned())]),
        };
        let made = goalpost::exports::promise::promise(
            &self.t.app,
            member,
            &goalpost::exports::api::NewExport::of(&organization.views[0], None).unwrap(),
            None,
        )
        .await;
        assert!(made.is_ok());
        assert!(self.runner().run_one().await.unwrap());
        let key = self.objects.keys().await.remove(0);
        let file = String::from_utf8(self.objects.bytes(&key).await.unwrap().to_vec()).unwrap();
        assert!(file.contains(FIRST_TITLE) && file.contains(&format!("of {number}")), "{file}");
        self.t.app.db.advance_clock(Duration::from_hours(26));
        self.t.sweep().await;
        Organization { file, ..organization }
    }

    /// How long the files of each organization are.
    pub(super) fn lengths(&self) -> [usize; 2] {
        [0, 1].map(|index| self.organizations[index].file.len())
    }

    /// A worker of a process of its own, as far as jobs can tell.
    pub(super) fn runner(&self) -> Runner {
        let app = &self.t.app;
        Runner::new(
            app.db.clone(),
            app.ids,
            app.figures(),
            1,
            Arc::new(MakeExport(app.clone())),
            Arc::clone(&app.wake),
            Arc::clone(&app.metrics),
        )
    }

    /// Change the first goal of an organization.
    pub(super) fn edit(&mut self, index: usize, title: usize) {
        let organization = &mut self.organizations[index];
        let number = organization.member.organization;
        let title = format!("Title {title:09}");
        let text = title.clone();
        let revision = self.t.app.db.write_alone(number, Duration::from_secs(5), |tx| {
            let revision = orgs::raise_revision(tx, number, None, "simulation")?;
            tx.execute(
                "update goal set title = ?2, title_fold = ?2 where organization = ?1 and id = 1",
                params![number, text],
            )?;
            Ok::<_, goalpost_db::Error>(revision)
        });
        organization.titles.insert(revision.unwrap(), title);
    }

    /// What a file of an organization must hold that shows this revision.
    pub(super) fn expected(&self, number: i64, revision: i64) -> String {
        let of = |organization: &&Organization| organization.member.organization.0 == number;
        let organization = self.organizations.iter().find(of).expect("a known organization");
        let (_, title) = organization.titles.range(..=revision).next_back().expect("a first title");
        organization.file.replace(FIRST_TITLE, title)
    }
}
