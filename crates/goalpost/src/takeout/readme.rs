//! The folder explained to somebody who has never heard of Goalpost.

use std::fmt::Write as _;

use super::dictionary::{LEFT_OUT, Part};

const HEAD: &str = "\
Everything of one organization
==============================

This folder holds the goals (OKRs) of one organization, the people and teams around them, what was said of them, and
what all of that was before. Goalpost (`goalpost export --everything`) wrote it; nothing of Goalpost is needed to read it.

It shows goals that only a few people may see, and e-mail addresses. It holds no passwords, keys or tokens.

What the files are
------------------

*.jsonl is JSON Lines: UTF-8, one JSON object a line, ended by a line feed. Every object of a file has the same fields in
the same order; null means that there is no value. Any program that reads JSON reads it line by line.

goals.csv has all goals once more, one a row, in the form in which Viva Goals exported them: RFC 4180, UTF-8, a header
line. It opens in any spreadsheet; there, import its columns as text. It is made of the other files and adds nothing.
goals.parquet has the same goals with every column, typed, for programs that analyse tables.

schema.json says of every file what its objects are, which fields make one of them the only one, and of every field its
type, its meaning, whether it may be null, and which file has the thing that it names.

manifest.json has the organization's id, its revision, the instant of the export, and rows, bytes and SHA-256 of every
file, by which a copy can be checked.

Values
------

integer   a whole number of up to 64 bits: a reader must not round it to a double
number    a number; \"inf\" and \"-inf\" are texts
boolean   true or false
text      a text
day       2026-01-31
instant   2026-01-31T12:00:00.123456Z, in UTC, with as many decimals as it has; microseconds since 1970 as a number where
          the year has no four digits
guid      00000000-0000-0000-0000-000000000000
hex       bytes, as hexadecimal digits

How things hang together
------------------------

A field such as goalId names another thing by its id. Lists, such as the owners of a goal, are files of their own: one
object for each entry, with its place in the list.

Every change of the organization made a revision (revisions.jsonl). An object carries the revision that wrote it. What it
said before is in history/, in the file of the same name, with `revision`, which wrote it, and `replacedBy`, which replaced
it or took it away. As it was after revision n, the organization had the objects of both files with revision <= n that
were not replaced, or replaced by one > n. People, teams, periods and tags have no history.

A goal whose origin is `reference` is a mere mention: another goal was aligned to it, and no file held it.
";

/// The text of `README.txt`: the same for every organization.
pub(super) fn text() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\nThe files\n---------\n\n");
    for lines in Part::all() {
        let _ = writeln!(text, "{:<34} {}", lines.path(), lines.about());
    }
    let _ = writeln!(text, "{:<34} All goals, as Viva Goals exported them", super::write::GOALS_CSV);
    let _ = writeln!(text, "{:<34} All goals, with every column", super::write::GOALS_PARQUET);
    text.push_str("\nWhat is not here\n----------------\n\n");
    for (_, what) in LEFT_OUT {
        let _ = writeln!(text, "- {what}");
    }
    text.push_str(
        "\nTo read it back\n---------------\n\n    goalpost import FOLDER\n\nreads it into a server where the \
         organization is not there yet, on SQLite or PostgreSQL, with the same ids and\nthe same history, whole or not at all.\n",
    );
    text
}
