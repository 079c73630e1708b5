//! The command line as an administrator's script uses it: an organization from nothing, its people and its goals.

#![expect(clippy::unwrap_used, reason = "what is not there ends the test")]

use serde_json::Value;

use crate::cli::Shell;

/// A data folder with one organization, whose GUID every call names.
struct Office {
    shell: Shell,
    organization: String,
}

impl Office {
    fn founded() -> Self {
        let shell = Shell::new();
        let made = shell.json(&["org", "create", "--name", "Wren"]);
        let organization = made["id"].as_str().unwrap().to_owned();
        let office = Self { shell, organization };
        office.json(&["user", "add", "--name", "Ada", "--email", "ada@wren.example", "--role", "owner"]);
        office.json(&[
            "user",
            "add",
            "--name",
            "Ben",
            "--email",
            "ben@wren.example",
            "--manager",
            "ada@wren.example",
        ]);
        office.json(&["period", "create", "--name", "Q1", "--start", "2026-01-01", "--end", "2026-03-31"]);
        office.json(&["team", "create", "--name", "Harbour", "--owner", "ada@wren.example"]);
        office.json(&["tag", "create", "--name", "Pilot"]);
        office
    }

    fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        let (command, rest) = args.split_at(2);
        [command, &["--organization", &self.organization], rest].concat()
    }

    fn json(&self, args: &[&str]) -> Value {
        self.shell.json(&self.args(args))
    }

    fn refused(&self, args: &[&str], expected: &str) {
        let told = self.shell.failure(1, &self.args(args));
        assert!(told.contains(expected), "{args:?}: {told}");
    }

    fn goal(&self, args: &[&str]) -> String {
        let made = self.json(&[&["goal", "create", "--period", "q1"], args].concat());
        made["id"].to_string()
    }
}

#[test]
fn goals_are_made_aligned_weighed_and_carried_on() {
    let office = Office::founded();
    let top = office.goal(&[
        "--title",
        "Top",
        "--owner",
        "ada@wren.example",
        "--team",
        "harbour",
        "--tag",
        "pilot",
    ]);
    let first = office.goal(&["--title", "First", "--type", "keyResult", "--parent", &top]);
    let second = office.goal(&[
        "--title",
        "Second",
        "--type",
        "keyresult",
        "--target-type",
        "reach",
        "--target",
        "10",
        "--unit",
        "Number",
    ]);
    let aligned = office.json(&["goal", "align", "--goal", &second, "--parent", &top, "--weight", "75"]);
    assert_eq!(aligned["parents"].to_string(), format!("[{top}]"));
    office.json(&["checkin", "add", "--goal", &second, "--value", "5"]);
    let shown = || office.json(&["goal", "show", "--goal", &top]);
    assert_eq!(shown()["progressPercent"], 37.5);
    office.json(&["goal", "weights", "--goal", &top, "--set", &format!("{second}=50,{first}=free")]);
    assert_eq!(shown()["progressPercent"], 25.0);
    office.refused(
        &["goal", "weights", "--goal", &top, "--set", &format!("{second}=50,{first}=60")],
        "error: the fixed weights are 110 % together; they may be 100 % at most\nhint: give less",
    );
    office.refused(&["goal", "align", "--goal", &top, "--parent", &top], "would be below itself");

    let said = office.json(&["checkin", "list", "--goal", &second]);
    let said = said[0]["id"].to_string();
    office.json(&["checkin", "change", "--checkin", &said, "--value", "8", "--note", "Better"]);
    assert_eq!(shown()["progressPercent"], 40.0);
    office.json(&["checkin", "delete", "--checkin", &said]);
    office.json(&[
        "goal",
        "change",
        "--goal",
        &first,
        "--title",
        "Still first",
        "--owner",
        "ben@wren.example",
    ]);
    office.json(&["goal", "comment", "--goal", &first, "--text", "Well done", "--by", "ada@wren.example"]);

    office.refused(&["goal", "postpone", "--goal", &top], "hint: name one by `--period`, or make one");
    office.json(&["period", "create", "--name", "Q2", "--start", "2026-04-01", "--end", "2026-06-30"]);
    let put_off = office.json(&["goal", "postpone", "--goal", &top, "--note", "Rain"]);
    assert_eq!(
        (&put_off["status"], put_off["alsoChanged"].as_array().unwrap().len()),
        (&"Not Started".into(), 2)
    );
    assert_eq!(shown()["status"], "Postponed");
    let again = office.json(&["goal", "clone", "--goal", &top, "--title", "Again"]);
    assert_eq!(again["title"], "Again");
    office.refused(&["goal", "delete", "--goal", &top], "2 goals are aligned to goal");
    office.json(&["goal", "delete", "--goal", &top, "--keep-below"]);
    let all = office.json(&["goal", "list"]);
    assert_eq!(all.as_array().unwrap().len(), 6);
    let table = office.shell.text(&office.args(&["goal", "list", "--limit", "1"]));
    assert!(table.starts_with("ID ") && table.contains("Still first"), "{table}");
}

#[test]
fn an_office_is_kept_in_order() {
    let office = Office::founded();
    let changed = office.json(&["user", "change", "--user", "ben@wren.example", "--type", "observer"]);
    assert_eq!(changed["memberType"], "observer");
    office.refused(
        &["user", "change", "--user", "ada@wren.example", "--status", "deactivated"],
        "is the last active owner of the organization\nhint: make somebody else an owner first",
    );
    office.refused(
        &["goal", "create", "--period", "Q1", "--title", "x", "--owner", "ben@wren.example"],
        "can be given no goal\nhint: `goalpost user change` makes somebody active",
    );
    office.json(&["team", "change", "--team", "Harbour", "--name", "Port", "--member", "ben@wren.example"]);
    let teams = office.json(&["team", "list"]);
    assert_eq!((&teams[0]["name"], &teams[0]["status"]), (&"Port".into(), &"Active".into()));
    assert_eq!(office.json(&["team", "archive", "--team", "Port"])["status"], "Archived");
    assert_eq!(office.json(&["team", "restore", "--team", "Port"])["status"], "Active");
    office.json(&["team", "delete", "--team", "Port"]);
    office.refused(
        &["team", "delete", "--team", "Port"],
        "there is no team `Port`\nhint: `goalpost team list`",
    );

    office.goal(&["--title", "In the quarter"]);
    office.refused(&["period", "delete", "--period", "Q1"], "error: 1 goals have the time period");
    office.json(&[
        "org",
        "set",
        "--planning-year-start",
        "1",
        "--goal-policy",
        "members",
        "--term-objective",
        "theme",
    ]);
    let shown = office.json(&["org", "show"]);
    assert_eq!((&shown["planningYearStart"], &shown["goalPolicy"]), (&1.into(), &"members".into()));
    let made = office.json(&["period", "roll-over", "--today", "2026-10-01"]);
    assert_eq!(made.as_array().unwrap().len(), 5);
    assert_eq!(office.json(&["period", "roll-over", "--today", "2026-10-01"]), serde_json::json!([]));
    office.json(&["tag", "rename", "--tag", "Pilot", "--name", "Trial"]);
    assert_eq!(office.json(&["tag", "list"])[0]["name"], "Trial");
    office.json(&["tag", "delete", "--tag", "Trial"]);
    office.refused(&["org", "set", "--term-okr", "Wish"], "`Wish` is no word for goals: there are OKR, Goal");
}

#[test]
fn shells_and_manuals_know_every_command() {
    let shell = Shell::new();
    for name in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = shell.text(&["completions", name]);
        assert!(script.contains("postpone") && script.contains("goalpost"), "{name}");
    }
    assert!(shell.text(&["man"]).contains(".TH goalpost 1"));
    let folder = tempfile::tempdir().unwrap();
    shell.text(&["man", "--output-dir", folder.path().to_str().unwrap()]);
    let page = std::fs::read_to_string(folder.path().join("goalpost-goal-create.1")).unwrap();
    assert!(page.contains("goal create") && page.contains("target\\-type"), "{page}");
}
