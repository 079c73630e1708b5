//! Folders that are not what was written: each is refused by name, and nothing of it is written.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::{Takeout, assert_same, contents, empty_place, stderr};
use crate::jobs::process::Folder;
use crate::store::download::hex as sha256;
use goalpost_testing::Engine;

/// Change a file, and let the manifest agree.
pub(super) fn forge(takeout: &Takeout, name: &str, change: impl FnOnce(&mut Vec<Value>)) {
    let mut lines = takeout.lines(name);
    change(&mut lines);
    let lines: Vec<String> = lines.iter().map(|line| line.to_string() + "\n").collect();
    write(takeout, name, lines.concat().as_bytes());
}

/// Write a file, and let the manifest agree.
fn write(takeout: &Takeout, name: &str, bytes: &[u8]) {
    fs::write(takeout.path.join(name), bytes).unwrap();
    manifest(takeout, |manifest| {
        let files = manifest["files"].as_array_mut().unwrap();
        let entry = files.iter_mut().find(|entry| entry["path"] == name).unwrap();
        entry["bytes"] = bytes.len().into();
        entry["rows"] = bytes.split(|byte| *byte == b'\n').count().saturating_sub(1).into();
        entry["sha256"] = sha256(bytes).into();
    });
}

/// Change the manifest.
pub(super) fn manifest(takeout: &Takeout, change: impl FnOnce(&mut Value)) {
    let path = takeout.path.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut manifest);
    fs::write(&path, manifest.to_string()).unwrap();
}

/// A folder, and an empty place that refuses whatever becomes of it.
struct Hostile {
    takeout: Takeout,
    place: Folder,
    good: std::collections::BTreeMap<String, Vec<u8>>,
}

impl Hostile {
    fn new() -> Self {
        let folder = Folder::new(30, "");
        let takeout = Takeout::of(&folder);
        let place = empty_place(Engine::of_this_run(), &folder);
        let mut good = contents(&takeout.path);
        good.insert("manifest.json".to_owned(), fs::read(takeout.path.join("manifest.json")).unwrap());
        Self { takeout, place, good }
    }

    /// Change the folder, let it be refused with these words, and change it back.
    fn refused(&self, words: &str, change: impl FnOnce(&Takeout)) {
        change(&self.takeout);
        let refused = self.takeout.read_back(&self.place, &[]);
        let told = stderr(&refused);
        assert_eq!(refused.status.code(), Some(1), "{words}: {told}");
        assert!(told.starts_with("error: ") && told.contains(words), "expected `{words}`: {told}");
        assert!(told.contains("\nhint: "), "{told}");
        self.mend();
    }

    fn mend(&self) {
        for (name, bytes) in &self.good {
            let path = self.takeout.path.join(name);
            let _ = fs::remove_dir(&path);
            let _ = fs::remove_file(&path);
            fs::write(path, bytes).unwrap();
        }
    }

    /// After all that, it is read back as if nothing had been: so nothing had been written.
    fn still_good(&self) {
        let read = self.takeout.read_back(&self.place, &[]);
        assert!(read.status.success(), "{}", stderr(&read));
        assert_same(&self.takeout.path, &Takeout::of(&self.place).path, "at the end");
    }
}

#[test]
fn a_file_that_is_not_what_was_written_is_named() {
    let hostile = Hostile::new();
    let path = |takeout: &Takeout, name: &str| takeout.path.join(name);
    for name in hostile.good.keys().filter(|name| *name != "manifest.json") {
        hostile.refused(&format!("`{name}` is missing"), |takeout| {
            fs::remove_file(path(takeout, name)).unwrap();
        });
        if hostile.good[name].is_empty() {
            continue;
        }
        hostile.refused(&format!("`{name}` has another SHA-256"), |takeout| {
            let mut bytes = hostile.good[name].clone();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path(takeout, name), bytes).unwrap();
        });
    }
    hostile.refused("`goals.jsonl` has another length", |takeout| {
        let mut file = fs::File::options().append(true).open(path(takeout, "goals.jsonl")).unwrap();
        file.write_all(b"\n").unwrap();
    });
    hostile.refused("`goals.jsonl` is a link", |takeout| {
        fs::rename(path(takeout, "goals.jsonl"), takeout.above.path().join("elsewhere.jsonl")).unwrap();
        std::os::unix::fs::symlink("../elsewhere.jsonl", path(takeout, "goals.jsonl")).unwrap();
    });
    hostile.refused("`goals.jsonl` is not a file", |takeout| {
        fs::remove_file(path(takeout, "goals.jsonl")).unwrap();
        fs::create_dir(path(takeout, "goals.jsonl")).unwrap();
    });
    hostile.still_good();
}

#[test]
fn a_folder_behind_a_link_is_not_followed() {
    let hostile = Hostile::new();
    let history = hostile.takeout.path.join("history");
    let elsewhere = hostile.takeout.above.path().join("elsewhere");
    fs::rename(&history, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &history).unwrap();
    let told = stderr(&hostile.takeout.read_back(&hostile.place, &[]));
    assert!(told.contains("`history/goals.jsonl` is a link"), "{told}");
}

#[test]
fn a_manifest_that_lies_is_refused() {
    let hostile = Hostile::new();
    let says = |change: fn(&mut Value)| move |takeout: &Takeout| manifest(takeout, change);
    hostile.refused("there is no `manifest.json`", |takeout| {
        fs::remove_file(takeout.path.join("manifest.json")).unwrap();
    });
    hostile.refused("`manifest.json` is not understood", |takeout| {
        fs::write(takeout.path.join("manifest.json"), "{\"format\": \"goalpost-organization\"").unwrap();
    });
    hostile.refused("`manifest.json` is longer than any manifest", |takeout| {
        fs::write(takeout.path.join("manifest.json"), vec![b' '; 2 << 20]).unwrap();
    });
    hostile.refused(
        "is not what `goalpost export --everything` writes",
        says(|it| it["format"] = "other".into()),
    );
    hostile.refused("by a newer Goalpost (version 2", says(|it| it["version"] = 2.into()));
    hostile.refused("by a newer Goalpost (schema 99.0", says(|it| it["schema"] = "99.0".into()));
    hostile.refused("names no schema", says(|it| it["schema"] = "new".into()));
    hostile.refused("unknown field `extra`", says(|it| it["extra"] = 1.into()));
    hostile.refused("holds another organization", says(|it| it["name"] = "Fabrikam".into()));
    hostile.refused("holds another organization", says(|it| it["revision"] = 0.into()));
    hostile.refused(
        "does not list `tags.jsonl`",
        says(|it| it["files"].as_array_mut().unwrap().retain(|file| file["path"] != "tags.jsonl")),
    );
    for path in ["../tags.jsonl", "/etc/passwd", ".hidden", "a\\b", "tags.jsonl"] {
        hostile.refused("which is no file of such a folder", |takeout| {
            manifest(takeout, |it| {
                let files = it["files"].as_array_mut().unwrap();
                files.push(json!({ "path": path, "rows": null, "bytes": 0, "sha256": "" }));
            });
        });
    }
    hostile.refused("has another number of lines", |takeout| {
        manifest(takeout, |it| {
            let files = it["files"].as_array_mut().unwrap();
            let goals = files.iter_mut().find(|file| file["path"] == "goals.jsonl").unwrap();
            goals["rows"] = 1.into();
        });
    });
    hostile.still_good();
}

#[test]
fn lines_that_are_no_objects_of_their_file_are_refused() {
    let hostile = Hostile::new();
    let goals = |change: fn(&mut Value)| {
        move |takeout: &Takeout| {
            forge(takeout, "goals.jsonl", |lines| change(&mut lines[1]));
        }
    };
    hostile
        .refused("line 2: it has no `title`", goals(|it| drop(it.as_object_mut().unwrap().remove("title"))));
    hostile.refused("line 2: it has `extra`, which is not known", goals(|it| it["extra"] = 1.into()));
    hostile.refused("line 2: `title` is null", goals(|it| it["title"] = Value::Null));
    hostile.refused("line 2: `id` is no integer that may stand there", goals(|it| it["id"] = "7".into()));
    hostile.refused("line 2: `isRestricted` is no boolean", goals(|it| it["isRestricted"] = 1.into()));
    hostile.refused("line 2: `objectType` is no text that may", goals(|it| it["objectType"] = "wish".into()));
    hostile.refused("line 2: `startDate` is no day", goals(|it| it["startDate"] = "2026-02-30".into()));
    hostile
        .refused("line 2: `createdDateTime` is no instant", goals(|it| it["createdDateTime"] = "now".into()));
    hostile.refused("line 1: `objectId` is no guid", |takeout| {
        forge(takeout, "people.jsonl", |lines| lines[0]["objectId"] = "7".into());
    });
    for (text, words) in [
        (&b"[1]\n"[..], "line 1: it is no JSON object"),
        (b"\n", "line 1: it is no JSON object"),
        (b"{\"id\": 1", "line 1: it has no end"),
        (b"\xff\n", "line 1: it is no JSON object"),
    ] {
        hostile.refused(words, |takeout| write(takeout, "tags.jsonl", text));
    }
    hostile.refused("line 1: it is longer than 67108864 bytes", |takeout| {
        write(takeout, "tags.jsonl", &vec![b' '; (64 << 20) + 2]);
    });
    hostile.still_good();
}

#[test]
fn objects_that_do_not_fit_each_other_are_refused() {
    let hostile = Hostile::new();
    let forged = |name: &'static str, change: fn(&mut Vec<Value>)| {
        move |takeout: &Takeout| {
            forge(takeout, name, change);
        }
    };
    let twice = |lines: &mut Vec<Value>| lines.push(lines[0].clone());
    hostile.refused("`goals.jsonl` has two objects with one key", forged("goals.jsonl", twice));
    hostile.refused("`people.jsonl` has two objects with one key", forged("people.jsonl", twice));
    hostile.refused("`organization.jsonl` holds another organization", forged("organization.jsonl", twice));
    hostile.refused("`organization.jsonl` holds no organization", forged("organization.jsonl", Vec::clear));
    hostile.refused(
        "`goals.jsonl`: periodId 999999 is not in `periods.jsonl`",
        forged("goals.jsonl", |lines| lines[0]["periodId"] = 999_999.into()),
    );
    hostile.refused(
        "`alignments.jsonl`: parentId 999999 is not in `goals.jsonl`",
        forged("alignments.jsonl", |lines| lines[0]["parentId"] = 999_999.into()),
    );
    hostile.refused(
        "`goal-owners.jsonl`: personId 999999 is not in `people.jsonl`",
        forged("goal-owners.jsonl", |lines| lines[0]["personId"] = 999_999.into()),
    );
    hostile.refused("is not in `goals.jsonl`", forged("goals.jsonl", |lines| drop(lines.pop())));
    hostile.refused(
        "`goals.jsonl`: revision 77 is beyond",
        forged("goals.jsonl", |lines| lines[0]["revision"] = 77.into()),
    );
    hostile.refused(
        "`tags.jsonl`: id 9000000000000000000 is beyond",
        forged("tags.jsonl", |lines| lines[0]["id"] = 9_000_000_000_000_000_000_i64.into()),
    );
    for change in [
        (|lines| lines[0]["nextNumber"] = 1.into()) as fn(&mut Vec<Value>),
        |lines| lines[0]["nextNumber"] = i64::MIN.into(),
        |lines| lines[0]["nextNumber"] = i64::MAX.into(),
    ] {
        hostile.refused("must be between", forged("organization.jsonl", change));
    }
    hostile.refused("checkInCount of goal", forged("check-ins.jsonl", |lines| drop(lines.pop())));
    hostile.refused(
        "`views.jsonl` has a view that cannot be read",
        forged("views.jsonl", |lines| lines[0]["filter"] = "{".into()),
    );
    hostile.still_good();
}

#[test]
fn a_place_stays_empty_when_a_folder_is_refused() {
    let hostile = Hostile::new();
    hostile.refused("is not in `periods.jsonl`", |takeout| {
        forge(takeout, "goals.jsonl", |lines| lines[0]["periodId"] = 999_999.into());
    });
    let listed = hostile.place.command("org").args(["list", "--output", "json"]).output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&listed.stdout).unwrap(), json!([]));
    let backup = Path::new("no such folder");
    let told = stderr(&hostile.place.command("import").arg(backup).output().unwrap());
    assert!(told.contains("no such folder"), "{told}");
}
