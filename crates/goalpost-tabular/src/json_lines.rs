use crate::{Cell, Head, Sink, Unfit, local, write_clock, write_int, write_number, write_offset};

/// JSON Lines: an object for each row, with the columns' names in their order. What is missing is null.
#[derive(Debug, Default)]
pub struct JsonLines {
    /// `"name":` of each column.
    keys: Vec<Vec<u8>>,
    column: usize,
    buffer: Vec<u8>,
}

impl JsonLines {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Sink for JsonLines {
    fn begin(&mut self, columns: &[Head]) -> Result<(), Unfit> {
        for column in columns {
            let mut key = Vec::new();
            write_string(&mut key, &column.name);
            key.push(b':');
            self.keys.push(key);
        }
        Ok(())
    }

    fn cell(&mut self, cell: Cell<'_>) -> Result<(), Unfit> {
        let out = &mut self.buffer;
        out.push(if self.column == 0 { b'{' } else { b',' });
        let key =
            self.keys.get(self.column).ok_or_else(|| Unfit("a row has more cells than columns".into()))?;
        out.extend_from_slice(key);
        self.column += 1;
        match cell {
            Cell::Empty => out.extend_from_slice(b"null"),
            Cell::Int(number) => write_int(out, number),
            Cell::Number(number) => write_number(out, number),
            Cell::Text(text) => write_string(out, text),
            Cell::Day(day) => write_string(out, day),
            // In the form of RFC 3339.
            Cell::Moment(at) => {
                out.push(b'"');
                write_clock(out, at, b'T');
                out.extend_from_slice(b"Z\"");
            }
            Cell::Local(at, ahead) => {
                out.push(b'"');
                write_clock(out, local(at, ahead), b'T');
                write_offset(out, ahead);
                out.push(b'"');
            }
            Cell::Flag(flag) => out.extend_from_slice(if flag { b"true" } else { b"false" }),
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Unfit> {
        if self.column == 0 {
            self.buffer.push(b'{');
        }
        self.buffer.extend_from_slice(b"}\n");
        self.column = 0;
        Ok(())
    }

    fn end(&mut self) -> Result<(), Unfit> {
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.buffer.len()
    }

    fn take(&mut self, next: Vec<u8>) -> Vec<u8> {
        std::mem::replace(&mut self.buffer, next)
    }
}

/// A JSON string (RFC 8259 §7): only what must be is escaped.
fn write_string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..=0x1f => 0,
            _ => continue,
        };
        out.extend_from_slice(&bytes[from..at]);
        out.push(b'\\');
        if short == 0 {
            out.extend_from_slice(b"u00");
            out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        } else {
            out.push(short);
        }
        from = at + 1;
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}
