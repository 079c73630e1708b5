//! A stretch of goals in memory: their columns, with all texts one behind the other.

use goalpost_db::{Result, Row};

use super::GoalRow;

/// Where a text lies in its chunk's bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(super) const NULL: Self = Self { start: u32::MAX, end: 0 };

    pub(super) fn push(texts: &mut String, text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::NULL };
        let start = texts.len() as u32;
        texts.push_str(text);
        Self { start, end: texts.len() as u32 }
    }

    pub(super) fn of(self, texts: &str) -> Option<&str> {
        texts.get(self.start as usize..self.end as usize)
    }
}

macro_rules! goal_columns {
    (
        texts { $($text:ident),* $(,)? } ints { $($int:ident),* $(,)? } reals { $($real:ident),* $(,)? }
        wide { $($wide:ident),* $(,)? }
    ) => {
        #[derive(Clone, Copy, Debug)]
        pub(super) struct Goal {
            pub(super) id: i64,
            $($int: Option<i64>,)*
            $($real: Option<f64>,)*
            $($text: Span,)*
            $($wide: Span,)*
            restricted: bool,
        }

        /// The columns that [`Goal::from_row`] reads, in its order.
        pub(super) const COLUMNS: &[&str] = &["id", $(stringify!($int),)* $(stringify!($real),)* $(stringify!($text),)*];
        /// Those that it reads behind them, if they are asked for.
        pub(super) const WIDE_COLUMNS: &[&str] = &[$(stringify!($wide),)* "restricted"];

        impl Goal {
            pub(super) fn from_row(row: &Row<'_>, texts: &mut String, wide: bool) -> Result<Self> {
                let mut column = 0;
                let mut next = || { column += 1; column };
                Ok(Self {
                    id: row.int(0)?,
                    $($int: row.opt_int(next())?,)*
                    $($real: row.opt_real(next())?,)*
                    $($text: Span::push(texts, row.opt_text(next())?),)*
                    $($wide: if wide { Span::push(texts, row.opt_text(next())?) } else { Span::NULL },)*
                    restricted: wide && row.bool(next())?,
                })
            }
        }

        impl GoalRow<'_> {
            $(#[doc = concat!("Column `", stringify!($int), "`.")] pub fn $int(&self) -> Option<i64> { self.goal.$int })*
            $(#[doc = concat!("Column `", stringify!($real), "`.")] pub fn $real(&self) -> Option<f64> { self.goal.$real })*
            $(#[doc = concat!("Column `", stringify!($text), "`.")]
            pub fn $text(&self) -> Option<&str> { self.goal.$text.of(&self.chunk.texts) })*
            $(#[doc = concat!("Column `", stringify!($wide), "`, in a wide read.")]
            pub fn $wide(&self) -> Option<&str> { self.goal.$wide.of(&self.chunk.texts) })*
            /// Whether not everybody may see it, in a wide read.
            pub fn restricted(&self) -> bool { self.goal.restricted }
        }
    };
}

goal_columns! {
    texts {
        type_label, status, start_date, end_date, last_checkin_date, goal_type, outcome_type, metric_name, metric_unit,
        title, description,
    }
    ints { period, creator, created_at }
    reals { metric_start, metric_target, progress, progress_percent, score }
    wide { object_type, target_type, progress_mode, status_mode }
}

/// Goals that are read together.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) goals: Vec<Goal>,
    pub(super) texts: String,
}

impl Chunk {
    pub(super) fn clear(&mut self) {
        self.goals.clear();
        self.texts.clear();
    }

    pub(super) fn push(&mut self, row: &Row<'_>, wide: bool) -> Result<()> {
        self.goals.push(Goal::from_row(row, &mut self.texts, wide)?);
        Ok(())
    }
}
