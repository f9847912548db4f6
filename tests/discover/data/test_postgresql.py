"""A PostgreSQL database is sampled, not scanned: labels, volume, what may not be read, and no credential kept."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg
import pytest

from penstock.discover.data.postgresql import sample_database
from penstock.discover.databases import is_database, place_of, scope_of
from penstock.graph.vocabulary import Asset, Observation, Relation, Unseen

LARGE = 200_000


@pytest.fixture
def database(postgres_database: str) -> str:
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (id int, email text, joined timestamptz, photo bytea)")
        values = "n, 'p' || n || '@mailhaven.org', now(), '\\x00'"
        connection.execute(f"INSERT INTO people SELECT {values} FROM generate_series(1, {LARGE}) n")
        connection.execute("CREATE TABLE prices (sku text, price numeric)")
        connection.execute("INSERT INTO prices SELECT 'A' || n, n FROM generate_series(1, 50) n")
        connection.execute("CREATE SCHEMA hr")
        connection.execute("CREATE TABLE hr.secret (ssn text)")
        connection.execute("CREATE VIEW everyone AS SELECT * FROM people")
    return postgres_database


def found(url: str) -> tuple[dict[str, Asset], list[Unseen], list[Relation]]:
    seen = list(sample_database(url))
    subjects = [row.subject for row in seen if isinstance(row, Observation)]
    assets = {subject.name.rpartition("/")[2]: subject for subject in subjects if isinstance(subject, Asset)}
    notes = [row for row in seen if isinstance(row, Unseen)]
    return assets, notes, [subject for subject in subjects if isinstance(subject, Relation)]


def test_tables_are_labelled_and_counted(database):
    assets, notes, _ = found(database)
    people = assets["people"]
    assert people.kind == "data_store"
    assert people.labels == {"pii"}
    assert people.props["columns"] == ["email"]
    assert 0.7 * LARGE < people.props["records"] < 1.4 * LARGE
    assert assets["prices"].labels == frozenset()
    assert assets["prices"].props["records"] == 50
    assert [(note.skipped, note.where.rpartition("/")[2]) for note in notes] == [(True, "everyone")]


def test_a_large_table_is_not_read_through(database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_reset()")
    found(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        read = connection.execute("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'people'").fetchone()
    assert read is not None
    assert read[0] < LARGE / 4


def test_a_table_without_permission_is_named_and_the_rest_kept(database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS visitor")
        connection.execute("CREATE ROLE visitor LOGIN PASSWORD 'pa55-word-of-visitor'")
        connection.execute("GRANT SELECT ON people TO visitor")
    parts = urlsplit(database)
    url = f"postgresql://visitor:pa55-word-of-visitor@{parts.hostname}:{parts.port}{parts.path}"
    try:
        seen = list(sample_database(url))
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DROP OWNED BY visitor")
            connection.execute("DROP ROLE visitor")
    refused = {row.where.rpartition("/")[2]: row for row in seen if isinstance(row, Unseen) and not row.skipped}
    assert refused.keys() == {"hr.secret", "prices"}
    assert "GRANT SELECT" in refused["prices"].hint
    assert any(isinstance(row, Observation) for row in seen)
    assert "pa55-word-of-visitor" not in repr(seen)


def test_a_database_that_refuses_is_named_without_its_password(postgres_server):
    parts = urlsplit(postgres_server)
    for url in (
        f"postgresql://nobody-here:hunter2-secret@{parts.hostname}:{parts.port}/no_such_database",
        "postgresql://someone:hunter2-secret@127.0.0.1:1/x",
        "postgresql://someone:hunter2-secret@[::1:1/x",
        "postgresql://someone:hunter2-secret@host:port/x",
    ):
        seen = list(sample_database(url))
        assert [isinstance(row, Unseen) and not row.skipped for row in seen] == [True]
        assert "hunter2" not in repr(seen)


def test_a_locked_table_does_not_hold_up_the_others(database):
    with psycopg.connect(database) as connection:
        connection.execute("LOCK TABLE people IN ACCESS EXCLUSIVE MODE")
        assets, notes, _ = found(database)
    assert "prices" in assets
    assert any("locked" in note.why and note.where.endswith("/people") for note in notes)


def test_nothing_can_be_written(database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE FUNCTION spy() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'x' $$")
        before = connection.execute("SELECT count(*) FROM pg_stat_user_tables").fetchone()
    found(database)
    with psycopg.connect(database, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM pg_stat_user_tables").fetchone() == before


def test_partitions_are_one_table(postgres_database):
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("CREATE TABLE events (day date, email text) PARTITION BY RANGE (day)")
        for month in (1, 2):
            bounds = f"FROM ('2024-0{month}-01') TO ('2024-0{month + 1}-01')"
            connection.execute(f"CREATE TABLE events_{month} PARTITION OF events FOR VALUES {bounds}")
        connection.execute(
            "INSERT INTO events SELECT '2024-01-10', n || 'p@mailhaven.org' FROM generate_series(1, 900) n"
        )
        connection.execute("ANALYZE")
    assets, _, _ = found(postgres_database)
    assert assets.keys() == {"events"}
    assert assets["events"].labels == {"pii"}
    assert assets["events"].props["records"] == 900


def test_the_key_holds_no_credential():
    assert is_database("postgres://u:p@h/d")
    assert place_of("postgres://u:p%40ss@DB.example:5432/shop?sslmode=require") == "postgresql://db.example/shop"
    assert place_of("postgresql://u:p@db.example:6543/shop") == "postgresql://db.example:6543/shop"
    assert scope_of("postgresql://u:p@db.example/shop") == "database:db.example/shop"


def test_a_column_of_vectors_makes_a_vector_store_of_what_the_table_holds(postgres_database):
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("CREATE DOMAIN public.vector AS float8[]")  # stands in for the type of the extension
        connection.execute("CREATE TABLE chunks (content text, embedding public.vector)")
        text = "'Mrs Weber asked us to call back, her address is p' || n || '@mailhaven.org, about the broken lamp'"
        connection.execute(f"INSERT INTO chunks SELECT {text}, ARRAY[0.1, n] FROM generate_series(1, 80) n")
    seen = [row.subject for row in sample_database(postgres_database) if isinstance(row, Observation)]
    store, index, indexes = seen
    assert isinstance(store, Asset)
    assert isinstance(index, Asset)
    assert isinstance(indexes, Relation)
    assert (store.kind, index.kind) == ("data_store", "vector_store")
    assert index.labels == store.labels == {"pii"}
    assert indexes.key == (index.id, "indexes", store.id)
