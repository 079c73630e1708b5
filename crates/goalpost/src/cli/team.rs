//! `goalpost team`.

use clap::{Args, Subcommand};
use goalpost::orgs::teams::{self, Team, TeamPatch};
use goalpost_db::Scope;
use serde::Serialize;
use uuid::Uuid;

use super::deed::{self, Actor, Place};
use super::failure::Failure;
use super::printer::plain;
use super::{Session, lookup};

/// List, make and change teams
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:
  goalpost team create --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --name Harbour --owner ada@contoso.example")]
pub(super) enum TeamCommand {
    /// List the teams of an organization
    List(ListArgs),
    /// Make a team
    Create(CreateArgs),
    /// Change a team
    Change(ChangeArgs),
    /// Put a team aside: it has no members any more, its subteams stand alone, its goals stay
    Archive(WhichArgs),
    /// Take an archived team up again
    Restore(WhichArgs),
    /// Take away a team that no goal has
    Delete(WhichArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost team list --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --output json")]
pub(super) struct ListArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost team create --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --name Harbour \\
    --parent Sea --member ada@contoso.example,ben@contoso.example")]
pub(super) struct CreateArgs {
    #[command(flatten)]
    actor: Actor,
    #[command(flatten)]
    fields: FieldArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost team change --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --team Harbour --name Port")]
pub(super) struct ChangeArgs {
    #[command(flatten)]
    which: WhichArgs,
    #[command(flatten)]
    fields: FieldArgs,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:
  goalpost team archive --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --team Harbour")]
pub(super) struct WhichArgs {
    #[command(flatten)]
    actor: Actor,
    /// The team, by name or number
    #[arg(long, value_name = "TEAM")]
    team: String,
}

#[derive(Clone, Debug, Args)]
struct FieldArgs {
    /// Its name, which no other team has
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The team above it, by name or number; an empty one makes it stand alone
    #[arg(long, value_name = "TEAM")]
    parent: Option<String>,
    /// Division, department or any other word
    #[arg(long = "type", value_name = "WORD")]
    team_type: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// E-mails of its owners, instead of those it had
    #[arg(long, value_name = "E-MAIL,…", value_delimiter = ',')]
    owner: Option<Vec<String>>,
    /// E-mails of its members, instead of those it had
    #[arg(long, value_name = "E-MAIL,…", value_delimiter = ',')]
    member: Option<Vec<String>>,
}

impl FieldArgs {
    fn patch(&self, at: &Place<'_, '_>) -> Result<TeamPatch, Failure> {
        let parent = match self.parent.as_deref() {
            None => None,
            Some("") => Some(None),
            Some(word) => Some(Some(at.team(word)?)),
        };
        Ok(TeamPatch {
            name: self.name.clone(),
            parent,
            team_type: self.team_type.clone(),
            description: self.description.clone().map(|text| Some(text).filter(|text| !text.is_empty())),
            owners: self.owner.as_ref().map(|emails| at.people(emails)).transpose()?,
            members: self.member.as_ref().map(|emails| at.people(emails)).transpose()?,
        })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TeamEntry {
    id: i64,
    name: String,
    parent: Option<i64>,
    #[serde(rename = "type")]
    team_type: String,
    status: String,
    owners: Vec<i64>,
}

impl From<Team> for TeamEntry {
    fn from(team: Team) -> Self {
        Self {
            id: team.number,
            name: team.name,
            parent: team.parent,
            team_type: team.team_type,
            status: team.status,
            owners: team.owners.iter().map(|owner| owner.0).collect(),
        }
    }
}

pub(super) async fn run(command: TeamCommand, session: &Session) -> Result<(), Failure> {
    match command {
        TeamCommand::List(args) => list(&args, session),
        TeamCommand::Create(CreateArgs { actor, fields }) => {
            show(session, &actor, move |at| {
                Ok(teams::create(at.tx, at.number(), at.actor, &fields.patch(at)?)?)
            })
            .await
        }
        TeamCommand::Change(ChangeArgs { which: WhichArgs { actor, team }, fields }) => {
            show(session, &actor, move |at| {
                let number = at.team(&team)?;
                Ok(teams::change(at.tx, at.number(), at.actor, number, &fields.patch(at)?)?)
            })
            .await
        }
        TeamCommand::Archive(WhichArgs { actor, team }) => {
            show(session, &actor, move |at| {
                Ok(teams::archive(at.tx, at.number(), at.actor, at.team(&team)?)?)
            })
            .await
        }
        TeamCommand::Restore(WhichArgs { actor, team }) => {
            show(session, &actor, move |at| {
                Ok(teams::restore(at.tx, at.number(), at.actor, at.team(&team)?)?)
            })
            .await
        }
        TeamCommand::Delete(WhichArgs { actor, team }) => {
            show(session, &actor, move |at| {
                let number = at.team(&team)?;
                let found = teams::find(at.tx, at.number(), number)?;
                teams::delete(at.tx, at.number(), at.actor, number)?;
                found.ok_or_else(|| Failure::new(format!("there is no team `{team}`")))
            })
            .await
        }
    }
}

fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    let teams = session.open()?.db.snapshot(Scope::Global, |tx| {
        let organization = lookup::organization(tx, args.organization)?.number;
        Ok::<_, Failure>(teams::list(tx, organization)?)
    })?;
    let entries: Vec<TeamEntry> = teams.into_iter().map(TeamEntry::from).collect();
    session.printer.list(&entries, ["ID", "NAME", "TYPE", "STATUS"], |team| {
        [team.id.to_string(), team.name.clone(), team.team_type.clone(), team.status.clone()]
    })
}

async fn show(
    session: &Session,
    actor: &Actor,
    deed: impl Fn(&Place<'_, '_>) -> Result<Team, Failure> + Send + 'static,
) -> Result<(), Failure> {
    let entry = TeamEntry::from(deed::change(session, actor, deed).await?);
    session.printer.one(&entry, || {
        let TeamEntry { id, name, team_type, status, .. } = &entry;
        format!(
            "Team      {id}\nName      {}\nType      {}\nStatus    {status}",
            plain(name),
            plain(team_type)
        )
    })
}
