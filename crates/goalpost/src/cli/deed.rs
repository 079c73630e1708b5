//! What the commands that write have in common: in which organization, by whom, and one change in one transaction.

use clap::Args;
use goalpost::goals::write::GoalError;
use goalpost::goals::write::terms::TermsError;
use goalpost::ids::{OrganizationNumber, PersonNumber, fold};
use goalpost::orgs::{OrgError, Organization, periods, tags, teams};
use goalpost_db::{Scope, Tx};
use jiff::civil::Date;
use uuid::Uuid;

use super::failure::Failure;
use super::{Session, lookup};

/// In which organization, and by whom.
#[derive(Clone, Debug, Args)]
pub(super) struct Actor {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    pub(super) organization: Uuid,
    /// E-mail of the person who does it [default: nobody, the operator]
    #[arg(long, value_name = "E-MAIL")]
    pub(super) by: Option<String>,
}

/// Where a change takes place.
pub(super) struct Place<'a, 't> {
    pub(super) tx: &'a Tx<'t>,
    pub(super) organization: Organization,
    pub(super) actor: Option<PersonNumber>,
}

impl Place<'_, '_> {
    pub(super) fn number(&self) -> OrganizationNumber {
        self.organization.number
    }

    /// The people with these e-mails, each in the order given; an empty word stands for nobody.
    pub(super) fn people(&self, emails: &[String]) -> Result<Vec<PersonNumber>, Failure> {
        let emails = emails.iter().filter(|email| !email.trim().is_empty());
        emails.map(|email| self.person(email)).collect()
    }

    pub(super) fn person(&self, email: &str) -> Result<PersonNumber, Failure> {
        Ok(lookup::person(self.tx, &self.organization, email)?.number)
    }

    /// The person with an e-mail; an empty word takes away who is there.
    pub(super) fn maybe_person(&self, email: &str) -> Result<Option<PersonNumber>, Failure> {
        if email.trim().is_empty() { Ok(None) } else { self.person(email).map(Some) }
    }

    /// The team of this name or number.
    pub(super) fn team(&self, word: &str) -> Result<i64, Failure> {
        let all = teams::list(self.tx, self.number())?;
        find("team", word, all.iter().map(|team| (team.number, team.name.as_str())))
    }

    /// The teams of these names or numbers.
    pub(super) fn teams(&self, words: &[String]) -> Result<Vec<i64>, Failure> {
        words.iter().filter(|word| !word.is_empty()).map(|word| self.team(word)).collect()
    }

    /// The time period of this name or number.
    pub(super) fn period(&self, word: &str) -> Result<i64, Failure> {
        let all = periods::list(self.tx, self.number())?;
        find("period", word, all.iter().map(|period| (period.number, period.name.as_str())))
    }

    /// The tag of this name or number.
    pub(super) fn tag(&self, word: &str) -> Result<i64, Failure> {
        let all = tags::list(self.tx, self.number())?;
        find("tag", word, all.iter().map(|tag| (tag.number, tag.name.as_str())))
    }

    /// The tags of these names or numbers.
    pub(super) fn tags(&self, words: &[String]) -> Result<Vec<i64>, Failure> {
        words.iter().filter(|word| !word.is_empty()).map(|word| self.tag(word)).collect()
    }
}

/// Do one change of an organization.
pub(super) async fn change<T: Send + 'static>(
    session: &Session,
    actor: &Actor,
    deed: impl Fn(&Place<'_, '_>) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let Actor { organization, by } = actor.clone();
    let app = session.open()?;
    let done = app.db.write(Scope::Global, move |tx| {
        let organization = lookup::organization(tx, organization)?;
        let actor = by.as_deref().map(|email| lookup::person(tx, &organization, email)).transpose()?;
        deed(&Place { tx, organization, actor: actor.map(|person| person.number) })
    });
    done.await
}

/// The one of a kind that has this number, or this name without regard to case.
fn find<'a>(what: &str, word: &str, all: impl Iterator<Item = (i64, &'a str)>) -> Result<i64, Failure> {
    let (number, name) = (word.trim().parse::<i64>().ok(), fold(word.trim()));
    let mut named = Vec::new();
    for (present, text) in all {
        if Some(present) == number {
            return Ok(present);
        }
        if fold(text) == name {
            named.push(present);
        }
    }
    let list = format!("`goalpost {what} list` shows those that there are, with their numbers");
    match named[..] {
        [only] => Ok(only),
        [] => Err(Failure::new(format!("there is no {what} `{word}`")).hint(list)),
        _ => Err(Failure::new(format!("there are several of the name `{word}`")).hint(list)),
    }
}

/// A clap value parser.
pub(super) fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "write a day such as 2026-01-31".to_owned())
}

/// A clap value parser: a day, or nothing.
pub(super) fn day_or_none(text: &str) -> Result<Option<Date>, String> {
    if text.is_empty() { Ok(None) } else { day(text).map(Some) }
}

impl From<GoalError> for Failure {
    fn from(error: GoalError) -> Self {
        let failure = Self::new(error.to_string());
        failure.hint(match error {
            GoalError::Database(error) => return error.into(),
            GoalError::NoSuchGoal(_) => "exports print the numbers of goals in their column `Id`",
            GoalError::NoSuch { .. } | GoalError::NoSuchTask { .. } => "check the number; the lists show those that there are",
            GoalError::CannotOwn(_) => "`goalpost user change` makes somebody active, or a regular member",
            GoalError::IsOver(..) => "only a goal that is under way can be changed; `goalpost goal reopen` opens a closed one",
            GoalError::Empty(_) | GoalError::TooLong { .. } => "write another text",
            GoalError::NoNumber(_) => "write a number such as 42 or 0.5",
            GoalError::NoPeriod => "name one by `--period`; `goalpost period list` shows them",
            GoalError::NoNextPeriod(_) => "name one by `--period`, or make one by `goalpost period create`",
            GoalError::Turned { .. } => "set both days by `--start` and `--end`",
            GoalError::Metric(_) => "see `--target-type`, `--from`, `--target` and `--risk-threshold` in `goalpost goal create --help`",
            GoalError::NotAbove(_) => "align it to an objective or a key result",
            GoalError::Circle(_) => "unalign one of them first",
            GoalError::NotAligned { .. } => "`goalpost goal show` lists what it is aligned to",
            GoalError::Weight(_) => "give less, or free all weights by `goalpost goal weights --reset`",
            GoalError::OpenParent { .. } => "restrict the one above too, or open the one below",
            GoalError::HiddenAbove(_) => "open the goal above it, and its key results open with it",
            GoalError::OneParent(_) => "unalign it from the others first",
            GoalError::HasChildren { .. } => "`--keep-below` leaves them, aligned to it no more",
            GoalError::NotByCheckIn(_) => "write `Not Started`, `On Track`, `Behind` or `At Risk`",
            GoalError::InFuture(_) => "a check-in speaks of today or of a day before; days are those of UTC",
            GoalError::NoInitiative(_) => "only initiatives have tasks",
        })
    }
}

impl From<OrgError> for Failure {
    fn from(error: OrgError) -> Self {
        let failure = Self::new(error.to_string());
        failure.hint(match error {
            OrgError::Database(error) => return error.into(),
            OrgError::NoSuch { .. } => "check the number; the lists show those that there are",
            OrgError::NoName(_) | OrgError::LongName | OrgError::NameTaken { .. } => {
                "write another name by `--name`"
            }
            OrgError::EmailTaken(_) => "`goalpost user list` shows whose it is",
            OrgError::NoEmail(_) => "write an address such as ada@contoso.example",
            OrgError::LastOwner(_) => {
                "make somebody else an owner first, by `goalpost user change --role owner`"
            }
            OrgError::Circle { .. } => "choose another one above it",
            OrgError::InUse { what: "team", .. } => {
                "`goalpost team archive` puts it aside and keeps its goals"
            }
            OrgError::InUse { .. } => "move the goals first, by `goalpost goal change`",
            OrgError::Turned { .. } | OrgError::NoDays => "set both days by `--start` and `--end`",
            OrgError::CannotOwn(_) => "name a regular member",
            OrgError::NoMonth(_) => "write a number from 1 to 12",
        })
    }
}

impl From<TermsError> for Failure {
    fn from(error: TermsError) -> Self {
        match error {
            TermsError::Database(error) => error.into(),
            TermsError::NoTerm(error) => Self::new(error.to_string()),
        }
    }
}
