//! What people say about a goal.

use goalpost_db::{Error, Tx, Value};

use super::{Change, GoalError, fields};
use crate::ids::{OrganizationNumber, PersonNumber};
use crate::orgs::queries::mint_numbers;
use crate::table::{Kind, Table};

pub(crate) static COMMENT: Table = Table {
    name: "comment",
    key: &["goal", "id"],
    columns: &[("author", Kind::Int), ("created_at", Kind::Int), ("text", Kind::Text)],
    has_history: true,
};

/// A comment as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its number.
    pub id: i64,
    /// The goal that it is about.
    pub goal: i64,
    /// Who wrote it.
    pub author: Option<PersonNumber>,
    /// When, in microseconds since 1970.
    pub created_at: Option<i64>,
    /// What it says.
    pub text: String,
}

/// The comment with this number.
pub fn find(tx: &Tx<'_>, organization: OrganizationNumber, id: i64) -> Result<Option<Comment>, Error> {
    let Some((key, columns)) = COMMENT.find(tx, organization, id)? else { return Ok(None) };
    Ok(Some(comment(&key, columns)))
}

/// The comments on a goal, by number.
pub fn list(tx: &Tx<'_>, organization: OrganizationNumber, goal: i64) -> Result<Vec<Comment>, Error> {
    let mut all = Vec::new();
    COMMENT.each(tx, organization, &[goal], |key, columns| {
        all.push(comment(key, columns));
        Ok::<_, Error>(())
    })?;
    Ok(all)
}

fn comment(key: &[i64], mut columns: Vec<Value>) -> Comment {
    let text = columns.pop();
    let int = |value: &Value| if let Value::Int(number) = value { Some(*number) } else { None };
    Comment {
        id: key[1],
        goal: key[0],
        author: int(&columns[0]).map(PersonNumber),
        created_at: int(&columns[1]),
        text: if let Some(Value::Text(text)) = text { text } else { String::new() },
    }
}

/// Say something about a goal, also of one that is over. Whoever acts is its author, unless `author` says another.
pub fn add(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    goal: i64,
    text: &str,
    author: Option<PersonNumber>,
) -> Result<Comment, GoalError> {
    let change = Change::begin(tx, organization, actor, "comment create")?;
    change.find(goal)?;
    let text = checked(text)?;
    let (author, created_at) = (author.or(actor), Some(tx.now_us()));
    let comment = Comment { id: mint_numbers(tx, organization, 1)?, goal, author, created_at, text };
    change.put(&comment, "comment.create")?;
    Ok(comment)
}

/// Let a comment say something else.
pub fn change(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    id: i64,
    text: &str,
) -> Result<Comment, GoalError> {
    let change = Change::begin(tx, organization, actor, "comment change")?;
    let present = change.find_comment(id)?;
    let changed = Comment { text: checked(text)?, ..present.clone() };
    if changed != present {
        change.put(&changed, "comment.change")?;
    }
    Ok(changed)
}

/// Take a comment away; it stays in the history.
pub fn delete(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    id: i64,
) -> Result<Comment, GoalError> {
    let change = Change::begin(tx, organization, actor, "comment delete")?;
    let present = change.find_comment(id)?;
    COMMENT.remove(tx, organization, &[present.goal, id], change.revision)?;
    change.audit("comment.delete", id, &serde_json::json!({ "goal": present.goal }))?;
    Ok(present)
}

fn checked(text: &str) -> Result<String, GoalError> {
    fields::text("comment", Some(text))?.ok_or(GoalError::Empty("comment"))
}

impl Change<'_, '_> {
    fn find_comment(&self, id: i64) -> Result<Comment, GoalError> {
        find(self.tx, self.organization, id)?.ok_or(GoalError::NoSuch { what: "comment", number: id })
    }

    fn put(&self, comment: &Comment, action: &str) -> Result<(), Error> {
        let Comment { id, goal, author, created_at, text } = comment;
        let columns = [author.map(|person| person.0).into(), (*created_at).into(), text.into()];
        COMMENT.put(self.tx, self.organization, &[*goal, *id], self.revision, &columns)?;
        self.audit(action, *id, &serde_json::json!({ "goal": goal }))
    }
}
