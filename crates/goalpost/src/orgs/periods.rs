//! Time periods, and those that a planning year brings by itself.

use std::time::Duration;

use goalpost_db::{Error, Result, Scope, Tx, Value, params};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::change::{Change, OrgError, name};
use super::queries::{list as list_organizations, mint_numbers};
use super::tables::PERIOD;
use crate::app::App;
use crate::ids::{OrganizationNumber, PersonNumber, fold};

/// A time period as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Its first day; a period that a file only mentions has none.
    pub start: Option<Date>,
    /// Its last day.
    pub end: Option<Date>,
}

/// What is to become of a time period. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeriodPatch {
    /// Its name, which no other period has.
    pub name: Option<String>,
    /// Its first day.
    pub start: Option<Date>,
    /// Its last day, which belongs to it.
    pub end: Option<Date>,
}

/// Every time period, the earliest first.
pub fn list(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Vec<Period>> {
    tx.query(
        "-- orgs::list_periods
        select id, name, start_date, end_date from period where organization = ?1
         order by coalesce(start_date, ''), end_date, id",
        params![organization],
        |row| {
            let day = |text: Option<&str>| text.and_then(|text| text.parse().ok());
            Ok::<_, Error>(Period {
                number: row.int(0)?,
                name: row.text(1)?.to_owned(),
                start: day(row.opt_text(2)?),
                end: day(row.opt_text(3)?),
            })
        },
    )
}

/// Make a time period.
pub fn create(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    period: &PeriodPatch,
) -> Result<Period, OrgError> {
    let change = Change::begin(tx, organization, actor, "period create")?;
    if period.name.is_none() {
        return Err(OrgError::NoName("time period"));
    }
    let number = mint_numbers(tx, organization, 1)?;
    let columns = vec!["".into(), "".into(), Value::Null, Value::Null, "local".into()];
    change.put_period("period.create", number, period, columns)
}

/// Change a time period. Goals keep their own days.
pub fn change(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    number: i64,
    patch: &PeriodPatch,
) -> Result<Period, OrgError> {
    let change = Change::begin(tx, organization, actor, "period change")?;
    let columns = change.find(&PERIOD, "period", number)?;
    change.put_period("period.change", number, patch, columns)
}

/// Take away a time period that no goal is in.
pub fn delete(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    number: i64,
) -> Result<(), OrgError> {
    let change = Change::begin(tx, organization, actor, "period delete")?;
    change.find(&PERIOD, "period", number)?;
    change.require_unused(
        "time period",
        number,
        "-- orgs::count_goals_of_period
        select count(*) from goal where organization = ?1 and period = ?2",
    )?;
    change.remove(&PERIOD, number)?;
    Ok(change.audit("period.delete", number)?)
}

impl Change<'_, '_> {
    fn put_period(
        &self,
        action: &str,
        number: i64,
        patch: &PeriodPatch,
        mut columns: Vec<Value>,
    ) -> Result<Period, OrgError> {
        if let Some(text) = &patch.name {
            let text = name("time period", text)?;
            self.require_free_name(&PERIOD, "period", number, &text)?;
            columns[1] = fold(&text).into();
            columns[0] = text.into();
        }
        let day =
            |value: &Value| if let Value::Text(text) = value { text.parse::<Date>().ok() } else { None };
        let start = patch.start.or(day(&columns[2])).ok_or(OrgError::NoDays)?;
        let end = patch.end.or(day(&columns[3])).ok_or(OrgError::NoDays)?;
        if end < start {
            return Err(OrgError::Turned { start, end });
        }
        (columns[2], columns[3]) = (start.to_string().into(), end.to_string().into());
        self.put(&PERIOD, number, &columns)?;
        self.audit(action, number)?;
        let name = if let Value::Text(name) = &columns[0] { name.clone() } else { String::new() };
        Ok(Period { number, name, start: Some(start), end: Some(end) })
    }
}

/// Make what is missing of the time periods of planning years: from the first day of a year's last quarter on the four
/// quarters and the year that come next, and those of the year itself if it has none of them. Nothing where the
/// organization has no planning years. Tells what was made; a second time there is nothing to make.
///
/// A period counts as there if one has the same days, whatever its name. Names are those of the calendar year in which
/// the planning year begins: `Q1 2027`, `Annual 2027`.
pub fn roll_over(
    tx: &Tx<'_>,
    organization: OrganizationNumber,
    actor: Option<PersonNumber>,
    today: Date,
) -> Result<Vec<Period>, OrgError> {
    let Some(month) = planning_year_start(tx, organization)? else { return Ok(Vec::new()) };
    let present = list(tx, organization)?;
    let is_there = |wanted: &PeriodPatch| {
        present.iter().any(|period| period.start == wanted.start && period.end == wanted.end)
    };
    let Some(begins) = beginning(month, today) else { return Ok(Vec::new()) };
    let mut wanted = planning_year(begins);
    if wanted.iter().any(is_there) {
        wanted.clear();
    }
    if let (Ok(last_quarter), Ok(next)) = (begins.checked_add(9.months()), begins.checked_add(1.year()))
        && today >= last_quarter
    {
        wanted.extend(planning_year(next));
    }
    wanted.retain(|period| !is_there(period));
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let change = Change::begin(tx, organization, actor, "period roll-over")?;
    let mut made = Vec::with_capacity(wanted.len());
    for mut period in wanted {
        let taken = |name: &str| present.iter().any(|other| fold(&other.name) == fold(name));
        // Somebody used the name for other days.
        if let Some(name) = period.name.as_mut().filter(|name| taken(name)) {
            name.push_str(" (planning year)");
        }
        let number = mint_numbers(tx, organization, 1)?;
        let columns = vec!["".into(), "".into(), Value::Null, Value::Null, "local".into()];
        made.push(change.put_period("period.create", number, &period, columns)?);
    }
    Ok(made)
}

fn planning_year_start(tx: &Tx<'_>, organization: OrganizationNumber) -> Result<Option<i8>> {
    let found = tx.query_opt(
        "-- orgs::planning_year_start
        select planning_year_start from organization where number = ?1",
        params![organization],
        |row| row.opt_int(0),
    )?;
    Ok(found.flatten().and_then(|month| i8::try_from(month).ok()).filter(|month| (1..=12).contains(month)))
}

/// The first day of the planning year that a day is in.
fn beginning(month: i8, today: Date) -> Option<Date> {
    let year = if today.month() < month { today.year() - 1 } else { today.year() };
    Date::new(year, month, 1).ok()
}

/// The quarters of the planning year that begins on a day, and the year itself.
fn planning_year(begins: Date) -> Vec<PeriodPatch> {
    let period = |name: String, first: i32, months: i32| {
        let start = begins.checked_add(first.months()).ok()?;
        let end = start.checked_add(months.months()).ok()?.yesterday().ok()?;
        Some(PeriodPatch { name: Some(name), start: Some(start), end: Some(end) })
    };
    let year = begins.year();
    let quarters = (0..4).map(|quarter| period(format!("Q{} {year}", quarter + 1), 3 * quarter, 3));
    quarters.chain([period(format!("Annual {year}"), 0, 12)]).flatten().collect()
}

/// How often planning years are looked at.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// Make what is missing of time periods now and then, until the app's stop.
pub async fn run(app: App) {
    while !app.stop.is_asked() {
        if let Err(error) = roll_over_all(&app).await {
            tracing::warn!(%error, "could not make the time periods of planning years");
        }
        tokio::select! {
            () = app.stop.asked() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Make what is missing of the time periods of every organization with planning years; how many were made.
pub async fn roll_over_all(app: &App) -> Result<usize, OrgError> {
    let organizations = app.db.read(Scope::Global, list_organizations).await?;
    let mut count = 0;
    for organization in organizations.into_iter().filter(|found| found.planning_year_start.is_some()) {
        let number = organization.number;
        let made = app.db.write(number, move |tx| roll_over(tx, number, None, today(tx))).await?;
        if !made.is_empty() {
            tracing::info!(organization.number = %number, periods = made.len(), "made time periods");
        }
        count += made.len();
    }
    Ok(count)
}

/// The day (UTC) of a transaction.
pub fn today(tx: &Tx<'_>) -> Date {
    let at = Timestamp::from_microsecond(tx.now_us()).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(at).date()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_planning_year_is_four_quarters_and_itself() {
        let begins = beginning(7, date(2026, 6, 30)).expect("a day");
        assert_eq!(begins, date(2025, 7, 1));
        assert_eq!(beginning(7, date(2026, 7, 1)), Some(date(2026, 7, 1)));
        let year = planning_year(begins);
        let days: Vec<_> = year.iter().map(|period| (period.start, period.end)).collect();
        let day = |year, month, day| Some(date(year, month, day));
        assert_eq!(
            days,
            [
                (day(2025, 7, 1), day(2025, 9, 30)),
                (day(2025, 10, 1), day(2025, 12, 31)),
                (day(2026, 1, 1), day(2026, 3, 31)),
                (day(2026, 4, 1), day(2026, 6, 30)),
                (day(2025, 7, 1), day(2026, 6, 30)),
            ]
        );
        assert_eq!(year[4].name.as_deref(), Some("Annual 2025"));
    }
}
