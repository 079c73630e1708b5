//! An empty template.

use goalpost_tabular::{Cell, ColumnKind, Head, Sink as _, Unfit, Xlsx};
use goalpost_viva::sheet::{TEMPLATE_ROWS, TEMPLATE_SHEET, TemplateColumn};

/// A template to fill in, as a workbook.
///
/// # Errors
/// None that is known.
pub fn workbook() -> Result<Vec<u8>, Unfit> {
    let about = [
        format!("Fill in the sheet `{TEMPLATE_SHEET}`: a goal in each row, at most {TEMPLATE_ROWS}."),
        "Rename no sheet and no header. The sheet `Basic and Advanced Fields` says what each column holds; those that are \
         not basic may be left empty or taken out."
            .to_owned(),
        "People, teams and time periods must be there already: nobody is invited, and nothing is founded.".to_owned(),
        "A goal is aligned to another one of the file: its Parent OKR is the OKR Reference of that row.".to_owned(),
        "A row with the Title, Owner, Type and Time period of a goal that is there changes that goal; an empty cell leaves \
         as it is what the goal has. Any other row makes a new goal."
            .to_owned(),
        "A row that cannot be taken is left out, with a reason in the report. Correct it and import the file again."
            .to_owned(),
    ];
    let text = |name: &str| Head { name: name.to_owned(), kind: ColumnKind::Text };
    let columns = TemplateColumn::ALL;
    let mut book = Xlsx::new("Read Me", about.len() as u64);
    book.begin(&[text("How to bring goals")])?;
    for line in &about {
        book.cell(Cell::Text(line))?;
        book.end_row()?;
    }
    book.next_table("Basic and Advanced Fields", columns.len() as u64)?;
    book.begin(&["Field", "Kind", "What it says", "Example"].map(text))?;
    for column in columns {
        let kind = if column.is_basic() { "Basic" } else { "Advanced" };
        for cell in [column.header(), kind, column.about(), column.example()] {
            book.cell(if cell.is_empty() { Cell::Empty } else { Cell::Text(cell) })?;
        }
        book.end_row()?;
    }
    book.next_table(TEMPLATE_SHEET, 0)?;
    book.begin(&columns.iter().map(|column| text(column.header())).collect::<Vec<_>>())?;
    book.end()?;
    Ok(book.take(Vec::new()))
}
