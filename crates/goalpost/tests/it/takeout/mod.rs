//! Everything of an organization, out and back (docs/DATA.md, "Leaving").

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod chance;
mod death;
mod hostile;
mod whole;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use goalpost_testing::{Engine, TestDatabase};
use serde_json::Value;
use tempfile::TempDir;

use crate::jobs::process::Folder;

/// A folder with everything of the demo's organization, in a folder of its own.
struct Takeout {
    path: PathBuf,
    told: Value,
    above: TempDir,
}

impl Takeout {
    fn of(folder: &Folder) -> Self {
        let above = TempDir::new().unwrap();
        let path = above.path().join("contoso");
        let written = export(folder, &path);
        assert!(written.status.success(), "{}", stderr(&written));
        Self { told: serde_json::from_slice(&written.stdout).unwrap(), path, above }
    }

    fn read_back(&self, place: &Folder, args: &[&str]) -> Output {
        place.command("import").arg(&self.path).args(args).output().unwrap()
    }

    fn lines(&self, name: &str) -> Vec<Value> {
        lines(&self.path, name)
    }
}

fn export(folder: &Folder, out: &Path) -> Output {
    folder.command("export").args(["--everything", "--output", "json", "--out"]).arg(out).output().unwrap()
}

/// The objects of a file.
fn lines(folder: &Path, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every file by its path; of the manifest all but its instant.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    collect(folder, folder, &mut files);
    let manifest = files.get_mut("manifest.json").unwrap();
    let mut told: Value = serde_json::from_slice(manifest).unwrap();
    assert!(told["exportedDateTime"].take().is_string());
    *manifest = told.to_string().into_bytes();
    files
}

fn collect(folder: &Path, root: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// Let two folders be the same, byte for byte.
fn assert_same(one: &Path, other: &Path, what: &str) {
    let (one, other) = (contents(one), contents(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{what}");
    for (name, bytes) in &one {
        let (bytes, other) = (String::from_utf8_lossy(bytes), String::from_utf8_lossy(&other[name]));
        let differs = bytes.lines().zip(other.lines()).find(|(one, other)| one != other);
        assert!(bytes == other, "{what}: {name} differs: {differs:?}");
    }
}

/// A data folder and a database that hold nothing.
fn empty_place(engine: Engine, of: &Folder) -> Folder {
    let data = TempDir::new().unwrap();
    let database = TestDatabase::empty_on(engine, data.path());
    of.copied_to(database, data)
}

/// An engine that is not the one of this run.
fn other_engine() -> Engine {
    match Engine::of_this_run() {
        Engine::Sqlite => Engine::Postgres,
        Engine::Postgres | Engine::Partitioned => Engine::Sqlite,
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
