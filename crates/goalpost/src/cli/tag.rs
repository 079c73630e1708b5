//! `goalpost tag`.

use clap::{Args, Subcommand};
use goalpost::orgs::tags::{self, Tag};
use goalpost_db::Scope;
use serde::Serialize;
use uuid::Uuid;

use super::deed::{self, Actor};
use super::failure::Failure;
use super::printer::plain;
use super::{Session, lookup};

/// List, make and rename tags
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:
  goalpost tag create --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --name Pilot")]
pub(super) enum TagCommand {
    /// List the tags of an organization
    List(ListArgs),
    /// Make a tag
    Create(CreateArgs),
    /// Give a tag another name
    Rename(RenameArgs),
    /// Take away a tag that no goal has
    Delete(WhichArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost tag list --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --output json")]
pub(super) struct ListArgs {
    /// The organization's GUID
    #[arg(long, value_name = "GUID")]
    organization: Uuid,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost tag create --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --name Pilot")]
pub(super) struct CreateArgs {
    #[command(flatten)]
    actor: Actor,
    /// Its name
    #[arg(long, value_name = "TEXT")]
    name: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  goalpost tag rename --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --tag Pilot --name Trial")]
pub(super) struct RenameArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Its new name
    #[arg(long, value_name = "TEXT")]
    name: String,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:
  goalpost tag delete --organization 9ab0fcab-c1d4-4b26-963b-a3c33155f853 --tag Pilot")]
pub(super) struct WhichArgs {
    #[command(flatten)]
    actor: Actor,
    /// The tag, by name or number
    #[arg(long, value_name = "TAG")]
    tag: String,
}

#[derive(Debug, Serialize)]
struct TagEntry {
    id: i64,
    name: String,
}

impl From<Tag> for TagEntry {
    fn from(Tag { number, name }: Tag) -> Self {
        Self { id: number, name }
    }
}

pub(super) async fn run(command: TagCommand, session: &Session) -> Result<(), Failure> {
    let tag = match command {
        TagCommand::List(args) => return list(&args, session),
        TagCommand::Create(CreateArgs { actor, name }) => {
            deed::change(session, &actor, move |at| Ok(tags::create(at.tx, at.number(), at.actor, &name)?))
                .await?
        }
        TagCommand::Rename(RenameArgs { which: WhichArgs { actor, tag }, name }) => {
            let deed = deed::change(session, &actor, move |at| {
                Ok(tags::rename(at.tx, at.number(), at.actor, at.tag(&tag)?, &name)?)
            });
            deed.await?
        }
        TagCommand::Delete(WhichArgs { actor, tag }) => {
            let deed = deed::change(session, &actor, move |at| {
                let number = at.tag(&tag)?;
                tags::delete(at.tx, at.number(), at.actor, number)?;
                Ok(Tag { number, name: tag.clone() })
            });
            deed.await?
        }
    };
    let entry = TagEntry::from(tag);
    session.printer.one(&entry, || format!("Tag       {}\nName      {}", entry.id, plain(&entry.name)))
}

fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    let tags = session.open()?.db.snapshot(Scope::Global, |tx| {
        let organization = lookup::organization(tx, args.organization)?.number;
        Ok::<_, Failure>(tags::list(tx, organization)?)
    })?;
    let entries: Vec<TagEntry> = tags.into_iter().map(TagEntry::from).collect();
    session.printer.list(&entries, ["ID", "NAME"], |tag| [tag.id.to_string(), tag.name.clone()])
}
