//! `goalpost checkin list`, `change` and `delete`.

use clap::Args;
use goalpost::goals::write::Written;
use goalpost::goals::write::checkins::{self, CheckInPatch, Said};
use goalpost_db::Scope;
use goalpost_okr::Status;
use jiff::civil::Date;
use serde::Serialize;
use uuid::Uuid;

use super::deed::{self, Actor, day};
use super::failure::Failure;
use super::{Session, lookup};

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost checkin list --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012")]
pub(super) struct ListArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
    /// The goal's number, as exports print it under `Id`
    #[arg(long, value_name = "NUMBER")]
    goal: i64,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost checkin change --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --checkin 24400012 --value 43")]
pub(super) struct ChangeArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// The metric's value, or the percentage of a goal without a metric
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    value: Option<f64>,
    /// How it goes: `Not Started`, `On Track`, `Behind` or `At Risk`
    #[arg(long, value_name = "STATUS", value_parser = super::checkin::status)]
    status: Option<Status>,
    /// Anything else that is to be said; an empty text takes it away
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// The day of which it speaks
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    date: Option<Date>,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:
  goalpost checkin delete --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --checkin 24400012")]
pub(super) struct WhichArgs {
    #[command(flatten)]
    actor: Actor,
    /// The check-in's number; `goalpost checkin list` shows it
    #[arg(long, value_name = "NUMBER")]
    checkin: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SaidEntry {
    id: i64,
    goal: i64,
    as_of: String,
    value: Option<f64>,
    status: String,
    note: Option<String>,
}

impl From<Said> for SaidEntry {
    fn from(said: Said) -> Self {
        let as_of = said.day().to_string();
        Self { id: said.id, goal: said.goal, as_of, value: said.value, status: said.status, note: said.note }
    }
}

pub(super) fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    let all = session.open()?.db.snapshot(Scope::Global, |tx| {
        let organization = lookup::organization(tx, args.organization)?.number;
        Ok::<_, Failure>(checkins::list(tx, organization, args.goal)?)
    })?;
    let entries: Vec<SaidEntry> = all.into_iter().map(SaidEntry::from).collect();
    session.printer.list(&entries, ["ID", "DAY", "VALUE", "STATUS", "NOTE"], |said| {
        [
            said.id.to_string(),
            said.as_of.clone(),
            said.value.map_or_else(|| "-".to_owned(), |value| value.to_string()),
            said.status.clone(),
            said.note.clone().unwrap_or_default(),
        ]
    })
}

pub(super) async fn change(args: ChangeArgs, session: &Session) -> Result<(), Failure> {
    let ChangeArgs { which: WhichArgs { actor, checkin }, value, status, note, date } = args;
    let patch = CheckInPatch { value, status, note: note.map(Some), as_of: date };
    let written = deed::change(session, &actor, move |at| {
        Ok(checkins::change(at.tx, at.number(), at.actor, checkin, &patch)?)
    });
    print(session, checkin, &written.await?)
}

pub(super) async fn delete(args: WhichArgs, session: &Session) -> Result<(), Failure> {
    let WhichArgs { actor, checkin } = args;
    let written =
        deed::change(session, &actor, move |at| Ok(checkins::delete(at.tx, at.number(), at.actor, checkin)?));
    print(session, checkin, &written.await?)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenEntry {
    id: i64,
    goal: i64,
    /// Other goals that changed by it.
    also_changed: Vec<i64>,
}

fn print(session: &Session, id: i64, written: &Written) -> Result<(), Failure> {
    let entry = WrittenEntry { id, goal: written.goal, also_changed: written.also_changed.clone() };
    session.printer.one(&entry, || {
        format!("Check-in  {id}\nGoal      {}\nAbove it  {} changed", entry.goal, entry.also_changed.len())
    })
}
