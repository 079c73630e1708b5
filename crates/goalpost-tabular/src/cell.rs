/// What stands in one cell of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// A whole number, such as an id.
    Int(i64),
    /// A number.
    Number(f64),
    /// A text that somebody wrote, of any content.
    Text(&'a str),
    /// A day, as `YYYY-MM-DD`.
    Day(&'a str),
    /// An instant, in microseconds since 1970.
    Moment(i64),
    /// The same, and how many minutes the clocks by which it is told are ahead of UTC.
    Local(i64, i32),
    /// Yes or no.
    Flag(bool),
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Whole numbers.
    Int,
    /// Numbers.
    Number,
    /// Texts.
    Text,
    /// Days.
    Day,
    /// Instants.
    Moment,
    /// Yes or no.
    Flag,
}

impl ColumnKind {
    /// Its word in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Int => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Day => "day",
            Self::Moment => "moment",
            Self::Flag => "flag",
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What its first cell says.
    pub name: String,
    /// What its cells are.
    pub kind: ColumnKind,
}

/// A file of a table in the making. Cells go in one by one, in the order of the columns; bytes come out.
///
/// Rows that are shorter than the header are ended as they are.
pub trait Sink {
    /// The header; the first call, and made once.
    ///
    /// # Errors
    /// A format that cannot hold such a table.
    fn begin(&mut self, columns: &[Head]) -> Result<(), Unfit>;

    /// The next cell of the row.
    ///
    /// # Errors
    /// A cell that the format cannot hold.
    fn cell(&mut self, cell: Cell<'_>) -> Result<(), Unfit>;

    /// The end of the row.
    ///
    /// # Errors
    /// More rows than the format can hold.
    fn end_row(&mut self) -> Result<(), Unfit>;

    /// The end of the file; the last call.
    ///
    /// # Errors
    /// What could not be written until now.
    fn end(&mut self) -> Result<(), Unfit>;

    /// How many bytes wait to be taken.
    fn waiting(&self) -> usize;

    /// Take what waits, or the first piece of it, and go on with this buffer, which is empty.
    fn take(&mut self, next: Vec<u8>) -> Vec<u8>;
}

/// Why a table does not fit into a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit(pub String);

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}
