"""Broken and hostile data files cost little, are named, and take nothing with them."""

from __future__ import annotations

import functools
import io
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penstock.discover.collector import COLLECTORS, File
from penstock.discover.data.delimited import delimited
from penstock.discover.data.footer import read_footer
from penstock.discover.data.json_rows import json_lines
from penstock.discover.data.whole import LargeFile, opened
from penstock.discover.registry import Matcher, load
from penstock.graph.vocabulary import Asset, Observation, Unseen
from tests.discover.data.make import PEOPLE, docx, pdf, xlsx, zipped

SCOPE = "repo:acme/shop"


def large(place: Path, path: str) -> LargeFile:
    with place.open("rb") as content:
        return LargeFile(path, content.read(4 * 1024 * 1024), SCOPE, str(place), place.stat().st_size)


def split(yielded) -> tuple[list[Asset], list[Unseen]]:
    rows = list(yielded)
    assets = [row.subject for row in rows if isinstance(row, Observation) and isinstance(row.subject, Asset)]
    return assets, [row for row in rows if isinstance(row, Unseen)]


def test_ten_thousand_columns_are_all_looked_at():
    names = [f"feature_{n}" for n in range(9_999)] + ["customer_email"]
    row = ",".join(["1.5"] * 9_999)
    table = ",".join(names) + "\n" + "".join(f"{row},p{n}@mailhaven.org\n" for n in range(30))
    (found,), notes = split(delimited(File("data/wide.csv", table.encode(), SCOPE)))
    assert found.labels == {"pii"}
    assert found.props["columns"] == ["customer_email"]
    assert notes == []


def test_columns_beyond_the_bound_are_named():
    table = ",".join(f"c{n}" for n in range(12_000)) + "\n" + ",".join(["x"] * 12_000) + "\n"
    (found,), notes = split(delimited(File("data/wider.csv", table.encode(), SCOPE)))
    assert found.kind == "dataset"
    assert [note.what for note in notes] == ["2,000 columns"]


@pytest.fixture
def long_line(tmp_path: Path) -> Path:
    """A table of people with a line of 100 MB in it."""
    place = tmp_path / "long.csv"
    with place.open("wb") as out:
        out.write(b"id,email\n" + b"".join(b"%d,p%d@mailhaven.org\n" % (n, n) for n in range(200_000)))
        out.write(b'1,"')
        for _ in range(100):
            out.write(b"x" * 1_000_000)
        out.write(b'"\n' + b"".join(b"%d,p%d@mailhaven.org\n" % (n, n) for n in range(200_000)))
    return place


def test_a_line_of_a_hundred_megabytes_is_stepped_over(long_line):
    (found,), notes = split(delimited(large(long_line, "data/long.csv")))
    assert found.labels == {"pii"}
    assert [note.skipped for note in notes] == [False]
    assert "hold no rows" in notes[0].why


def test_a_first_line_that_does_not_end_is_no_table(tmp_path):
    place = tmp_path / "one.csv"
    place.write_bytes(b"a,b" + b"x" * 9_000_000)
    assets, notes = split(delimited(large(place, "data/one.csv")))
    assert assets == []
    assert "first line is longer" in notes[0].why


def test_a_large_file_of_json_lines_is_sampled(tmp_path):
    place = tmp_path / "big.jsonl"
    with place.open("w") as out:
        out.writelines(f'{{"email": "p{n}@mailhaven.org"}}\n' for n in range(300_000))
    (found,), notes = split(json_lines(large(place, "big.jsonl")))
    assert found.labels == {"pii"}
    assert 250_000 < found.props["records"] < 350_000
    assert notes == []


def test_invalid_utf8_is_read_all_the_same():
    table = b"id,name,email\n" + b"".join(b"%d,M\xfcller\xff,p%d@mailhaven.org\n" % (n, n) for n in range(40))
    (found,), notes = split(delimited(File("data/a.csv", table, SCOPE)))
    assert found.labels == {"pii"}
    assert notes == []


@functools.cache
def bomb() -> bytes:
    """130 MB of nothing twice, in half a megabyte."""
    return zipped(dict.fromkeys(("word/document.xml", "xl/worksheets/sheet1.xml"), b" " * 130 * 1024 * 1024))


@pytest.mark.parametrize(
    ("path", "content", "why"),
    [
        ("kb/bomb.docx", bomb, "unpacks to more than"),
        ("kb/bomb.xlsx", bomb, "unpacks to more than"),
        ("kb/entity.docx", lambda: docx(["x"], declared='<!DOCTYPE d [<!ENTITY a "aaaa">]>'), "declares entities"),
        ("kb/deep.docx", lambda: zipped({"word/document.xml": b"<a>" * 5_000}), "nested deeper"),
        ("kb/cut.docx", lambda: docx(["x"])[:-30], "no whole archive"),
        ("kb/cut.xlsx", lambda: xlsx([["a"], ["b"]])[:-30], ""),
        ("kb/no.xlsx", lambda: zipped({"x": b"y"}), "does not read as a workbook"),
        ("kb/no.pdf", lambda: b"%PDF-1.4\n" + os.urandom(2_000), "does not read"),
        ("kb/cut.pdf", lambda: pdf(["x"])[:60], "does not read"),
        ("a.parquet", lambda: b"PAR1" + b"x" * 100, "cut off"),
        ("a.parquet", lambda: b"PAR1" + b"x" * 100 + b"\xff\xff\xff\x7fPAR1", "does not fit"),
        ("a.arrow", lambda: b"ARROW1\0\0" + b"x" * 100, "no whole Arrow file"),
        ("a.avro", lambda: b"Obj\x01" + b"\xff" * 100, "does not read"),
        ("a.sqlite", lambda: b"SQLite format 3\0" + os.urandom(8_000), "does not read as a database"),
        ("a.sqlite", lambda: os.urandom(8_000), "no SQLite database"),
        ("x.lance/_versions/1.manifest", lambda: b"x" * 40, "does not read"),
        ("i/index.faiss", lambda: b"no index at all.", "does not begin"),
        ("i/index.pkl", lambda: b"\x80\x04" + b"\x8c\xff", "does not read"),
    ],
)  # fmt: skip
def test_what_does_not_read_is_named(look, path, content, why):
    seen = look({path: content()}, only=["data."])
    assert [note.skipped for note in seen.notes] == [False]
    assert why in seen.notes[0].why


def test_an_encrypted_document_is_named(look):
    import pypdf

    held = io.BytesIO()
    writer = pypdf.PdfWriter(io.BytesIO(pdf(["secret"])))
    writer.encrypt("a password", algorithm="RC4-128")
    writer.write(held)
    (note,) = look({"kb/locked.pdf": held.getvalue()}, only=["data."]).notes
    assert "password" in note.why


def test_a_truncated_parquet_file_keeps_what_its_neighbours_say(look):
    held = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(PEOPLE), held)
    whole = held.getvalue()
    seen = look({"data/cut.parquet": whole[: len(whole) // 2], "data/b.parquet": whole}, only=["data."])
    assert seen.names("dataset") == ["data/b.parquet"]
    assert [note.where for note in seen.notes] == ["data/cut.parquet"]


def test_a_table_of_a_database_that_is_damaged_keeps_the_others(look, tmp_path):
    place = tmp_path / "x.db"
    with sqlite3.connect(place) as connection:
        connection.execute("PRAGMA page_size=4096")
        for table in ("people", "zebras"):
            connection.execute(f"CREATE TABLE {table} (email TEXT)")
            rows = ((f"p{n}@mailhaven.org",) for n in range(3_000))
            connection.executemany(f"INSERT INTO {table} VALUES (?)", rows)
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'zebras'").fetchone()[0]
    connection.close()
    content = bytearray(place.read_bytes())
    content[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    seen = look({"x.db": bytes(content)}, only=["data."])
    assert seen.one("dataset").labels == {"pii"}
    assert [note.where for note in seen.notes] == ["x.db table zebras"]


def test_a_schema_that_computes_without_end_is_stopped(look, tmp_path):
    place = tmp_path / "x.db"
    with sqlite3.connect(place) as connection:
        connection.execute("CREATE TABLE a (x TEXT, y TEXT GENERATED ALWAYS AS (hex(zeroblob(100000000))) VIRTUAL)")
        connection.execute("INSERT INTO a (x) VALUES ('1')")
    connection.close()
    assert look({"x.db": place.read_bytes()}, only=["data."]).yielded


def test_footers_of_random_bytes_raise_what_they_say():
    held = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(PEOPLE), held)
    whole = held.getvalue()
    draw = random.Random(5)
    for _ in range(400):
        damaged = bytearray(whole)
        for _ in range(draw.randint(1, 12)):
            damaged[draw.randrange(len(whole) // 2, len(whole))] = draw.randrange(256)
        try:
            read_footer(io.BytesIO(bytes(damaged)), len(damaged))
        except ValueError:
            continue


@pytest.mark.slow
def test_damaged_files_of_every_format_raise_nothing():
    load()
    collectors = {name: each for name, each in COLLECTORS.items() if name.startswith("data.")}
    matcher = Matcher({name: each.reads for name, each in collectors.items()})
    held = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(PEOPLE), held)
    files = {
        "kb/a.docx": docx(["x", "y"]), "a.xlsx": xlsx([["a", "b"], ["1", "2"]]), "kb/a.pdf": pdf(["x", "y"]),
        "a.parquet": held.getvalue(), "a.csv": b"a,b\n1,2\n" * 50, "a.jsonl": b'{"a": "b"}\n' * 50,
        "kb/a.html": b"<p>a<div hidden>b</div></p>" * 50, "a.eml": b"From: a@b.co\nSubject: x\n\nhello" * 9,
        "x.lance/_versions/1.manifest": b"\x10\0\0\0" + b"\x0a\x04\x12\x02ab" * 9 + b"\0" * 12 + b"LANC",
    }  # fmt: skip
    draw = random.Random(6)
    for path, content in files.items():
        for _ in range(60):
            damaged = bytearray(content)
            for _ in range(draw.randint(1, 20)):
                damaged[draw.randrange(len(damaged))] = draw.randrange(256)
            cut = bytes(damaged[: draw.randint(1, len(damaged))] if draw.random() < 0.3 else damaged)
            for name in matcher.names(path):
                list(collectors[name].run(File(path, cut, SCOPE)))


def test_a_large_file_that_became_a_link_is_not_followed(tmp_path):
    (tmp_path / "real.csv").write_text("a,b\n1,2\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    with pytest.raises(OSError):
        opened(LargeFile("link.csv", b"", SCOPE, str(tmp_path / "link.csv"), 8))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell a process's memory")
def test_a_hundred_megabytes_need_little_memory(long_line):
    script = (
        "import sys\n"
        "from penstock.discover.data.delimited import delimited\n"
        "from penstock.discover.data.whole import LargeFile\n"
        "head = open(sys.argv[1], 'rb').read(4 << 20)\n"
        "list(delimited(LargeFile('data/x.csv', head, 'repo:x', sys.argv[1], int(sys.argv[2]))))\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(long_line), str(long_line.stat().st_size)],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert int(done.stdout) < 200 * 1024
