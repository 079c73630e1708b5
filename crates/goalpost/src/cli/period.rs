//! `goalpost period`.

use clap::{Args, Subcommand};
use goalpost::orgs::periods::{self, Period, PeriodPatch};
use goalpost_db::Scope;
use jiff::civil::Date;
use serde::Serialize;
use uuid::Uuid;

use super::deed::{self, Actor, day};
use super::failure::Failure;
use super::printer::plain;
use super::{Session, lookup};

/// List, make and change time periods
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:
  goalpost period list --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853")]
pub(super) enum PeriodCommand {
    /// List the time periods of an organization, the earliest first
    List(ListArgs),
    /// Make a time period
    Create(CreateArgs),
    /// Change a time period; goals keep their own days
    Change(ChangeArgs),
    /// Take away a time period that no goal is in
    Delete(WhichArgs),
    /// Make what is missing of the planning year to come; a server does so by itself
    RollOver(RollOverArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost period list --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --output json")]
pub(super) struct ListArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost period create --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --name \"Q2 2026\" \\
    --start 2026-04-01 --end 2026-06-30")]
pub(super) struct CreateArgs {
    #[command(flatten)]
    actor: Actor,
    #[command(flatten)]
    fields: FieldArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost period change --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --period \"Q2 2026\" --end 2026-07-15")]
pub(super) struct ChangeArgs {
    #[command(flatten)]
    which: WhichArgs,
    #[command(flatten)]
    fields: FieldArgs,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:
  goalpost period delete --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --period \"Q2 2026\"")]
pub(super) struct WhichArgs {
    #[command(flatten)]
    actor: Actor,
    /// The time period, by name or number
    #[arg(long, value_name = "PERIOD")]
    period: String,
}

#[derive(Clone, Debug, Args)]
struct FieldArgs {
    /// Its name, which no other time period has
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Its first day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    start: Option<Date>,
    /// Its last day, which belongs to it
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    end: Option<Date>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost period roll-over --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --today 2026-10-01")]
pub(super) struct RollOverArgs {
    #[command(flatten)]
    actor: Actor,
    /// The day to go by [default: today, in UTC]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    today: Option<Date>,
}

impl From<FieldArgs> for PeriodPatch {
    fn from(FieldArgs { name, start, end }: FieldArgs) -> Self {
        Self { name, start, end }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PeriodEntry {
    id: i64,
    name: String,
    start: Option<String>,
    end: Option<String>,
}

impl From<Period> for PeriodEntry {
    fn from(Period { number, name, start, end }: Period) -> Self {
        let [start, end] = [start, end].map(|day| day.map(|day| day.to_string()));
        Self { id: number, name, start, end }
    }
}

pub(super) async fn run(command: PeriodCommand, session: &Session) -> Result<(), Failure> {
    match command {
        PeriodCommand::List(args) => {
            let periods = session.open()?.db.snapshot(Scope::Global, |tx| {
                let organization = lookup::organization(tx, args.organization)?.number;
                Ok::<_, Failure>(periods::list(tx, organization)?)
            })?;
            print_all(session, periods)
        }
        PeriodCommand::Create(CreateArgs { actor, fields }) => {
            let patch = PeriodPatch::from(fields);
            let made = deed::change(session, &actor, move |at| {
                Ok(periods::create(at.tx, at.number(), at.actor, &patch)?)
            });
            print(session, made.await?)
        }
        PeriodCommand::Change(ChangeArgs { which: WhichArgs { actor, period }, fields }) => {
            let patch = PeriodPatch::from(fields);
            let changed = deed::change(session, &actor, move |at| {
                Ok(periods::change(at.tx, at.number(), at.actor, at.period(&period)?, &patch)?)
            });
            print(session, changed.await?)
        }
        PeriodCommand::Delete(WhichArgs { actor, period }) => {
            let gone = deed::change(session, &actor, move |at| {
                let number = at.period(&period)?;
                let all = periods::list(at.tx, at.number())?;
                periods::delete(at.tx, at.number(), at.actor, number)?;
                let found = all.into_iter().find(|period| period.number == number);
                found.ok_or_else(|| Failure::new(format!("there is no time period `{period}`")))
            });
            print(session, gone.await?)
        }
        PeriodCommand::RollOver(RollOverArgs { actor, today }) => {
            let made = deed::change(session, &actor, move |at| {
                let today = today.unwrap_or_else(|| periods::today(at.tx));
                Ok(periods::roll_over(at.tx, at.number(), at.actor, today)?)
            });
            print_all(session, made.await?)
        }
    }
}

fn day_or_dash(day: Option<&str>) -> String {
    day.unwrap_or("-").to_owned()
}

fn print_all(session: &Session, periods: Vec<Period>) -> Result<(), Failure> {
    let entries: Vec<PeriodEntry> = periods.into_iter().map(PeriodEntry::from).collect();
    session.printer.list(&entries, ["ID", "NAME", "START", "END"], |period| {
        [
            period.id.to_string(),
            period.name.clone(),
            day_or_dash(period.start.as_deref()),
            day_or_dash(period.end.as_deref()),
        ]
    })
}

fn print(session: &Session, period: Period) -> Result<(), Failure> {
    let entry = PeriodEntry::from(period);
    session.printer.one(&entry, || {
        let PeriodEntry { id, name, start, end } = &entry;
        let (start, end) = (day_or_dash(start.as_deref()), day_or_dash(end.as_deref()));
        format!("Period    {id}\nName      {}\nStart     {start}\nEnd       {end}", plain(name))
    })
}
