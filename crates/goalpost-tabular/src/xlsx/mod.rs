//! A workbook (ECMA-376), written from top to bottom in one go: memory does not grow with the rows.

mod links;
mod parts;
mod text;

use std::io::Write as _;

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use self::links::Links;
use self::parts::{DECLARATION, MAIN, OFFICE, PACKAGE, SHEET, STYLES};
use self::text::{escaped, write_text};
use crate::pieces::Pieces;
use crate::{Cell, ColumnKind, Head, Sink, Unfit, days_of, local, write_int, write_number};

/// Rows that a sheet holds, the header included.
const ROWS: u64 = 1_048_576;
/// Columns that a sheet holds.
const COLUMNS: usize = 16_384;
/// From so many rows on, a sheet may be longer than 4 GiB before it is packed.
const LONG: u64 = 100_000;
/// Packed as fast as it goes: the sheet's XML repeats itself, and a tenth of the bytes more costs less than the time.
const LEVEL: i64 = 1;

/// A workbook in the making: typed cells, a header that stays in sight and can be filtered by. A table of more rows than
/// a sheet has goes on in another sheet. Texts are strings in their cells; nothing in it is a formula.
///
/// A text of more than 32,767 UTF-16 units, which is all that a cell holds, is cut and ends with `…`.
pub struct Xlsx {
    name: String,
    rows: u64,
    zip: ZipWriter<StreamWriter<Pieces>>,
    bytes: Pieces,
    heads: Vec<Head>,
    /// The letters of each column.
    letters: Vec<String>,
    /// What the tabs of the sheets until now say.
    titles: Vec<String>,
    /// How many of them are of the table that is written.
    sheets: u64,
    /// The row that is written, from 1 on; 0: no sheet is open.
    row: u64,
    column: usize,
    /// XML of the sheet that was not packed yet.
    xml: Vec<u8>,
    cut: u64,
    links: Option<Links>,
}

impl std::fmt::Debug for Xlsx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Xlsx").field("rows", &self.rows).field("row", &self.row).finish_non_exhaustive()
    }
}

impl Xlsx {
    /// An empty workbook for `rows` rows, the header not counted; its sheets are called `name`, `name (2)`, ….
    pub fn new(name: &str, rows: u64) -> Self {
        let bytes = Pieces::default();
        Self {
            name: tab(name),
            rows,
            zip: ZipWriter::new_stream(bytes.clone()),
            bytes,
            heads: Vec::new(),
            letters: Vec::new(),
            titles: Vec::new(),
            sheets: 0,
            row: 0,
            column: 0,
            xml: Vec::new(),
            cut: 0,
            links: None,
        }
    }

    /// Let the whole numbers of a column, counted from 0, lead to `address` with the number behind it. They stay numbers.
    ///
    /// A sheet holds 65,530 links: the rows behind those have none.
    #[must_use]
    pub fn link(mut self, column: usize, address: &str) -> Self {
        self.links = Some(Links::new(column, address));
        self
    }

    /// Of how many rows the number is no link, if their table has so many.
    pub fn unlinked(rows: u64) -> u64 {
        let of_sheet = |rows: u64| rows.saturating_sub(links::MOST);
        rows / (ROWS - 1) * of_sheet(ROWS - 1) + of_sheet(rows % (ROWS - 1))
    }

    /// Where the links of the sheet lead, in a part of its own.
    fn write_targets(&mut self) -> Result<(), Unfit> {
        let Some(mut links) = self.links.take() else { return Ok(()) };
        let linked = links.take();
        if !linked.is_empty() {
            self.start(&format!("xl/worksheets/_rels/sheet{}.xml.rels", self.sheets), false)?;
            let head = format!("{DECLARATION}<Relationships xmlns=\"{PACKAGE}/relationships\">");
            self.xml.extend_from_slice(head.as_bytes());
            for link in linked {
                links.write_target(&mut self.xml, link);
            }
            self.xml.extend_from_slice(b"</Relationships>");
            self.pack()?;
        }
        self.links = Some(links);
        Ok(())
    }

    /// How many texts were cut.
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// End the table, and begin another one in sheets of its own, as if the workbook were new: with its header.
    ///
    /// # Errors
    /// What could not be written until now.
    pub fn next_table(&mut self, name: &str, rows: u64) -> Result<(), Unfit> {
        if self.row > 0 {
            self.close_sheet()?;
        }
        (self.name, self.rows, self.sheets) = (tab(name), rows, 0);
        Ok(())
    }

    fn start(&mut self, path: &str, long: bool) -> Result<(), Unfit> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .last_modified_time(zip::DateTime::default())
            .large_file(long);
        self.zip.start_file(path, options).map_err(unfit)
    }

    fn part(&mut self, path: &str, xml: &str) -> Result<(), Unfit> {
        self.start(path, false)?;
        self.zip.write_all(DECLARATION.as_bytes()).map_err(unfit)?;
        self.zip.write_all(xml.as_bytes()).map_err(unfit)
    }

    fn pack(&mut self) -> Result<(), Unfit> {
        self.zip.write_all(&self.xml).map_err(unfit)?;
        self.xml.clear();
        // A cell of a megabyte must not keep its buffer large for the rest of the file.
        self.xml.shrink_to(1 << 20);
        Ok(())
    }

    fn open_sheet(&mut self) -> Result<(), Unfit> {
        self.sheets += 1;
        let name = if self.name.is_empty() { "Sheet" } else { &self.name };
        let number = self.sheets;
        self.titles.push(if number == 1 { name.to_owned() } else { format!("{name} ({number})") });
        let before = (self.sheets - 1) * (ROWS - 1);
        let rows = self.rows.saturating_sub(before).min(ROWS - 1) + 1;
        self.start(&format!("xl/worksheets/sheet{}.xml", self.titles.len()), rows >= LONG)?;
        let last = self.letters.last().map_or("A", String::as_str);
        let text = format!(
            "{DECLARATION}<worksheet xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><dimension ref=\"A1:{last}{rows}\"/><sheetViews><sheetView \
             workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/>\
             </sheetView></sheetViews><sheetData>"
        );
        self.xml.extend_from_slice(text.as_bytes());
        self.row = 1;
        for at in 0..self.heads.len() {
            let name = std::mem::take(&mut self.heads[at].name);
            if name.is_empty() {
                self.column += 1;
            } else {
                self.put(Cell::Text(&name), Style::Header);
            }
            self.heads[at].name = name;
        }
        self.close_row();
        Ok(())
    }

    fn close_sheet(&mut self) -> Result<(), Unfit> {
        let last = self.letters.last().map_or("A", String::as_str);
        let text = format!("</sheetData><autoFilter ref=\"A1:{last}{}\"/>", self.row - 1);
        self.xml.extend_from_slice(text.as_bytes());
        if let Some(links) = &self.links {
            links.write_cells(&mut self.xml, &self.letters);
        }
        self.xml.extend_from_slice(b"</worksheet>");
        self.row = 0;
        self.pack()?;
        self.write_targets()
    }

    fn close_row(&mut self) {
        if self.column == 0 {
            self.open_row();
        }
        self.xml.extend_from_slice(b"</row>");
        self.row += 1;
        self.column = 0;
    }

    fn open_row(&mut self) {
        self.xml.extend_from_slice(b"<row r=\"");
        write_int(&mut self.xml, self.row as i64);
        self.xml.extend_from_slice(b"\">");
    }

    fn put(&mut self, cell: Cell<'_>, style: Style) {
        if self.column == 0 {
            self.open_row();
        }
        let Some(letters) = self.letters.get(self.column) else { return };
        self.column += 1;
        let out = &mut self.xml;
        if cell == Cell::Empty {
            return;
        }
        out.extend_from_slice(b"<c r=\"");
        out.extend_from_slice(letters.as_bytes());
        write_int(out, self.row as i64);
        out.push(b'"');
        if style != Style::Plain {
            out.extend_from_slice(b" s=\"");
            write_int(out, style as i64);
            out.push(b'"');
        }
        let mut number = |write: &dyn Fn(&mut Vec<u8>)| {
            out.extend_from_slice(b"><v>");
            write(out);
            out.extend_from_slice(b"</v></c>");
        };
        match cell {
            Cell::Empty => {}
            Cell::Int(value) => number(&|out| write_int(out, value)),
            Cell::Number(value) => number(&|out| write_number(out, value)),
            Cell::Moment(at) => number(&|out| write_number(out, serial(at))),
            Cell::Local(at, ahead) => number(&|out| write_number(out, serial(local(at, ahead)))),
            Cell::Day(day) => match serial_day(day) {
                Some(value) => number(&|out| write_int(out, value)),
                None => self.cut += u64::from(write_text(out, day)),
            },
            Cell::Flag(flag) => {
                out.extend_from_slice(if flag { b" t=\"b\"><v>1</v></c>" } else { b" t=\"b\"><v>0</v></c>" });
            }
            Cell::Text(text) => self.cut += u64::from(write_text(out, text)),
        }
    }
}

/// The cell formats of [`STYLES`], by their places there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Plain = 0,
    Header = 1,
    Day = 2,
    Moment = 3,
    Link = 4,
}

impl Sink for Xlsx {
    fn begin(&mut self, columns: &[Head]) -> Result<(), Unfit> {
        if columns.len() > COLUMNS {
            return Err(Unfit(format!(
                "a workbook has at most {COLUMNS} columns, and this table {}",
                columns.len()
            )));
        }
        self.heads = columns.to_vec();
        self.letters = (0..columns.len()).map(letters).collect();
        self.open_sheet()
    }

    fn cell(&mut self, cell: Cell<'_>) -> Result<(), Unfit> {
        if self.row == 0 {
            self.open_sheet()?;
        }
        let kind = self.heads.get(self.column).map(|head| head.kind);
        let is_linked = match (cell, &mut self.links) {
            (Cell::Int(number), Some(links)) => links.note(self.column, self.row, number),
            _ => false,
        };
        let style = match (cell, kind) {
            (Cell::Day(_), _) => Style::Day,
            (Cell::Moment(_) | Cell::Local(..), _) | (Cell::Number(_), Some(ColumnKind::Moment)) => {
                Style::Moment
            }
            (Cell::Int(_), _) if is_linked => Style::Link,
            _ => Style::Plain,
        };
        self.put(cell, style);
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Unfit> {
        if self.row == 0 {
            self.open_sheet()?;
        }
        self.close_row();
        if self.row > ROWS {
            self.close_sheet()?;
        } else if self.xml.len() >= 1 << 16 {
            self.pack()?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Unfit> {
        if self.row > 0 {
            self.close_sheet()?;
        }
        let (mut sheets, mut relations, mut types) = (String::new(), String::new(), String::new());
        for (number, title) in (1..).zip(&self.titles) {
            use std::fmt::Write as _;
            let title = escaped(title);
            let _ = write!(sheets, "<sheet name=\"{title}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>");
            let _ = write!(
                relations,
                "<Relationship Id=\"rId{number}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{number}.xml\"/>"
            );
            let _ = write!(
                types,
                "<Override PartName=\"/xl/worksheets/sheet{number}.xml\" ContentType=\"{SHEET}.worksheet+xml\"/>"
            );
        }
        let styles = self.titles.len() + 1;
        self.part(
            "xl/workbook.xml",
            &format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>{sheets}</sheets></workbook>"),
        )?;
        self.part(
            "xl/_rels/workbook.xml.rels",
            &format!(
                "<Relationships xmlns=\"{PACKAGE}/relationships\">{relations}<Relationship Id=\"rId{styles}\" \
                 Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/></Relationships>"
            ),
        )?;
        self.part("xl/styles.xml", &format!("<styleSheet xmlns=\"{MAIN}\">{STYLES}</styleSheet>"))?;
        self.part(
            "_rels/.rels",
            &format!(
                "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" \
                 Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        )?;
        self.part(
            "[Content_Types].xml",
            &format!(
                "<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" \
                 ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" \
                 ContentType=\"application/xml\"/><Override PartName=\"/xl/workbook.xml\" \
                 ContentType=\"{SHEET}.sheet.main+xml\"/><Override PartName=\"/xl/styles.xml\" \
                 ContentType=\"{SHEET}.styles+xml\"/>{types}</Types>"
            ),
        )?;
        let zip = std::mem::replace(&mut self.zip, ZipWriter::new_stream(Pieces::default()));
        zip.finish().map(|_| ()).map_err(unfit)
    }

    fn waiting(&self) -> usize {
        self.bytes.waiting()
    }

    fn take(&mut self, next: Vec<u8>) -> Vec<u8> {
        self.bytes.take(next)
    }
}

/// What a sheet's name may have, and how long it may be, with room for a number.
fn tab(name: &str) -> String {
    name.chars().filter(|c| !"[]:*?/\\'".contains(*c)).take(25).collect()
}

fn unfit(error: impl std::fmt::Display) -> Unfit {
    Unfit(format!("the workbook cannot be written: {error}"))
}

/// `A`, …, `Z`, `AA`, …: the name of a column, counted from 0.
fn letters(mut column: usize) -> String {
    let mut name = String::new();
    loop {
        name.insert(0, char::from(b'A' + (column % 26) as u8));
        if column < 26 {
            return name;
        }
        column = column / 26 - 1;
    }
}

/// Days since the last of 1899, as a workbook counts them from 1 March 1900 on; of earlier ones it knows nothing.
fn serial_day(day: &str) -> Option<i64> {
    days_of(day).map(|days| days + EPOCH).filter(|serial| *serial > 60)
}

/// The serial number of 1970-01-01.
const EPOCH: i64 = 25_569;

/// What a clock shows as a workbook counts it, to the second.
fn serial(at_us: i64) -> f64 {
    at_us.div_euclid(1_000_000) as f64 / 86_400.0 + EPOCH as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_letters() {
        let named = [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (51, "AZ"),
            (52, "BA"),
            (701, "ZZ"),
            (702, "AAA"),
            (16_383, "XFD"),
        ];
        for (column, name) in named {
            assert_eq!(letters(column), name);
        }
    }

    #[test]
    fn days_are_counted_as_workbooks_do() {
        for (day, serial) in [
            ("1970-01-01", Some(25_569)),
            ("2026-11-28", Some(46_354)),
            ("1900-03-01", Some(61)),
            ("1900-02-28", None),
        ] {
            assert_eq!(serial_day(day), serial, "{day}");
        }
        assert_eq!(serial_day("soon"), None);
        assert!((serial(43_200_000_000) - 25_569.5).abs() < 1e-9);
    }
}
