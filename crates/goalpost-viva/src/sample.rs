//! An invented organization of any size, for demos, tests and measurements.
//!
//! Everything follows from the seed: the same options give the same bytes. Values are spread as in a real
//! export, texts hold what exports trip over, one goal in a hundred is restricted, and one reference in two
//! hundred of each kind leads to nothing. Memory does not grow with the goals.

mod dice;
mod families;
mod goals;
mod names;
mod organization;
mod words;

use std::io::{Seek, Write};

use jiff::civil::DateTime;

use crate::error::Error;
use crate::member::Entity;
use crate::sample::goals::Goals;
use crate::sample::organization::Organization;
use crate::write::{Heading, Writer};

/// What organization to invent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many goals; one or more. People, teams, check-ins and comments follow.
    pub goals: u64,
    /// How many check-ins a goal has, on average; `None` for as many as in a real export, about 2.3.
    pub check_ins: Option<u32>,
    /// Another seed gives another organization.
    pub seed: u64,
    /// The organization's number.
    pub organization_number: i64,
    /// When the export is said to have been made; UTC, whole seconds, year 3 to 9999. Goals lie in its year
    /// and the two before.
    pub exported_at: DateTime,
}

impl Default for Options {
    fn default() -> Self {
        let exported_at = jiff::civil::datetime(2026, 11, 2, 8, 15, 0, 0);
        Self { goals: 1000, check_ins: None, seed: 1, organization_number: 48_117, exported_at }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The organization's owner, whom a demo signs in.
    pub demo_user_name: String,
    /// The owner's e-mail address.
    pub demo_user_email: String,
    /// Rows of users, one of them a group.
    pub users: u64,
    /// Teams.
    pub teams: u64,
    /// Goals.
    pub goals: u64,
    /// Check-ins.
    pub check_ins: u64,
    /// Comments.
    pub comments: u64,
}

/// Writes the ZIP of an invented organization. `progress` is called with the count of goals done; goals are
/// gone over three times, and the count is that of the first.
///
/// # Errors
/// Whatever the output returns.
pub fn write(
    out: impl Write + Seek,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Summary, Error> {
    let Options { goals: count, check_ins, seed, organization_number, exported_at } = *options;
    let organization = Organization::new(seed, count, exported_at);
    let owner = Organization::owner();
    let user_number = owner.id.unwrap_or_default();
    let mut writer = Writer::new(out, Heading { organization_number, user_number, exported_at })?;
    for user in organization.users() {
        writer.write(&user)?;
    }
    for team in organization.teams() {
        writer.write(&team)?;
    }
    let periods = organization.periods();
    for period in &periods {
        writer.write(period)?;
    }
    for tag in Organization::tags() {
        writer.write(&tag)?;
    }
    let goals = Goals { seed, check_ins, organization, periods };
    for first in (0..count).step_by(families::SIZE as usize) {
        let size = families::SIZE.min(count - first) as usize;
        let family = families::family(seed, first, size);
        for at in 0..size {
            writer.write(&goals.objective(first, &family, at))?;
        }
        progress(first + size as u64);
    }
    let mut next_id = 24_400_000;
    for index in 0..count {
        for check_in in goals.check_ins(index, &mut next_id) {
            writer.write(&check_in)?;
        }
    }
    let mut next_id = 1_930_000;
    for index in 0..count {
        for comment in goals.comments(index, &mut next_id) {
            writer.write(&comment)?;
        }
    }
    let summary = Summary {
        demo_user_name: owner.name.unwrap_or_default(),
        demo_user_email: owner.email.unwrap_or_default(),
        users: writer.written(Entity::Users),
        teams: writer.written(Entity::Teams),
        goals: writer.written(Entity::Objectives),
        check_ins: writer.written(Entity::CheckIns),
        comments: writer.written(Entity::Comments),
    };
    writer.finish()?;
    Ok(summary)
}
