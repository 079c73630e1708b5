//! `goalpost export --everything`.

use std::path::PathBuf;

use goalpost::takeout::manifest::Manifest;
use goalpost::takeout::write::save;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::failure::Failure;
use super::super::printer::{Progress, plain};
use super::super::{Session, lookup};

pub(super) fn run(
    organization: Option<Uuid>,
    out: Option<PathBuf>,
    session: &Session,
) -> Result<(), Failure> {
    let out = out.ok_or_else(|| Failure::new("an export needs --out"))?;
    let app = session.open()?;
    let bar = Progress::bar();
    let manifest = tokio::task::block_in_place(|| {
        let organization = organization.map_or_else(|| lookup::only_organization(&app.db), Ok)?;
        let tell = &mut |step: goalpost::backup::Progress| bar.at(&step.what, step.done, step.total);
        Ok::<_, Failure>(save(&app.db, organization, &out, tell)?)
    })?;
    drop(bar);
    session.printer.one(&summary(&manifest), || format!("`{}` holds {}", out.display(), describe(&manifest)))
}

/// A folder as JSON.
pub(in super::super) fn summary(manifest: &Manifest) -> Value {
    json!({
        "organization": manifest.organization,
        "name": manifest.name,
        "revision": manifest.revision,
        "exportedDateTime": manifest.exported_date_time,
        "rows": manifest.rows(),
        "bytes": manifest.bytes(),
        "files": manifest.files.len(),
    })
}

/// A folder in words.
pub(in super::super) fn describe(manifest: &Manifest) -> String {
    format!(
        "everything of {} ({})\nAs of      {}, revision {}\nFiles      {}\nRows       {}\nBytes      {}",
        plain(&manifest.name),
        manifest.organization,
        manifest.exported_date_time,
        manifest.revision,
        manifest.files.len(),
        manifest.rows(),
        manifest.bytes()
    )
}
