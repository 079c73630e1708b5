//! Filter to SQL: the only place where a filter meets a column name.
//!
//! Values always travel as parameters. Links are asked by `g.id in (select …)`, which an engine may turn around: begin
//! at the people, and find their goals. A filter is evaluated once for an export, so such a list is built once.
//!
//! Every list that such a `select` makes is free of nulls, so that `in` it is never unknown.

mod directory;
mod values;

use goalpost_db::Value;

use super::{Aligned, Condition, Due, Filter, Ids, Integration, OneOf, Subject};
use crate::goals::visibility::visible_to;

use self::values::Count;
pub(in crate::goals) use self::values::updated_at;

const TRUE: &str = "1 = 1";
const FALSE: &str = "1 = 0";

/// The filter as a condition on `goal g`. Its parameters are numbered from `first` on; the statement around it must
/// restrict `g.organization` to the subject's.
pub fn compile(filter: &Filter, subject: &Subject, first: usize) -> Condition {
    let mut compiler = Compiler { subject, first, params: Vec::new(), organization: None };
    let sql = compiler.filter(filter);
    Condition { sql, params: compiler.params }
}

struct Compiler<'a> {
    subject: &'a Subject,
    first: usize,
    params: Vec<Value>,
    /// The parameter that holds the organization, once one does: a parameter that no text names is an error.
    organization: Option<String>,
}

impl Compiler<'_> {
    fn filter(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::And(parts) => self.join(parts, " and ", TRUE),
            Filter::Or(parts) => self.join(parts, " or ", FALSE),
            Filter::Not(part) => format!("not ({})", self.filter(part)),
            Filter::Id(Ids::In(numbers)) => {
                self.is_in("g.id", numbers.iter().map(|number| Value::from(*number)))
            }
            Filter::Title(text) => self.text("g.title_fold", text),
            Filter::Description(text) => self.description(text),
            Filter::Keyword(keyword) => self.keyword(keyword),
            Filter::Status(words) => self.one_of("g.status", words),
            Filter::ObjectType(words) => self.one_of("g.object_type", words),
            Filter::Level(words) => self.level(words),
            Filter::Period(period) => self.period(period),
            Filter::Team(team) => self.team(team),
            Filter::TeamType(words) => self.team_type(words),
            Filter::Tag(link) => self.link(link, &directory::TAGS),
            Filter::Owner(owner) => self.owner(owner),
            Filter::Delegate(owner) => self.delegate(owner),
            Filter::Manager(manager) => self.manager(manager),
            Filter::Due(Due::Overdue) => {
                let today = self.bind(self.subject.today.to_string());
                format!("(g.end_date is not null and g.end_date < {today} and g.status <> 'Closed')")
            }
            Filter::Due(Due::Day(day)) => self.day("g.end_date", day, Count::Ahead),
            Filter::Start(day) => self.day("g.start_date", day, Count::Past),
            Filter::CheckIn(day) => self.day("g.last_checkin_date", day, Count::Back),
            Filter::Created(moment) => self.moment("g.created_at", moment),
            Filter::Updated(moment) => self.moment(&updated_at(), moment),
            Filter::Progress(amount) => self.amount("g.progress_percent", *amount),
            Filter::Value(amount) => self.amount("g.progress", *amount),
            Filter::Score(amount) => self.amount("g.score", *amount),
            Filter::Integration(Integration::None) => {
                "(g.data_source is null or g.data_source = '')".to_owned()
            }
            Filter::Integration(Integration::In(words)) => {
                let is_in = self.is_in("g.data_source", words.iter().map(Value::from));
                format!("(g.data_source is not null and {is_in})")
            }
            Filter::Aligned(aligned) => self.aligned(aligned),
        }
    }

    fn join(&mut self, parts: &[Filter], by: &str, empty: &str) -> String {
        let parts: Vec<_> = parts.iter().map(|part| self.filter(part)).collect();
        if parts.is_empty() { empty.to_owned() } else { format!("({})", parts.join(by)) }
    }

    /// Whether a column that is never null holds one of the words.
    fn one_of(&mut self, column: &str, words: &OneOf) -> String {
        match words {
            OneOf::In(words) => self.is_in(column, words.iter().map(Value::from)),
            OneOf::NotIn(words) => format!("not ({})", self.is_in(column, words.iter().map(Value::from))),
        }
    }

    fn level(&mut self, words: &OneOf) -> String {
        let (OneOf::In(levels) | OneOf::NotIn(levels)) = words;
        let (team, owner) = (self.has("goal_team"), self.has("goal_owner"));
        let level =
            format!("case when {team} then 'team' when {owner} then 'individual' else 'organization' end");
        let is_in = self.is_in(&level, levels.iter().map(Value::from));
        if matches!(words, OneOf::In(_)) { is_in } else { format!("not ({is_in})") }
    }

    fn aligned(&mut self, aligned: &Aligned) -> String {
        let (goals, is_deep) = match aligned {
            Aligned::Any(true) => return self.has("goal_parent"),
            Aligned::Any(false) => return format!("not {}", self.has("goal_parent")),
            Aligned::To(goals) => (goals, false),
            Aligned::Below(goals) => (goals, true),
        };
        let organization = self.organization();
        // The alias hides the goal outside: the condition is on the parent.
        let visible = visible_to(self.subject, self.first + self.params.len());
        self.params.extend(visible.params);
        let visible = visible.sql;
        let numbers = self.is_in("l.parent", goals.iter().map(|number| Value::from(*number)));
        let parent = format!("join goal g on g.organization = {organization} and g.id = l.parent");
        let first = format!(
            "select l.goal from goal_parent l {parent} where l.organization = {organization} and {numbers} and {visible}"
        );
        if !is_deep {
            return format!("g.id in ({first})");
        }
        format!(
            "g.id in (with recursive below(id) as ({first} union select l.goal from below b \
             join goal_parent l on l.organization = {organization} and l.parent = b.id {parent} where {visible}) \
             select id from below)"
        )
    }

    /// Whether the goal has an entry in a table of links.
    fn has(&mut self, table: &str) -> String {
        let organization = self.organization();
        format!("exists (select 1 from {table} where organization = {organization} and goal = g.id)")
    }

    fn is_in(&mut self, column: &str, values: impl IntoIterator<Item = Value>) -> String {
        let values: Vec<_> = values.into_iter().map(|value| self.bind(value)).collect();
        if values.is_empty() { FALSE.to_owned() } else { format!("{column} in ({})", values.join(", ")) }
    }

    fn organization(&mut self) -> String {
        if let Some(parameter) = &self.organization {
            return parameter.clone();
        }
        let parameter = self.bind(self.subject.organization);
        self.organization = Some(parameter.clone());
        parameter
    }

    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("?{}", self.first + self.params.len() - 1)
    }
}

#[cfg(test)]
mod tests;
