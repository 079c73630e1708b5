//! Filter to SQL: the only place where a filter meets a column name.
//!
//! Values always travel as parameters. Links are asked by `g.id in (select …)`, which an engine may turn around: begin
//! at the people, and find their goals. A filter is evaluated once for an export, so such a list is built once.

use goalpost_db::Value;
use jiff::ToSpan;
use jiff::civil::Date;

use super::{Condition, Day, Due, Filter, Keyword, Link, OneOf, Owner, Percent, Reference, Subject};
use crate::ids::fold;

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

/// What a goal is linked to through a table of its own: that table, its column, and where names are found.
struct Linked {
    table: &'static str,
    column: &'static str,
    named: Named,
}

/// A table of named things, and the folded column that names them.
struct Named {
    table: &'static str,
    column: &'static str,
}

const PERSON: Named = Named { table: "person", column: "email_fold" };
const TEAM: Named = Named { table: "team", column: "name_fold" };
const TAG: Named = Named { table: "tag", column: "name_fold" };
const PERIOD: Named = Named { table: "period", column: "name_fold" };
const OWNERS: Linked = Linked { table: "goal_owner", column: "person", named: PERSON };
const TEAMS: Linked = Linked { table: "goal_team", column: "team", named: TEAM };
const TAGS: Linked = Linked { table: "goal_tag", column: "tag", named: TAG };

/// Which way days are counted from today.
#[derive(Clone, Copy)]
enum Count {
    Ahead,
    Back,
}

impl Compiler<'_> {
    fn filter(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::And(parts) => self.join(parts, " and ", TRUE),
            Filter::Or(parts) => self.join(parts, " or ", FALSE),
            Filter::Not(part) => format!("not ({})", self.filter(part)),
            Filter::Status(OneOf::In(words)) => self.one_of("g.status", words),
            Filter::ObjectType(OneOf::In(words)) => self.one_of("g.object_type", words),
            Filter::Period(Link::None) => "g.period is null".to_owned(),
            Filter::Period(Link::In(periods)) => {
                format!("(g.period is not null and {})", self.any_of("g.period", periods, &PERIOD))
            }
            Filter::Team(link) => self.link(link, &TEAMS),
            Filter::Tag(link) => self.link(link, &TAGS),
            Filter::Owner(Owner::Link(link)) => self.link(link, &OWNERS),
            Filter::Owner(Owner::Me) => match self.subject.person {
                Some(person) => self.link(&Link::In(vec![Reference::Number(person.0)]), &OWNERS),
                None => FALSE.to_owned(),
            },
            Filter::Due(Due::Overdue) => {
                let today = self.bind(self.subject.today.to_string());
                format!("(g.end_date is not null and g.end_date < {today} and g.status <> 'Closed')")
            }
            Filter::Due(Due::Day(day)) => self.day("g.end_date", day, Count::Ahead),
            Filter::CheckIn(day) => self.day("g.last_checkin_date", day, Count::Back),
            Filter::Progress(percent) => self.percent(*percent),
            Filter::Keyword(Keyword::Contains(text)) => self.keyword(text),
            Filter::Aligned(aligned) => {
                let organization = self.organization();
                let not = if *aligned { "" } else { "not " };
                format!(
                    "{not}exists (select 1 from goal_parent where organization = {organization} and goal = g.id)"
                )
            }
        }
    }

    fn join(&mut self, parts: &[Filter], by: &str, empty: &str) -> String {
        let parts: Vec<_> = parts.iter().map(|part| self.filter(part)).collect();
        if parts.is_empty() { empty.to_owned() } else { format!("({})", parts.join(by)) }
    }

    fn one_of(&mut self, column: &str, words: &[String]) -> String {
        self.is_in(column, words.iter().map(Value::from))
    }

    fn link(&mut self, link: &Link, Linked { table, column, named }: &Linked) -> String {
        let organization = self.organization();
        match link {
            Link::None => format!(
                "not exists (select 1 from {table} where organization = {organization} and goal = g.id)"
            ),
            Link::In(references) => {
                let linked = self.any_of(column, references, named);
                format!("g.id in (select goal from {table} where organization = {organization} and {linked})")
            }
        }
    }

    /// Whether `column` holds one of the things, each given by number or by name.
    fn any_of(&mut self, column: &str, references: &[Reference], named: &Named) -> String {
        let (mut numbers, mut names) = (Vec::new(), Vec::new());
        for reference in references {
            match reference {
                Reference::Number(number) => numbers.push(Value::from(*number)),
                Reference::Name(name) => names.push(Value::from(fold(name))),
            }
        }
        let mut ways = Vec::new();
        if !numbers.is_empty() {
            ways.push(self.is_in(column, numbers));
        }
        if !names.is_empty() {
            let organization = self.organization();
            let Named { table, column: name } = named;
            let is_named = self.is_in(name, names);
            ways.push(format!(
                "{column} in (select id from {table} where organization = {organization} and {is_named})"
            ));
        }
        if ways.is_empty() { FALSE.to_owned() } else { format!("({})", ways.join(" or ")) }
    }

    fn is_in(&mut self, column: &str, values: impl IntoIterator<Item = Value>) -> String {
        let values: Vec<_> = values.into_iter().map(|value| self.bind(value)).collect();
        if values.is_empty() { FALSE.to_owned() } else { format!("{column} in ({})", values.join(", ")) }
    }

    fn day(&mut self, column: &str, day: &Day, count: Count) -> String {
        let today = self.subject.today;
        let ahead = |days: &u16| today.saturating_add(i64::from(*days).days());
        let back = |days: &u16| today.saturating_sub(i64::from(*days).days());
        let (operator, bound) = match (day, count) {
            (Day::On(day), _) => ("=", *day),
            (Day::Before(day), _) => ("<", *day),
            (Day::After(day), _) => (">", *day),
            (Day::LessThanDays(days), Count::Ahead) => return self.between(column, today, ahead(days)),
            (Day::MoreThanDays(days), Count::Ahead) => (">", ahead(days)),
            (Day::LessThanDays(days), Count::Back) => (">", back(days)),
            (Day::MoreThanDays(days), Count::Back) => ("<", back(days)),
        };
        let bound = self.bind(bound.to_string());
        format!("({column} is not null and {column} {operator} {bound})")
    }

    /// From the first day up to, and without, the second.
    fn between(&mut self, column: &str, from: Date, until: Date) -> String {
        let (from, until) = (self.bind(from.to_string()), self.bind(until.to_string()));
        format!("({column} is not null and {column} >= {from} and {column} < {until})")
    }

    fn percent(&mut self, percent: Percent) -> String {
        let (operator, bound) = match percent {
            Percent::Lt(bound) => ("<", bound),
            Percent::Le(bound) => ("<=", bound),
            Percent::Eq(bound) => ("=", bound),
            Percent::Ge(bound) => (">=", bound),
            Percent::Gt(bound) => (">", bound),
        };
        let bound = self.bind(bound);
        format!("(g.progress_percent is not null and g.progress_percent {operator} {bound})")
    }

    fn keyword(&mut self, text: &str) -> String {
        let mut pattern = String::from("%");
        for character in fold(text).chars() {
            if matches!(character, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern.push('%');
        let pattern = self.bind(pattern);
        let in_title = format!("g.title_fold like {pattern} escape '\\'");
        let trimmed = text.trim();
        match trimmed.strip_prefix('#').unwrap_or(trimmed).parse::<i64>() {
            Ok(number) => format!("({in_title} or g.id = {})", self.bind(number)),
            Err(_) => in_title,
        }
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
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::ids::{OrganizationNumber, PersonNumber};

    fn compiled(filter: &str, person: Option<i64>) -> Condition {
        let subject = Subject {
            organization: OrganizationNumber(5),
            person: person.map(PersonNumber),
            today: date(2026, 3, 1),
        };
        compile(&Filter::parse(filter).expect(filter), &subject, 3)
    }

    #[test]
    fn values_become_parameters_numbered_from_the_first_given() {
        let condition =
            compiled(r#"{"and": [{"status": {"in": ["Behind", "At Risk"]}}, {"owner": "me"}]}"#, Some(9));
        assert_eq!(
            condition.sql,
            "(g.status in (?3, ?4) and g.id in (select goal from goal_owner where organization = ?5 \
             and (person in (?6))))"
        );
        assert_eq!(condition.params, ["Behind".into(), "At Risk".into(), Value::Int(5), Value::Int(9)]);
    }

    #[test]
    fn names_are_folded_and_looked_up_in_the_subjects_organization_only() {
        let condition = compiled(r#"{"team": {"in": [4, "Nordwind", "ÄRZTE"]}}"#, None);
        assert_eq!(
            condition.sql,
            "g.id in (select goal from goal_team where organization = ?3 and (team in (?4) or team in \
             (select id from team where organization = ?3 and name_fold in (?5, ?6))))"
        );
        assert_eq!(condition.params, [Value::Int(5), Value::Int(4), "nordwind".into(), "ärzte".into()]);
    }

    #[test]
    fn days_count_from_the_subjects_today() {
        let due = compiled(r#"{"due": {"lessThanDays": 14}}"#, None);
        assert_eq!(due.sql, "(g.end_date is not null and g.end_date >= ?3 and g.end_date < ?4)");
        assert_eq!(due.params, ["2026-03-01".into(), "2026-03-15".into()]);
        let stale = compiled(r#"{"checkIn": {"moreThanDays": 7}}"#, None);
        assert_eq!(stale.sql, "(g.last_checkin_date is not null and g.last_checkin_date < ?3)");
        assert_eq!(stale.params, ["2026-02-22".into()]);
    }

    #[test]
    fn wildcards_of_a_keyword_are_letters() {
        let condition = compiled(r#"{"keyword": {"contains": "100%_\\"}}"#, None);
        assert_eq!(condition.sql, "g.title_fold like ?3 escape '\\'");
        assert_eq!(condition.params, [r"%100\%\_\\%".into()]);
    }

    #[test]
    fn the_empty_filter_holds_everything_without_a_parameter() {
        assert_eq!(compiled(r#"{"and": []}"#, None), Condition { sql: "1 = 1".to_owned(), params: vec![] });
    }

    #[test]
    fn nobody_owns_nothing() {
        assert_eq!(compiled(r#"{"owner": "me"}"#, None).sql, "1 = 0");
    }
}
