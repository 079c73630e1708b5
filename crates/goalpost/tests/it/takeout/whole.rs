//! What is in the folder, and that nothing of an organization is missing.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use goalpost::demo;
use goalpost::takeout::dictionary::{LEFT_OUT, PARTS};
use goalpost_testing::{Engine, TestDatabase};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::hostile::{forge, manifest};
use super::{Takeout, assert_same, empty_place, export, other_engine, stderr};
use crate::jobs::process::Folder;
use crate::store::download::hex as sha256;

#[test]
fn no_table_and_no_column_of_an_organization_is_forgotten() {
    let folder = TempDir::new().unwrap();
    let tables = TestDatabase::new(folder.path()).open().tables().unwrap();
    let columns = |table: &goalpost_db::Table| -> BTreeSet<String> {
        table.columns.iter().map(|(name, ..)| name.clone()).collect()
    };
    for table in &tables {
        let of_an_organization =
            table.name == "organization" || table.columns.iter().any(|(name, ..)| name == "organization");
        if !of_an_organization || LEFT_OUT.iter().any(|(name, _)| *name == table.name) {
            continue;
        }
        let present = table.name.strip_suffix("_history").unwrap_or(&table.name);
        let is_past = present != table.name;
        let part = PARTS.iter().find(|part| part.table == present && (part.has_history || !is_past));
        let part = part.unwrap_or_else(|| {
            panic!("`{}` is neither in PARTS nor in LEFT_OUT of takeout/dictionary", table.name)
        });
        let named = part.fields.iter().map(|field| field.column);
        let mut known: BTreeSet<String> =
            named.chain(part.folds.iter().map(|(column, _)| *column)).map(str::to_owned).collect();
        if present != "organization" {
            known.insert("organization".to_owned());
        }
        if is_past {
            known.insert("until".to_owned());
        }
        assert_eq!(known, columns(table), "the fields of `{}` are not its columns", table.name);
    }
    for part in PARTS {
        assert!(tables.iter().any(|table| table.name == part.table), "there is no table `{}`", part.table);
        let names: BTreeSet<&str> = part.fields.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), part.fields.len(), "two fields of `{}` have one name", part.name);
    }
}

#[test]
fn an_organization_goes_to_the_other_engine_and_back_and_is_the_same() {
    // More rows than are inserted at a time, and a CSV of more than one piece.
    let folder = Folder::new(600, "");
    let mut from = Takeout::of(&folder);
    assert!(from.lines("check-ins.jsonl").len() > 1_000);
    for engine in [other_engine(), Engine::of_this_run()] {
        let place = empty_place(engine, &folder);
        let rehearsed = from.read_back(&place, &["--dry-run"]);
        assert!(rehearsed.status.success(), "{}", stderr(&rehearsed));
        assert!(stderr(&rehearsed).contains("nothing was written"), "{}", stderr(&rehearsed));
        let read = from.read_back(&place, &["--output", "json"]);
        assert!(read.status.success(), "{}", stderr(&read));
        let told: Value = serde_json::from_slice(&read.stdout).unwrap();
        assert_eq!(told["rows"], from.told["rows"]);
        let again = Takeout::of(&place);
        assert_same(&from.path, &again.path, &format!("{engine:?}"));
        from = again;
    }
}

#[test]
fn whoever_reads_it_needs_nothing_of_goalpost() {
    let folder = Folder::new(120, "");
    folder.change("update goal set restricted = (id % 3 = 0 and ?1 <> '')", "some");
    let takeout = Takeout::of(&folder);
    let manifest: Value =
        serde_json::from_slice(&fs::read(takeout.path.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["organization"], demo::ORGANIZATION.to_string());
    let mut listed: BTreeSet<String> = BTreeSet::from(["manifest.json".to_owned()]);
    for file in manifest["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        let bytes = fs::read(takeout.path.join(path)).unwrap();
        assert_eq!(file["bytes"], bytes.len(), "{path}");
        assert_eq!(file["sha256"], sha256(&bytes), "{path}");
        listed.insert(path.to_owned());
    }
    assert_eq!(super::contents(&takeout.path).into_keys().collect::<BTreeSet<_>>(), listed);

    // Every object is as schema.json says.
    let schema: Value = serde_json::from_slice(&fs::read(takeout.path.join("schema.json")).unwrap()).unwrap();
    for file in schema["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        let fields = file["fields"].as_array().unwrap();
        let names: Vec<&Value> = fields.iter().map(|field| &field["name"]).collect();
        let rows = takeout.lines(path);
        let entry = manifest["files"].as_array().unwrap().iter().find(|entry| entry["path"] == path).unwrap();
        assert_eq!(entry["rows"], rows.len(), "{path}");
        for row in &rows {
            assert_eq!(row.as_object().unwrap().keys().collect::<Vec<_>>(), names, "{path}");
            for field in fields {
                let value = &row[field["name"].as_str().unwrap()];
                let fits = match field["type"].as_str().unwrap() {
                    _ if value.is_null() => field["nullable"] == true,
                    "integer" => value.is_i64(),
                    "number" => value.is_number(),
                    "boolean" => value.is_boolean(),
                    _ => value.is_string(),
                };
                assert!(fits, "{path}: {field} {value}");
            }
        }
    }
    // What is named is there.
    let goals: BTreeSet<i64> =
        takeout.lines("goals.jsonl").iter().map(|goal| goal["id"].as_i64().unwrap()).collect();
    assert!(
        takeout.lines("check-ins.jsonl").iter().all(|said| goals.contains(&said["goalId"].as_i64().unwrap()))
    );

    // The CSV has every goal that is more than a mention, also restricted ones.
    let held: Vec<String> = takeout
        .lines("goals.jsonl")
        .iter()
        .filter(|goal| goal["origin"] != "reference")
        .map(|goal| goal["id"].to_string())
        .collect();
    assert!(takeout.lines("goals.jsonl").iter().any(|goal| goal["isRestricted"] == true));
    let mut csv = csv::Reader::from_path(takeout.path.join("goals.csv")).unwrap();
    let rows: Vec<String> = csv.records().map(|row| row.unwrap()[0].to_owned()).collect();
    assert_eq!(rows, held);
    let titles = takeout.lines("goals.jsonl").iter().map(|goal| goal["title"].clone()).collect::<Vec<_>>();
    assert!(!titles.contains(&json!("")));
}

#[test]
fn the_words_of_the_folder_are_kept() {
    let folder = Folder::new(1, "");
    let takeout = Takeout::of(&folder);
    insta::assert_snapshot!("readme", fs::read_to_string(takeout.path.join("README.txt")).unwrap());
    insta::assert_snapshot!("schema", fs::read_to_string(takeout.path.join("schema.json")).unwrap());
}

#[test]
fn nothing_is_written_over_and_nothing_half_is_left() {
    let folder = Folder::new(3, "");
    let takeout = Takeout::of(&folder);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&takeout.path), mode(&takeout.path.join("goals.jsonl"))), (0o700, 0o600));
    let refused = export(&folder, &takeout.path);
    assert!(stderr(&refused).contains("is there already"), "{}", stderr(&refused));
    let nobody = folder
        .command("export")
        .args(["--everything", "--organization", "00000000-0000-0000-0000-00000000000f", "--out"])
        .arg(takeout.above.path().join("nobody"))
        .output()
        .unwrap();
    assert!(stderr(&nobody).contains("there is no organization"), "{}", stderr(&nobody));
    let choice =
        folder.command("export").args(["--everything", "--format", "xlsx", "--out", "x"]).output().unwrap();
    assert_eq!(choice.status.code(), Some(2), "{}", stderr(&choice));
    // Neither of them left anything beside it.
    let names: Vec<_> =
        fs::read_dir(takeout.above.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["contoso"]);
}

#[test]
fn an_organization_that_is_there_is_not_written_over() {
    let folder = Folder::new(3, "");
    let takeout = Takeout::of(&folder);
    let refused = takeout.read_back(&folder, &[]);
    let told = stderr(&refused);
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("is there already") && told.contains("hint: nothing was written"), "{told}");
    assert_same(&takeout.path, &Takeout::of(&folder).path, "after a refusal");
    let wrong = takeout.read_back(&folder, &["--prune"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
}

#[test]
fn an_organization_whose_number_is_taken_gets_another() {
    let folder = Folder::new(10, "");
    let takeout = Takeout::of(&folder);
    let other = "00000000-0000-0000-0000-00000000000e";
    forge(&takeout, "organization.jsonl", |lines| lines[0]["id"] = other.into());
    manifest(&takeout, |manifest| manifest["organization"] = other.into());
    // Beside the one that it was, where its people are other people.
    let read = takeout.read_back(&folder, &[]);
    assert!(read.status.success(), "{}", stderr(&read));
    let told = stderr(&export(&folder, &takeout.above.path().join("which")));
    assert!(told.contains("there are 2 organizations") && told.contains("--organization"), "{told}");
    let again = takeout.above.path().join("again");
    let mut command = folder.command("export");
    let written =
        command.args(["--everything", "--organization", other, "--out"]).arg(&again).output().unwrap();
    assert!(written.status.success(), "{}", stderr(&written));
    let number = super::lines(&again, "organization.jsonl")[0]["number"].as_i64().unwrap();
    assert!(number >= 1 << 40 && takeout.lines("organization.jsonl")[0]["number"] != number, "{number}");
    let (mut first, mut second) = (super::contents(&takeout.path), super::contents(&again));
    for files in [&mut first, &mut second] {
        files.remove("organization.jsonl");
        files.remove("manifest.json");
    }
    assert!(first == second);
}

#[test]
fn a_folder_of_an_older_program_is_read() {
    let folder = Folder::new(20, "");
    let takeout = Takeout::of(&folder);
    let before = super::contents(&takeout.path);
    // As if that one had known neither shares of views nor what is said at the end of a goal.
    fs::remove_file(takeout.path.join("view-shares.jsonl")).unwrap();
    let without = |lines: &mut Vec<Value>, name: &str| {
        for line in lines {
            line.as_object_mut().unwrap().remove(name).unwrap();
        }
    };
    forge(&takeout, "goals.jsonl", |lines| without(lines, "endingNote"));
    manifest(&takeout, |manifest| {
        manifest["schema"] = "1.1".into();
        manifest["files"].as_array_mut().unwrap().retain(|file| file["path"] != "view-shares.jsonl");
    });
    let place = empty_place(Engine::of_this_run(), &folder);
    let read = takeout.read_back(&place, &[]);
    assert!(read.status.success(), "{}", stderr(&read));
    assert!(super::contents(&Takeout::of(&place).path) == before);
    // What must be there is missed all the same.
    forge(&takeout, "goals.jsonl", |lines| without(lines, "title"));
    let refused = takeout.read_back(&empty_place(Engine::of_this_run(), &folder), &[]);
    assert!(stderr(&refused).contains("line 1: `title` is null"), "{}", stderr(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_with_what_was_read_back() {
    let mut folder = Folder::new(40, "");
    let takeout = Takeout::of(&folder);
    let mut place = empty_place(Engine::of_this_run(), &folder);
    let read = takeout.read_back(&place, &[]);
    assert!(read.status.success(), "{}", stderr(&read));
    let owner =
        takeout.lines("people.jsonl").into_iter().find(|person| person["role"] == "Organization Owner");
    let email = owner.unwrap()["email"].as_str().unwrap().to_owned();
    let mut files = Vec::new();
    for place in [&mut folder, &mut place] {
        place.sign_in(&email);
        let server = place.serve(&[]);
        let id = crate::jobs::process::create(&server).await;
        crate::jobs::process::until_status(&server, &id, "succeeded", std::time::Duration::from_secs(30))
            .await;
        let content = server.client.get_content(&id).await;
        assert_eq!(content.status, 200, "{}", content.text());
        files.push(content.bytes);
    }
    assert!(files[0] == files[1] && !files[0].is_empty());
}
