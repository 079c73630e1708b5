//! Both programs' files, cell by cell: a time counts only if what was made in it is the same.

use std::path::Path;

use anyhow::{Context as _, bail};
use csv::{ByteRecord, Reader, ReaderBuilder};

use crate::peer::BETWEEN_CHECKINS;

/// The columns whose cells are numbers, which `sqlite3` prints in another form: `100.0` for `100`.
const NUMBERS: [&[u8]; 5] = [b"Target", b"Start", b"Progress %", b"Actual Progress", b"Score"];
/// From this column on, the server's file has a check-in in each cell, and the peer's all of them in this one.
const CHECKINS: &[u8] = b"Checkins";

/// How many goals both files hold.
///
/// # Errors
/// When they differ anywhere; says where.
pub(crate) fn compare(ours: &Path, theirs: &Path) -> anyhow::Result<u64> {
    let (mut ours, mut theirs) = (open(ours)?, open(theirs)?);
    let header = theirs.byte_headers()?.clone();
    let width = header.len() - 1;
    let own_header = ours.byte_headers()?;
    if header.get(width) != Some(CHECKINS) || own_header.iter().take(width + 1).ne(header.iter()) {
        bail!("the headers differ:\n{own_header:?}\n{header:?}");
    }
    if own_header.iter().skip(width + 1).any(|name| !name.is_empty()) {
        bail!("the columns of further check-ins have names: {own_header:?}");
    }
    let numeric: Vec<bool> = header.iter().map(|name| NUMBERS.contains(&name)).collect();
    let (mut our, mut their) = (ByteRecord::new(), ByteRecord::new());
    let mut goals = 0;
    loop {
        let more = ours.read_byte_record(&mut our)?;
        if more != theirs.read_byte_record(&mut their)? {
            bail!("one file ends after {goals} goals, the other does not");
        }
        if !more {
            return Ok(goals);
        }
        goals += 1;
        for column in 0..width {
            let (a, b) = (&our[column], &their[column]);
            if a != b && !(numeric[column] && same_number(a, b)) {
                differ(goals, &header[column], a, b)?;
            }
        }
        let our_checkins = our.iter().skip(width).filter(|cell| !cell.is_empty());
        let all = &their[width];
        let their_checkins =
            all.split(|byte| char::from(*byte) == BETWEEN_CHECKINS).filter(|cell| !cell.is_empty());
        if our_checkins.clone().ne(their_checkins) {
            differ(goals, CHECKINS, &our_checkins.collect::<Vec<_>>().concat(), all)?;
        }
    }
}

fn open(path: &Path) -> anyhow::Result<Reader<std::fs::File>> {
    ReaderBuilder::new()
        .buffer_capacity(1 << 20)
        .from_path(path)
        .with_context(|| format!("cannot read {}", path.display()))
}

fn same_number(ours: &[u8], theirs: &[u8]) -> bool {
    let number = |cell: &[u8]| std::str::from_utf8(cell).ok()?.parse::<f64>().ok();
    number(ours).is_some_and(|ours| number(theirs) == Some(ours))
}

fn differ(goal: u64, column: &[u8], ours: &[u8], theirs: &[u8]) -> anyhow::Result<()> {
    let text = String::from_utf8_lossy;
    bail!("goal {goal}, column {}: {:?} here, {:?} there", text(column), text(ours), text(theirs))
}
