//! `goalpost goal`.

mod fields;
mod history;
mod write;

use clap::{Args, Subcommand};
use goalpost::audit;
use goalpost::goals::ending::{self, Ended, Ending, EndingError};
use goalpost::goals::record::{self, Column, GoalRecord, List};
use goalpost::ids::{OrganizationNumber, PersonNumber};
use goalpost_db::{Scope, Tx, Value};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::failure::Failure;
use super::printer::plain;
use super::{Session, lookup};

/// Make, show, change and close goals
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:
  goalpost goal show --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012")]
pub(super) enum GoalCommand {
    /// Show a goal as it is now
    Show(WhichArgs),
    /// List the goals of an organization, by number
    List(ListArgs),
    /// Make a goal
    Create(Box<write::CreateArgs>),
    /// Change a goal
    Change(Box<write::ChangeArgs>),
    /// Put a goal below another one, or give it another weight there
    Align(write::AlignArgs),
    /// Take a goal away from the one above it
    Unalign(write::UnalignArgs),
    /// Say what the goals below a goal contribute to it
    Weights(write::WeightsArgs),
    /// Take a goal away; it stays in the history
    Delete(write::DeleteArgs),
    /// Put a goal off to another time period, with the key results and initiatives below it
    Postpone(write::PostponeArgs),
    /// Make a goal again
    Clone(write::CloneArgs),
    /// Say something about a goal
    Comment(write::CommentArgs),
    /// Tell who changed what of a goal, and when
    History(WhichArgs),
    /// Close a goal, with a score; a goal above that goes by those below it closes with the last of them
    Close(CloseArgs),
    /// Open a closed goal again; its score is taken back
    Reopen(ReopenArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost goal show --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 --output json")]
pub(super) struct WhichArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
    /// The goal's number, as exports print it under `Id`
    #[arg(long, value_name = "NUMBER")]
    goal: i64,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost goal list --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --after 4080012 --limit 50")]
pub(super) struct ListArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
    /// Begin after the goal of this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: i64,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost goal close --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012
  goalpost goal close --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 \\
    --value 42 --score 0.7 --note \"Half of it was luck\" --by ada@contoso.example")]
pub(super) struct CloseArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// The metric's last value, or the last percentage of a goal without a metric [default: the present one]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    value: Option<f64>,
    /// What it was worth, from 0 to 1 [default: what was reached of it]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    score: Option<f64>,
    #[command(flatten)]
    said: SaidArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost goal reopen --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 --note \"Not yet\"")]
pub(super) struct ReopenArgs {
    #[command(flatten)]
    which: WhichArgs,
    #[command(flatten)]
    said: SaidArgs,
}

#[derive(Debug, Args)]
struct SaidArgs {
    /// What is to be learned from it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// E-mail of the person who says it
    #[arg(long, value_name = "E-MAIL")]
    by: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GoalEntry {
    id: i64,
    title: String,
    object_type: String,
    status: String,
    progress: Option<f64>,
    progress_percent: Option<f64>,
    score: Option<f64>,
    parents: Vec<i64>,
    /// Other goals that changed by what was done.
    also_changed: Vec<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndedEntry {
    goal: i64,
    status: String,
    score: Option<f64>,
    check_in: i64,
    /// The goals above that changed by it.
    changed_above: Vec<i64>,
}

pub(super) async fn run(command: GoalCommand, session: &Session) -> Result<(), Failure> {
    match command {
        GoalCommand::Show(args) => show(&args, session),
        GoalCommand::List(args) => list(&args, session),
        GoalCommand::Create(args) => write::create_goal(*args, session).await,
        GoalCommand::Change(args) => write::change_goal(*args, session).await,
        GoalCommand::Align(args) => write::align_goal(args, session).await,
        GoalCommand::Unalign(args) => write::unalign_goal(args, session).await,
        GoalCommand::Weights(args) => write::weigh(args, session).await,
        GoalCommand::Delete(args) => write::delete_goal(args, session).await,
        GoalCommand::Postpone(args) => write::postpone_goal(args, session).await,
        GoalCommand::Clone(args) => write::clone_goal(args, session).await,
        GoalCommand::Comment(args) => write::comment(args, session).await,
        GoalCommand::History(WhichArgs { organization, goal }) => history::run(organization, goal, session),
        GoalCommand::Close(args) => {
            let CloseArgs { which, value, score, said } = args;
            end(session, which, said, "goal.close", move |tx, organization, ending| {
                ending::close(tx, organization, None, &Ending { value, score, ..ending })
            })
            .await
        }
        GoalCommand::Reopen(args) => {
            end(session, args.which, args.said, "goal.reopen", |tx, organization, ending| {
                ending::reopen(tx, organization, None, &ending)
            })
            .await
        }
    }
}

fn show(args: &WhichArgs, session: &Session) -> Result<(), Failure> {
    let goal = session.open()?.db.snapshot(Scope::Global, |tx| {
        let organization = lookup::organization(tx, args.organization)?.number;
        let found = GoalRecord::read(tx, organization, &[args.goal])?.remove(&args.goal);
        found.ok_or_else(|| Failure::from(EndingError::NoSuchGoal(args.goal)))
    })?;
    print(session, &entry(&goal))
}

fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    let entries = session.open()?.db.snapshot(Scope::Global, |tx| {
        let organization = lookup::organization(tx, args.organization)?.number;
        let ids = record::list_ids(tx, organization, args.after, i64::from(args.limit))?;
        let found = GoalRecord::read(tx, organization, &ids)?;
        Ok::<_, Failure>(found.values().map(entry).collect::<Vec<_>>())
    })?;
    session.printer.list(&entries, ["ID", "TYPE", "STATUS", "PERCENT", "TITLE"], |goal| {
        [
            goal.id.to_string(),
            goal.object_type.clone(),
            goal.status.clone(),
            number(goal.progress_percent),
            goal.title.clone(),
        ]
    })
}

/// A goal as commands print it.
fn entry(goal: &GoalRecord) -> GoalEntry {
    let text = |column| match goal.get(column) {
        Value::Text(text) => text.clone(),
        _ => String::new(),
    };
    let real = |column| match goal.get(column) {
        Value::Real(value) => Some(*value),
        _ => None,
    };
    let parents = goal.list(List::Parents).chunks_exact(List::Parents.width());
    GoalEntry {
        id: goal.id,
        title: text(Column::Title),
        object_type: text(Column::ObjectType),
        status: text(Column::Status),
        progress: real(Column::Progress),
        progress_percent: real(Column::ProgressPercent),
        score: real(Column::Score),
        parents: parents
            .filter_map(|entry| if let Value::Int(parent) = entry[0] { Some(parent) } else { None })
            .collect(),
        also_changed: Vec::new(),
    }
}

fn print(session: &Session, entry: &GoalEntry) -> Result<(), Failure> {
    session.printer.one(entry, || {
        let also = match entry.also_changed.len() {
            0 => String::new(),
            others => format!("\nBesides   {others} others changed"),
        };
        format!(
            "Goal      {}\nTitle     {}\nType      {}\nStatus    {}\nProgress  {}\nPercent   {}\nScore     {}{also}",
            entry.id,
            plain(&entry.title),
            entry.object_type,
            plain(&entry.status),
            number(entry.progress),
            number(entry.progress_percent),
            number(entry.score),
        )
    })
}

/// Close or reopen, and say what became of it.
async fn end(
    session: &Session,
    which: WhichArgs,
    said: SaidArgs,
    action: &'static str,
    deed: impl Fn(&Tx<'_>, OrganizationNumber, Ending) -> Result<Ended, EndingError> + Send + 'static,
) -> Result<(), Failure> {
    let (WhichArgs { organization, goal }, SaidArgs { note, by }) = (which, said);
    let app = session.open()?;
    let ended = app.db.write(Scope::Global, move |tx| {
        let organization = lookup::organization(tx, organization)?;
        let by = by.as_deref().map(|email| lookup::person(tx, &organization, email)).transpose()?;
        let owner: Option<PersonNumber> = by.map(|person| person.number);
        let ending = Ending { goal, note: note.clone(), owner, ..Ending::default() };
        let ended = deed(tx, organization.number, ending)?;
        let detail = json!({ "checkIn": ended.checkin, "changedAbove": ended.changed_above.len() });
        audit::record(tx, organization.number, None, action, &goal.to_string(), &detail)?;
        Ok::<_, Failure>(ended)
    });
    let Ended { checkin, status, score, changed_above } = ended.await?;
    let entry = EndedEntry { goal, status, score, check_in: checkin, changed_above };
    session.printer.one(&entry, || {
        let (status, score, above) = (&entry.status, number(entry.score), entry.changed_above.len());
        format!("Goal      {goal}\nStatus    {status}\nScore     {score}\nAbove it  {above} changed")
    })
}

fn number(number: Option<f64>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

impl From<EndingError> for Failure {
    fn from(error: EndingError) -> Self {
        let message = error.to_string();
        Self::new(message).hint(match error {
            EndingError::Database(error) => return error.into(),
            EndingError::NoSuchGoal(_) => "exports print the numbers of goals in their column `Id`",
            EndingError::IsOver(..) => "`goalpost goal reopen` opens a closed goal again",
            EndingError::IsOpen(..) => "only a closed goal can be opened again",
            EndingError::NoNumber(_) => "write a number such as 42 or 0.5",
            EndingError::NoScore(_) => "write a number such as 0.7; 1 is all that was wanted",
        })
    }
}
