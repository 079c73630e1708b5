//! What stands beside a file: what it is, by which a reader needs nobody to ask.

use goalpost_tabular::{ColumnKind, Head, Xlsx};
use serde_json::{Value, json};

use super::changes::CHANGE;
use super::columns::{CHECK_IN_COLUMNS, VERSION, find, in_words};
use super::options::{Links, Options, media_type};
use super::queries::{Made, Order};
use super::spec::ExportSpec;
use crate::http::time::precise_date_time;

/// Which view a file is of.
pub(super) fn view(order: &Order, spec: &ExportSpec) -> Value {
    json!({ "id": order.view, "name": spec.view_name })
}

/// The manifest of a file, as JSON.
pub(super) fn of(made: &Made, order: &Order, spec: &ExportSpec, heads: &[Head]) -> Value {
    let options = spec.options.clone().unwrap_or_default();
    let columns: Vec<Value> = heads.iter().map(|head| column(head, &options)).collect();
    let mut manifest = json!({
        "fileName": made.file_name,
        "mediaType": media_type(&made.file_name),
        "bytes": made.stored.size_bytes,
        "sha256": hex(&made.stored.sha256),
        "rows": made.row_count,
        "columnsVersion": VERSION,
        "columns": columns,
        "options": options,
        "view": view(order, spec),
        "since": spec.since.map(|since| json!({
            "revision": since.revision, "asOf": precise_date_time(since.at_us),
        })),
        "revision": made.revision,
        "asOf": precise_date_time(made.as_of_at),
        "visibleAsPerson": order.creator.0,
        "sameForEveryone": made.same_for_everyone,
        "omittedAlignments": made.omitted_count,
    });
    if options.links == Links::Id {
        manifest["rowsWithoutLink"] = Xlsx::unlinked(made.row_count).into();
    }
    manifest
}

/// Every column that a file may have, for readers of files.
pub fn dictionary() -> Value {
    let goals = super::columns::COLUMNS.iter();
    json!({
        "version": VERSION,
        "goals": goals.map(|c| json!({ "name": c.name, "type": c.kind.as_str(), "about": c.about })).collect::<Vec<_>>(),
        "checkIns": CHECK_IN_COLUMNS.iter()
            .map(|c| json!({ "name": c.name, "type": c.kind.as_str(), "about": c.about })).collect::<Vec<_>>(),
        "options": Options::default(),
    })
}

fn column(head: &Head, options: &Options) -> Value {
    let of_check_in =
        CHECK_IN_COLUMNS.iter().find(|column| column.name == head.name).map(|column| column.about);
    let about = find(&head.name)
        .map(|column| in_words(column, options.labels).about)
        .or(of_check_in)
        .unwrap_or(match head.name.as_str() {
            CHANGE => "What became of the row: created, changed or removed",
            "" | "Checkins" => "One check-in, the oldest first (docs/DATA.md, \"The CSV\")",
            _ => "The name of one of its tags",
        });
    let mut column = json!({ "name": head.name, "type": head.kind.as_str(), "about": about });
    if head.kind == ColumnKind::Moment {
        let zone = options.time_zone.as_deref().filter(|_| head.name != CHECK_IN_COLUMNS[0].name);
        column["timeZone"] = zone.unwrap_or("UTC").into();
    }
    column
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
