/// A CSV file in the making: RFC 4180, UTF-8 without a byte order mark, records ended by CR LF.
///
/// Cells are appended to [`Csv::buffer`], which the caller empties into the file whenever it is long enough.
/// A cell is quoted only if it holds a comma, a quotation mark or a line break.
#[derive(Debug, Default)]
pub struct Csv {
    buffer: Vec<u8>,
    in_record: bool,
}

/// The bytes that make a cell need quotation marks.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    special[b'"' as usize] = true;
    special[b',' as usize] = true;
    special[b'\r' as usize] = true;
    special[b'\n' as usize] = true;
    special
};

impl Csv {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been written since the caller last emptied it.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// A cell with any text.
    pub fn text(&mut self, text: &str) {
        self.separate();
        let start = self.buffer.len();
        self.buffer.extend_from_slice(text.as_bytes());
        self.quote_from(start);
    }

    /// A cell whose text `write` appends, of any content.
    pub fn text_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.separate();
        let start = self.buffer.len();
        write(&mut self.buffer);
        self.quote_from(start);
    }

    /// A cell whose bytes `write` appends and which needs no quotation marks: numbers, days, fixed words.
    pub fn plain_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.separate();
        write(&mut self.buffer);
    }

    /// An empty cell.
    pub fn empty(&mut self) {
        self.separate();
    }

    /// The end of the record.
    pub fn end_record(&mut self) {
        self.buffer.extend_from_slice(b"\r\n");
        self.in_record = false;
    }

    fn separate(&mut self) {
        if self.in_record {
            self.buffer.push(b',');
        }
        self.in_record = true;
    }

    /// Put the cell that begins at `start` into quotation marks, if it needs them.
    #[expect(clippy::naive_bytecount, reason = "few cells have marks, and those are short")]
    fn quote_from(&mut self, start: usize) {
        let cell = &self.buffer[start..];
        if !cell.iter().any(|byte| SPECIAL[usize::from(*byte)]) {
            return;
        }
        let marks = cell.iter().filter(|byte| **byte == b'"').count();
        let end = self.buffer.len();
        self.buffer.resize(end + marks + 2, b'"');
        // Move the cell to its place from the right, doubling each mark; the bytes already there are marks.
        let mut to = end + marks + 1;
        for from in (start..end).rev() {
            let byte = self.buffer[from];
            to -= 1;
            self.buffer[to] = byte;
            if byte == b'"' {
                to -= 1;
                self.buffer[to] = b'"';
            }
        }
        self.buffer[start] = b'"';
    }
}
