"""Upload one continent's rows of the table to the results database: `python upload.py TABLE DATABASE CONTINENT`.

The database takes one writer: an upload that meets another one fails. Repeating an upload is harmless.
"""

import csv
import fcntl
import sqlite3
import sys
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS life_expectancy (
    country TEXT PRIMARY KEY, continent TEXT NOT NULL, observed_2007 REAL NOT NULL, gain_per_decade REAL NOT NULL,
    r_squared REAL NOT NULL, projected_2027 REAL NOT NULL, low_2027 REAL NOT NULL, high_2027 REAL NOT NULL
)
"""


def upload(table: Path, database: Path, continent: str) -> int:
    """Put the continent's rows into the database, in one transaction; returns how many."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["continent"] == continent]
    connection = sqlite3.connect(database)
    with connection:
        connection.execute(SCHEMA)
        places = ", ".join(f":{column}" for column in rows[0])
        connection.executemany(f"INSERT OR REPLACE INTO life_expectancy VALUES ({places})", rows)
    connection.close()
    return len(rows)


def main() -> None:
    """Upload, unless somebody else does."""
    table, database, continent = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    with Path(f"{database}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"{database} is being written by another upload")
        print(f"{continent}: {upload(table, database, continent)} countries uploaded to {database}")


if __name__ == "__main__":
    main()
