//! What the documentation of filters says, written down a second time in plain Rust.

use std::collections::BTreeSet;

use goalpost::goals::filter::{
    Aligned, Amount, Day, Due, Filter, Ids, Integration, Keyword, Link, Manager, Moment, OneOf, Owner,
    People, Period, Reference, Team, Text,
};
use goalpost::ids::fold;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::house::{Goal, House, PEOPLE, TAGS, TEAMS};

/// Who looks at which organization, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) house: &'a House,
    pub(crate) me: Option<i64>,
    pub(crate) today: Date,
}

/// Which way days count.
#[derive(Clone, Copy, PartialEq)]
enum Count {
    Ahead,
    Back,
    Past,
}

fn named(things: &[(i64, &str)], reference: &Reference) -> Vec<i64> {
    match reference {
        Reference::Number(number) => vec![*number],
        Reference::Name(name) => things.iter().filter(|(_, n)| fold(n) == fold(name)).map(|t| t.0).collect(),
    }
}

fn all_named(things: &[(i64, &str)], references: &[Reference]) -> BTreeSet<i64> {
    references.iter().flat_map(|reference| named(things, reference)).collect()
}

fn holds_link(link: &Link, things: &[(i64, &str)], linked: &[i64]) -> bool {
    let is_linked =
        |reference: &Reference| named(things, reference).iter().any(|number| linked.contains(number));
    match link {
        Link::None => linked.is_empty(),
        Link::In(references) => references.iter().any(is_linked),
        Link::All(references) => references.iter().all(is_linked),
    }
}

/// Those right below some, or all below them, where `above` tells who is above each, numbered from one.
fn below(above: &[Option<i64>], roots: &BTreeSet<i64>, deep: bool) -> BTreeSet<i64> {
    let right_below = |roots: &BTreeSet<i64>| -> BTreeSet<i64> {
        let is_below = |above: &Option<i64>| above.is_some_and(|above| roots.contains(&above));
        (1..).zip(above).filter(|(_, above)| is_below(above)).map(|(number, _)| number).collect()
    };
    let mut found = right_below(roots);
    loop {
        let next = right_below(&found);
        if !deep || next.is_subset(&found) {
            return found;
        }
        found.extend(next);
    }
}

fn holds_day(day: &Day, value: Option<Date>, today: Date, count: Count) -> bool {
    let Some(value) = value else { return *day == Day::None };
    let ahead = (value - today).get_days();
    let away = if count == Count::Ahead { ahead } else { -ahead };
    match *day {
        Day::None => false,
        Day::On(day) => value == day,
        Day::Before(day) => value < day,
        Day::After(day) => value > day,
        Day::Between(first, last) => (first..=last).contains(&value),
        Day::LessThanDays(days) => away < i32::from(days) && (count == Count::Back || away >= 0),
        Day::MoreThanDays(days) => away > i32::from(days),
    }
}

fn holds_moment(moment: &Moment, value: Option<i64>, today: Date) -> bool {
    match (moment, value) {
        (Moment::From(at), value) => value.is_some_and(|value| value >= at.as_microsecond()),
        (Moment::Until(at), value) => value.is_some_and(|value| value < at.as_microsecond()),
        (Moment::Day(day), value) => {
            let day_of = |us| {
                let at = Timestamp::from_microsecond(us).expect("a moment");
                TimeZone::UTC.to_datetime(at).date()
            };
            holds_day(day, value.map(day_of), today, Count::Back)
        }
    }
}

fn holds_amount(amount: Amount, value: Option<f64>) -> bool {
    let Some(value) = value else { return amount == Amount::None };
    match amount {
        Amount::Lt(bound) => value < bound,
        Amount::Le(bound) => value <= bound,
        Amount::Eq(bound) => (value - bound).abs() < f64::EPSILON,
        Amount::Ge(bound) => value >= bound,
        Amount::Gt(bound) => value > bound,
        Amount::Between(least, most) => (least..=most).contains(&value),
        Amount::None => false,
    }
}

fn holds_text(text: &Text, value: &str) -> bool {
    let value = fold(value);
    match text {
        Text::Contains(words) => value.contains(&fold(words)),
        Text::StartsWith(words) => value.starts_with(&fold(words)),
        Text::Is(words) => value == fold(words),
        Text::None => value.is_empty(),
    }
}

fn holds_words(words: &OneOf, of: &[&str]) -> bool {
    let any = |words: &[String]| words.iter().any(|word| of.contains(&word.as_str()));
    match words {
        OneOf::In(words) => any(words),
        OneOf::NotIn(words) => !any(words),
    }
}

pub(crate) fn sees(goal: &Goal, person: Option<i64>) -> bool {
    !goal.restricted
        || person.is_some_and(|me| {
            [goal.creator, goal.delegate].contains(&Some(me))
                || [&goal.owners, &goal.checkin_owners, &goal.viewers].iter().any(|list| list.contains(&me))
        })
}

/// When a goal was last changed, in microseconds since 1970.
pub(crate) fn updated(goal: &Goal) -> Option<i64> {
    let midnight =
        |day: Date| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).expect("a moment").as_microsecond();
    goal.updated.or(goal.check_in.map(midnight)).or(goal.created)
}

fn level(goal: &Goal) -> &'static str {
    match (goal.teams.is_empty(), goal.owners.is_empty()) {
        (false, _) => "team",
        (true, false) => "individual",
        (true, true) => "organization",
    }
}

impl Reader<'_> {
    /// Whether the filter holds the goal.
    pub(crate) fn holds(&self, filter: &Filter, goal: &Goal) -> bool {
        let day = |day, value, count| holds_day(day, value, self.today, count);
        match filter {
            Filter::And(parts) => parts.iter().all(|part| self.holds(part, goal)),
            Filter::Or(parts) => parts.iter().any(|part| self.holds(part, goal)),
            Filter::Not(part) => !self.holds(part, goal),
            Filter::Id(Ids::In(numbers)) => numbers.contains(&goal.id),
            Filter::Title(text) => holds_text(text, goal.title),
            Filter::Description(Text::None) => goal.description.is_none_or(str::is_empty),
            Filter::Description(text) => goal.description.is_some_and(|value| holds_text(text, value)),
            Filter::Keyword(keyword) => {
                let (Keyword::Contains(text) | Keyword::Anywhere(text)) = keyword;
                let contains = |value: &str| fold(value).contains(&fold(text));
                let anywhere = matches!(keyword, Keyword::Anywhere(_));
                contains(goal.title)
                    || anywhere && goal.description.is_some_and(contains)
                    || text.trim().trim_start_matches('#') == goal.id.to_string()
            }
            Filter::Status(words) => holds_words(words, &[goal.status]),
            Filter::ObjectType(words) => holds_words(words, &[goal.object_type]),
            Filter::Level(words) => holds_words(words, &[level(goal)]),
            Filter::Period(period) => self.period(period, goal.period),
            Filter::Team(team) => self.team(team, goal),
            Filter::TeamType(words) => {
                let shared = TEAMS.iter().filter(|team| goal.teams.contains(&team.0));
                holds_words(words, &shared.map(|team| team.2).collect::<Vec<_>>())
            }
            Filter::Tag(link) => holds_link(link, &TAGS, &goal.tags),
            Filter::Owner(owner) => self.person(owner, &goal.owners),
            Filter::Delegate(owner) => self.person(owner, goal.delegate.as_slice()),
            Filter::Manager(manager) => {
                let managers = &self.house.managers;
                let managed = match manager {
                    Manager::Me => below(managers, &self.people(&People::Me), false),
                    Manager::In(people) => below(managers, &all_named(&PEOPLE, people), false),
                    Manager::Above(people) => below(managers, &self.people(people), true),
                };
                goal.owners.iter().any(|owner| managed.contains(owner))
            }
            Filter::Start(asked) => day(asked, goal.start, Count::Past),
            Filter::Due(Due::Overdue) => {
                goal.due.is_some_and(|due| due < self.today) && goal.status != "Closed"
            }
            Filter::Due(Due::Day(asked)) => day(asked, goal.due, Count::Ahead),
            Filter::CheckIn(asked) => day(asked, goal.check_in, Count::Back),
            Filter::Created(moment) => holds_moment(moment, goal.created, self.today),
            Filter::Updated(moment) => holds_moment(moment, updated(goal), self.today),
            Filter::Progress(amount) => holds_amount(*amount, goal.percent),
            Filter::Value(amount) => holds_amount(*amount, goal.value),
            Filter::Score(amount) => holds_amount(*amount, goal.score),
            Filter::Integration(Integration::None) => goal.integration.is_none_or(str::is_empty),
            Filter::Integration(Integration::In(words)) => {
                goal.integration.is_some_and(|value| words.iter().any(|word| word == value))
            }
            Filter::Aligned(Aligned::Any(aligned)) => *aligned != goal.parents.is_empty(),
            Filter::Aligned(Aligned::To(goals)) => {
                self.visible_parents(goal).iter().any(|parent| goals.contains(parent))
            }
            Filter::Aligned(Aligned::Below(goals)) => {
                let ancestors = self.visible_ancestors(goal);
                goals.iter().any(|goal| ancestors.contains(goal))
            }
        }
    }

    fn visible_parents(&self, goal: &Goal) -> BTreeSet<i64> {
        let seen = self.house.goals.iter().filter(|other| sees(other, self.me));
        seen.map(|other| other.id).filter(|id| goal.parents.contains(id)).collect()
    }

    fn visible_ancestors(&self, goal: &Goal) -> BTreeSet<i64> {
        let mut above = self.visible_parents(goal);
        loop {
            let reached = self.house.goals.iter().filter(|goal| above.contains(&goal.id));
            let next: BTreeSet<i64> = reached.flat_map(|goal| self.visible_parents(goal)).collect();
            if next.is_subset(&above) {
                return above;
            }
            above.extend(next);
        }
    }

    fn people(&self, people: &People) -> BTreeSet<i64> {
        match people {
            People::Me => self.me.into_iter().collect(),
            People::These(references) => all_named(&PEOPLE, references),
        }
    }

    fn person(&self, owner: &Owner, linked: &[i64]) -> bool {
        let any = |people: &BTreeSet<i64>| linked.iter().any(|person| people.contains(person));
        match owner {
            Owner::Me => any(&self.people(&People::Me)),
            Owner::Link(link) => holds_link(link, &PEOPLE, linked),
            Owner::WithReports(people) | Owner::WithAllReports(people) => {
                let people = self.people(people);
                let deep = matches!(owner, Owner::WithAllReports(_));
                any(&people) || any(&below(&self.house.managers, &people, deep))
            }
        }
    }

    fn team(&self, team: &Team, goal: &Goal) -> bool {
        let named_teams = TEAMS.map(|(number, name, _)| (number, name));
        let any = |teams: &BTreeSet<i64>| goal.teams.iter().any(|team| teams.contains(team));
        match team {
            Team::Link(link) => holds_link(link, &named_teams, &goal.teams),
            Team::WithSubteams(teams) | Team::WithAllSubteams(teams) => {
                let teams = all_named(&named_teams, teams);
                let deep = matches!(team, Team::WithAllSubteams(_));
                any(&teams) || any(&below(&self.house.above_teams, &teams, deep))
            }
        }
    }

    fn period(&self, period: &Period, of_goal: Option<i64>) -> bool {
        let periods = &self.house.periods;
        if let Period::Link(link) = period {
            let things: Vec<_> = periods.iter().map(|(number, name, _)| (*number, *name)).collect();
            return holds_link(link, &things, of_goal.as_slice());
        }
        let dated: Vec<(i64, Date, Date)> = periods
            .iter()
            .filter_map(|(number, _, days)| days.map(|(first, last)| (*number, first, last)))
            .collect();
        let length = |(_, first, last): (i64, Date, Date)| (last - first).get_days() + 1;
        let mut wanted = BTreeSet::new();
        for this in dated.iter().copied().filter(|(_, first, last)| (*first..=*last).contains(&self.today)) {
            let alike = dated
                .iter()
                .copied()
                .filter(|other| (length(*other) - length(this)).abs() * 8 <= length(this));
            let beyond: Vec<_> = match period {
                Period::Next => alike.filter(|other| other.1 > this.2).collect(),
                Period::Previous => alike.filter(|other| other.2 < this.1).collect(),
                Period::Current | Period::Link(_) => {
                    wanted.insert(this.0);
                    continue;
                }
            };
            let away = |other: &(i64, Date, Date)| match period {
                Period::Next => (other.1 - this.2).get_days(),
                _ => (this.1 - other.2).get_days(),
            };
            let nearest = beyond.iter().map(away).min();
            wanted.extend(beyond.iter().filter(|other| Some(away(other)) == nearest).map(|other| other.0));
        }
        of_goal.is_some_and(|number| wanted.contains(&number))
    }
}
