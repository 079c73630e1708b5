"""Workbooks and CSV of `goalpost export`, opened by LibreOffice: no cell is a formula, each is what it is said to be.

    python libreoffice.py target/debug/goalpost

Prints one line per check and ends with `N passed, M failed`.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

import goalpost
from checks import Checks
from goalpost import ORGANIZATION

GOALS = 200
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"

HOSTILE = ["=1+2", "+1+2", "-1+2", "@SUM(A1)", '=HYPERLINK("http://a.example","b")', "＝1+2", "'=1", "1e5", "TRUE", "2026-01-31"]
"""Titles that a spreadsheet would like to take for something else."""

CSV = "Text - txt - csv (StarCalc):44,34,76,1"
"""How LibreOffice reads a CSV: comma, quotation mark, UTF-8, from the first line."""


class Office:
    """Files of every goal, as LibreOffice has them."""

    def __init__(self, program: goalpost.Goalpost, folder: str):
        self._program = program
        self._folder = pathlib.Path(folder)

    def lines(self) -> list[dict]:
        out = self._export("goals.jsonl")
        return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]

    def rows(self, name: str, *options: str) -> list[list[tuple]]:
        """The cells of the first sheet, each as its type, its value and its text."""
        out = self._export(name, *options)
        words = ["soffice", f"-env:UserInstallation=file://{self._folder}/profile", "--headless"]
        words += [f"--infilter={CSV}"] if name.endswith(".csv") else []
        words += ["--convert-to", "fods", "--outdir", str(self._folder), str(out)]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=300)
        tree = xml.parse(out.with_suffix(".fods"))
        formulas = [cell for cell in tree.iter(f"{TABLE}table-cell") if cell.get(f"{TABLE}formula")]
        assert not formulas, f"{len(formulas)} formulas in {name}"
        sheet = next(tree.iter(f"{TABLE}table"))
        rows = [self._cells(row) for row in sheet.iter(f"{TABLE}table-row")]
        return [row for row in rows if any(kind for kind, _, _ in row)]

    def _cells(self, row) -> list[tuple]:
        cells = []
        for cell in row.iter(f"{TABLE}table-cell"):
            kind = cell.get(f"{OFFICE}value-type")
            value = cell.get(f"{OFFICE}value") or cell.get(f"{OFFICE}date-value")
            text = "\n".join("".join(line.itertext()) for line in cell.iter(f"{TEXT}p"))
            cells += [(kind, value, text)] * min(int(cell.get(f"{TABLE}number-columns-repeated", "1")), 100)
        return cells

    def _export(self, name: str, *options: str) -> pathlib.Path:
        out = self._folder / name
        words = ("--columns", "Id,Title,Start Date,Progress %,Created At,Status", "--force")
        self._program.json("export", "--organization", ORGANIZATION, "--out", str(out), *words, *options)
        return out


def a_workbook_has_types_and_no_formula(office: Office):
    lines, rows = office.lines(), office.rows("goals.xlsx")
    assert [text for _, _, text in rows[0][:6]] == list(lines[0])
    assert len(rows) == len(lines) + 1
    for row, line in zip(rows[1:], lines):
        (number, value, _), (title, _, text), (day, start, _), (progress, _, _), (moment, created, _) = row[:5]
        assert (number, float(value)) == ("float", line["Id"])
        # Blanks at the ends and tabs are elements of their own there.
        assert title == "string" and "".join(text.split()) == "".join(line["Title"].split()), (text, line["Title"])
        assert (day, start) == (("date", line["Start Date"]) if line["Start Date"] else (None, None))
        assert progress in ("float", "percentage", None)
        assert moment == "date" and created[:10] == line["Created At"][:10]


def a_csv_for_spreadsheets_has_no_formula(office: Office):
    lines, rows = office.lines(), office.rows("goals.csv", "--profile", "excel")
    assert len(rows) == len(lines) + 1
    titles = {line["Title"] for line in lines}
    assert set(HOSTILE) <= titles, "the titles are there"
    for row, line in zip(rows[1:], lines):
        assert float(row[0][1] or row[0][2]) == line["Id"]
        assert line["Title"][-3:] in row[1][2] or row[1][0] != "string", (row[1], line["Title"])


def main() -> int:
    checks = Checks()
    with goalpost.demo(sys.argv[1], GOALS) as (program, _), tempfile.TemporaryDirectory() as folder:
        office = Office(program, folder)
        open_goals = [line for line in office.lines() if line["Status"] not in ("Closed", "Postponed")]
        for title, line in zip(HOSTILE, open_goals):
            program.run("goal", "change", "--organization", ORGANIZATION, "--goal", str(line["Id"]), f"--title={title}")
        for check in (a_workbook_has_types_and_no_formula, a_csv_for_spreadsheets_has_no_formula):
            checks.run(check, office)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
