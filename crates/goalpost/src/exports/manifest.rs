//! What stands beside a file: what it is, by which a reader needs nobody to ask.

use goalpost_tabular::{ColumnKind, Head, Xlsx};
use serde::Serialize;
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    file_name: &'a str,
    media_type: &'static str,
    bytes: u64,
    sha256: String,
    rows: u64,
    columns_version: u32,
    columns: Vec<Column<'a>>,
    options: &'a Options,
    view: Value,
    since: Option<Since>,
    revision: i64,
    as_of: String,
    visible_as_person: i64,
    same_for_everyone: bool,
    omitted_alignments: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows_without_link: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Column<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    about: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Since {
    revision: i64,
    as_of: String,
}

/// The manifest of a file, as JSON.
pub(super) fn of(made: &Made, order: &Order, spec: &ExportSpec, heads: &[Head]) -> String {
    let viva = Options::default();
    let options = spec.options.as_ref().unwrap_or(&viva);
    let manifest = Manifest {
        file_name: &made.file_name,
        media_type: media_type(&made.file_name),
        bytes: made.stored.size_bytes,
        sha256: hex(&made.stored.sha256),
        rows: made.row_count,
        columns_version: VERSION,
        columns: heads.iter().map(|head| column(head, options)).collect(),
        options,
        view: view(order, spec),
        since: spec
            .since
            .map(|since| Since { revision: since.revision, as_of: precise_date_time(since.at_us) }),
        revision: made.revision,
        as_of: precise_date_time(made.as_of_at),
        visible_as_person: order.creator.0,
        same_for_everyone: made.same_for_everyone,
        omitted_alignments: made.omitted_count,
        rows_without_link: (options.links == Links::Id).then(|| Xlsx::unlinked(made.row_count)),
    };
    serde_json::to_string(&manifest).expect("texts and numbers are JSON")
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

fn column<'a>(head: &'a Head, options: &'a Options) -> Column<'a> {
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
    let zone = options.time_zone.as_deref().filter(|_| head.name != CHECK_IN_COLUMNS[0].name);
    let time_zone = (head.kind == ColumnKind::Moment).then(|| zone.unwrap_or("UTC"));
    Column { name: &head.name, kind: head.kind.as_str(), about, time_zone }
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
