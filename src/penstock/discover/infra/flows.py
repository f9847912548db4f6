"""Flows that people draw: n8n, Flowise and Langflow (JSON), Dify (YAML). A flow is an application; its nodes are data.

What a node is says the pack ``flows``; what ties two nodes says what they are: an agent with a model beside it uses
that model, whichever way the line is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import Any, Literal

import msgspec

from penstock.discover.assistants.jsonc import parse
from penstock.discover.code.places import status_of
from penstock.discover.collector import File, Yielded, collector
from penstock.discover.infra.images import weights
from penstock.discover.infra.marked import Map, as_map, as_seq, as_text, dig, line_of, maps
from penstock.discover.infra.yaml_docs import documents
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Observation, Unseen
from penstock.knowledge.models import family_of
from penstock.knowledge.pack import define_pack, load_pack
from penstock.knowledge.providers import provider_of_prefix

NAME = "infra.flows"
#: Nodes and lines of one flow that are looked at; the largest shared flows have about 300 nodes.
MOST = 2_000
_N8N = re.compile(rb"n8n-nodes-")
_CANVAS = re.compile(rb'"nodes"\s*:\s*\[')
_DIFY = re.compile(rb"^\s*kind:\s*app\b", re.MULTILINE)
_ID = re.compile(r"[A-Za-z0-9][\w.:/@+-]{0,199}\Z")


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A kind of node; the header of the pack says what each field means."""

    id: str
    types: tuple[str, ...]
    makes: Literal["agent", "chain", "model", "embedding", "vector_store", "tool", "memory", "mcp_server"]
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawn:
    """A node as a flow holds it: an id for its lines, a name for people, its type and its settings."""

    id: str
    name: str
    type: str
    line: int
    settings: Map


@dataclass(slots=True)
class Flow:
    name: str
    product: str
    line: int
    nodes: list[Drawn] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)


@collector(
    NAME,
    reads=["*.json", "*.yml", "*.yaml"],
    sees="flows of n8n, Flowise, Langflow and Dify: agents, models, tools, stores and memories, and what ties them",
    unseen="settings that a flow computes while it runs; what sub-flows and custom code do",
)
def flows(file: File) -> Iterator[Yielded]:
    """What a drawn flow is made of."""
    try:
        flow = _flow(file)
    except NotUnderstood as error:
        yield Unseen(file.path, "the flow in it", error.message, collector=NAME, scope=file.scope)
        return
    if flow is not None and any(row_of(node.type) for node in flow.nodes):
        yield from _Reading(file, flow).run()


def row_of(type_: str) -> Node | None:
    """The row of a node's type, or None when it has nothing to do with AI."""
    return _row_of(type_)


class _Reading:
    def __init__(self, file: File, flow: Flow) -> None:
        self.file, self.flow = file, flow
        where = status_of(file.path)
        self.status = "declared" if where == "used" else where
        self.made: dict[str, tuple[str, Asset]] = {}

    def run(self) -> Iterator[Observation]:
        file, flow = self.file, self.flow
        application = identity.asset(
            "application", flow.name, scope=file.scope, key=f"flow:{file.path}", status=self.status
        )
        at = file.evidence(NAME, flow.line, confidence="declared", chain=(f"a flow of {flow.product}",))
        yield Observation(application, at)
        yield Observation(identity.asset("framework", flow.product, status=self.status), at)
        for node in flow.nodes:
            row = row_of(node.type)
            if row is not None:
                yield from self.node(node, row, application)
        for source, target in flow.lines:
            if source in self.made and target in self.made:
                for one, other in ((source, target), (target, source)):
                    yield from self.tie(*self.made[one], *self.made[other])
            elif source in self.made or target in self.made:
                known = self.made.get(source) or self.made[target]
                yield from self.tie("chain", application, *known)

    def node(self, node: Drawn, row: Node, application: Asset) -> Iterator[Observation]:
        """The asset of a node, and the model that the node itself names."""
        file = self.file
        at = file.evidence(NAME, node.line, confidence="declared", chain=(f"node {node.name} is a {node.type}",))
        kind, asset = row.makes, self.asset(node, row, application)
        model, provider = self.model(node, row)
        if provider:
            yield Observation(identity.asset("provider", provider, status=self.status), at)
        if model is not None:
            yield Observation(model, at)
            if kind in ("model", "embedding"):
                asset = model
            elif kind in ("agent", "chain") and asset is not None:
                yield Observation(identity.relation(asset, "uses_model", model), at)
        if asset is None:
            return
        self.made[node.id] = kind, asset
        if asset.id != application.id and asset is not model:
            yield Observation(asset, at)
        if kind == "agent":
            yield Observation(identity.relation(application, "invokes", asset), at)

    def asset(self, node: Drawn, row: Node, application: Asset) -> Asset | None:
        key = f"{self.file.path}#{node.name}"
        match row.makes:
            case "model" | "embedding":
                return None
            case "chain":
                return application
            case "vector_store":
                product = _word("stores", node.type)
                name = product or node.name
                return identity.asset(
                    "vector_store", name, scope=self.file.scope, key=product or key, status=self.status
                )
        return identity.asset(row.makes, node.name, scope=self.file.scope, key=key, status=self.status)

    def model(self, node: Drawn, row: Node) -> tuple[Asset | None, str]:
        if row.makes not in ("model", "embedding", "agent", "chain"):
            return None, ""
        provider, name = _named(node)
        if not name or not _ID.match(name):
            return None, provider
        family = family_of(name)
        provider = provider or (family.provider if family else "")
        props = {"role": "embedding"} if row.makes == "embedding" else {}
        if provider == "ollama":
            name = name.removesuffix(":latest")
        if provider == "huggingface" and (found := weights(name, provider, self.file.scope)) is not None:
            return found, provider
        props |= {"provider": provider} if provider else {}
        return identity.asset("model", name, props=props, status=self.status), provider

    def tie(self, kind: str, asset: Asset, other_kind: str, other: Asset) -> Iterator[Observation]:
        """What two nodes that touch have to do with each other, read from the first."""
        verb = _TIES.get((kind, other_kind))
        if verb and asset.id != other.id:
            at = self.file.evidence(NAME, self.flow.line, confidence="declared", chain=(f"drawn in {self.flow.name}",))
            yield Observation(identity.relation(asset, verb, other), at)


_TIES = {
    (kind, other): verb
    for kind in ("agent", "chain")
    for other, verb in (
        ("model", "uses_model"),
        ("tool", "uses_tool"),
        ("mcp_server", "connects_to"),
        ("vector_store", "retrieves_from"),
        ("memory", "remembers_in"),
    )
} | {("vector_store", "embedding"): "embedded_by", ("tool", "vector_store"): "retrieves_from"}


# ── formats ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _flow(file: File) -> Flow | None:
    """The flow of a file, or None when it holds none; told by bytes before anything is parsed."""
    if file.path.casefold().endswith(".json"):
        if _N8N.search(file.data):
            return _n8n(file, parse(file.text))
        if _CANVAS.search(file.data) and b'"edges"' in file.data:
            return _canvas(file, parse(file.text))
    elif _DIFY.search(file.data):
        return _dify(file, next(documents(file.text), None))
    return None


def _n8n(file: File, document: Any) -> Flow | None:
    root = as_map(document)
    nodes = maps(root.get("nodes"))
    if not nodes or not isinstance(root.get("connections"), Map):
        return None
    flow = Flow(as_text(root.get("name")) or file.path.rpartition("/")[2], "n8n", line_of(root, "name"))
    for node in nodes[:MOST]:
        name = as_text(node.get("name"))
        if not node.get("disabled"):
            settings = as_map(node.get("parameters"))
            line = next((line_of(settings, key) for key in settings if _plain(key) in _fields()), line_of(node, "type"))
            flow.nodes.append(Drawn(name, name, as_text(node.get("type")), line, settings))
    connections = as_map(root.get("connections"))
    for source in list(connections)[:MOST]:
        for how, groups in as_map(connections[source]).items():
            if not how.startswith("ai_"):
                continue
            for group in as_seq(groups)[:MOST]:
                flow.lines += [(source, as_text(end.get("node"))) for end in maps(group)[:MOST]]
    return flow


def _canvas(file: File, document: Any) -> Flow | None:
    """Flowise and Langflow: nodes with data, edges from id to id."""
    root = as_map(document)
    inner = as_map(root.get("data")) if "nodes" not in root else root
    flow = Flow(as_text(root.get("name")) or file.path.rpartition("/")[2].removesuffix(".json"), "", 1)
    for node in maps(inner.get("nodes"))[:MOST]:
        data = as_map(node.get("data"))
        category, template = as_text(data.get("category")), as_map(dig(data, "node", "template"))
        settings, type_ = as_map(data.get("inputs")), f"flowise:{category}/{as_text(data.get('name'))}"
        name = as_text(data.get("label"))
        if template:
            type_, name = f"langflow:{as_text(data.get('type'))}", as_text(dig(data, "node", "display_name"))
            settings = Map(template.line)
            for key in template:
                settings[key] = as_map(template[key]).get("value")
                settings.lines[key] = line_of(template, key)
        elif not category:
            continue
        flow.product = flow.product or type_.partition(":")[0]
        flow.nodes.append(Drawn(as_text(node.get("id")), name or type_, type_, data.line, settings))
    for edge in maps(inner.get("edges"))[:MOST]:
        flow.lines.append((as_text(edge.get("source")), as_text(edge.get("target"))))
    return flow if flow.nodes else None


def _dify(file: File, document: Any) -> Flow | None:
    root = as_map(document)
    app = as_map(root.get("app"))
    if as_text(root.get("kind")) != "app" or not app:
        return None
    flow = Flow(as_text(app.get("name")) or file.path.rpartition("/")[2], "dify", line_of(app, "name"))
    single = as_map(root.get("model_config"))
    if single.get("model"):
        flow.nodes.append(Drawn("", flow.name, f"dify:{as_text(app.get('mode'))}", line_of(single, "model"), single))
    graph = as_map(dig(root, "workflow", "graph"))
    for node in maps(graph.get("nodes"))[:MOST]:
        data = as_map(node.get("data"))
        name = as_text(data.get("title")) or as_text(node.get("id"))
        type_ = f"dify:{as_text(data.get('type'))}"
        flow.nodes.append(Drawn(as_text(node.get("id")), name, type_, line_of(data, "model"), data))
    for edge in maps(graph.get("edges"))[:MOST]:
        flow.lines.append((as_text(edge.get("source")), as_text(edge.get("target"))))
    return flow


def _named(node: Drawn) -> tuple[str, str]:
    """Provider and model id that the settings of a node name."""
    provider = _word("providers", node.type)
    for key, value in node.settings.items():
        if _plain(key) not in _fields():
            continue
        if isinstance(value, Map):  # n8n: {value, mode}; Dify: {provider, name}
            said = as_text(value.get("provider")).rpartition("/")[2]
            return provider_of_prefix(said) or provider, as_text(value.get("name")) or as_text(value.get("value"))
        if isinstance(value, str) and value and not value.startswith(("=", "{{")):
            return provider, value
    return provider, ""


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _word(table: str, type_: str) -> str:
    """What the longest word of a table that stands in a type means."""
    plain = _plain(type_.rpartition(".")[2])
    found = [word for word in _table(table) if word in plain]
    return _table(table)[max(found, key=len)] if found else ""


@cache
def _table(name: str) -> dict[str, str]:
    return {str(word): str(meaning) for word, meaning in load_pack("flows").header[name].items()}


@cache
def _fields() -> frozenset[str]:
    return frozenset(_plain(str(name)) for name in load_pack("flows").header["fields"])


@lru_cache(maxsize=5_000)
def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


@lru_cache(maxsize=5_000)
def _row_of(type_: str) -> Node | None:
    name = type_.casefold()
    return next((row for row in load_pack("flows").rows if any(fnmatchcase(name, shape) for shape in row.types)), None)


define_pack("flows", Node, check=lambda row, example: row_of(str(example)) is row)
