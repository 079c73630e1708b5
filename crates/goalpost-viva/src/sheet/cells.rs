//! What stands in a cell: numbers, days, parents, check-ins.

use jiff::civil::{Date, DateTime};

use crate::value::{digits, parse_day, parse_moment, ungrouped};

/// A parent in `Aligned To (weight, Objective ID)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Parent {
    /// Its title.
    pub title: String,
    /// The weight in percent.
    pub weight: f64,
    /// Its id.
    pub id: i64,
    /// Where its title begins in the cell.
    pub at: usize,
}

/// Reads `Parent title(weight: 14.29%, Id: 2295704)`, several joined by ` / `; `None` for anything else.
///
/// Nothing in a title is escaped: a bracket of this form belongs to the title unless it ends the cell or ` / `
/// follows.
pub fn aligned_to(cell: &str) -> Option<Vec<Parent>> {
    let mut parents = Vec::new();
    let mut rest = cell;
    while !rest.is_empty() {
        let (parent, after) = rest.match_indices("(weight: ").find_map(|(at, open)| {
            let (weight, after) = rest[at + open.len()..].split_once("%, Id: ")?;
            let (id, after) = after.split_once(')')?;
            let after =
                if after.is_empty() { after } else { after.strip_prefix(" / ").filter(|s| !s.is_empty())? };
            let (weight, id) = (number(weight)?, digits(id)?);
            let begin = cell.len() - rest.len();
            Some((Parent { title: rest[..at].to_owned(), weight, id, at: begin }, after))
        })?;
        parents.push(parent);
        rest = after;
    }
    Some(parents)
}

/// Puts together again what [`aligned_to`] took apart because it stands in a title, by the titles that are known to
/// hold such a thing.
pub fn settle_titles<'t>(cell: &str, parents: &mut Vec<Parent>, title: impl Fn(i64) -> Option<&'t str>) {
    let mut index = 0;
    while index < parents.len() {
        let parent = &parents[index];
        let end = parent.at + parent.title.len();
        if let Some(title) = title(parent.id)
            && let Some(at) = end.checked_sub(title.len())
            && cell.get(at..end) == Some(title)
            && let Ok(first) = parents[..index].binary_search_by_key(&at, |parent| parent.at)
        {
            (parents[index].title, parents[index].at) = (title.to_owned(), at);
            parents.drain(first..index);
            index = first;
        }
        index += 1;
    }
}

/// A cell of `Checkins`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CheckInCell {
    /// The day that it speaks about.
    pub date: Option<Date>,
    /// The name of who wrote it.
    pub user: String,
    /// The note.
    pub note: String,
    /// The metric's name.
    pub metric_name: String,
    /// The status that was set.
    pub status: String,
    /// The value that was set.
    pub value: Option<f64>,
    /// When it was written down, in UTC.
    pub recorded_at: Option<DateTime>,
}

/// Reads one check-in; `None` for anything else.
///
/// `Checkin Date: 2025-03-10; User: A; Note: text; Metric Name: Progress; Status: On Track; Current Value: 25%;
/// Activity Date: 2025-03-10 20:57:08 UTC;`. Nothing in the note is escaped, so what stands behind it is looked
/// for from the right.
pub fn check_in(cell: &str) -> Option<CheckInCell> {
    let rest = cell.strip_prefix("Checkin Date: ")?.strip_suffix(';')?;
    let (rest, recorded_at) = rest.rsplit_once("; Activity Date: ")?;
    let (rest, value) = rest.rsplit_once("; Current Value: ")?;
    let (rest, status) = rest.rsplit_once("; Status: ")?;
    let (rest, metric_name) = rest.rsplit_once("; Metric Name: ")?;
    let (date, rest) = rest.split_once("; User: ")?;
    let (user, note) = rest.split_once("; Note: ")?;
    let check_in = CheckInCell {
        date: unless_blank(date, |date| parse_day(date.trim())).ok()?,
        user: user.to_owned(),
        note: note.to_owned(),
        metric_name: metric_name.to_owned(),
        status: status.to_owned(),
        value: unless_blank(value, percent).ok()?,
        recorded_at: unless_blank(recorded_at, moment).ok()?,
    };
    (check_in.date.is_some() || check_in.recorded_at.is_some()).then_some(check_in)
}

/// A cell that holds something else than it should.
pub(super) struct Unreadable;

/// Reads a cell; blanks alone are an empty one.
pub(super) fn unless_blank<T>(cell: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Unreadable> {
    if cell.trim().is_empty() { Ok(None) } else { read(cell).map(Some).ok_or(Unreadable) }
}

/// A number with or without thousands separators; a comma that can be none is that of the decimals.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let found = ungrouped(text).or_else(|| {
        let (whole, fraction) = text.split_once(',')?;
        let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let sign_off = whole.strip_prefix('-').unwrap_or(whole);
        (is_plain(sign_off) && is_plain(fraction))
            .then(|| format!("{whole}.{fraction}").parse().ok())
            .flatten()
    });
    found.filter(|number| number.is_finite())
}

/// A number with or without `%` behind it.
pub(super) fn percent(text: &str) -> Option<f64> {
    let text = text.trim();
    number(text.strip_suffix('%').unwrap_or(text))
}

/// A day; a time of one will do, by whatever clock.
pub(super) fn day(text: &str) -> Option<Date> {
    let (at, _) = clock(text)?;
    Some(at.date())
}

/// A time in UTC, as tables print it or as RFC 3339 does, with or without the distance of its clock from UTC.
pub(super) fn moment(text: &str) -> Option<DateTime> {
    let (at, ahead) = clock(text)?;
    at.checked_sub(jiff::SignedDuration::from_mins(ahead)).ok()
}

/// What a clock shows, and how many minutes it is ahead of UTC.
fn clock(text: &str) -> Option<(DateTime, i64)> {
    const DAY: usize = "2026-01-31".len();
    let text = text.trim();
    if text.as_bytes().get(DAY) == Some(&b'T') && text.is_ascii() {
        return clock(&format!("{} {}", &text[..DAY], &text[DAY + 1..]));
    }
    if let Some(at) = parse_moment(text.strip_suffix('Z').unwrap_or(text)) {
        return Some((at, 0));
    }
    if !text.is_ascii() || text.len() <= DAY {
        return None;
    }
    // `+01:00`, or `+01` where the minutes are none.
    let sign_at = DAY + text[DAY..].rfind(['+', '-'])?;
    let (hours, minutes) = text[sign_at + 1..].split_once(':').unwrap_or((&text[sign_at + 1..], "00"));
    let two_digits = |part: &str| digits::<i64>(part).filter(|_| part.len() == 2);
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    let at = parse_moment(text[..sign_at].trim_end())?;
    let sign = if text.as_bytes()[sign_at] == b'+' { 1 } else { -1 };
    (hours < 24 && minutes < 60).then_some((at, sign * (60 * hours + minutes)))
}

/// A goal's number, as it is or as the text of the one formula that exports had:
/// `=HYPERLINK("https://…","2295704")`.
pub(super) fn id(text: &str) -> Option<i64> {
    // What is made here has numbers from 2^40 on; nothing has any beyond what every reader takes.
    const LARGEST: i64 = 1 << 53;
    let text = text.trim();
    digits(text).or_else(|| linked_id(text)).filter(|id| *id <= LARGEST)
}

/// The number in `HYPERLINK("https://…","2295704")`, with or without `=` before it.
pub(super) fn linked_id(formula: &str) -> Option<i64> {
    let formula = formula.trim();
    let inner = formula.strip_prefix('=').unwrap_or(formula);
    let inner = inner.strip_prefix("HYPERLINK(\"")?.strip_suffix("\")")?;
    let (_, id) = inner.split_once("\",\"").or_else(|| inner.split_once("\", \""))?;
    digits(id)
}

/// The names in a cell. A name that is `known` may hold the separator; what cannot be taken apart is one name.
pub fn names(cell: &str, separator: &str, known: impl Fn(&str) -> bool) -> Vec<String> {
    /// Parts that one name may have.
    const PARTS: usize = 8;
    if cell.is_empty() {
        return Vec::new();
    }
    let parts: Vec<&str> = cell.split(separator).collect();
    if parts.iter().any(|part| part.trim().is_empty()) {
        return vec![cell.to_owned()];
    }
    let (mut names, mut at) = (Vec::new(), 0);
    while at < parts.len() {
        let most = PARTS.min(parts.len() - at);
        let length = (2..=most).rev().find(|&length| known(&parts[at..at + length].join(separator)));
        let length = length.unwrap_or(1);
        names.push(parts[at..at + length].join(separator));
        at += length;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_of_parents_may_hold_brackets() {
        let parent = |title: &str, weight, id| (title.to_owned(), weight, id);
        let told = |parents: Vec<Parent>| {
            parents.into_iter().map(|parent| (parent.title, parent.weight, parent.id)).collect::<Vec<_>>()
        };
        for (cell, parents) in [
            ("", vec![]),
            ("Grow(weight: 14.29%, Id: 7)", vec![parent("Grow", 14.29, 7)]),
            ("A (b) / c(weight: 0%, Id: 7)", vec![parent("A (b) / c", 0.0, 7)]),
            (
                "A(weight: 1%, Id: 2)(weight: 50%, Id: 7) / B(weight: 5%, Id: 8)",
                vec![parent("A(weight: 1%, Id: 2)", 50.0, 7), parent("B", 5.0, 8)],
            ),
            ("(weight: 100%, Id: 7)", vec![parent("", 100.0, 7)]),
        ] {
            assert_eq!(aligned_to(cell).map(told), Some(parents), "{cell}");
        }
        for cell in
            ["Grow", "Grow(weight: x%, Id: 7)", "Grow(weight: 1%, Id: -7)", "Grow(weight: 1%, Id: 7) "]
        {
            assert_eq!(aligned_to(cell), None, "{cell}");
        }
    }

    #[test]
    fn a_title_that_is_known_is_one_title() {
        let cell = "A(weight: 5%, Id: 6) / B(weight: 1%, Id: 2) / C(weight: 50%, Id: 7)";
        let mut parents = aligned_to(cell).expect("three parents");
        settle_titles(cell, &mut parents, |id| (id == 7).then_some("B(weight: 1%, Id: 2) / C"));
        let told: Vec<_> = parents.iter().map(|parent| (parent.title.as_str(), parent.id)).collect();
        assert_eq!(told, [("A", 6), ("B(weight: 1%, Id: 2) / C", 7)]);
    }

    #[test]
    fn notes_of_check_ins_may_hold_everything() {
        let note = "Done; Note: yes; Status: On Track;\nMore, \"quoted\"";
        let cell = format!(
            "Checkin Date: 2025-03-10; User: Ada Quill; Note: {note}; Metric Name: Progress; Status: Behind; \
             Current Value: 1,025.5%; Activity Date: 2025-03-11 20:57:08 UTC;"
        );
        let read = check_in(&cell).expect("a check-in");
        assert_eq!(
            (read.user.as_str(), read.note.as_str(), read.status.as_str()),
            ("Ada Quill", note, "Behind")
        );
        assert_eq!(read.value, Some(1025.5));
        assert_eq!(read.recorded_at, Some(jiff::civil::datetime(2025, 3, 11, 20, 57, 8, 0)));
        assert_eq!(check_in("Checkin Date: 2025-03-10; User: Ada Quill"), None);
        assert_eq!(check_in(&cell.replace("2025-03-10", "soon")), None);
    }

    #[test]
    fn numbers_and_ids_have_several_forms() {
        for (text, value) in
            [("64", 64.0), (" 1,234.5 ", 1234.5), ("64,5", 64.5), ("-0,25", -0.25), ("1,234", 1234.0)]
        {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", "much", "1,2,3", "1.2.3", "NaN", "1e999"] {
            assert_eq!(number(text), None, "{text}");
        }
        assert_eq!(id("2295704"), Some(2_295_704));
        assert_eq!(id("=HYPERLINK(\"https://goals.contoso.example/okr/7\",\"7\")"), Some(7));
        for text in ["", "-1", "1.0", "=SUM(1)", "=HYPERLINK(\"a\",\"b\")", "9999999999999999999"] {
            assert_eq!(id(text), None, "{text}");
        }
    }

    #[test]
    fn a_known_name_may_hold_the_separator() {
        let known = |name: &str| name == "Quill, Ada";
        assert_eq!(names("Quill, Ada, Bo Quint", ", ", known), ["Quill, Ada", "Bo Quint"]);
        assert_eq!(names("Cy, Quill, Ada", ", ", known), ["Cy", "Quill, Ada"]);
        assert_eq!(names(", Bo", ", ", known), [", Bo"]);
        assert!(names("", ", ", known).is_empty());
    }
}
