//! `goalpost checkin`.

use clap::{Args, Subcommand};
use goalpost::audit;
use goalpost::goals::checkin::{self, CheckIn, CheckInError, NewCheckIn};
use goalpost_db::Scope;
use goalpost_okr::Status;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::deed::day;
use super::failure::Failure;
use super::{Session, lookup, said};

/// Say how goals go
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:
  goalpost checkin add --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 --value 42")]
pub(super) enum CheckInCommand {
    /// Check in on a goal; what follows for the goals above it is done with it
    Add(AddArgs),
    /// List the check-ins of a goal, the earliest first
    List(said::ListArgs),
    /// Set a check-in right; if it is the latest, its goal follows
    Change(said::ChangeArgs),
    /// Take a check-in back; if it was the latest, its goal is where the one before said
    Delete(said::WhichArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost checkin add --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 --value 42
  goalpost checkin add --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 \\
    --status Behind --note \"Two people are ill\" --date 2026-01-31 --by ada@contoso.example")]
pub(super) struct AddArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
    /// The goal's number, as exports print it under `Id`
    #[arg(long, value_name = "NUMBER")]
    goal: i64,
    /// The metric's value now, or the percentage of a goal without a metric
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    value: Option<f64>,
    /// How it goes: `Not Started`, `On Track`, `Behind` or `At Risk`; without it, the goal's own rule says it
    #[arg(long, value_name = "STATUS", value_parser = status)]
    status: Option<Status>,
    /// Anything else that is to be said
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// The day of which it speaks [default: today, in UTC]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    date: Option<Date>,
    /// E-mail of the person who says it
    #[arg(long, value_name = "E-MAIL")]
    by: Option<String>,
}

/// A clap value parser: the files' words, in any case and with or without spaces.
pub(super) fn status(text: &str) -> Result<Status, String> {
    let plain = |text: &str| text.to_lowercase().replace([' ', '-'], "");
    let found = Status::ALL.iter().find(|status| plain(status.as_str()) == plain(text));
    found.copied().ok_or_else(|| "write `Not Started`, `On Track`, `Behind` or `At Risk`".to_owned())
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckInEntry {
    id: i64,
    goal: i64,
    as_of: String,
    value: Option<f64>,
    status: String,
    /// The goals above that changed by it.
    changed_above: Vec<i64>,
}

pub(super) async fn run(command: CheckInCommand, session: &Session) -> Result<(), Failure> {
    match command {
        CheckInCommand::Add(args) => add(args, session).await,
        CheckInCommand::List(args) => said::list(&args, session),
        CheckInCommand::Change(args) => said::change(args, session).await,
        CheckInCommand::Delete(args) => said::delete(args, session).await,
    }
}

async fn add(args: AddArgs, session: &Session) -> Result<(), Failure> {
    let AddArgs { organization, goal, value, status, note, date, by } = args;
    let app = session.open()?;
    let made = app.db.write(Scope::Global, move |tx| {
        let organization = lookup::organization(tx, organization)?;
        let by = by.as_deref().map(|email| lookup::person(tx, &organization, email)).transpose()?;
        let owner = by.map(|person| person.number);
        let new = NewCheckIn { goal, value, status, note: note.clone(), as_of: date, owner };
        let made = checkin::check_in(tx, organization.number, None, &new)?;
        let detail = json!({ "goal": goal, "changedAbove": made.changed_above.len() });
        audit::record(tx, organization.number, None, "checkin.create", &made.id.to_string(), &detail)?;
        Ok::<_, Failure>(made)
    });
    let CheckIn { id, as_of, value, status, changed_above } = made.await?;
    let entry = CheckInEntry { id, goal, as_of: as_of.to_string(), value, status, changed_above };
    session.printer.one(&entry, || {
        let value = entry.value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        format!(
            "Check-in  {id}\nGoal      {goal}\nDay       {as_of}\nValue     {value}\nStatus    {}\nAbove it  {} changed",
            entry.status,
            entry.changed_above.len()
        )
    })
}

impl From<CheckInError> for Failure {
    fn from(error: CheckInError) -> Self {
        let message = error.to_string();
        Self::new(message).hint(match error {
            CheckInError::Database(error) => return error.into(),
            CheckInError::NoSuchGoal(_) => "exports print the numbers of goals in their column `Id`",
            CheckInError::IsOver(..) => "only a goal that is under way takes check-ins; `goalpost goal reopen` opens a closed one",
            CheckInError::Empty => "add `--value`, `--status` or `--note`",
            CheckInError::NoNumber(_) => "write a number such as 42 or 0.5",
            CheckInError::NotByCheckIn(_) => {
                "write `Not Started`, `On Track`, `Behind` or `At Risk`, and for a goal that looks for its baseline `In-progress`"
            }
            CheckInError::InFuture(_) => "a check-in speaks of today or of a day before; days are those of UTC",
        })
    }
}
