//! What the first row says: which column holds what.

use std::collections::BTreeMap;

use super::error::SheetError;
use crate::error::shown;

macro_rules! columns {
    ($($column:ident = $header:literal $(| $other:literal)*),* $(,)?) => {
        /// A column of an export.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Column { $(#[doc = concat!("`", $header, "`.")] $column),* }

        impl Column {
            /// Every column.
            pub const ALL: &[Self] = &[$(Self::$column),*];

            /// Its header, as exports print it.
            pub fn header(self) -> &'static str {
                match self { $(Self::$column => $header),* }
            }

            fn of(folded: &str) -> Option<Self> {
                const WORDS: &[(Column, &[&str])] = &[$((Column::$column, &[$header $(, $other)*])),*];
                let has = |words: &[&str]| words.iter().any(|word| fold(word) == folded);
                WORDS.iter().find(|(_, words)| has(words)).map(|(column, _)| *column)
            }
        }
    };
}

columns! {
    Id = "Id",
    Title = "Title",
    Tag = "Tag" | "Tags",
    OkrType = "OKR type",
    TypeName = "Type name",
    Team = "Team" | "Teams",
    Creator = "Creator",
    Owner = "Owner" | "Owners",
    Period = "Period" | "Time Period",
    StartDate = "Start Date",
    EndDate = "End Date",
    Description = "Description",
    AlignedTo = "Aligned To (weight, Objective ID)" | "Aligned To",
    MetricName = "Metric Name",
    Unit = "Unit",
    Target = "Target",
    ObjectType = "Object Type",
    GoalType = "Goal Type",
    Start = "Start",
    CreatedAt = "Created At",
    LastCheckIn = "Last Check-in",
    Progress = "Progress %",
    ActualProgress = "Actual Progress",
    Status = "Status",
    LastNote = "Last Check-in Note",
    Score = "Score",
    CheckIns = "Checkins" | "Check-ins",
}

/// Headers are compared without regard to case and to how much blank there is.
pub(super) fn fold(word: &str) -> String {
    word.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The operator's words for headers, such as those of another language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderWords(BTreeMap<String, Column>);

impl HeaderWords {
    /// Takes pairs of a word of the file and the header that it stands for.
    ///
    /// # Errors
    /// [`SheetError::NoSuchColumn`].
    pub fn new<'w>(words: impl IntoIterator<Item = (&'w str, &'w str)>) -> Result<Self, SheetError> {
        let read = |(word, header): (&str, &str)| match Column::of(&fold(header)) {
            Some(column) => Ok((fold(word), column)),
            None => Err(SheetError::NoSuchColumn { word: shown(header) }),
        };
        words.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    fn column(&self, word: &str) -> Option<Column> {
        let word = fold(word);
        self.0.get(&word).copied().or_else(|| Column::of(&word))
    }
}

/// What a place of a row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Column(Column),
    /// One tag: tags may have a column each, `Tag 1`, `Tag 2`, ….
    OneTag,
    /// A column that no export of Viva Goals had.
    Unknown(String),
}

/// The first row.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) places: Vec<Place>,
}

impl Header {
    pub(super) fn read(cells: &[String], words: &HeaderWords) -> Result<Self, SheetError> {
        let mut places: Vec<Place> = Vec::with_capacity(cells.len());
        for (index, cell) in cells.iter().enumerate() {
            let place = match words.column(cell) {
                // The further check-ins and tags of a row stand in columns without a name.
                None if cell.trim().is_empty() => match places.last() {
                    Some(Place::Column(Column::CheckIns)) => Place::Column(Column::CheckIns),
                    Some(Place::OneTag | Place::Column(Column::Tag)) => Place::OneTag,
                    _ => Place::Unknown(format!("column {}", index + 1)),
                },
                Some(Column::Tag) if places.iter().any(is_tag) => Place::OneTag,
                Some(column) if places.contains(&Place::Column(column)) => {
                    return Err(SheetError::TwoColumns { column: column.header() });
                }
                Some(column) => Place::Column(column),
                None if is_numbered_tag(cell) => Place::OneTag,
                None => Place::Unknown(shown(cell)),
            };
            places.push(place);
        }
        // Where each tag has a column, the first of them may be called `Tag` too, and holds one.
        if places.iter().filter(|place| is_tag(place)).count() > 1 {
            for place in &mut places {
                if is_tag(place) {
                    *place = Place::OneTag;
                }
            }
        }
        let header = Self { places };
        let found = || shown(&cells.join(", "));
        if !header.places.iter().any(|place| !matches!(place, Place::Unknown(_))) {
            return Err(SheetError::NoHeader { found: found() });
        }
        if !header.has(Column::Title) {
            return Err(SheetError::NoColumn { column: Column::Title.header(), found: found() });
        }
        Ok(header)
    }

    /// How many of these cells are headers that are known.
    pub(super) fn known(cells: &[String], words: &HeaderWords) -> usize {
        cells.iter().filter(|cell| words.column(cell).is_some()).count()
    }

    pub(super) fn has(&self, column: Column) -> bool {
        self.places.contains(&Place::Column(column))
            || column == Column::Tag && self.places.contains(&Place::OneTag)
    }

    /// What the place holds; behind the last header only check-ins and tags may go on.
    pub(super) fn place(&self, index: usize) -> Option<&Place> {
        self.places.get(index).or_else(|| match self.places.last() {
            last @ Some(Place::Column(Column::CheckIns) | Place::OneTag) => last,
            _ => None,
        })
    }
}

fn is_tag(place: &Place) -> bool {
    matches!(place, Place::OneTag | Place::Column(Column::Tag))
}

fn is_numbered_tag(cell: &str) -> bool {
    let word = fold(cell);
    let number = word.strip_prefix("tag").map(|rest| rest.trim_start_matches([' ', '_', '-']));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(cells: &[&str]) -> Result<Header, SheetError> {
        let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
        Header::read(&cells, &HeaderWords::default())
    }

    #[test]
    fn headers_stand_in_any_order_and_case() {
        let header =
            header(&["STATUS", " title ", "Colour", "Checkins", "", "", "Score", ""]).expect("a header");
        assert_eq!(
            header.places,
            [
                Place::Column(Column::Status),
                Place::Column(Column::Title),
                Place::Unknown("Colour".to_owned()),
                Place::Column(Column::CheckIns),
                Place::Column(Column::CheckIns),
                Place::Column(Column::CheckIns),
                Place::Column(Column::Score),
                Place::Unknown("column 8".to_owned()),
            ]
        );
        assert_eq!(header.place(8), None);
    }

    #[test]
    fn tags_may_have_a_column_each() {
        for cells in [["Title", "Tag 1", "Tag 2"], ["Title", "Tag", "Tag"], ["Title", "Tag", ""]] {
            let header = header(&cells).expect("a header");
            assert_eq!(header.places[1..], [Place::OneTag, Place::OneTag], "{cells:?}");
            assert_eq!(header.place(7), Some(&Place::OneTag));
        }
        assert_eq!(header(&["Title", "Tag"]).expect("a header").places[1], Place::Column(Column::Tag));
    }

    #[test]
    fn a_table_of_something_else_is_refused() {
        assert!(matches!(header(&["Name", "E-mail"]), Err(SheetError::NoHeader { .. })));
        assert!(matches!(header(&["Id", "Status"]), Err(SheetError::NoColumn { column: "Title", .. })));
        assert!(matches!(header(&["Title", "title"]), Err(SheetError::TwoColumns { column: "Title" })));
    }

    #[test]
    fn an_operator_may_say_what_a_header_means() {
        let words = HeaderWords::new([("Titel", "Title")]).expect("a header");
        let header = Header::read(&["TITEL".to_owned()], &words).expect("a header");
        assert_eq!(header.places, [Place::Column(Column::Title)]);
        assert!(matches!(HeaderWords::new([("Titel", "Titles")]), Err(SheetError::NoSuchColumn { .. })));
    }
}
