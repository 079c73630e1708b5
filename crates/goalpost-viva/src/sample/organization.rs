//! The invented organization around the goals: its people, teams, periods and tags, each of them found by
//! index.

use jiff::civil::{Date, DateTime, date};

use crate::elements::{Named, Period, Person, Tag, Team, User};
use crate::sample::dice::{Dice, Purpose};
use crate::sample::names::{FIRST_NAMES, LAST_NAMES, TAGS, TEAMS};

const FIRST_USER: i64 = 515_000;
const FIRST_TEAM: i64 = 90_400;
const FIRST_PERIOD: i64 = 470_500;
const FIRST_TAG: i64 = 31_200;

/// Who and what goals refer to.
#[derive(Debug, Clone)]
pub(crate) struct Organization {
    seed: u64,
    exported_at: DateTime,
    people: u64,
    teams: u64,
}

impl Organization {
    /// One person for twelve goals or so.
    pub(crate) fn new(seed: u64, goals: u64, exported_at: DateTime) -> Self {
        let people = (goals / 12).clamp(8, 20_000);
        Self { seed, exported_at, people, teams: (people / 9).clamp(3, 400) }
    }

    /// The owner of the organization, who asked for the export and whom a demo signs in.
    pub(crate) fn owner() -> Person {
        Person {
            id: Some(FIRST_USER),
            name: Some("Ada Quill".to_owned()),
            email: Some("ada.quill@contoso.example".to_owned()),
        }
    }

    /// A person by index; the first one is the owner.
    fn person(index: u64) -> Person {
        if index == 0 {
            return Self::owner();
        }
        let (first, first_mail) = FIRST_NAMES[(index % 32) as usize];
        let (last, last_mail) = LAST_NAMES[(index / 32 + index) as usize % 24];
        Person {
            id: Some(FIRST_USER + 3 * index.cast_signed()),
            name: Some(format!("{first} {last}")),
            email: Some(format!("{first_mail}.{last_mail}.{index}@contoso.example")),
        }
    }

    /// Anybody.
    pub(crate) fn somebody(&self, dice: &mut Dice) -> Person {
        Self::person(dice.below(self.people))
    }

    /// Mostly anybody, seldom somebody whom the file does not list.
    pub(crate) fn somebody_or_a_stranger(&self, dice: &mut Dice) -> Person {
        if dice.permille(5) { Self::stranger(dice) } else { self.somebody(dice) }
    }

    fn stranger(dice: &mut Dice) -> Person {
        let number = dice.below(500);
        Person {
            id: Some(FIRST_USER - 1 - number.cast_signed()),
            name: Some(format!("Former Colleague {number}")),
            email: Some(format!("former.{number}@contoso.example")),
        }
    }

    /// All rows of `Users`: the people, then one group.
    pub(crate) fn users(&self) -> impl Iterator<Item = User> {
        (0..self.people).map(|index| self.user(index)).chain([User {
            id: FIRST_USER - 1000,
            name: Some("All of Contoso".to_owned()),
            role: Some("Member".to_owned()),
            source: Some("Group".to_owned()),
            member_type: Some("regular".to_owned()),
            status: Some("active".to_owned()),
            ..User::default()
        }])
    }

    fn user(&self, index: u64) -> User {
        let mut dice = Dice::new(self.seed, Purpose::User, index);
        let Person { name, email, .. } = Self::person(index);
        let is_owner = index == 0;
        let manager = (!is_owner).then(|| {
            if dice.permille(5) { Self::stranger(&mut dice) } else { Self::person((index - 1) / 7) }
        });
        let (member_type, status) = match dice.below(100) {
            _ if is_owner => ("regular", "active"),
            0..5 => ("observer", "active"),
            5..9 => ("regular", "deactivated"),
            9..11 => ("regular", "pending"),
            _ => ("regular", "active"),
        };
        let days_ago = dice.between(0, 90);
        let last_active = (status == "active").then(|| back(self.exported_at, days_ago));
        User {
            id: FIRST_USER + 3 * index.cast_signed(),
            name,
            email,
            manager,
            teams: vec![Self::team_name(index % self.teams)],
            last_active,
            role: Some(if is_owner { "Organization Owner" } else { "Member" }.to_owned()),
            source: Some("Individual".to_owned()),
            member_type: Some(member_type.to_owned()),
            status: Some(status.to_owned()),
            aside: Vec::new(),
        }
    }

    fn team_name(index: u64) -> Named {
        let word = TEAMS[index as usize % TEAMS.len()];
        let name = match index as usize / TEAMS.len() {
            0 => word.to_owned(),
            round => format!("{word} {}", round + 1),
        };
        Named { id: FIRST_TEAM + 2 * index.cast_signed(), name: Some(name) }
    }

    /// All rows of `Teams`, three of them at the top.
    pub(crate) fn teams(&self) -> impl Iterator<Item = Team> {
        (0..self.teams).map(|index| {
            let mut dice = Dice::new(self.seed, Purpose::Team, index);
            let Named { id, name } = Self::team_name(index);
            let parent_team = match index {
                0..3 => None,
                _ if dice.permille(5) => Some("Dissolved".to_owned()),
                _ => Self::team_name((index - 3) / 4).name,
            };
            Team {
                id,
                name: name.unwrap_or_default(),
                parent_team,
                owners: (0..dice.between(1, 2)).map(|_| self.somebody(&mut dice)).collect(),
                team_type: Some("Classic".to_owned()),
                status: Some(if dice.permille(30) { "Archived" } else { "Active" }.to_owned()),
                description: dice.permille(400).then(|| "What we do, and \"why\".".to_owned()),
                aside: Vec::new(),
            }
        })
    }

    /// A team, or seldom one that the file does not list.
    pub(crate) fn some_team(&self, dice: &mut Dice) -> Named {
        if dice.permille(5) {
            return Named { id: FIRST_TEAM + 1, name: Some("Dissolved".to_owned()) };
        }
        Self::team_name(dice.below(self.teams))
    }

    /// All rows of `TimePeriods`: the year of the export and the two before, each whole and in quarters.
    pub(crate) fn periods(&self) -> Vec<Period> {
        let year = self.exported_at.year().max(3);
        let mut periods = Vec::with_capacity(15);
        for year in year - 2..=year {
            let whole = (format!("Annual {year}"), date(year, 1, 1), date(year, 12, 31));
            let quarters = (1..=4_i8).map(|quarter| {
                let first = date(year, 3 * quarter - 2, 1);
                (format!("Q{quarter} {year}"), first, date(year, 3 * quarter, 1).last_of_month())
            });
            for (name, start_date, end_date) in std::iter::once(whole).chain(quarters) {
                let id = FIRST_PERIOD + 4 * periods.len() as i64;
                periods.push(Period { id, name, start_date, end_date, aside: Vec::new() });
            }
        }
        periods
    }

    /// A period that no row of `TimePeriods` has.
    pub(crate) fn lost_period() -> Named {
        Named { id: FIRST_PERIOD + 1, name: Some("Sprint 9".to_owned()) }
    }

    /// All rows of `Tags`.
    pub(crate) fn tags() -> impl Iterator<Item = Tag> {
        (0..TAGS.len()).map(Self::tag)
    }

    fn tag(index: usize) -> Tag {
        Tag { id: FIRST_TAG + index as i64, name: Some(TAGS[index].to_owned()), aside: Vec::new() }
    }

    /// A tag, or seldom one that the file does not list.
    pub(crate) fn some_tag(dice: &mut Dice) -> Tag {
        if dice.permille(40) {
            return Tag { id: FIRST_TAG - 1, name: Some("Removed".to_owned()), aside: Vec::new() };
        }
        Self::tag(dice.below(TAGS.len() as u64) as usize)
    }

    /// The day of the export.
    pub(crate) fn today(&self) -> Date {
        self.exported_at.date()
    }
}

fn back(from: DateTime, days: u64) -> DateTime {
    from.saturating_sub(jiff::Span::new().days(days.min(10_000).cast_signed()))
}
