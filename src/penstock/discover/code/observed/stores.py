"""Stores of vectors and texts: what embeds for them, what fills them, who asks them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any

from penstock.discover.code import effects
from penstock.discover.code.observed.data import data_of, datasets_of
from penstock.discover.code.observed.look import Look
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve import Target
from penstock.discover.code.signatures import Site, last_name, name_for
from penstock.graph import identity
from penstock.graph.vocabulary import Asset

#: Expressions that one look at the flow into a store visits.
MAX_FLOW = 600
#: What the code of a tool uses, by what makes it.
_USES = {"store": "retrieves_from", "model": "uses_model", "agent": "invokes"}
#: Methods that put something into a store.
_FILLS = frozenset(
    {"upsert", "add", "insert", "upload_points", "upload_collection", "upload_records", "add_documents", "add_texts",
     "add_embeddings", "aadd_documents", "addDocuments", "addVectors", "insert_many", "bulk_insert", "upsert_records"}
)  # fmt: skip
#: Ends of files that hold data or texts, as against code.
_DATA_FILES = frozenset(
    {"csv", "tsv", "json", "jsonl", "ndjson", "parquet", "feather", "xlsx", "xls", "txt", "md", "pdf", "html", "xml",
     "db", "sqlite", "arrow", "avro", "docx"}
)  # fmt: skip


def make_store(look: Look, site: Site) -> list[Asset]:
    line = look.line(site.path, site.call)
    stores: list[Asset] = []
    if site.row.weak:
        stores = [s for t in look.targets(site, "store") for s in look.assets_of(t, "vector_store")]
    if not site.row.weak or (site.row.name and not stores and _given_no_store(look, site)):
        name = name_for(site.row, site.symbol) or last_name(site.symbol)
        store = identity.asset("vector_store", name, scope=look.scope, status=status_of(site.path))
        look.say(store, site.path, line)
        stores = [store]
    models: list[Asset] = []
    for target in look.targets(site, "embedding"):
        models += look.assets_of(target, "model")
    models = [model for model in models if model.props.get("role") == "embedding"] or models
    for store in stores:
        for model in models:
            look.link(store, "embedded_by", model, site.path, line)
        for target in look.targets(site, "documents"):
            for data in data_of(look, target):
                look.link(store, "indexes", data, site.path, line)
    return stores


def _given_no_store(look: Look, site: Site) -> bool:
    """Whether a view on a store is given none, so that it holds its vectors itself."""
    around = look.targets(site, "context")
    known = all(target.kind == "external" and target.ref >= 0 for target in around)
    return not look.argument(site, "store") and known and bool(around) == bool(look.argument(site, "context"))


def say_tool_uses(look: Look) -> None:
    """Stores, models and agents that the functions behind a tool call."""
    for function, tool in list(look.tools.items()):
        found = look.reach.get(function)
        for path, scope in sorted(found.scopes) if found else ():
            calls = effects.calls_in(look.resolver.modules[path], scope)
            for call, target in method_calls(look, path, calls, plain=True):
                site = look.site_of(target)
                verb = _USES.get(site.row.makes) if site else None
                for asset in look.make(site) if site and verb else ():
                    if asset.kind in ("vector_store", "model", "agent"):
                        look.link(tool, str(verb), asset, path, look.line(path, call))


def say_store_uses(look: Look) -> None:
    """What is written into vector stores, and the models that make their vectors, by the flow of arguments."""
    if not any(site.row.makes == "store" for site in look.sites.values()):
        return
    for path, module in look.resolver.modules.items():
        for call, target in method_calls(look, path, module.calls):
            site = look.site_of(target)
            if site is None or site.row.makes != "store" or (path, call) in look.sites:
                continue
            line = look.line(path, call)
            row = module.expressions[call]
            models, data = flow_into(look, path, [*row[3], *row[4].values()])
            for store in look.make(site):
                for model in models:
                    look.link(store, "embedded_by", model, path, line)
                for dataset in data if target.symbol.rpartition(".")[2] in _FILLS else ():
                    look.say(dataset, path, line)
                    look.link(store, "indexes", dataset, path, line)


def method_calls(look: Look, path: str, calls: Iterable[int], *, plain: bool = False) -> Iterator[tuple[int, Target]]:
    """Calls of methods on things that a call of a package made; ``plain``: and of such things themselves."""
    module = look.resolver.modules[path]
    for call in calls:
        callee = module.expressions[call][2]
        if module.expressions[callee][0] in ("ar" if plain else "a"):
            for target in look.resolver.follow(path, callee):
                if target.kind == "external" and target.ref >= 0:
                    yield call, target


def flow_into(look: Look, path: str, expressions: list[int]) -> tuple[list[Asset], list[Asset]]:
    """Embedding models and data from which expressions are computed, through names, calls and comprehensions."""
    models: dict[str, Asset] = {}
    data: dict[str, Asset] = {}
    seen: set[tuple[str, int]] = set()
    todo = [(path, e) for e in expressions if e >= 0]
    while todo and len(seen) < MAX_FLOW:
        at, number = todo.pop()
        if (at, number) in seen or number < 0:
            continue
        seen.add((at, number))
        module = look.resolver.modules[at]
        row = module.expressions[number]
        site = look.sites.get((at, number))
        if site is not None and site.row.makes == "data":
            data |= {asset.id: asset for asset in datasets_of(look, site)}
        elif site is not None and site.row.makes in ("model", "request") and site.row.role == "embedding":
            models |= {asset.id: asset for asset in look.make(site) if asset.kind == "model"}
        elif site is None and row[0] == "s" and (asset := named_file(look, at, row[2])):
            data[asset.id] = asset
        todo += [(at, child) for child in _children(row)]
        if row[0] == "r":
            _, bindings = module.lookup(row[2], row[3])
            todo += [(at, module.assigned[n][2]) for kind, n in bindings if kind == "assign"]
            if any(kind in ("import", "param") for kind, _ in bindings):
                for target in look.resolver.follow(at, number):
                    if target.kind in ("value", "external") and target.ref >= 0:
                        todo.append((target.path, target.ref))
    return list(models.values()), list(data.values())


def named_file(look: Look, path: str, text: str) -> Asset | None:
    """The dataset that a text names, when it is the path of a file or folder of the source."""
    if not (2 < len(text) < 200) or not re.match(r"^[\w./ -]+$", text):
        return None
    for place in (posixpath.normpath(posixpath.join(posixpath.dirname(path), text)), posixpath.normpath(text)):
        if place in look.source.paths and place.rpartition(".")[2].lower() in _DATA_FILES:
            return identity.file_dataset(place, look.scope)
        if "." not in place and any(each.startswith(f"{place}/") for each in look.source.paths):
            return identity.file_dataset(place, look.scope)
    return None


def _children(row: list[Any]) -> list[int]:
    """The rows that an expression is made of."""
    if row[0] in "flo":
        return list(row[2])
    if row[0] == "d":
        return [value for _, value in row[2]]
    if row[0] == "c":
        return [row[2], *row[3], *row[4].values()]
    if row[0] in "a*e":
        return [row[2]]
    return [row[2], row[3]] if row[0] == "i" else []
