//! What commands say: results on standard output, as text or JSON; progress on standard error.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::failure::Failure;

/// The form of a command's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    /// Tables and sentences.
    Text,
    /// One JSON document: an array for a list, an object for one thing.
    Json,
}

/// Writes a command's result. A reader that has gone away, such as `head`, is no error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    output: Output,
}

impl Printer {
    pub(crate) fn new(output: Output) -> Self {
        Self { output }
    }

    /// Whether the result is read by a program.
    pub(crate) fn is_json(self) -> bool {
        self.output == Output::Json
    }

    /// One thing: as `text` says it, or as the JSON of `value`.
    pub(crate) fn one(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        match self.output {
            Output::Text => write(&text()),
            Output::Json => write_json(value),
        }
    }

    /// A list: as a table with one row for each item, or as a JSON array.
    pub(crate) fn list<T: Serialize, const N: usize>(
        self,
        items: &[T],
        heads: [&str; N],
        row: impl Fn(&T) -> [String; N],
    ) -> Result<(), Failure> {
        match self.output {
            Output::Text => write(&table(heads, items.iter().map(row))),
            Output::Json => write_json(&items),
        }
    }
}

fn write_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value);
    write(&text.map_err(|error| Failure::new(format!("cannot write the result as JSON: {error}")))?)
}

/// Write lines to standard output.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    write_as_is(format!("{}\n", visible(text.trim_end())).as_bytes())
}

/// Write what holds nothing but our own words, tabs and all.
pub(crate) fn write_as_is(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// A remark that is not the result, on standard error.
pub(crate) fn remark(kind: &str, text: &str) {
    eprintln!("{}: {text}", word(kind, 33));
}

/// A word in front of a message, in this ANSI colour where people see colours and want them (no-color.org).
pub(crate) fn word(word: &str, colour: u8) -> String {
    if io::stderr().is_terminal() && wants_colour() {
        format!("\u{1b}[1;{colour}m{word}\u{1b}[0m")
    } else {
        word.to_owned()
    }
}

/// Whether `NO_COLOR` is absent or empty.
pub(crate) fn wants_colour() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Lines with texts from files and people in them, safe for a terminal: no control character can act on it.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() && sign != '\n' { '\u{fffd}' } else { sign }).collect()
}

/// A text from a file or a person that stands in a line: [`visible`], and without line breaks.
pub(crate) fn plain(text: &str) -> String {
    visible(&text.replace(['\t', '\r', '\n'], " "))
}

fn table<const N: usize>(heads: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut lines = vec![heads.map(str::to_owned)];
    lines.extend(rows.map(|row| row.map(|cell| plain(&cell))));
    let mut widths = [0; N];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for line in lines {
        let cells: Vec<_> = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// How far a long work is, on standard error; nothing is drawn where that is no terminal.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar for work whose end is known.
    pub(crate) fn bar() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent}% {elapsed}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// A sign of life for work whose length nobody knows.
    pub(crate) fn spinner() -> Self {
        let spinner = ProgressBar::new_spinner();
        spinner.enable_steady_tick(Duration::from_millis(120));
        Self(spinner)
    }

    /// `done` of `total` of the work named `what`.
    pub(crate) fn at(&self, what: &str, done: u64, total: u64) {
        if self.0.message() != what {
            self.0.set_message(what.to_owned());
        }
        self.0.set_length(total);
        self.0.set_position(done);
    }

    /// What is being done now.
    pub(crate) fn say(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_by_characters() {
        let rows = [["Zoë".to_owned(), "1".to_owned()], ["Quill".to_owned(), "22".to_owned()]];
        assert_eq!(table(["NAME", "GOALS"], rows.into_iter()), "NAME   GOALS\nZoë    1\nQuill  22\n");
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let text = table(["NAME"], [["a\u{1b}[2Jb\n\tc".to_owned()]].into_iter());
        assert_eq!(text, "NAME\na\u{fffd}[2Jb  c\n");
    }
}
