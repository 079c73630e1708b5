//! An organization of invented people and goals, under the very ids that Graph's documentation uses.
//!
//! It comes in by the front door: a ZIP of the shape that Viva Goals handed out is written and imported. Doing it again
//! changes nothing, so a demo can be started on the same data folder as often as one likes.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::Duration;

use goalpost_db::Scope;
use goalpost_viva::sample;
use uuid::{Uuid, uuid};

use crate::app::App;
use crate::goals::filter::Filter;
use crate::imports::{self, ImportError, ImportOptions};
use crate::orgs::queries::find_by_guid;
use crate::views::{self, NewView, Selection, Sort, ViewError};

/// The `goalsOrganizationId` of Graph's documentation of "Create exportJob".
pub const ORGANIZATION: Uuid = uuid!("9ab0fcab-c1d4-4b26-963b-a3c33155f853");
/// The `explorerViewId` of the same example.
pub const VIEW: Uuid = uuid!("2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7");

const ORGANIZATION_NAME: &str = "Contoso (demo)";
const VIEW_NAME: &str = "Every goal";
const ZIP_NAME: &str = "demo.zip";

/// How long to wait while somebody else writes.
const WRITE_WAIT: Duration = Duration::from_mins(1);

/// What was made, or was there.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Its goals.
    pub goals: u64,
    /// E-mail of somebody who is an organization owner, and so may export.
    pub user_email: String,
    /// Where its ZIP lies.
    pub zip: PathBuf,
}

/// How far the demo is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The ZIP is written.
    Inventing {
        /// Goals written.
        done: u64,
        /// Goals to write.
        total: u64,
    },
    /// The ZIP is imported.
    Importing(imports::Progress),
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The ZIP could not be written.
    #[error("cannot write `{}`", .path.display())]
    File {
        /// The ZIP.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The sample could not be made.
    #[error("cannot make the sample `{}`", .path.display())]
    Sample {
        /// The ZIP.
        path: PathBuf,
        /// Why.
        source: goalpost_viva::Error,
    },
    /// The ZIP could not be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The view could not be saved.
    #[error("cannot save the demo's view")]
    View(#[from] ViewError),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] goalpost_db::Error),
}

/// Write a ZIP of so many invented goals, the same for the same seed. Streams: memory does not grow with the goals. A
/// file that was there is replaced once the new one is whole.
pub fn write_zip(
    path: &Path,
    draft_id: Uuid,
    options: &sample::Options,
    progress: &mut dyn FnMut(u64),
) -> Result<sample::Summary, DemoError> {
    let draft = path.with_added_extension(format!("{draft_id}.new"));
    let file_error = |source| DemoError::File { path: path.to_owned(), source };
    let written = File::create_new(&draft).map_err(file_error).and_then(|out| {
        let summary = sample::write(BufWriter::new(out), options, progress)
            .map_err(|source| DemoError::Sample { path: path.to_owned(), source })?;
        fs::rename(&draft, path).map_err(file_error)?;
        Ok(summary)
    });
    if written.is_err() {
        // The first error is the one to tell; a draft that cannot be removed either is in nobody's way.
        drop(fs::remove_file(&draft));
    }
    written
}

/// Make the demo's organization and view in the data folder. Blocks: for a thread that may.
pub fn make(
    app: &App,
    options: &sample::Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Demo, DemoError> {
    let zip = app.config.data.join(ZIP_NAME);
    let summary = write_zip(&zip, app.ids.guid(), options, &mut |done| {
        progress(Progress::Inventing { done, total: options.goals });
    })?;
    let import = ImportOptions {
        organization_name: Some(ORGANIZATION_NAME.to_owned()),
        organization_id: Some(ORGANIZATION),
        ids: app.ids,
        ..ImportOptions::default()
    };
    let mut importing = |step| progress(Progress::Importing(step));
    imports::run(&app.db, &app.config.data, &zip, &import, &mut importing)?;
    app.db.write_alone(Scope::Global, WRITE_WAIT, |tx| {
        let organization = find_by_guid(tx, ORGANIZATION)?
            .ok_or_else(|| goalpost_db::Error::unexpected("the imported organization has no row"))?;
        tx.enter(organization.number.0);
        if views::queries::find(tx, organization.number, VIEW)?.is_none() {
            let view = NewView {
                shares: Vec::new(),
                guid: VIEW,
                name: VIEW_NAME.to_owned(),
                owner: None,
                is_public: true,
                selection: Selection { filter: Filter::everything(), top_level: false },
                flat: true,
                sort: Sort::default(),
            };
            views::create(tx, organization.number, &view, None)?;
        }
        Ok::<_, DemoError>(())
    })?;
    Ok(Demo { goals: summary.goals, user_email: summary.demo_user_email, zip })
}
