"""Every format comes down to the same: labels, counts, rows that are suspicious; and no value kept."""

from __future__ import annotations

import io
import json
import mailbox
import pickle
import sqlite3
import struct
from email.message import EmailMessage
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penstock.discover.collector import File
from penstock.discover.data.whole import LargeFile
from penstock.graph.labels import propagate
from penstock.graph.vocabulary import Unseen
from tests.discover.data.make import PEOPLE, PLANTED, docx, pdf, xlsx


def test_parquet_by_its_values_and_footer(look):
    held = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist([{"who": {"contact": row["email"]}, "n": row["amount"]} for row in PEOPLE]), held
    )
    seen = look({"data/a.parquet": held.getvalue()}, only=["data."])
    dataset = seen.one("dataset")
    assert dataset.labels == {"pii"}
    assert dataset.props["columns"] == ["who.contact"]
    assert dataset.props["records"] == 60


def test_parquet_without_its_library_is_told_by_names(look, monkeypatch):
    held = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(PEOPLE), held)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    seen = look({"data/a.parquet": held.getvalue()}, only=["data."])
    dataset = seen.one("dataset")
    assert dataset.props["columns"] == ["email"]
    assert "records" not in dataset.props
    assert [(note.skipped, "penstock[data]" in note.hint) for note in seen.notes] == [(True, True)]


def test_arrow_files_and_streams(look):
    table = pa.Table.from_pylist(PEOPLE)
    for writer in (pa.ipc.new_file, pa.ipc.new_stream):
        held = io.BytesIO()
        with writer(held, table.schema) as out:
            out.write_table(table)
        assert look({"cache/a.arrow": held.getvalue()}, only=["data."]).one("dataset").labels == {"pii"}


def test_avro(look):
    import fastavro

    held = io.BytesIO()
    fields = [{"name": "email", "type": "string"}, {"name": "amount", "type": "int"}]
    rows = [{"email": row["email"], "amount": row["amount"]} for row in PEOPLE]
    fastavro.writer(held, {"type": "record", "name": "person", "fields": fields}, rows)
    dataset = look({"events.avro": held.getvalue()}, only=["data."]).one("dataset")
    assert dataset.labels == {"pii"}
    assert dataset.props["records"] == 60


def test_sqlite(look, tmp_path):
    content = sqlite(tmp_path, "CREATE TABLE people (email TEXT, n INT)", "CREATE TABLE prices (sku TEXT)")
    dataset = look({"crm.db": content}, only=["data."]).one("dataset")
    assert dataset.labels == {"pii"}
    assert dataset.props["columns"] == ["people.email"]
    assert dataset.props["records"] == 60


def test_a_database_with_a_write_ahead_log_is_read_as_it_lies(look, tmp_path):
    content = sqlite(tmp_path, "PRAGMA journal_mode=WAL", "CREATE TABLE people (email TEXT, n INT)")
    assert content[18:20] == b"\2\2"
    assert look({"crm.db": content}, only=["data."]).one("dataset").labels == {"pii"}


def test_a_large_database_is_sampled_from_disk_though_somebody_writes_it(look, tmp_path):
    place = tmp_path / "big.db"
    with sqlite3.connect(place) as connection:
        connection.execute("CREATE TABLE people (email TEXT)")
        connection.executemany("INSERT INTO people VALUES (?)", ((f"p{n}@mailhaven.org",) for n in range(50_000)))
    with sqlite3.connect(place) as busy:
        busy.execute("BEGIN EXCLUSIVE")
        (dataset,) = told(LargeFile("big.db", place.read_bytes()[:4096], "repo:x", str(place), place.stat().st_size))
    assert dataset.labels == {"pii"}
    assert dataset.props["records"] == 50_000


def sqlite(folder: Path, *statements: str) -> bytes:
    place = folder / "x.db"
    with sqlite3.connect(place) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.executemany("INSERT INTO people VALUES (?, ?)", ((row["email"], row["amount"]) for row in PEOPLE))
    connection.close()
    return place.read_bytes()


def told(file: File) -> list:
    from penstock.discover.data.sqlite import database

    return [row.subject for row in database(file) if not isinstance(row, Unseen)]


def test_workbooks(look):
    rows = [["Name", "E-Mail"], *([row["name"], row["email"]] for row in PEOPLE)]
    dataset = look({"export.xlsx": xlsx(rows)}, only=["data."]).one("dataset")
    assert dataset.labels == {"pii"}
    assert set(dataset.props["columns"]) == {"Name", "E-Mail"}
    assert dataset.props["records"] == 60


def test_documents_of_word_with_what_they_hide(look):
    lines = [f"Ticket {n} of {row['email']}" for n, row in enumerate(PEOPLE)]
    seen = look({"handbook/a.docx": docx(lines, hidden=PLANTED)}, only=["data."])
    dataset = seen.one("dataset")
    assert dataset.labels == {"pii"}
    assert dataset.props["hidden"] == ["markup"]
    assert dataset.props["planted"] == 1
    assert dataset.props["suspect_rows"][0].startswith("hidden text in document paragraph 61: ")


def test_pdf_documents(look):
    seen = look({"policies/a.pdf": pdf([f"Call {row['email']}" for row in PEOPLE[:9]] + [PLANTED])}, only=["data."])
    dataset = seen.one("dataset")
    assert dataset.labels == {"pii"}
    assert dataset.props["planted"] == 1
    assert dataset.props["suspect_rows"][0].startswith("page 1: ")


def test_pages_with_what_they_hide(look):
    shown = "".join(f"<p>Lamp {n}</p>" for n in range(30))
    page = f'<html><body>{shown}<div style="display:none">{PLANTED}</div><!-- menu --><script>x</script></body></html>'
    dataset = look({"kb/lamps.html": page}, only=["data."]).one("dataset")
    assert dataset.props["hidden"] == ["markup"]
    assert dataset.props["suspect_rows"] == [
        "hidden element in line 1: it tells its reader to ignore earlier instructions"
    ]
    plain = f'<html><body>{shown}<div style="display:none">Menu, about us</div></body></html>'
    assert look({"kb/lamps.html": plain}, only=["data."]).one("dataset").props == {}


def test_mail(look, tmp_path):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@mailhaven.org", "b@mailhaven.org", "Lamps"
    message.set_content("\n".join(row["email"] for row in PEOPLE))
    dataset = look({"inbox/a.eml": message.as_bytes()}, only=["data."]).one("dataset")
    assert dataset.labels == {"pii"}
    assert dataset.props["records"] == 1
    box = mailbox.mbox(tmp_path / "x.mbox")
    for _ in range(7):
        box.add(message)
    box.flush()
    dataset = look({"all.mbox": (tmp_path / "x.mbox").read_bytes()}, only=["data."]).one("dataset")
    assert dataset.labels == {"pii"}
    assert dataset.props["records"] == 7


def test_logs(look):
    lines = "".join(f"2024-01-01 INFO login of {row['email']} ok\n" for row in PEOPLE)
    dataset = look({"app.log": lines}, only=["data."]).one("dataset")
    assert dataset.labels == {"pii"}
    assert dataset.props["records"] == 60
    assert dataset.props["role"] == "log"


def test_parts_are_one_dataset(look):
    held = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(PEOPLE), held)
    csv = "email\n" + "".join(f"{row['email']}\n" for row in PEOPLE)
    seen = look(
        {
            "lake/orders/year=2024/month=01/x.parquet": held.getvalue(),
            "lake/orders/year=2024/month=02/y.parquet": held.getvalue(),
            "lake/people/part-00000.csv": csv,
            "lake/people/part-00001.csv": csv,
            "data/train-00000-of-00002.parquet": held.getvalue(),
            "data/train-00001-of-00002.parquet": held.getvalue(),
        },
        only=["data."],
    )
    assert seen.names("dataset") == ["data/train", "lake/orders", "lake/people"]
    assert all(seen.one("dataset", name).labels == {"pii"} for name in seen.names("dataset"))
    assert {seen.one("dataset", name).props["records"] for name in seen.names("dataset")} == {120}


@pytest.mark.parametrize("empty", [False, True])
def test_chroma(look, tmp_path, empty):
    place = tmp_path / "chroma.sqlite3"
    with sqlite3.connect(place) as connection:
        connection.execute("CREATE TABLE collections (id TEXT, name TEXT, dimension INTEGER)")
        connection.execute("CREATE TABLE embeddings (id INTEGER PRIMARY KEY, segment_id TEXT)")
        connection.execute(
            "CREATE TABLE embedding_metadata (id INTEGER, key TEXT, string_value TEXT, PRIMARY KEY (id, key))"
        )
        for n, row in enumerate([] if empty else PEOPLE):
            connection.execute("INSERT INTO embeddings VALUES (?, 's')", (n,))
            text = f"The customer {row['name']} wrote from {row['email']} about the lamp that broke."
            connection.execute("INSERT INTO embedding_metadata VALUES (?, 'chroma:document', ?)", (n, text))
    connection.close()
    store = look({"rag/chroma_db/chroma.sqlite3": place.read_bytes()}, only=["data."]).one("vector_store")
    assert store.name == "chroma"
    assert store.props["records"] == (0 if empty else 60)
    assert store.labels == (frozenset() if empty else {"pii"})


def test_faiss_texts_are_read_and_nothing_in_the_pickle_runs(look, tmp_path):
    ran = tmp_path / "ran"

    class Trap:
        def __reduce__(self):
            return (Path.touch, (ran,))

    text = "The customer wrote from {} about the lamp that broke last week."
    documents = {n: {"page_content": text.format(row["email"])} for n, row in enumerate(PEOPLE)}
    index = b"IxF2" + struct.pack("<iq", 8, 60) + b"\0" * 64
    seen = look({"rag/i/index.faiss": index, "rag/i/index.pkl": pickle.dumps((documents, Trap()))}, only=["data.faiss"])
    store = seen.one("vector_store")
    assert (store.name, store.labels, store.props["records"]) == ("faiss", {"pii"}, 60)
    assert not ran.exists()


def test_an_index_without_texts_says_so(look):
    seen = look({"rag/i/index.faiss": b"IxF2" + struct.pack("<iq", 8, 7) + b"\0" * 64}, only=["data.faiss"])
    assert seen.one("vector_store").props["records"] == 7
    assert [note.skipped for note in seen.notes] == [True]


def test_no_value_of_any_format_is_kept(look, tmp_path):
    rows = [["Name", "E-Mail"], *([row["name"], row["email"]] for row in PEOPLE)]
    files = {
        "a.xlsx": xlsx(rows),
        "kb/a.pdf": pdf([row["email"] for row in PEOPLE]),
        "kb/a.docx": docx([row["email"] for row in PEOPLE]),
        "kb/a.jsonl": "\n".join(map(json.dumps, PEOPLE)),
        "a.db": sqlite(tmp_path, "CREATE TABLE people (email TEXT, n INT)"),
    }
    assert "@mailhaven" not in repr(look(files, only=["data."]).yielded)


def test_two_stores_of_one_library_are_two_and_the_librarys_name_holds_what_both_hold(look):
    def store(folder, text):
        index = b"IxF2" + struct.pack("<iq", 8, 30) + b"\0" * 64
        return {f"{folder}/index.faiss": index, f"{folder}/index.pkl": text}

    plain = pickle.dumps(tuple({"page_content": f"the answer to question {n} is yes"} for n in range(30)))
    people = pickle.dumps(tuple({"page_content": f"write to ada.{n}@mail-shop.de please"} for n in range(30)))
    seen = look({**store("rag/hr", people), **store("rag/help", plain)}, only=["data.faiss"])
    by_name = {asset.name: asset for asset in seen.graph.of_kind("vector_store")}
    assert set(by_name) == {"faiss", "faiss in rag/hr", "faiss in rag/help"}
    assert by_name["faiss in rag/hr"].labels == {"pii"} and by_name["faiss in rag/help"].labels == set()
    assert propagate(seen.graph).contains(by_name["faiss"].id) == {"pii"}
    assert propagate(seen.graph).contains(by_name["faiss in rag/help"].id) == set()
    one = look(store("rag/hr", people), only=["data.faiss"]).one("vector_store")
    assert (one.name, one.id) == ("faiss", by_name["faiss"].id)
