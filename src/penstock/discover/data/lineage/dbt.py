"""dbt: the models, sources, seeds, snapshots and exposures of ``manifest.json``, the columns of ``catalog.json``.

Format: schemas.getdbt.com, manifest v7-v12 and catalog v1. A manifest says the database and schema of a table but not
the server; where the source also holds a ``profiles.yml`` that names one, a table gets the address that code uses.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.discover.data.lineage import places
from penstock.discover.data.lineage.reading import (
    LONGEST,
    count,
    dig,
    entries,
    json_of,
    mapping,
    pointer,
    text,
    texts,
)
from penstock.discover.data.lineage.saying import Saying
from penstock.discover.data.lineage.words import labels_of_pair, labels_of_tag, shown
from penstock.discover.infra.yaml_docs import read_documents
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Unseen

NAME = "lineage.dbt"
NODES, COLUMNS, SERVERS = "lineage.dbt.nodes", "lineage.dbt.columns", "lineage.dbt.servers"
#: Nodes of one manifest: tests are nodes too, ten for a model are usual.
_MOST_NODES = 100_000
#: Columns of one table that are looked at.
_MOST_COLUMNS = 2_000
_SCHEMA = re.compile(rb"schemas\.getdbt\.com/dbt/(manifest|catalog)/v\d+")
#: What has rows of its own; an ephemeral model is text inside others, and carries what these read.
_TABLES = frozenset({"model", "source", "seed", "snapshot"})
#: Kinds of exposures that are AI; the others only read.
_EXPOSURES = {"ml": "pipeline", "application": "application", "analysis": "application", "notebook": "application",
              "dashboard": "application"}  # fmt: skip


@collector(
    f"{NAME}.artifacts",
    reads=["manifest.json", "catalog.json", "*dbt*manifest*.json", "*dbt*catalog*.json"],
    sees="models, sources, seeds, snapshots and exposures of dbt with their tags, columns and owners",
    unseen="which server a project runs on, unless profiles.yml lies beside it",
)
def artifacts(file: File) -> Iterator[Yielded]:
    """Facts for a manifest or a catalog."""
    found = _SCHEMA.search(file.data[:4_096]) or _SCHEMA.search(file.data[-4_096:])
    if found is None:
        return
    try:
        document = json_of(file.data)
    except NotUnderstood as error:
        yield Unseen(file.path, "the dbt project in it", error.message, collector=NAME, scope=file.scope)
        return
    if found[1] == b"manifest":
        yield from _nodes(file, document)
    else:
        yield from _catalog(file, document)


@collector(
    f"{NAME}.profiles",
    reads=["profiles.yml", "profiles.yaml"],
    sees="the servers that dbt profiles name",
    unseen="profiles in the home folder of whoever runs dbt; hosts that a variable fills in",
)
def profiles(file: File) -> Iterator[Yielded]:
    """A fact for the servers of each kind that are written out; passwords are not read."""
    if b"outputs:" not in file.data:
        return
    for document in read_documents(file, f"{NAME}.profiles"):
        if isinstance(document, Unseen):
            yield document
            continue
        for name, profile in entries(document):
            outputs = mapping(mapping(profile).get("outputs"))
            target = text(mapping(profile).get("target"))
            chosen = [outputs[target]] if target in outputs else [output for _, output in entries(outputs)]
            for output in chosen:
                kind = text(mapping(output).get("type"))
                host = next((said for key in ("host", "server", "account", "hostname")
                             if (said := text(mapping(output).get(key)))), "")  # fmt: skip
                port = text(mapping(output).get("port"))
                if kind and host and "{" not in host:
                    yield Fact(SERVERS, file.path, [name[:200], kind, f"{host}:{port}" if port.isdecimal() else host])


@joiner(NAME, sees="how dbt tables come from one another, what reads them, and what their tags say of them")
def dbt(source: Source) -> Iterator[Yielded]:
    """Every dbt project of a source."""
    servers: dict[str, set[str]] = {}
    for fact in source.facts.get(SERVERS, ()):
        servers.setdefault(fact.value[1], set()).add(fact.value[2])
    columns = {row["id"]: row for fact in source.facts.get(COLUMNS, ()) for row in fact.value}
    for fact in source.facts.get(NODES, ()):
        adapter = fact.value["adapter"]
        known = servers.get(adapter, set())
        project = _Project(source, fact, next(iter(known)) if len(known) == 1 else "", columns)
        project.tell()
        yield from project.saying


class _Project:
    def __init__(self, source: Source, fact: Fact, host: str, columns: Mapping[str, Mapping[str, Any]]) -> None:
        self.saying = Saying(NAME, source.scope, fact.path)
        self.adapter, self.host, self.columns = fact.value["adapter"], host, columns
        #: dbt writes its artifacts to ``target/`` in the project
        self.folder = posixpath.dirname(fact.path).removesuffix("target").rstrip("/")
        self.rows: dict[str, Mapping[str, Any]] = {row["id"]: row for row in fact.value["rows"]}
        self.tables = {
            id_: self.table(row) for id_, row in self.rows.items() if row["type"] in _TABLES and not row["inside"]
        }

    def tell(self) -> None:
        for id_, row in self.rows.items():
            at = self.saying.at(pointer(row["at"], id_), f"dbt {row['type']} {row['name']}")
            if id_ in self.tables:
                thing = self.told(id_, row)
            elif row["type"] == "exposure":
                thing = self.exposure(row)
            else:
                continue
            self.saying.asset(thing, at)
            for owner in row["owners"]:
                self.saying.owned(thing, owner, at)
            if row["type"] == "seed" and row["file"].endswith(".csv"):
                seed = identity.file_dataset(posixpath.join(self.folder, row["file"]), self.saying.scope)
                self.saying.link(thing, "derived_from", seed, at)
            verb = "derived_from" if id_ in self.tables else "loads" if thing.kind == "pipeline" else "reads"
            for needed in self.needed(row):
                self.saying.link(thing, verb, self.tables[needed], at)
            if self.saying.full:
                return

    def told(self, id_: str, row: Mapping[str, Any]) -> Asset:
        """A table with what tags, meta and catalog say of it."""
        table, place = self.tables[id_], pointer(row["at"], id_)
        if row["labels"]:
            named = [name for name, labels in row["columns"].items() if labels]
            props = {"columns": named} if named else {}
            why = self.saying.at(place, *row["why"])
            self.saying.asset(
                Asset(table.id, table.kind, table.name, table.scope, props, frozenset(row["labels"])), why
            )
        known = self.columns.get(id_, {})
        self.saying.columns(table, list(dict.fromkeys([*row["columns"], *known.get("columns", ())])), place)
        if known.get("records") is not None:
            counted = Asset(table.id, table.kind, table.name, table.scope, {"records": known["records"]})
            self.saying.asset(counted, self.saying.at("", "counted by dbt docs", path=known["place"]))
        return table

    def exposure(self, row: Mapping[str, Any]) -> Asset:
        """What people use the tables for. One of type ml is a training or scoring, an application one of its own."""
        key = f"dbt:exposure/{row['name']}"
        props = {"purpose": row["purpose"]} if row["purpose"] else {}
        if row["url"]:
            props["url"] = row["url"]
        return identity.asset(
            _EXPOSURES.get(row["kind"], "application"), row["title"], scope=self.saying.scope, key=key, props=props
        )

    def table(self, row: Mapping[str, Any]) -> Asset:
        database, schema, name = row["database"], row["schema"], row["table"]
        if self.adapter == "bigquery" or (self.host and database):
            return places.table(self.adapter, self.host, database, schema, name)
        if self.adapter == "databricks" and database:
            return identity.asset("dataset", f"{database}.{schema}.{name}", key=f"unity://{database}/{schema}/{name}")
        named = ".".join(part for part in (database, schema, name) if part)
        return identity.asset("dataset", named, scope=self.saying.scope, key=f"table:{named}")

    def needed(self, row: Mapping[str, Any]) -> list[str]:
        """The tables something reads, through models that have no table of their own."""
        found: dict[str, None] = {}
        todo, seen = list(row["needs"]), set()
        while todo:
            id_ = todo.pop()
            if id_ in seen:
                continue
            seen.add(id_)
            if id_ in self.tables:
                found[id_] = None
            elif id_ in self.rows:
                todo += self.rows[id_]["needs"]
        return sorted(found)


def _nodes(file: File, document: Any) -> Iterator[Fact]:
    root = mapping(document)
    rows = [
        _node(at, id_, mapping(node))
        for at in ("nodes", "sources", "exposures")
        for id_, node in entries(root.get(at), _MOST_NODES)
        if text(mapping(node).get("resource_type")) in _TABLES | {"exposure"} or at == "exposures"
    ]
    adapter = text(dig(root, "metadata", "adapter_type")).casefold()
    yield Fact(NODES, file.path, {"adapter": adapter, "rows": rows})


def _node(at: str, id_: str, node: Mapping[str, Any]) -> dict[str, Any]:
    """What matters of a node, in texts and lists only."""
    labels: set[str] = set()
    why: list[str] = []
    columns: dict[str, list[str]] = {}
    config = mapping(node.get("config"))
    for said, found in [*_said_of(node), *_said_of(config)]:
        labels |= found
        why.append(said)
    for name, column in entries(node.get("columns"))[:_MOST_COLUMNS]:
        on_it = [*_said_of(mapping(column)), *_said_of(mapping(mapping(column).get("config")))]
        columns[text(name)] = sorted({label for _, found in on_it for label in found})
        labels.update(columns[text(name)])
        why += [f"column {text(name)}: {said}" for said, _ in on_it]
    owner = mapping(node.get("owner"))
    owners = texts(owner.get("email")) or texts(owner.get("name"))
    owners += texts(dig(node, "meta", "owner")) or texts(dig(config, "meta", "owner"))
    group = text(config.get("group")) or text(node.get("group"))
    name = text(node.get("name")) or id_[:LONGEST]
    return {
        "at": at,
        "id": id_[:LONGEST],
        "type": "exposure" if at == "exposures" else text(node.get("resource_type")),
        "name": name,
        "title": text(node.get("label")) or name,
        "kind": text(node.get("type")),
        "purpose": text(node.get("description"))[:500],
        "url": places.uri(text(node.get("url"))) if "://" in text(node.get("url")) else "",
        "inside": text(config.get("materialized")) == "ephemeral",
        "database": text(node.get("database")),
        "schema": text(node.get("schema")),
        "table": text(node.get("alias")) or text(node.get("identifier")) or name,
        "file": text(node.get("original_file_path")) or text(node.get("path")),
        "labels": sorted(labels),
        "why": list(dict.fromkeys(why))[:20],
        "columns": columns,
        "needs": texts(dig(node, "depends_on", "nodes")),
        "owners": list(dict.fromkeys([*owners, *([group] if group else [])]))[:10],
    }


def _said_of(node: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[str]]]:
    """What the tags and the meta of a node or column say of its data."""
    for tag in texts(node.get("tags")):
        if found := labels_of_tag(tag):
            yield f"tag {tag[:100]}", found
    for key, value in entries(node.get("meta")):
        if found := labels_of_pair(key, value):
            yield f"meta {shown(key, value)}", found


def _catalog(file: File, document: Any) -> Iterator[Fact]:
    rows = []
    for at in ("nodes", "sources"):
        for id_, node in entries(dig(document, at), _MOST_NODES):
            stats = mapping(mapping(node).get("stats"))
            records = [mapping(stats.get(key)).get("value") for key in ("row_count", "num_rows", "rows")]
            number = next((int(value) for value in records if isinstance(value, int | float) and _finite(value)), None)
            rows.append(
                {
                    "id": id_[:LONGEST],
                    "columns": [text(name) for name, _ in entries(mapping(node).get("columns"))[:_MOST_COLUMNS]],
                    "records": count(number),
                    "place": f"{file.path}{pointer(at, id_)}",
                }
            )
    yield Fact(COLUMNS, file.path, rows)


def _finite(value: float) -> bool:
    return not isinstance(value, bool) and 0 <= value < 10**15
