//! The order of the program's slices: each uses only what lies on a lower floor, or itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// From the top. Within one floor a slice may use another, but not in a circle.
const FLOORS: [&[&str]; 10] = [
    &["cli", "main"],
    &["router", "server"],
    &["api", "backup", "batch", "demo", "exports", "imports", "nodes", "takeout"],
    &["views"],
    &["goals"],
    &["observe", "orgs", "web"],
    &["audit", "origin"],
    &["app"],
    &["identity", "jobs"],
    &[
        "clock",
        "config",
        "http",
        "ids",
        "kept",
        "keyset",
        "metrics",
        "shared_read",
        "stop",
        "store",
        "table",
        "trace",
    ],
];

/// What each slice uses of the others.
type Uses = BTreeMap<String, BTreeSet<String>>;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/goalpost/src")
}

fn floor(slice: &str) -> usize {
    let floor = FLOORS.iter().position(|floor| floor.contains(&slice));
    floor.unwrap_or_else(|| panic!("`{slice}` has no floor yet: give it one in FLOORS"))
}

/// All files of a folder and of those in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.expect("the folder can be read").path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The slice that a file belongs to: the name of its folder in `src`, or its own.
fn slice_of(file: &Path) -> String {
    let first =
        file.strip_prefix(source()).ok().and_then(|path| path.iter().next()).expect("the file is in `src`");
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The slices that a text names behind `crate::`, alone or in a list; comments do not count.
fn named(text: &str) -> BTreeSet<String> {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let paths = code.split("crate::").skip(1);
    paths.flat_map(|path| path.strip_prefix('{').map_or_else(|| vec![word(path)], heads_of_list)).collect()
}

/// The name that a text begins with.
fn word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The names that the items of a list begin with, up to its closing bracket: `a, b` of `a::{x, y}, b::z};`.
fn heads_of_list(list: &str) -> Vec<String> {
    let (mut depth, mut heads, mut head) = (0, Vec::new(), true);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => head = true,
            c if head && !c.is_whitespace() => {
                heads.push(word(&list[at..]));
                head = false;
            }
            _ => {}
        }
    }
    heads
}

fn uses() -> Uses {
    let mut uses = Uses::new();
    for file in files(&source()) {
        let slice = slice_of(&file);
        if slice == "lib" {
            continue; // declares them all
        }
        let text =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let used = uses.entry(slice.clone()).or_default();
        used.extend(named(&text).into_iter().filter(|name| *name != slice));
    }
    uses
}

#[test]
fn a_slice_uses_lower_floors_only() {
    let upward: Vec<String> = uses()
        .iter()
        .flat_map(|(slice, used)| used.iter().map(move |other| (slice, other)))
        .filter(|(slice, other)| floor(other) < floor(slice))
        .map(|(slice, other)| format!("{slice} uses {other}"))
        .collect();
    assert!(upward.is_empty(), "{upward:?}");
}

#[test]
fn no_slice_uses_itself_through_others() {
    let uses = uses();
    for start in uses.keys() {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&String> = uses[start].iter().collect();
        while let Some(slice) = next.pop() {
            assert_ne!(slice, start, "`{start}` uses itself through others: {reached:?}");
            if reached.insert(slice) {
                next.extend(uses.get(slice).into_iter().flatten());
            }
        }
    }
}

#[test]
fn every_floor_has_its_slices_in_the_source() {
    let found: BTreeSet<String> = uses().into_keys().collect();
    let known: BTreeSet<String> =
        FLOORS.iter().flat_map(|floor| floor.iter().map(ToString::to_string)).collect();
    assert_eq!(found, known);
}

#[test]
fn names_are_found_alone_and_in_lists() {
    let text = "use crate::app::App;\nuse crate::{audit, http::{self, time},\n    ids::Ids};\n// crate::views\nx(crate::jobs::Y)";
    let expected: Vec<String> = ["app", "audit", "http", "ids", "jobs"].map(String::from).into();
    assert_eq!(named(text).into_iter().collect::<Vec<_>>(), expected);
}
