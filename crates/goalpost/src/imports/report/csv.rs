//! The report as a table: a row for each thing that it says, for spreadsheets.

use goalpost_tabular::Csv;
use serde_json::Value;

/// The header.
const COLUMNS: [&str; 6] = ["Kind", "Entity", "Id", "Field", "Value", "Note"];

/// The table of a report, which is given as JSON: the one that is kept, of an import that went well or did not.
pub fn table(report: &Value) -> Vec<u8> {
    let mut rows = Rows(Csv::new());
    rows.add(COLUMNS);
    rows.problems(report);
    rows.counts(report);
    rows.findings(report);
    std::mem::take(rows.0.buffer())
}

struct Rows(Csv);

impl Rows {
    fn add(&mut self, cells: [&str; 6]) {
        for cell in cells {
            self.0.text(cell);
        }
        self.0.end_record();
    }

    /// Why it came to nothing.
    fn problems(&mut self, report: &Value) {
        if report["failed"] != true {
            return;
        }
        self.add(["failure", "", "", "", &text(&report["message"]), &text(&report["hint"])]);
        for problem in list(&report["problems"]) {
            self.add(["problem", "", "", "", &text(problem), ""]);
        }
    }

    fn counts(&mut self, report: &Value) {
        for tally in list(&report["entities"]) {
            let entity = text(&tally["entity"]);
            for field in ["read", "added", "changed", "unchanged", "aside", "missing", "removed"] {
                self.add(["count", &entity, "", field, &text(&tally[field]), ""]);
            }
        }
        for field in ["tasks", "restrictedGoals"] {
            if !report[field].is_null() {
                self.add(["count", "", "", field, &text(&report[field]), ""]);
            }
        }
        for label in list(&report["labels"]) {
            let note = format!(
                "{} goals; {}: {}",
                text(&label["goals"]),
                text(&label["certainty"]),
                text(&label["reason"])
            );
            self.add(["label", "", "", &text(&label["label"]), &text(&label["objectType"]), &note]);
        }
    }

    fn findings(&mut self, report: &Value) {
        for label in list(&report["unusedLabels"]) {
            self.add(["unusedLabel", "", "", &text(label), "", ""]);
        }
        self.listed(&report["references"], "reference", |entry| {
            let note = format!("{} times", text(&entry["times"]));
            [text(&entry["kind"]), text(&entry["id"]), String::new(), text(&entry["name"]), note]
        });
        self.listed(&report["asides"], "aside", |entry| {
            let [entity, id, path, value] = ["entity", "id", "path", "value"].map(|name| text(&entry[name]));
            [entity, id, path, value, String::new()]
        });
        self.listed(&report["conflicts"], "conflict", |entry| {
            let fate = if entry["taken"] == true { "the file's taken" } else { "ours kept" };
            let note = format!("here {}; {fate}", entry["here"]);
            let (id, field) = (text(&entry["goal"]), text(&entry["field"]));
            ["objectives".to_owned(), id, field, entry["file"].to_string(), note]
        });
        self.listed(&report["missing"], "missing", |entry| {
            let fate = if entry["removed"] == true { "removed" } else { "stays" };
            let [entity, id, name] = ["entity", "id", "name"].map(|member| text(&entry[member]));
            [entity, id, String::new(), name, fate.to_owned()]
        });
        self.listed(&report["unclearPermissions"], "unclearPermissions", |goal| {
            let nothing = String::new;
            ["objectives".to_owned(), text(goal), nothing(), nothing(), "taken as restricted".to_owned()]
        });
        self.listed(&report["leftOut"], "leftOut", |row| {
            let nothing = String::new;
            ["rows".to_owned(), text(&row["row"]), nothing(), text(&row["title"]), text(&row["reason"])]
        });
        if !report["mapping"].is_null() {
            self.add(["mapping", "", "", "", &text(&report["mapping"]), "to be filled in, for `--map`"]);
        }
        for name in list(&report["ignoredMembers"]) {
            self.add(["ignoredMember", "", "", "", &text(name), ""]);
        }
        for note in list(&report["notes"]) {
            self.add(["note", "", "", "", &text(note), ""]);
        }
    }

    /// The entries of a list that is cut, and how many were left out.
    fn listed(&mut self, listed: &Value, kind: &str, cells: impl Fn(&Value) -> [String; 5]) {
        let entries = list(&listed["first"]);
        for entry in entries {
            let [entity, id, field, value, note] = cells(entry);
            self.add([kind, &entity, &id, &field, &value, &note]);
        }
        let more = listed["total"].as_u64().unwrap_or_default().saturating_sub(entries.len() as u64);
        if more > 0 {
            self.add([kind, "", "", "", "", &format!("and {more} more")]);
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
