//! The check-ins of goals, read beside them.

use goalpost_db::{Cursor, Result};

use super::chunk::Span;

/// The check-ins of one goal, oldest first: by the moment they speak about, then by number.
#[derive(Debug, Default)]
pub struct CheckIns {
    items: Vec<CheckIn>,
    texts: String,
}

#[derive(Clone, Copy, Debug)]
struct CheckIn {
    as_of_at: i64,
    id: i64,
    recorded_at: Option<i64>,
    owner: Option<i64>,
    value: Option<f64>,
    status: Span,
    metric_name: Span,
    note: Span,
}

/// One check-in.
#[derive(Clone, Copy, Debug)]
pub struct CheckInRow<'a> {
    /// The moment that it speaks about, microseconds.
    pub as_of_at: i64,
    /// When it was written down, microseconds.
    pub recorded_at: Option<i64>,
    /// Who wrote it.
    pub owner: Option<i64>,
    /// The metric's value, or the percentage.
    pub value: Option<f64>,
    /// The status that it set.
    pub status: &'a str,
    /// What was measured.
    pub metric_name: Option<&'a str>,
    /// The note.
    pub note: Option<&'a str>,
}

impl CheckIns {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = CheckInRow<'_>> {
        self.items.iter().map(|item| CheckInRow {
            as_of_at: item.as_of_at,
            recorded_at: item.recorded_at,
            owner: item.owner,
            value: item.value,
            status: item.status.of(&self.texts).unwrap_or_default(),
            metric_name: item.metric_name.of(&self.texts),
            note: item.note.of(&self.texts),
        })
    }
}

/// A cursor over check-ins that follows the goals.
pub(super) struct Walk<'a, 'c>(pub(super) &'a mut Cursor<'c>);

impl Walk<'_, '_> {
    /// The check-ins of `goal`, which comes after every goal asked for before.
    pub(super) fn read(&mut self, goal: i64, into: &mut CheckIns) -> Result<()> {
        into.items.clear();
        into.texts.clear();
        while let Some(row) = self.0.row() {
            let of = row.int(0)?;
            if of > goal {
                break;
            }
            if of == goal {
                into.items.push(CheckIn {
                    id: row.int(1)?,
                    as_of_at: row.int(2)?,
                    recorded_at: row.opt_int(3)?,
                    owner: row.opt_int(4)?,
                    value: row.opt_real(5)?,
                    status: Span::push(&mut into.texts, row.opt_text(6)?),
                    metric_name: Span::push(&mut into.texts, row.opt_text(7)?),
                    note: Span::push(&mut into.texts, row.opt_text(8)?),
                });
            }
            self.0.advance()?;
        }
        into.items.sort_unstable_by_key(|item| (item.as_of_at, item.id));
        Ok(())
    }
}
