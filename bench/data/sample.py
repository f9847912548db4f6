"""What sampling costs, whatever the size: a CSV of 1 GB and a PostgreSQL table of 10 million rows.

    python bench/data/sample.py [csv] [postgresql] [--gigabytes N] [--millions N]

Each is made in a temporary place and read by a process of its own, whose CPU seconds (user and system) and largest
memory are printed; for the table, also how many rows its server read.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
READ_CSV = """
import sys
from penstock.discover.data.delimited import delimited
from penstock.discover.data.whole import LargeFile
place = sys.argv[1]
head = open(place, "rb").read(4 * 1024 * 1024)
size = __import__("os").stat(place).st_size
print(next(iter(delimited(LargeFile("data/people.csv", head, "repo:bench", place, size)))).subject.props)
"""
READ_TABLE = """
import sys
from penstock.discover.data.postgresql import sample_database
for row in sample_database(sys.argv[1]):
    print(row.subject.props)
"""


def csv(gigabytes: float) -> None:
    """A CSV of people, of which everything but a header is made up."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "people.csv"
        draw = random.Random(1)
        lines = "".join(
            f"{n},Ada,p{n}@mailhaven.org,+49 30 {draw.randrange(10**7):07},{draw.uniform(1, 900):.2f},likes tea\n"
            for n in range(100_000)
        ).encode()
        with place.open("wb") as out:
            out.write(b"id,first_name,email,phone,amount,note\n")
            while out.tell() < gigabytes * 1e9:
                out.write(lines)
        print(f"CSV of {place.stat().st_size / 1e9:.2f} GB: {measured(READ_CSV, str(place))}")


def postgresql(millions: float) -> None:
    """A table of people in a server started for it."""
    import psycopg

    sys.path.insert(0, str(ROOT))
    from tests.services.postgres import cluster

    with cluster() as address, psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (id bigint, email text, city text, note text)")
        connection.execute(
            "INSERT INTO people SELECT n, 'p' || n || '@mailhaven.org', 'Berlin', repeat('x', 40) "
            f"FROM generate_series(1, {int(millions * 1e6)}) n"
        )
        connection.execute("ANALYZE people")
        connection.execute("SELECT pg_stat_reset()")
        cost = measured(READ_TABLE, address)
        read = connection.execute("SELECT seq_tup_read FROM pg_stat_user_tables").fetchone()
        print(f"table of {millions:g} M rows: {cost}; rows that the server read: {read[0]:,}")  # type: ignore[index]


def measured(script: str, *arguments: str) -> str:
    """CPU seconds and memory of a process that runs the script, with what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "src")})  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{spent:.2f} CPU s, {after.ru_maxrss // 1024} MB; {done.stdout.strip()[:200]}"


def main() -> None:
    """Make, read, print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", nargs="*", default=["csv", "postgresql"])
    arguments.add_argument("--gigabytes", type=float, default=1.0)
    arguments.add_argument("--millions", type=float, default=10.0)
    given = arguments.parse_args()
    if "csv" in given.what:
        csv(given.gigabytes)
    if "postgresql" in given.what:
        postgresql(given.millions)


if __name__ == "__main__":
    main()
