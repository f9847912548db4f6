"""Data files are labelled by what they hold; keys left in files are told without being shown."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable

import pytest

from penstock.discover.collector import File, Yielded
from penstock.discover.data.corpora import texts
from penstock.discover.data.delimited import delimited
from penstock.discover.data.dumps import dump
from penstock.discover.data.folders import wanted
from penstock.discover.data.json_rows import json_lines, json_records
from penstock.discover.data.rows import SAMPLE_ROWS, Sample
from penstock.discover.data.secrets import secrets
from penstock.graph.identity import application, asset, file_dataset, relation
from penstock.graph.vocabulary import Asset, Evidence, Observation, Relation, Unseen

SCOPE = "repo:acme/shop"


def file(path: str, content: str | bytes) -> File:
    return File(path, content if isinstance(content, bytes) else content.encode(), SCOPE)


def assets(yielded: Iterable[Yielded]) -> list[Asset]:
    return [item.subject for item in yielded if isinstance(item, Observation) and isinstance(item.subject, Asset)]


def people(count: int, mark: str = ",") -> str:
    lines = [mark.join(("id", "email", "note"))]
    lines += [mark.join((str(n), f"person{n}@mailhaven.org", "likes tea")) for n in range(count)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("path", "mark"), [("d/p.csv", ","), ("d/p.csv", ";"), ("d/p.tsv", "\t"), ("d/p.csv", "|")])
def test_a_column_of_addresses_labels_its_file(path: str, mark: str) -> None:
    (found,) = assets(delimited(file(path, people(40, mark))))
    assert found.id == file_dataset(path, SCOPE).id
    assert found.labels == {"pii"}
    assert found.props == {"records": 40, "volume": "tens", "columns": ["email"], "entities": {"EMAIL": 40}}


def test_a_table_of_nothing_sensitive_has_no_labels() -> None:
    table = "sku,price\n" + "".join(f"A{n},{n}.99\n" for n in range(50))
    (found,) = assets(delimited(file("data/prices.csv", table)))
    assert found.labels == frozenset()
    assert found.props == {"records": 50, "volume": "tens"}


def test_a_few_addresses_in_a_column_do_not_label_it() -> None:
    table = "comment\n" + "".join(f"thing {n}\n" for n in range(50)) + "write to a@mailhaven.org\n"
    (found,) = assets(delimited(file("data/comments.csv", table)))
    assert found.labels == frozenset()


def test_no_value_of_a_table_is_kept() -> None:
    yielded = list(delimited(file("data/p.csv", people(40))))
    assert "person1" not in repr(yielded)


def test_other_encodings_are_read() -> None:
    for encoding in ("utf-8-sig", "utf-16", "latin-1"):
        content = people(40).replace("tea", "thé").encode(encoding)
        (found,) = assets(delimited(file("data/p.csv", content)))
        assert found.labels == {"pii"}, encoding


@pytest.mark.parametrize("content", [b"a,b\n\x00\x01\x02", b'a,b\n"' + b"x" * 1_100_000])
def test_what_is_no_table_is_a_row(content: bytes) -> None:
    notes = [item for item in delimited(file("data/x.csv", content)) if isinstance(item, Unseen)]
    assert [note.skipped for note in notes] == [False]


def test_an_empty_table_says_nothing() -> None:
    assert list(delimited(file("data/x.csv", ""))) == []


def test_a_sampled_file_claims_no_number_of_records() -> None:
    line = "1,person@mailhaven.org\n"
    content = ("id,email\n" + line * (4 * 1024 * 1024 // len(line) + 1)).encode()[: 4 * 1024 * 1024]
    (found,) = assets(delimited(file("data/big.csv", content)))
    assert found.labels == {"pii"}
    assert "records" not in found.props


def test_the_sample_is_fair_and_bounded() -> None:
    sample = Sample()
    for number in range(20_000):
        sample.add({"n": str(number)})
    values = [int(value) for value in sample.columns()["n"]]
    assert len(values) == SAMPLE_ROWS
    assert 8_000 < sum(values) / len(values) < 12_000


def test_json_lines_are_read_through_nesting() -> None:
    lines = [{"id": n, "customer": {"contact": [{"email": f"p{n}@mailhaven.org"}]}} for n in range(30)]
    content = "\n".join(map(json.dumps, lines))
    (found,) = assets(json_lines(file("train.jsonl", content)))
    assert found.labels == {"pii"}
    assert found.props["records"] == 30
    assert found.props["columns"] == ["customer.contact.email"]


def test_long_texts_are_looked_into() -> None:
    rows = [
        {"messages": [{"role": "user", "content": "Hello " * 30 + f"reach me at p{n}@mailhaven.org"}]} for n in range(9)
    ]
    (found,) = assets(json_lines(file("chat.jsonl", "\n".join(map(json.dumps, rows)))))
    assert found.labels == {"pii"}


def test_broken_lines_are_counted_and_the_others_kept() -> None:
    good = [json.dumps({"email": f"p{n}@mailhaven.org"}) for n in range(10)]
    yielded = list(json_lines(file("x.jsonl", "\n".join([*good, "{broken", "[" * 100_000]))))
    assert [note.why for note in yielded if isinstance(note, Unseen)] == ["2 of 12 lines are no JSON"]
    assert assets(yielded)[0].labels == {"pii"}


def test_json_counts_only_where_data_lies() -> None:
    content = json.dumps({"rows": [{"email": f"p{n}@mailhaven.org"} for n in range(10)]})
    assert assets(json_records(file("data/people.json", content)))[0].labels == {"pii"}
    assert list(json_records(file("config/people.json", content))) == []


def test_data_under_tests_says_so() -> None:
    (found,) = assets(delimited(file("tests/data/p.csv", people(40))))
    assert found.status == "test"


def test_texts_in_a_data_folder_are_read_and_a_contact_line_is_none() -> None:
    many = "\n".join(f"ticket from p{n}@mailhaven.org" for n in range(8))
    assert assets(texts(file("tickets/all.txt", many)))[0].labels == {"pii"}
    assert assets(texts(file("handbook/holidays.md", "Ask hr@mailhaven.org")))[0].labels == frozenset()
    assert list(texts(file("README.md", many))) == []


def test_dumped_rows_are_read() -> None:
    rows = ",\n".join(f"({n}, 'O''Hara, {n}', 'p{n}@mailhaven.org')" for n in range(20))
    inserted = f"CREATE TABLE t (id int);\nINSERT INTO crm.people (id, name, email) VALUES\n{rows};\n"
    (found,) = assets(dump(file("dump.sql", inserted)))
    assert found.labels == {"pii"}
    assert "people.email" in found.props["columns"]
    assert found.props["records"] == 20
    copied = (
        "COPY people (id, email) FROM stdin;\n" + "".join(f"{n}\tp{n}@mailhaven.org\n" for n in range(20)) + "\\.\n"
    )
    assert assets(dump(file("dump.sql", copied)))[0].labels == {"pii"}
    assert list(dump(file("schema.sql", "CREATE TABLE people (email text);"))) == []


def key(prefix: str, length: int, seed: int = 1) -> str:
    """A key of the right shape, made here so that none lies in the repository."""
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
    return prefix + "".join(random.Random(seed).choices(letters, k=length))


def test_a_key_is_told_by_type_and_fingerprint() -> None:
    value = key("ghp_", 36)
    yielded = list(secrets(file("deploy/run.sh", f"#!/bin/sh\nexport TOKEN={value}\necho {value}\n")))
    credential, repository = assets(yielded)
    assert credential.kind == "credential"
    assert credential.name.startswith("github ")
    assert credential.labels == {"credentials"}
    assert repository == asset("repository", "acme/shop")
    stored = [item.subject for item in yielded if isinstance(item, Observation) and isinstance(item.subject, Relation)]
    assert [row.verb for row in stored] == ["stored_in"]
    assert value not in repr(yielded)
    assert isinstance(yielded[0], Observation)
    assert yielded[0].evidence.where == "deploy/run.sh:2"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("app.py", "token = 'ghp_" + "x" * 36 + "'"),
        ("app.py", "token = '" + key("ghp_example", 29) + "'"),
        (".env.example", "TOKEN=" + key("ghp_", 36)),
        ("tests/test_app.py", "token = '" + key("ghp_", 36) + "'"),
        ("docs/setup.md", "token = '" + key("ghp_", 36) + "'"),
        ("app.py", "password = 'hunter2'"),
        ("compose.yaml", "url: postgres://app:app@db:5432/app"),
    ],
)
def test_examples_and_weak_shapes_stay_silent(path: str, content: str) -> None:
    assert list(secrets(file(path, content))) == []


def seen(subject: Asset | Relation, collector: str) -> Observation:
    return Observation(subject, Evidence(collector, "x", scope=SCOPE))


def test_idle_data_stays_out_of_the_inventory() -> None:
    plain = seen(file_dataset("data/a.csv", SCOPE), "data.csv")
    personal = seen(file_dataset("data/b.csv", SCOPE, labels={"pii"}), "data.csv")
    model = seen(asset("model", "gpt-4o", props={"provider": "openai"}), "python")
    assert wanted(SCOPE, [plain, personal]) == []
    assert wanted(SCOPE, [plain, personal, model]) == [personal, model]


def test_data_that_something_reads_is_in() -> None:
    plain = seen(file_dataset("data/a.csv", SCOPE), "data.csv")
    reads = seen(relation(application(SCOPE), "reads", file_dataset("data/a.csv", SCOPE)), "python")
    assert wanted(SCOPE, [plain, reads]) == [plain, reads]


def test_a_folder_that_something_reads_holds_what_its_files_hold() -> None:
    page = seen(file_dataset("kb/hr/leave.md", SCOPE, labels={"phi"}), "data.texts")
    plain = seen(file_dataset("kb/holidays.md", SCOPE), "data.texts")
    folder = file_dataset("kb", SCOPE)
    index = asset("vector_store", "kb", scope=SCOPE)
    indexes = seen(relation(index, "indexes", folder), "python")
    *kept, tie = wanted(SCOPE, [page, plain, indexes, seen(index, "python")])
    assert plain not in kept
    assert isinstance(tie.subject, Relation)
    assert tie.subject.key == (folder.id, "ingests", page.subject.id)  # type: ignore[union-attr]


def test_a_vector_store_on_disk_is_the_one_that_code_speaks_of():
    store = seen(asset("vector_store", "chroma", scope=SCOPE, labels={"pii"}), "data.sqlite")
    store = Observation(store.subject, Evidence("data.sqlite", "rag/db/chroma.sqlite3", scope=SCOPE))
    folder = file_dataset("rag/db", SCOPE)
    kept = wanted(SCOPE, [store])
    assert kept == [store]
    *_, place = wanted(SCOPE, [store, seen(relation(application(SCOPE), "reads", folder), "python")])
    assert isinstance(place.subject, Relation)
    assert place.subject.key == (store.subject.id, "stored_in", folder.id)  # type: ignore[union-attr]


def test_suspicious_data_is_in_where_ai_is_used():
    poisoned = seen(file_dataset("data/a.csv", SCOPE, props={"planted": 2}), "data.csv")
    model = seen(asset("model", "gpt-4o", props={"provider": "openai"}), "python")
    assert wanted(SCOPE, [poisoned, model]) == [poisoned, model]
    assert wanted(SCOPE, [poisoned]) == []
