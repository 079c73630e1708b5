"""What others make of the same rows: `peers.py WHAT LINES OUT`."""

import json
import sys


def rows(lines):
    with open(lines, encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def read(lines, out):
    for row in rows(lines):
        list(row.values())


def xlsxwriter(lines, out):
    import xlsxwriter

    workbook = xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = None
    at = 0
    for row in rows(lines):
        if sheet is None or at == 1_048_576:
            sheet = workbook.add_worksheet()
            for column, name in enumerate(row):
                sheet.write_string(0, column, name)
            at = 1
        for column, value in enumerate(row.values()):
            if isinstance(value, str):
                sheet.write_string(at, column, value[:32767])
            elif isinstance(value, bool):
                sheet.write_boolean(at, column, value)
            elif value is not None:
                sheet.write_number(at, column, value)
        at += 1
    workbook.close()


def duckdb_read(lines, out):
    import duckdb

    connection = duckdb.connect()
    connection.execute("create table rows as select * from read_json(?, format = 'newline_delimited')", [lines])
    return connection


def duckdb(lines, out):
    duckdb_read(lines, out).execute(f"copy rows to '{out}' (format parquet, compression zstd)")


WAYS = {"read": read, "xlsxwriter": xlsxwriter, "duckdb-read": duckdb_read, "duckdb": duckdb}

if __name__ == "__main__":
    WAYS[sys.argv[1]](*sys.argv[2:])
