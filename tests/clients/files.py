"""Files of `goalpost export`, opened by Python's csv and json, openpyxl, pyarrow, pandas and DuckDB: all say the same.
And what these write again, `goalpost import` takes for what it was.

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

import duckdb
import openpyxl
import pandas
import pyarrow
import pyarrow.parquet

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

    def bring(self, path: pathlib.Path) -> dict:
        """The report of an import."""
        return self._program.json("import", str(path), "--organization-id", ORGANIZATION)

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


TYPES = {
    "integer": pyarrow.int64(),
    "number": pyarrow.float64(),
    "text": pyarrow.string(),
    "day": pyarrow.date32(),
    "moment": pyarrow.timestamp("us", tz="UTC"),
    "flag": pyarrow.bool_(),
}


def from_parquet(value):
    """A cell of a Parquet file as JSON has it."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def is_missing(value) -> bool:
    return value is None or value is pandas.NaT or value != value


def compare(rows: list[dict], said: list[dict]):
    assert len(rows) == len(said), (len(rows), len(said))
    for row, goal in zip(rows, said):
        assert list(row) == list(goal), list(row)
        for name, cell in row.items():
            cell = None if is_missing(cell) else from_parquet(cell)
            assert cell == goal[name], (goal["Id"], name, cell, goal[name])


def parquet_is_typed_and_has_the_cells_of_the_json(files: Files):
    for options in (["--columns", "all"], ["--columns", "all", "--rows", "checkIns"]):
        said = files.lines(*options)
        path = files.export("goals.parquet", *options)
        table = pyarrow.parquet.read_table(path)
        for column in files.manifest["columns"]:
            assert table.schema.field(column["name"]).type == TYPES[column["type"]], column
        compare(table.to_pylist(), said)


def pandas_reads_the_parquet(files: Files):
    said = files.lines("--columns", "all")
    frame = pandas.read_parquet(files.export("goals.parquet", "--columns", "all"), dtype_backend="pyarrow")
    compare(frame.astype(object).where(frame.notna(), None).to_dict("records"), said)


def duckdb_reads_the_parquet(files: Files):
    said = files.lines("--columns", "all")
    path = files.export("goals.parquet", "--columns", "all")
    with duckdb.connect() as database:
        found = database.execute("from read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row)) for row in found.fetchall()]
        compare(rows, said)
        # Nothing is read but what is asked for: the extremes stand in the footer.
        highest = database.execute("select max(Id) from read_parquet(?)", [str(path)]).fetchone()
    assert highest == (max(goal["Id"] for goal in said),)


def duckdb_reads_json_lines_and_csv(files: Files):
    said = files.lines("--columns", "Id,Title,Description")
    packed = files.export("goals.jsonl.zst", "--columns", "Id,Title,Description", "--compression", "zstd")
    cells = files.export("goals.csv", "--columns", "Id,Title,Description")
    columns = {"Id": "BIGINT", "Title": "VARCHAR", "Description": "VARCHAR"}
    with duckdb.connect() as database:
        lines = "from read_json(?, format = 'newline_delimited', columns = ?, compression = 'zstd')"
        rows = database.execute(lines, [str(packed), columns]).fetchall()
        assert rows == [tuple(goal.values()) for goal in said]
        # What is missing and what is empty look alike in a CSV.
        csv_rows = database.execute("from read_csv(?, columns = ?, nullstr = '')", [str(cells), columns]).fetchall()
    assert csv_rows == [tuple(value or None for value in goal.values()) for goal in said]


def what_other_programs_write_again_comes_back_and_changes_nothing(files: Files):
    parquet = files.export("goals.parquet")
    again = parquet.with_name("again.parquet")
    table = pyarrow.parquet.read_table(parquet)
    rewritten = [
        {"compression": "snappy", "row_group_size": 500},
        {"compression": "gzip", "data_page_version": "2.0", "data_page_size": 4_000, "use_dictionary": False},
        {"compression": "none", "use_deprecated_int96_timestamps": True, "write_page_index": True},
    ]
    for options in rewritten:
        pyarrow.parquet.write_table(table, again, **options)
        changes_nothing(files, again)
    with duckdb.connect() as database:
        source = database.read_parquet(str(parquet))
        source.write_parquet(str(again), compression="zstd")
        changes_nothing(files, again)
        lines = parquet.with_name("again.jsonl")
        database.execute(f"copy (from read_parquet('{parquet}')) to '{lines}' (format json)")
        changes_nothing(files, lines)
    lines.write_bytes(gzip.compress(lines.read_bytes()))
    changes_nothing(files, lines)
    table.to_pandas().to_parquet(again)
    changes_nothing(files, again)


def changes_nothing(files: Files, path: pathlib.Path):
    report = files.bring(path)
    assert report["revision"] is None, report
    (goals,) = [tally for tally in report["entities"] if tally["entity"] == "objectives"]
    assert goals["read"] == goals["unchanged"] > GOALS * 0.9, goals


def zstd_unpacks_to_the_same_bytes(files: Files):
    plain_file = files.export("goals.csv", "--columns", "all").read_bytes()
    packed = files.export("goals.csv.zst", "--columns", "all", "--compression", "zstd")
    assert packed.stat().st_size < len(plain_file) / 2
    with pyarrow.input_stream(str(packed), compression="zstd") as stream:
        assert stream.read() == plain_file


def links_are_native_and_lead_home(files: Files):
    origin = "https://goals.contoso.example"
    path = files.export("goals.xlsx", "--links", "id", "--public-url", origin)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    links = 0
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            assert cell.data_type != "f", cell.coordinate
            if cell.hyperlink is not None:
                assert cell.column == 1 and cell.hyperlink.target.startswith(f"{origin}/org_uuid/{ORGANIZATION}/")
                assert cell.hyperlink.target.endswith(f"&goal={cell.value}"), cell.hyperlink.target
                links += 1
    assert links == files.manifest["rows"] > 0


def a_zone_moves_the_clocks_of_a_workbook(files: Files):
    columns = ["--columns", "Id,Created At"]
    said = files.lines(*columns, "--time-zone", "Asia/Kolkata")
    sheet = openpyxl.load_workbook(files.export("goals.xlsx", *columns, "--time-zone", "Asia/Kolkata")).worksheets[0]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert len(rows) == len(said)
    for (number, created), goal in zip(rows, said):
        clock = created and created.strftime("%Y-%m-%dT%H:%M:%S+05:30")
        assert (number, clock) == (goal["Id"], goal["Created At"]), (number, created, goal)


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
            parquet_is_typed_and_has_the_cells_of_the_json,
            pandas_reads_the_parquet,
            duckdb_reads_the_parquet,
            duckdb_reads_json_lines_and_csv,
            what_other_programs_write_again_comes_back_and_changes_nothing,
            zstd_unpacks_to_the_same_bytes,
            links_are_native_and_lead_home,
            a_zone_moves_the_clocks_of_a_workbook,
        ):
            checks.run(check, files)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
