//! What `rust_xlsxwriter` makes of the same rows: `files-peer WHAT LINES OUT`.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead as _, BufReader};

use rust_xlsxwriter::Workbook;
use serde_json::{Map, Value};

/// The last row that a sheet has.
const LAST: u32 = 1_048_575;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [what, lines, out] = &words[..] else { return Err("write WHAT LINES OUT".into()) };
    let lines = BufReader::new(File::open(lines)?).lines();
    let rows = lines.map(|line| Ok::<Map<String, Value>, Box<dyn Error>>(serde_json::from_str(&line?)?));
    if what == "read" {
        let mut cells = 0;
        for row in rows {
            cells += row?.len();
        }
        eprintln!("{cells} cells");
        return Ok(());
    }
    let mut workbook = Workbook::new();
    let mut sheets = 0;
    let mut at = LAST;
    for row in rows {
        let row = row?;
        if at == LAST {
            let sheet = workbook.add_worksheet_with_constant_memory()?;
            for (column, name) in row.keys().enumerate() {
                sheet.write_string(0, column as u16, name)?;
            }
            (at, sheets) = (0, sheets + 1);
        }
        at += 1;
        let sheet = workbook.worksheet_from_index(sheets - 1)?;
        for (column, value) in row.values().enumerate() {
            let column = column as u16;
            match value {
                Value::String(text) => {
                    let text: String = text.chars().take(32_767).collect();
                    sheet.write_string(at, column, text)?;
                }
                Value::Bool(flag) => {
                    sheet.write_boolean(at, column, *flag)?;
                }
                Value::Number(number) => {
                    sheet.write_number(at, column, number.as_f64().unwrap_or_default())?;
                }
                _ => {}
            }
        }
    }
    Ok(workbook.save(out)?)
}
