//! `goalpost goal create`, `change`, `align` and the others that write.

use clap::{ArgGroup, Args};
use goalpost::goals::record::GoalRecord;
use goalpost::goals::write::align::{Alignment, NewWeights, Weight, align, set_weights, unalign};
use goalpost::goals::write::carry::{Carried, Cloning, Postponing, clone, postpone};
use goalpost::goals::write::create::{NewGoal, create};
use goalpost::goals::write::delete::{Below, delete};
use goalpost::goals::write::{Written, change::change, comments};
use serde::Serialize;

use super::fields::FieldArgs;
use super::{GoalEntry, entry, print};
use crate::cli::Session;
use crate::cli::deed::{self, Actor, Place};
use crate::cli::failure::Failure;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost goal create --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 \\
    --title \"Healthy trees\" --period \"Q1 2026\" --owner ada@contoso.example
  goalpost goal create --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --type keyResult \\
    --title \"Prune 300 trees\" --period \"Q1 2026\" --parent 4080012 --target-type reach --target 300")]
pub(in crate::cli) struct CreateArgs {
    #[command(flatten)]
    actor: Actor,
    #[command(flatten)]
    fields: FieldArgs,
    /// Number of a goal above it; may be given several times
    #[arg(long, value_name = "NUMBER")]
    parent: Vec<i64>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost goal change --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 --title \"Healthier trees\"
  goalpost goal change --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 --visible-to ada@contoso.example")]
pub(in crate::cli) struct ChangeArgs {
    #[command(flatten)]
    which: WhichArgs,
    #[command(flatten)]
    fields: FieldArgs,
}

/// Which goal, of which organization, and by whom.
#[derive(Clone, Debug, Args)]
struct WhichArgs {
    #[command(flatten)]
    actor: Actor,
    /// The goal's number, as exports print it under `Id`
    #[arg(long, value_name = "NUMBER")]
    goal: i64,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost goal align --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080013 --parent 4080012
  goalpost goal align --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080013 --parent 4080012 --weight 50")]
pub(in crate::cli) struct AlignArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Number of the goal above it
    #[arg(long, value_name = "NUMBER")]
    parent: i64,
    /// What it contributes there, in percent [default: a share of what nobody fixed]
    #[arg(long, value_name = "PERCENT")]
    weight: Option<f64>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost goal unalign --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080013 --parent 4080012")]
pub(in crate::cli) struct UnalignArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Number of the goal above it
    #[arg(long, value_name = "NUMBER")]
    parent: i64,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost goal weights --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 --set 4080013=50,4080014=free
  goalpost goal weights --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 --reset")]
#[command(group(ArgGroup::new("weights").required(true).args(["set", "reset"])))]
pub(in crate::cli) struct WeightsArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Goals below it, each with its percent or `free`
    #[arg(long, value_name = "NUMBER=PERCENT,…", value_delimiter = ',', value_parser = weight)]
    set: Vec<(i64, Parsed)>,
    /// Nobody's is fixed any more
    #[arg(long)]
    reset: bool,
}

/// A weight, as a clap value.
type Parsed = Weight;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goalpost goal delete --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012
  goalpost goal delete --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 --keep-below")]
pub(in crate::cli) struct DeleteArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Also if others are aligned to it; they stay, aligned to it no more
    #[arg(long)]
    keep_below: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost goal postpone --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 --note \"Too much rain\"")]
pub(in crate::cli) struct PostponeArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// To which time period, by name or number [default: the next one]
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// What was reached counts there too
    #[arg(long)]
    keep_progress: bool,
    /// Why
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost goal clone --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 --period \"Q2 2026\" --with-below")]
pub(in crate::cli) struct CloneArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// In which time period, by name or number [default: the same]
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// With which title [default: the same]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// With the key results and initiatives below it
    #[arg(long)]
    with_below: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost goal comment --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --goal 4080012 \\
    --text \"Well done\" --by ada@contoso.example")]
pub(in crate::cli) struct CommentArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// What is to be said
    #[arg(long, value_name = "TEXT")]
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CommentEntry {
    id: i64,
    goal: i64,
    text: String,
}

/// A clap value parser.
fn weight(text: &str) -> Result<(i64, Weight), String> {
    let parsed = text.split_once('=').and_then(|(goal, weight)| {
        let weight = match weight {
            "free" => Weight::Free,
            percent => Weight::Fixed(percent.parse().ok()?),
        };
        Some((goal.parse().ok()?, weight))
    });
    parsed.ok_or_else(|| "write a goal and its weight, such as 4080013=50 or 4080013=free".to_owned())
}

/// Do a change and show the goal as it is then.
async fn show_changed(
    session: &Session,
    actor: &Actor,
    deed: impl Fn(&Place<'_, '_>) -> Result<Written, Failure> + Send + 'static,
) -> Result<(), Failure> {
    let entry = deed::change(session, actor, move |at| {
        let Written { goal, also_changed } = deed(at)?;
        goal_entry(at, goal, also_changed)
    });
    print(session, &entry.await?)
}

fn goal_entry(at: &Place<'_, '_>, goal: i64, also_changed: Vec<i64>) -> Result<GoalEntry, Failure> {
    let found = GoalRecord::read(at.tx, at.number(), &[goal])?.remove(&goal);
    let found = found.ok_or(goalpost::goals::write::GoalError::NoSuchGoal(goal))?;
    Ok(GoalEntry { also_changed, ..entry(&found) })
}

pub(super) async fn create_goal(args: CreateArgs, session: &Session) -> Result<(), Failure> {
    let CreateArgs { actor, fields, parent } = args;
    show_changed(session, &actor, move |at| {
        let parents = parent.iter().map(|&parent| Alignment { parent, weight: None }).collect();
        let new = NewGoal { fields: fields.patch(at)?, parents };
        Ok(create(at.tx, at.number(), at.actor, &new)?)
    })
    .await
}

pub(super) async fn change_goal(args: ChangeArgs, session: &Session) -> Result<(), Failure> {
    let ChangeArgs { which: WhichArgs { actor, goal }, fields } = args;
    show_changed(session, &actor, move |at| {
        Ok(change(at.tx, at.number(), at.actor, goal, &fields.patch(at)?)?)
    })
    .await
}

pub(super) async fn align_goal(args: AlignArgs, session: &Session) -> Result<(), Failure> {
    let AlignArgs { which: WhichArgs { actor, goal }, parent, weight } = args;
    let alignment = Alignment { parent, weight: weight.map(Weight::Fixed) };
    show_changed(session, &actor, move |at| Ok(align(at.tx, at.number(), at.actor, goal, &alignment)?)).await
}

pub(super) async fn unalign_goal(args: UnalignArgs, session: &Session) -> Result<(), Failure> {
    let UnalignArgs { which: WhichArgs { actor, goal }, parent } = args;
    show_changed(session, &actor, move |at| Ok(unalign(at.tx, at.number(), at.actor, goal, parent)?)).await
}

pub(super) async fn weigh(args: WeightsArgs, session: &Session) -> Result<(), Failure> {
    let WeightsArgs { which: WhichArgs { actor, goal }, set, reset } = args;
    let weights = if reset { NewWeights::Reset } else { NewWeights::Of(set) };
    show_changed(session, &actor, move |at| Ok(set_weights(at.tx, at.number(), at.actor, goal, &weights)?))
        .await
}

pub(super) async fn delete_goal(args: DeleteArgs, session: &Session) -> Result<(), Failure> {
    let DeleteArgs { which: WhichArgs { actor, goal }, keep_below } = args;
    let below = if keep_below { Below::Stays } else { Below::None };
    let entry = deed::change(session, &actor, move |at| {
        let before = goal_entry(at, goal, Vec::new())?;
        let written = delete(at.tx, at.number(), at.actor, goal, below)?;
        Ok(GoalEntry { also_changed: written.also_changed, ..before })
    });
    print(session, &entry.await?)
}

pub(super) async fn postpone_goal(args: PostponeArgs, session: &Session) -> Result<(), Failure> {
    let PostponeArgs { which: WhichArgs { actor, goal }, period, keep_progress, note } = args;
    show_carried(session, &actor, move |at| {
        let period = period.as_deref().map(|word| at.period(word)).transpose()?;
        let how = Postponing { period, keep_progress, note: note.clone() };
        Ok(postpone(at.tx, at.number(), at.actor, goal, &how)?)
    })
    .await
}

pub(super) async fn clone_goal(args: CloneArgs, session: &Session) -> Result<(), Failure> {
    let CloneArgs { which: WhichArgs { actor, goal }, period, title, with_below } = args;
    show_carried(session, &actor, move |at| {
        let period = period.as_deref().map(|word| at.period(word)).transpose()?;
        let how = Cloning { period, title: title.clone(), with_below, parents: Vec::new() };
        Ok(clone(at.tx, at.number(), at.actor, goal, &how)?)
    })
    .await
}

/// Carry a goal over and show its copy, with the other copies among what changed besides.
async fn show_carried(
    session: &Session,
    actor: &Actor,
    deed: impl Fn(&Place<'_, '_>) -> Result<Carried, Failure> + Send + 'static,
) -> Result<(), Failure> {
    show_changed(session, actor, move |at| {
        let Carried { goal, copies, also_changed } = deed(at)?;
        let copies = copies.into_iter().map(|(_, copy)| copy).filter(|&copy| copy != goal);
        Ok(Written { goal, also_changed: copies.chain(also_changed).collect() })
    })
    .await
}

pub(super) async fn comment(args: CommentArgs, session: &Session) -> Result<(), Failure> {
    let CommentArgs { which: WhichArgs { actor, goal }, text } = args;
    let made = deed::change(session, &actor, move |at| {
        Ok(comments::add(at.tx, at.number(), at.actor, goal, &text, None)?)
    });
    let made = made.await?;
    let entry = CommentEntry { id: made.id, goal: made.goal, text: made.text };
    session.printer.one(&entry, || format!("Comment   {}\nGoal      {}", entry.id, entry.goal))
}
