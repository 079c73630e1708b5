//! Links of a sheet: native ones, so that nothing is a formula. They stand behind the rows, with their targets in a part
//! of their own, and are held until then; a sheet has few enough of them.

use super::parts::OFFICE;
use super::text::escaped;
use crate::write_int;

/// Links that a sheet holds: Excel takes no more.
pub(super) const MOST: u64 = 65_530;

/// The links of one column.
pub(super) struct Links {
    column: usize,
    /// As XML has it; the number stands behind it.
    address: String,
    /// Rows and numbers of the sheet.
    linked: Vec<(u64, i64)>,
}

impl Links {
    pub(super) fn new(column: usize, address: &str) -> Self {
        Self { column, address: escaped(address), linked: Vec::new() }
    }

    /// Let a number be a link, if it stands in the column and there is room; whether it is one.
    pub(super) fn note(&mut self, column: usize, row: u64, number: i64) -> bool {
        let is_linked = column == self.column && (self.linked.len() as u64) < MOST;
        if is_linked {
            self.linked.push((row, number));
        }
        is_linked
    }

    /// Which cells are links.
    pub(super) fn write_cells(&self, xml: &mut Vec<u8>, letters: &[String]) {
        let Some(letters) = letters.get(self.column).filter(|_| !self.linked.is_empty()) else { return };
        xml.extend_from_slice(b"<hyperlinks>");
        for (row, _) in &self.linked {
            xml.extend_from_slice(b"<hyperlink ref=\"");
            xml.extend_from_slice(letters.as_bytes());
            write_int(xml, *row as i64);
            xml.extend_from_slice(b"\" r:id=\"rId");
            write_int(xml, *row as i64);
            xml.extend_from_slice(b"\"/>");
        }
        xml.extend_from_slice(b"</hyperlinks>");
    }

    /// The links until now; those of the next sheet follow.
    pub(super) fn take(&mut self) -> Vec<(u64, i64)> {
        std::mem::take(&mut self.linked)
    }

    /// Where one of them leads.
    pub(super) fn write_target(&self, xml: &mut Vec<u8>, (row, number): (u64, i64)) {
        xml.extend_from_slice(b"<Relationship Id=\"rId");
        write_int(xml, row as i64);
        xml.extend_from_slice(b"\" Type=\"");
        xml.extend_from_slice(OFFICE.as_bytes());
        xml.extend_from_slice(b"/hyperlink\" Target=\"");
        xml.extend_from_slice(self.address.as_bytes());
        write_int(xml, number);
        xml.extend_from_slice(b"\" TargetMode=\"External\"/>");
    }
}
