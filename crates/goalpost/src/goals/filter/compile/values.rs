//! Conditions on the goal's own columns: texts, days, moments and numbers.

use goalpost_db::Value;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::super::{Amount, Day, Keyword, Moment, Text};
use super::{Compiler, FALSE};
use crate::ids::fold;

/// Letters beyond ASCII that a search without regard to case tells apart; further ones are taken as small letters.
const MAX_LETTERS: usize = 32;
const DAY_US: &str = "86400000000";

/// Which way days are counted from today.
#[derive(Clone, Copy)]
pub(super) enum Count {
    /// Days to come.
    Ahead,
    /// Days that went by; a later day than today is near.
    Back,
    /// Days that went by; a later day than today is none of them.
    Past,
}

/// A day as a bound: whether it belongs to what is bounded.
#[derive(Clone, Copy)]
enum Bound {
    From(Date),
    After(Date),
    Until(Date),
    Before(Date),
}

impl Bound {
    fn of_day(self) -> (&'static str, String) {
        match self {
            Self::From(day) => (">=", day.to_string()),
            Self::After(day) => (">", day.to_string()),
            Self::Until(day) => ("<=", day.to_string()),
            Self::Before(day) => ("<", day.to_string()),
        }
    }

    fn of_moment(self) -> (&'static str, i64) {
        match self {
            Self::From(day) => (">=", begin(day)),
            Self::After(day) => (">=", end(day)),
            Self::Until(day) => ("<", end(day)),
            Self::Before(day) => ("<", begin(day)),
        }
    }
}

/// The first moment of a day; beyond the calendar's end, none that any row holds.
fn begin(day: Date) -> i64 {
    let at = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0));
    at.map_or(if day.year() > 0 { i64::MAX } else { i64::MIN }, Timestamp::as_microsecond)
}

fn end(day: Date) -> i64 {
    day.tomorrow().map_or(i64::MAX, begin)
}

/// What a day asks, counted from today; none where it asks for a missing one.
fn bounds(day: &Day, today: Date, count: Count) -> Option<Vec<Bound>> {
    use Bound::{After, Before, From, Until};
    let ahead = |days: u16| today.saturating_add(i64::from(days).days());
    let back = |days: u16| today.saturating_sub(i64::from(days).days());
    Some(match (day, count) {
        (Day::None, _) => return None,
        (Day::On(day), _) => vec![From(*day), Until(*day)],
        (Day::Before(day), _) => vec![Before(*day)],
        (Day::After(day), _) => vec![After(*day)],
        (Day::Between(first, last), _) => vec![From(*first), Until(*last)],
        (Day::LessThanDays(days), Count::Ahead) => vec![From(today), Before(ahead(*days))],
        (Day::LessThanDays(days), Count::Back) => vec![After(back(*days))],
        (Day::LessThanDays(days), Count::Past) => vec![After(back(*days)), Until(today)],
        (Day::MoreThanDays(days), Count::Ahead) => vec![After(ahead(*days))],
        (Day::MoreThanDays(days), Count::Back | Count::Past) => vec![Before(back(*days))],
    })
}

/// A day in a column, as a number: how many days it is after 1970 began. Null for null.
///
/// The engines share no function for it, but whole numbers: Fliegel and van Flandern's day number of the year, month
/// and day, with divisions that cut off.
pub(super) fn days_since_1970(column: &str) -> String {
    let part = |from: u8, length: u8| format!("cast(substr({column}, {from}, {length}) as bigint)");
    let (year, month, day) = (part(1, 4), part(6, 2), part(9, 2));
    // -1 in January and February, which belong to the year before.
    let shift = format!("(({month} - 14) / 12)");
    format!(
        "((1461 * ({year} + 4800 + {shift})) / 4 + (367 * ({month} - 2 - 12 * {shift})) / 12 \
         - (3 * (({year} + 4900 + {shift}) / 100)) / 4 + {day} - 32075 - 2440588)"
    )
}

/// When `goal g` was last changed, in microseconds since 1970: here, or by its last check-in, or when it was made.
pub(in crate::goals) fn updated_at() -> String {
    let check_in = days_since_1970("g.last_checkin_date");
    format!("coalesce(g.updated_at, {check_in} * {DAY_US}, g.created_at)")
}

impl Compiler<'_> {
    pub(super) fn day(&mut self, column: &str, day: &Day, count: Count) -> String {
        let Some(bounds) = bounds(day, self.subject.today, count) else {
            return format!("{column} is null");
        };
        self.within(column, bounds.into_iter().map(Bound::of_day))
    }

    pub(super) fn moment(&mut self, column: &str, moment: &Moment) -> String {
        match moment {
            Moment::From(at) => self.within(column, [(">=", at.as_microsecond())]),
            Moment::Until(at) => self.within(column, [("<", at.as_microsecond())]),
            Moment::Day(day) => match bounds(day, self.subject.today, Count::Back) {
                Some(bounds) => self.within(column, bounds.into_iter().map(Bound::of_moment)),
                None => format!("{column} is null"),
            },
        }
    }

    pub(super) fn amount(&mut self, column: &str, amount: Amount) -> String {
        match amount {
            Amount::Lt(bound) => self.within(column, [("<", bound)]),
            Amount::Le(bound) => self.within(column, [("<=", bound)]),
            Amount::Eq(bound) => self.within(column, [("=", bound)]),
            Amount::Ge(bound) => self.within(column, [(">=", bound)]),
            Amount::Gt(bound) => self.within(column, [(">", bound)]),
            Amount::Between(least, most) => self.within(column, [(">=", least), ("<=", most)]),
            Amount::None => format!("{column} is null"),
        }
    }

    /// Whether there is a value, and each operator holds between it and its bound.
    fn within<T: Into<Value>>(
        &mut self,
        column: &str,
        bounds: impl IntoIterator<Item = (&'static str, T)>,
    ) -> String {
        let bounds = bounds.into_iter().map(|(operator, bound)| {
            let bound = self.bind(bound);
            format!(" and {column} {operator} {bound}")
        });
        format!("({column} is not null{})", bounds.collect::<String>())
    }

    /// A comparison with a column that is folded and never null.
    pub(super) fn text(&mut self, column: &str, text: &Text) -> String {
        let pattern = match text {
            Text::Contains(text) => format!("%{}%", escaped(&fold(text))),
            Text::StartsWith(text) => format!("{}%", escaped(&fold(text))),
            Text::Is(text) => escaped(&fold(text)),
            Text::None => return FALSE.to_owned(),
        };
        format!("{column} like {} escape '\\'", self.bind(pattern))
    }

    /// Descriptions are long and not kept folded. Both engines make capitals of ASCII small; of the other letters, those
    /// that are looked for.
    pub(super) fn description(&mut self, text: &Text) -> String {
        let (Text::Contains(words) | Text::StartsWith(words) | Text::Is(words)) = text else {
            return "(g.description is null or g.description = '')".to_owned();
        };
        let mut letters: Vec<(char, char)> = Vec::new();
        for small in fold(words).chars().filter(|c| !c.is_ascii()) {
            let mut capitals = small.to_uppercase();
            if let (Some(capital), None) = (capitals.next(), capitals.next())
                && capital != small
                && !letters.contains(&(capital, small))
                && letters.len() < MAX_LETTERS
            {
                letters.push((capital, small));
            }
        }
        let mut folded = "lower(g.description)".to_owned();
        for (capital, small) in letters {
            let (capital, small) = (self.bind(capital.to_string()), self.bind(small.to_string()));
            folded = format!("replace({folded}, {capital}, {small})");
        }
        format!("(g.description is not null and {})", self.text(&folded, text))
    }

    pub(super) fn keyword(&mut self, keyword: &Keyword) -> String {
        let (Keyword::Contains(text) | Keyword::Anywhere(text)) = keyword;
        let contains = Text::Contains(text.clone());
        let mut ways = vec![self.text("g.title_fold", &contains)];
        if matches!(keyword, Keyword::Anywhere(_)) {
            ways.push(self.description(&contains));
        }
        let trimmed = text.trim();
        if let Ok(number) = trimmed.strip_prefix('#').unwrap_or(trimmed).parse::<i64>() {
            ways.push(format!("g.id = {}", self.bind(number)));
        }
        match ways.as_slice() {
            [way] => way.clone(),
            ways => format!("({})", ways.join(" or ")),
        }
    }
}

/// A text in which every letter of a pattern stands for itself.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
