"""MLflow's SQLite store (``mlflow.db``), read from its bytes: nothing of the file is written, locked or trusted.

Schema: MLflow's SQL tracking and registry stores, 1.x-3.x (checked against 3.17); columns that an older or newer
schema lacks read as empty.
"""

from __future__ import annotations

import posixpath
import re
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.lineage.mlflow_tracking import (
    BASE_PARAMS,
    DATA_PARAMS,
    TAGS,
    Dataset,
    Logged,
    Run,
    Tracking,
    Version,
    tell,
)
from penstock.discover.data.lineage.reading import MOST
from penstock.discover.data.lineage.saying import Saying
from penstock.errors import NotUnderstood
from penstock.graph.vocabulary import Unseen

NAME = "lineage.mlflow.database"
#: Seconds that all queries of one database may take: a view in a hostile file may loop for ever.
SECONDS = 2.0
_TABLES = frozenset({"runs", "params", "tags", "datasets", "inputs", "input_tags", "model_versions",
                     "registered_model_aliases", "model_version_tags", "logged_models"})  # fmt: skip
_READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}


@collector(
    NAME,
    reads=["mlflow.db", "*mlflow*.db", "*mlflow*.sqlite", "*mlflow*.sqlite3", "*mlruns*.db"],
    sees="runs, their data, logged models and registered versions of an MLflow SQLite store",
    unseen="what a write-ahead log beside the database still holds",
)
def database(file: File) -> Iterator[Yielded]:
    """The store of an SQLite file, if it is one of MLflow."""
    if not file.data.startswith(b"SQLite format 3\x00"):
        return
    try:
        store = tracking(file.data, file.path)
    except NotUnderstood as error:
        yield Unseen(file.path, "the MLflow store in it", error.message, collector=NAME, scope=file.scope)
        return
    if store is not None:
        saying = Saying(NAME, file.scope, file.path, "resolved")
        tell(saying, store)
        yield from saying


def tracking(data: bytes, path: str) -> Tracking | None:
    """The tracking store in the bytes of an SQLite database; None when it is not one of MLflow.

    Raises:
        NotUnderstood: it is damaged, cut off, or made to keep its reader busy.
    """
    # a database in write-ahead mode cannot be opened without its log: the header says how it is read (bytes 18, 19)
    data = data[:18] + b"\x01\x01" + data[20:]
    until = time.monotonic() + SECONDS
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(data)
            connection.execute("pragma trusted_schema = off")
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)
            connection.set_progress_handler(lambda: time.monotonic() > until, 10_000)
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            names = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
            if not {"runs", "tags", "params"} <= names:
                return None
            connection.set_authorizer(
                lambda action, table, *_: (
                    sqlite3.SQLITE_OK
                    if action == sqlite3.SQLITE_SELECT or (action == sqlite3.SQLITE_READ and table in _TABLES)
                    else sqlite3.SQLITE_DENY
                )
            )
            return _Reading(connection, names, path).store()
    except (sqlite3.Error, ValueError, OverflowError) as error:
        raise NotUnderstood(f"The database cannot be read: {error}") from error


class _Reading:
    def __init__(self, connection: sqlite3.Connection, names: set[str], path: str) -> None:
        self.connection, self.names, self.path = connection, names, path

    def store(self) -> Tracking:
        store = Tracking()
        params, tags = self.named("params", BASE_PARAMS | DATA_PARAMS), self.named("tags", TAGS)
        inputs, used, made_by = self.inputs()
        for run in self.rows("runs", "lifecycle_stage = 'active'"):
            id_ = run["run_uuid"]
            uri = run.get("artifact_uri", "")
            store.home = store.home or self.home(uri)
            store.runs.append(
                Run(id_, self.path, run.get("name", ""), uri, params[id_], tags[id_], tuple(inputs[id_]),
                    tuple(used[id_]))
            )  # fmt: skip
        for logged in self.rows("logged_models"):
            id_ = logged["model_id"]
            run_id = logged.get("source_run_id") or made_by.get(id_, "")
            store.logged.append(
                Logged(id_, self.path, logged.get("name", ""), run_id, logged.get("artifact_location", ""))
            )
        store.versions += self.versions()
        return store

    def versions(self) -> Iterator[Version]:
        names: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in self.rows("registered_model_aliases"):
            names[row.get("name", ""), row.get("version", "")].append(f"@{row.get('alias', '')}")
        tags: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for row in self.rows("model_version_tags"):
            tags[row.get("name", ""), row.get("version", "")][row.get("key", "")] = row.get("value", "")
        for row in self.rows("model_versions"):
            key = row["name"], row["version"]
            stage = row.get("current_stage", "")
            if stage not in ("", "None", "Archived", "Deleted_Internal"):
                names[key].append(f"/{stage}")
            yield Version(*key, self.path, row.get("source", ""), row.get("run_id", ""), tuple(names[key]), tags[key])

    def inputs(self) -> tuple[dict[str, list[tuple[Dataset, str]]], dict[str, list[str]], dict[str, str]]:
        """Run → its datasets with their contexts, run → logged models it read, logged model → the run that made it."""
        datasets = {
            row["dataset_uuid"]: Dataset(
                row.get("name", ""), row.get("dataset_source_type", ""), row.get("dataset_source", ""),
                row.get("dataset_schema", ""),
            )
            for row in self.rows("datasets")
        }  # fmt: skip
        contexts = {
            row["input_uuid"]: row.get("value", "")
            for row in self.rows("input_tags")
            if row.get("name") == "mlflow.data.context"
        }
        found: dict[str, list[tuple[Dataset, str]]] = defaultdict(list)
        used: dict[str, list[str]] = defaultdict(list)
        made: dict[str, str] = {}
        for row in self.rows("inputs"):
            source, target = row.get("source_id", ""), row.get("destination_id", "")
            match row.get("source_type"), row.get("destination_type"):
                case "DATASET", "RUN" if source in datasets:
                    found[target].append((datasets[source], contexts.get(row["input_uuid"], "")))
                case "RUN_OUTPUT", "MODEL_OUTPUT":
                    made[target] = source
                case "RUN_INPUT", "MODEL_INPUT":
                    used[source].append(target)
        return found, used, made

    def named(self, table: str, names: frozenset[str]) -> dict[str, dict[str, str]]:
        """Run → its values of a table under some names."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        marks = ",".join(f"'{name}'" for name in sorted(names))
        for row in self.rows(table, f"key in ({marks})"):
            found[row["run_uuid"]][row["key"]] = row.get("value", "")
        return found

    def rows(self, table: str, where: str = "") -> list[dict[str, str]]:
        """The rows of a table as texts, at most `MOST`; none where the schema has no such table."""
        if table not in self.names:
            return []
        condition = f" where {where}" if where else ""
        cursor = self.connection.execute(f"select * from {table}{condition} limit {MOST}")  # noqa: S608 - our own names
        columns = [column[0] for column in cursor.description]
        return [_texts(columns, row) for row in cursor]

    def home(self, uri: str) -> str:
        """The folder the source was in: ``mlruns`` lies beside the database unless somebody moved it."""
        if not (match := re.search(r"(?P<place>/.*)/mlruns/", uri.removeprefix("file://"))):
            return ""
        folder = posixpath.dirname(self.path)
        place = match["place"]
        return place if not folder else place.removesuffix(f"/{folder}") if place.endswith(f"/{folder}") else ""


def _texts(columns: list[str], row: tuple[Any, ...]) -> dict[str, str]:
    """A row without what is empty; a column of the key that is missing reads as an empty text."""
    said = {name: str(value)[:64_000] for name, value in zip(columns, row, strict=False) if value is not None}
    for key in ("run_uuid", "key", "name", "version", "model_id", "dataset_uuid", "input_uuid"):
        said.setdefault(key, "")
    return said
