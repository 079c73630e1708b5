"""Files of `goalpost export`, opened by Python's csv, by json and by openpyxl: all of them say the same.

    python files.py target/debug/goalpost

Prints one line per check and ends with `N passed, M failed`.
"""

import csv
import datetime
import gzip
import json
import pathlib
import sys
import tempfile

import openpyxl

import goalpost
from checks import Checks
from goalpost import ORGANIZATION

GOALS = 3_000


class Files:
    """Makes files of every goal."""

    def __init__(self, program: goalpost.Goalpost, folder: str):
        self._program = program
        self._folder = pathlib.Path(folder)

    def export(self, name: str, *options: str) -> pathlib.Path:
        out = self._folder / name
        self.manifest = self._program.json(
            "export", "--organization", ORGANIZATION, "--out", str(out), "--force", *options
        )
        return out

    def lines(self, *options: str) -> list[dict]:
        with self.export("goals.jsonl", *options).open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]


def plain(value):
    """A cell as JSON has it."""
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.strftime("%Y-%m-%d") if midnight else value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def same(cell, said) -> bool:
    if said is None or said == "":
        return cell is None or cell == ""
    if isinstance(said, str):
        # A line of a workbook's cell ends with a line feed; an instant at midnight looks like a day.
        said = said.replace("\r\n", "\n").replace("\r", "\n").removesuffix("T00:00:00Z")
    return plain(cell) == said


def a_workbook_has_the_cells_of_the_json(files: Files):
    said = files.lines("--columns", "all")
    sheet = openpyxl.load_workbook(files.export("goals.xlsx", "--columns", "all", "--check-ins", "none"))
    (sheet,) = sheet.worksheets
    head, *rows = sheet.iter_rows(values_only=True)
    assert list(head) == list(said[0]), head
    assert len(rows) == len(said) > GOALS * 0.9, len(rows)
    for row, goal in zip(rows, said):
        for name, cell in zip(head, row):
            assert same(cell, goal[name]), (goal["Id"], name, cell, goal[name])
    assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref == sheet.dimensions


def a_workbook_has_no_formula(files: Files):
    sheet = openpyxl.load_workbook(files.export("goals.xlsx", "--rows", "checkIns")).worksheets[0]
    texts = 0
    for row in sheet.iter_rows():
        for cell in row:
            assert cell.data_type != "f", (cell.coordinate, cell.value)
            texts += isinstance(cell.value, str) and cell.value.startswith("=")
    assert texts > 0, "the demo's texts begin like formulas now and then"


def a_workbook_is_read_from_top_to_bottom(files: Files):
    book = openpyxl.load_workbook(files.export("goals.xlsx"), read_only=True)
    sheet = book.worksheets[0]
    rows = sum(1 for _ in sheet.iter_rows())
    assert sheet.max_row == rows == files.manifest["rows"] + 1, (sheet.max_row, rows)
    book.close()


def csv_has_the_cells_of_the_json(files: Files):
    said = files.lines("--columns", "all")
    packed = files.export("goals.csv.gz", "--columns", "all", "--check-ins", "none", "--compression", "gzip")
    with gzip.open(packed, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(said)
    for row, goal in zip(rows, said):
        for name, cell in row.items():
            value = goal[name]
            if isinstance(value, bool):
                value = str(value).lower()
            elif isinstance(value, (int, float)):
                cell, value = float(cell), float(value)
            elif name == "Created At" and value:
                value = value.replace("T", " ").replace("Z", " UTC")
            assert cell == ("" if value is None else value), (goal["Id"], name, cell, value)


def a_text_for_spreadsheets_comes_back_by_taking_a_sign_away(files: Files):
    said = files.lines("--columns", "Title,Description")
    path = files.export("goals.csv", "--columns", "Title,Description", "--profile", "excel")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    marked = 0
    for row, goal in zip(rows, said):
        for name, cell in row.items():
            assert not cell.lstrip().startswith(("=", "+", "-", "@")), cell
            marked += cell.startswith("'")
            assert cell.removeprefix("'") == (goal[name] or ""), (name, cell, goal[name])
    assert marked > 0


def main() -> int:
    checks = Checks()
    with goalpost.demo(sys.argv[1], GOALS) as (program, _), tempfile.TemporaryDirectory() as folder:
        files = Files(program, folder)
        for check in (
            a_workbook_has_the_cells_of_the_json,
            a_workbook_has_no_formula,
            a_workbook_is_read_from_top_to_bottom,
            csv_has_the_cells_of_the_json,
            a_text_for_spreadsheets_comes_back_by_taking_a_sign_away,
        ):
            checks.run(check, files)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
