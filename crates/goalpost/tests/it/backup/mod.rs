//! Backups: what is in them, and what becomes of it elsewhere (docs/OPERATIONS.md, "Backup and restore").

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod damage;
mod death;
mod in_row;
mod left_out;
mod load;
mod pending;
mod places;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use goalpost::demo;
use goalpost::ids::OrganizationNumber;
use goalpost::orgs::queries::find_by_guid;
use goalpost_db::{Db, Scope};
use goalpost_testing::{Engine, TestDatabase};
use serde_json::Value;
use tempfile::TempDir;

use crate::jobs::process::{Folder, Server, create, until_status};

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(30);

/// The setting by which every file of an export is in the content store.
const IN_STORE: &str = "[exports]\nin_database_bytes = 0\n";

/// A backup of a folder, in a folder of its own.
struct Backup {
    path: PathBuf,
    told: Value,
    _above: TempDir,
}

impl Backup {
    fn of(folder: &Folder) -> Self {
        let above = TempDir::new().unwrap();
        let path = above.path().join("backup");
        let taken = folder.command("backup").arg("--out").arg(&path).args(["--output", "json"]).output();
        let taken = taken.unwrap();
        assert!(taken.status.success(), "{}", stderr(&taken));
        Self { told: serde_json::from_slice(&taken.stdout).unwrap(), path, _above: above }
    }

    fn manifest(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path.join("manifest.json")).unwrap()).unwrap()
    }

    /// Names and hashes of the files with rows.
    fn tables(&self) -> Vec<(String, String)> {
        let manifest = self.manifest();
        let tables = manifest["tables"].as_array().unwrap();
        let entry = |table: &Value| {
            (table["name"].as_str().unwrap().to_owned(), table["sha256"].as_str().unwrap().to_owned())
        };
        tables.iter().map(entry).collect()
    }

    /// Restored to a new place on the engine of this run.
    fn restored(&self, of: &Folder) -> Folder {
        self.restored_on(Engine::of_this_run(), of)
    }

    fn restored_on(&self, engine: Engine, of: &Folder) -> Folder {
        let place = empty_place(engine, of);
        let restored = self.restore_to(&place, &["--verify"]);
        assert!(restored.status.success(), "{}", stderr(&restored));
        place
    }

    fn restore_to(&self, place: &Folder, args: &[&str]) -> Output {
        place.command("restore").arg(&self.path).args(args).output().unwrap()
    }

    /// All of its files but the manifest's own hash, by their paths in it.
    fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        collect(&self.path, &self.path, &mut files);
        files.retain(|file| file != "manifest.json.sha256");
        files.sort();
        files
    }
}

fn collect(folder: &Path, root: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, files);
        } else {
            files.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
}

/// A data folder and a database that hold nothing.
fn empty_place(engine: Engine, of: &Folder) -> Folder {
    let data = TempDir::new().unwrap();
    let database = TestDatabase::empty_on(engine, data.path());
    of.copied_to(database, data)
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The number of the demo's organization.
fn organization(db: &Db) -> OrganizationNumber {
    db.snapshot(Scope::Global, |tx| find_by_guid(tx, demo::ORGANIZATION)).unwrap().unwrap().number
}

/// Export the demo's view; its id and bytes.
async fn export(server: &Server) -> (String, Vec<u8>) {
    let id = create(server).await;
    until_status(server, &id, "succeeded", SOON).await;
    let content = content(server, &id).await;
    (id, content)
}

async fn content(server: &Server, id: &str) -> Vec<u8> {
    let content = server.client.get_content(id).await;
    assert_eq!(content.status, 200, "{}", content.text());
    content.bytes
}
