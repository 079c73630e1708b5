"""What others make of the same goals: `peers.py WAY ...`."""

import csv
import sqlite3
import sys
import tempfile


def python(database, query, out):
    """The standard library alone."""
    rows = sqlite3.connect(database).execute(read(query))
    with open(out, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(column[0] for column in rows.description)
        writer.writerows(rows)


def duckdb(database, query, out):
    """A file of DuckDB's own, with as many threads as it takes by itself."""
    import duckdb

    connection = duckdb.connect(database, read_only=True)
    connection.execute(f"copy ({read(query)}) to '{out}' (format csv, header)")


def copy(database, out, *tables):
    """Put tables of SQLite into a file of DuckDB's, by way of CSV: its extension for SQLite is a download of its own."""
    import duckdb

    types = {"INTEGER": "bigint", "REAL": "double", "TEXT": "varchar"}
    source, target = sqlite3.connect(database), duckdb.connect(out)
    for table in tables:
        columns = source.execute("select name, type from pragma_table_info(?)", [table]).fetchall()
        columns = [(name, types[kind]) for name, kind in columns if kind in types]
        # CSV has no null. No text of invented goals is this one.
        values = ", ".join(f"ifnull({name}, '\\N')" for name, _ in columns)
        target.execute(f"create table {table} ({', '.join(' '.join(column) for column in columns)})")
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", suffix=".csv") as file:
            csv.writer(file).writerows(source.execute(f"select {values} from {table}"))
            file.flush()
            options = "format csv, header false, auto_detect false, quote '\"', escape '\"', nullstr '\\N'"
            target.execute(f"copy {table} from '{file.name}' ({options})")
    target.close()


def versions():
    import platform
    from importlib.metadata import version

    print(f"DuckDB {version('duckdb')}, Python {platform.python_version()}, Datasette {version('datasette')}")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


WAYS = {"python": python, "duckdb": duckdb, "copy": copy, "versions": versions}

if __name__ == "__main__":
    WAYS[sys.argv[1]](*sys.argv[2:])
