/// A CSV file in the making: RFC 4180, UTF-8 without a byte order mark, records ended by CR LF.
///
/// Cells are appended to [`Csv::buffer`], which the caller empties into the file whenever it is long enough.
/// A cell is quoted only if it holds a comma, a quotation mark or a line break.
#[derive(Debug, Default)]
pub struct Csv {
    buffer: Vec<u8>,
    in_record: bool,
}

/// Bytes that are looked at together: without a way out between them, several are compared at once.
const TOGETHER: usize = 64;

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
    #[expect(
        clippy::naive_bytecount,
        reason = "compiled into comparing many bytes at once, as a crate would"
    )]
    fn quote_from(&mut self, start: usize) {
        let cell = &self.buffer[start..];
        let is_special = |byte: &u8| matches!(byte, b'"' | b',' | b'\r' | b'\n');
        let any_special = |bytes: &[u8]| bytes.iter().fold(false, |any, byte| any | is_special(byte));
        if !cell.chunks(TOGETHER).any(any_special) {
            return;
        }
        let marks = cell.iter().filter(|byte| **byte == b'"').count();
        let end = self.buffer.len();
        self.buffer.resize(end + marks + 2, b'"');
        // Each mark is doubled, from the right; what lies between two of them moves at once.
        let (mut from, mut to) = (end, end + marks + 1);
        for _ in 0..marks {
            let Some(mark) = self.buffer[start..from].iter().rposition(|byte| *byte == b'"') else { break };
            let mark = start + mark;
            to -= from - mark;
            self.buffer.copy_within(mark..from, to);
            to -= 1;
            self.buffer[to] = b'"';
            from = mark;
        }
        self.buffer.copy_within(start..from, start + 1);
        self.buffer[start] = b'"';
    }
}
