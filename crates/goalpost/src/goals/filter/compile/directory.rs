//! Conditions on what an organization knows besides goals: people, teams, periods and tags.

use goalpost_db::Value;

use super::super::{Link, Manager, OneOf, Owner, People, Period, Reference, Team};
use super::values::days_since_1970;
use super::{Compiler, FALSE};
use crate::ids::fold;

/// What a goal is linked to through a table of its own: that table, its column, and where names are found.
pub(super) struct Linked {
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
pub(super) const TAGS: Linked = Linked { table: "goal_tag", column: "tag", named: TAG };

impl Compiler<'_> {
    pub(super) fn link(&mut self, link: &Link, linked: &Linked) -> String {
        match link {
            Link::None => format!("not {}", self.has(linked.table)),
            Link::In(references) => {
                self.linked_to(linked, |compiler| compiler.any_of(linked.column, references, &linked.named))
            }
            Link::All(references) => {
                let each: Vec<String> = references
                    .iter()
                    .map(|reference| self.link(&Link::In(vec![reference.clone()]), linked))
                    .collect();
                if each.is_empty() { FALSE.to_owned() } else { format!("({})", each.join(" and ")) }
            }
        }
    }

    /// Whether the goal has a link that meets a condition.
    fn linked_to(&mut self, linked: &Linked, condition: impl FnOnce(&mut Self) -> String) -> String {
        let organization = self.organization();
        let condition = condition(self);
        let table = linked.table;
        format!("g.id in (select goal from {table} where organization = {organization} and {condition})")
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

    /// Those things and, where `column` of their table names the one above them, all below them at any depth.
    fn below(&mut self, table: &str, above: &str, roots: &str) -> String {
        let organization = self.organization();
        format!(
            "with recursive below(id) as (select id from {table} where organization = {organization} and {roots} \
             union select t.id from below b join {table} t on t.organization = {organization} and t.{above} = b.id) \
             select id from below"
        )
    }

    pub(super) fn team(&mut self, team: &Team) -> String {
        match team {
            Team::Link(link) => self.link(link, &TEAMS),
            Team::WithSubteams(teams) => self.linked_to(&TEAMS, |compiler| {
                let organization = compiler.organization();
                let these = compiler.any_of("id", teams, &TEAM);
                let right_below = compiler.any_of("parent", teams, &TEAM);
                format!("team in (select id from team where organization = {organization} and ({these} or {right_below}))")
            }),
            Team::WithAllSubteams(teams) => self.linked_to(&TEAMS, |compiler| {
                let roots = compiler.any_of("id", teams, &TEAM);
                format!("team in ({})", compiler.below("team", "parent", &roots))
            }),
        }
    }

    pub(super) fn team_type(&mut self, words: &OneOf) -> String {
        let (OneOf::In(types) | OneOf::NotIn(types)) = words;
        let shared = self.linked_to(&TEAMS, |compiler| {
            let organization = compiler.organization();
            let is_one = compiler.is_in("team_type", types.iter().map(Value::from));
            format!("team in (select id from team where organization = {organization} and {is_one})")
        });
        if matches!(words, OneOf::In(_)) { shared } else { format!("not ({shared})") }
    }

    pub(super) fn owner(&mut self, owner: &Owner) -> String {
        match owner {
            Owner::Link(link) => self.link(link, &OWNERS),
            Owner::Me if self.subject.person.is_none() => FALSE.to_owned(),
            owner => self.linked_to(&OWNERS, |compiler| compiler.person("person", owner)),
        }
    }

    pub(super) fn delegate(&mut self, owner: &Owner) -> String {
        match owner {
            Owner::Link(Link::None) => "g.delegate is null".to_owned(),
            owner => format!("(g.delegate is not null and {})", self.person("g.delegate", owner)),
        }
    }

    /// Whether a column holds such a person, or null.
    fn person(&mut self, column: &str, owner: &Owner) -> String {
        match owner {
            Owner::Me => self.people(column, &People::Me),
            Owner::WithReports(people) => {
                let organization = self.organization();
                let themselves = self.people(column, people);
                let managed = self.people("manager", people);
                format!(
                    "({themselves} or {column} in (select id from person where organization = {organization} and {managed}))"
                )
            }
            Owner::WithAllReports(people) => {
                let themselves = self.people(column, people);
                let managed = self.people("manager", people);
                format!("({themselves} or {column} in ({}))", self.below("person", "manager", &managed))
            }
            Owner::Link(Link::In(references) | Link::All(references)) => {
                self.any_of(column, references, &PERSON)
            }
            Owner::Link(Link::None) => FALSE.to_owned(),
        }
    }

    fn people(&mut self, column: &str, people: &People) -> String {
        match (people, self.subject.person) {
            (People::These(references), _) => self.any_of(column, references, &PERSON),
            (People::Me, Some(me)) => self.any_of(column, &[Reference::Number(me.0)], &PERSON),
            (People::Me, None) => FALSE.to_owned(),
        }
    }

    pub(super) fn manager(&mut self, manager: &Manager) -> String {
        let these = |references: &Vec<Reference>| People::These(references.clone());
        let (people, is_deep) = match manager {
            Manager::Me => (People::Me, false),
            Manager::In(references) => (these(references), false),
            Manager::Above(people) => (people.clone(), true),
        };
        self.linked_to(&OWNERS, |compiler| {
            let organization = compiler.organization();
            let managed = compiler.people("manager", &people);
            let below = if is_deep {
                compiler.below("person", "manager", &managed)
            } else {
                format!("select id from person where organization = {organization} and {managed}")
            };
            format!("person in ({below})")
        })
    }

    pub(super) fn period(&mut self, period: &Period) -> String {
        // From the nearest to the farthest; a period without days is none of them.
        let (after, nearer) = match period {
            Period::Link(Link::None) => return "g.period is null".to_owned(),
            Period::Link(Link::In(periods) | Link::All(periods)) => {
                let is_one = self.any_of("g.period", periods, &PERIOD);
                return format!("(g.period is not null and {is_one})");
            }
            Period::Current => {
                let current = self.current_period("c");
                return format!(
                    "(g.period is not null and g.period in (select c.id from period c where {current}))"
                );
            }
            Period::Next => {
                ("n.start_date > c.end_date", "m.start_date > c.end_date and m.start_date < n.start_date")
            }
            Period::Previous => {
                ("n.end_date < c.start_date", "m.end_date < c.start_date and m.end_date > n.end_date")
            }
        };
        let organization = self.organization();
        let current = self.current_period("c");
        let (n_alike, m_alike) = (is_as_long("n"), is_as_long("m"));
        format!(
            "(g.period is not null and g.period in (select n.id from period n join period c on {current} \
             where n.organization = {organization} and {after} and {n_alike} and not exists (select 1 from period m \
             where m.organization = {organization} and {nearer} and {m_alike})))"
        )
    }

    /// Whether today lies in the period of this alias.
    fn current_period(&mut self, alias: &str) -> String {
        let organization = self.organization();
        let today = self.bind(self.subject.today.to_string());
        format!(
            "{alias}.organization = {organization} and {alias}.start_date <= {today} and {alias}.end_date >= {today}"
        )
    }
}

/// Whether the period of this alias is as long as `c`, give or take an eighth.
fn is_as_long(alias: &str) -> String {
    let length = |alias: &str| {
        let (first, last) =
            (days_since_1970(&format!("{alias}.start_date")), days_since_1970(&format!("{alias}.end_date")));
        format!("({last} - {first} + 1)")
    };
    let (this, current) = (length(alias), length("c"));
    format!("abs({this} - {current}) * 8 <= {current}")
}
