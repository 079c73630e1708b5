use goalpost_db::Error;
use goalpost_okr::{Status, TargetType, WeightError};
use jiff::civil::Date;

/// Why a goal was not written.
#[derive(Debug, thiserror::Error)]
pub enum GoalError {
    /// There is no such goal, or only a mention of it is known.
    #[error("there is no goal {0}")]
    NoSuchGoal(i64),
    /// What it names is not there.
    #[error("there is no {what} {number}")]
    NoSuch {
        /// A person, a team, a tag, a time period.
        what: &'static str,
        /// The number that was named.
        number: i64,
    },
    /// An observer, a group, or somebody who left.
    #[error("person {0} is an observer, a group or not active, and can be given no goal")]
    CannotOwn(i64),
    /// It is closed, or was put off.
    #[error("goal {0} is {1}")]
    IsOver(i64, String),
    /// Nothing is left of a title or a text.
    #[error("a {0} cannot be empty")]
    Empty(&'static str),
    /// A text that is too long, or a title of several lines.
    #[error("a {what} has at most {limit} characters{line}")]
    TooLong {
        /// What it would be.
        what: &'static str,
        /// What it may have.
        limit: usize,
        /// What else is asked of it.
        line: &'static str,
    },
    /// Infinite, or no number.
    #[error("{0} is no number that a goal can have")]
    NoNumber(f64),
    /// Every goal belongs to a time period.
    #[error("a goal needs a time period")]
    NoPeriod,
    /// No period begins where the goal's ends.
    #[error("no time period begins the day after time period {0} ends")]
    NoNextPeriod(i64),
    /// Its days are in the wrong order.
    #[error("the goal would end on {end}, before it begins on {start}")]
    Turned {
        /// Its first day.
        start: Date,
        /// Its last day.
        end: Date,
    },
    /// Its metric makes no sense.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// An initiative.
    #[error("goal {0} is an initiative, and nothing is aligned to initiatives")]
    NotAbove(i64),
    /// A goal would be below itself.
    #[error("goal {} would be below itself: {}", .0[0], path(.0))]
    Circle(Vec<i64>),
    /// It is not below that goal.
    #[error("goal {goal} is not aligned to goal {parent}")]
    NotAligned {
        /// The goal.
        goal: i64,
        /// What it is not aligned to.
        parent: i64,
    },
    /// The weights below a goal make no whole.
    #[error(transparent)]
    Weight(#[from] WeightError),
    /// Restricted goals are below restricted ones only.
    #[error(
        "goal {goal} is restricted and goal {parent} is not: what few may see is not part of what all see"
    )]
    OpenParent {
        /// The restricted one.
        goal: i64,
        /// The open one above it.
        parent: i64,
    },
    /// A key result of a restricted goal is not opened alone.
    #[error("goal {0} is a key result of a restricted goal, and is as visible as that")]
    HiddenAbove(i64),
    /// A key result of a restricted objective has no other parents.
    #[error("goal {0} is a key result of a restricted goal, and is aligned to that alone")]
    OneParent(i64),
    /// Others are aligned to it.
    #[error("{count} goals are aligned to goal {goal}")]
    HasChildren {
        /// The goal.
        goal: i64,
        /// How many are directly below it.
        count: usize,
    },
    /// A status that only an ending gives, or that only a baseline has.
    #[error("a check-in cannot make a goal `{0}`")]
    NotByCheckIn(Status),
    /// It would speak of a day to come.
    #[error("{0} is still to come")]
    InFuture(Date),
    /// Only initiatives have tasks.
    #[error("goal {0} is no initiative, and only initiatives have tasks")]
    NoInitiative(i64),
    /// The initiative has no such task.
    #[error("goal {goal} has no task {task}")]
    NoSuchTask {
        /// The initiative.
        goal: i64,
        /// What it does not have.
        task: i64,
    },
    /// The database refused.
    #[error(transparent)]
    Database(#[from] Error),
}

fn path(goals: &[i64]) -> String {
    goals.iter().map(i64::to_string).collect::<Vec<_>>().join(" is below ")
}

/// Why a metric makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum MetricError {
    /// Everything but a baseline goes somewhere.
    #[error("a metric of the type `{0}` needs a target")]
    NoTarget(TargetType),
    /// It goes from nowhere.
    #[error("a metric of the type `{0}` needs a start")]
    NoStart(TargetType),
    /// There is nothing to reach.
    #[error("a metric of the type `baseline` has no target")]
    BaselineTarget,
    /// It goes the other way.
    #[error("a metric of the type `{target_type}` cannot go from {start} to {target}")]
    WrongWay {
        /// How it counts.
        target_type: TargetType,
        /// Where it would begin.
        start: f64,
        /// Where it would end.
        target: f64,
    },
    /// Only control types can be in between.
    #[error("only metrics of the types `stayAbove` and `stayBelow` have a risk threshold, not `{0}`")]
    NoThreshold(TargetType),
    /// A value would be at risk before it misses the target.
    #[error(
        "the risk threshold {threshold} of a metric of the type `{target_type}` must be {side} its target {target}"
    )]
    ThresholdSide {
        /// How it counts.
        target_type: TargetType,
        /// What was given.
        threshold: f64,
        /// `above` or `below`.
        side: &'static str,
        /// Its target.
        target: f64,
    },
}
