"""A declaration to start from: what was found as ``ai-system.yaml``, with a comment where only a person knows."""

from __future__ import annotations

import json
from collections.abc import Iterable

from penstock.graph import identity
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import LABELS, Asset

#: What an application of a source is made of; the declaration speaks for all of them together.
_ACTORS = ("application", "agent", "pipeline")
_DATA_VERBS = ("reads", "retrieves_from", "loads", "indexes", "ingests", "consumes", "trained_on")
_CRITICALITY = "1 low, 2 medium, 3 high, 4 vital"


def declare(graph: Graph, scope: str) -> str:
    """The text of ``ai-system.yaml`` for a source, filled in as far as the graph knows.

    What only a person can say stands as a comment, so that the text can be read back as it is.
    """
    actors = [asset for asset in graph.of_kind(*_ACTORS) if scope in graph.scopes_of(asset.id)]
    application = graph.assets.get(identity.application(scope).id) or next(
        (asset for asset in actors if asset.kind == "application"), identity.application(scope)
    )
    # What lies two hops away, such as the collection that a tool of an agent searches, belongs to the system too.
    parts = {application.id, *(asset.id for asset in actors)}
    parts |= {r.target for part in list(parts) for r in graph.out(part, "uses_tool", "invokes", "uses_model")}
    own = [part for part in parts if scope in graph.scopes_of(part) or part == application.id]

    lines = [
        "# What this team says about its AI system. It informs Penstock and may raise a risk; it never lowers one.",
        "system:",
        f"  name: {_scalar(application.name)}",
        *_said("purpose", application.prop("purpose"), "one sentence: what is it used for, and for whom?"),
        *_said("audience", application.prop("audience"), "public, customers, partners, employees or machine"),
        *_said("owner", _party(graph, application.id, "owned_by"), "the team that answers for it"),
        *_said("approver", _party(graph, application.id, "approved_by"), "who may approve a risk; not the owner"),
    ]
    processes = _targets(graph, [application.id], ("supports",))
    lines += _list(
        "processes",
        (
            f"name: {_scalar(process.name)}"
            + (f", criticality: {process.prop('criticality')}" if process.prop("criticality") else "")
            for process in processes
        ),
        f"- {{name: …, criticality: …}}   which business process stops without it? {_CRITICALITY}",
    )
    # An index or a memory holds copies; what a declaration names is the data itself.
    datasets = [asset for asset in _targets(graph, own, _DATA_VERBS) if asset.kind == "dataset" or "://" in asset.name]
    lines += _list(
        "data",
        (_locator(graph, asset, scope) + _labels(asset) for asset in datasets),
        "- {path: …, labels: […]}   what data does it touch? " + ", ".join(LABELS),
    )
    models = _targets(graph, own, ("uses_model", "produces"))
    lines += _list(
        "models",
        filter(None, (_model(graph, asset, own, scope) for asset in models if asset.kind == "model")),
        "- {name: …, provider: …}",
    )
    lines += _said("human_review", _flag(application, "human_review"), "true or false: does a person check decisions?")
    lines += _said("disclosure", _flag(application, "disclosure"), "true or false: are people told it is an AI?")
    return "\n".join(lines) + "\n"


def _targets(graph: Graph, sources: Iterable[str], verbs: tuple[str, ...]) -> list[Asset]:
    found = {r.target: graph.assets[r.target] for source in sources for r in graph.out(source, *verbs)}
    return sorted(found.values(), key=lambda asset: (asset.name, asset.id))


def _party(graph: Graph, application: str, verb: str) -> str:
    """The best evidenced owner or approver, as a declaration writes it."""
    relations = [r for r in graph.out(application, verb) if r.target in graph.assets]
    order = ("declared", "resolved", "inferred", "guessed")

    def rank(relation_target: str) -> tuple[int, str]:
        evidence = graph.evidence.get((application, verb, relation_target), ())
        return min((order.index(e.confidence) for e in evidence), default=len(order)), relation_target

    for target in sorted((r.target for r in relations), key=rank):
        asset = graph.assets[target]
        return asset.name if asset.kind == "team" else f"user:{asset.name}"
    return ""


def _locator(graph: Graph, asset: Asset, scope: str) -> str:
    if asset.id == identity.file_dataset(asset.name, scope).id:
        return f"path: {_scalar(asset.name)}"
    return f"{'uri' if '://' in asset.name else 'name'}: {_scalar(asset.name)}"


def _labels(asset: Asset) -> str:
    labels = sorted(label for label in asset.labels if label in LABELS)
    return f", labels: [{', '.join(labels)}]" if labels else ""


def _model(graph: Graph, asset: Asset, own: Iterable[str], scope: str) -> str:
    provider = asset.prop("provider")
    if provider and provider != "self-hosted":
        return f"name: {_scalar(asset.name)}, provider: {_scalar(str(provider))}"
    for endpoint in _targets(graph, own, ("invokes",)):
        url = endpoint.prop("url")
        if url and identity.model_at(str(url), asset.name, scope).id == asset.id:
            return f"name: {_scalar(asset.name)}, endpoint: {_scalar(str(url))}"
    return ""


def _said(key: str, value: object, otherwise: str) -> list[str]:
    return [f"  {key}: {_scalar(str(value))}"] if value else [f"  # {key}:   {otherwise}"]


def _flag(asset: Asset, name: str) -> str:
    value = asset.prop(name)
    return "" if value is None else str(value).lower()


def _list(key: str, entries: Iterable[str], otherwise: str) -> list[str]:
    rows = [f"    - {{{entry}}}" for entry in entries]
    return [f"  {key}:", *rows] if rows else [f"  # {key}:", f"  #   {otherwise}"]


def _scalar(text: str) -> str:
    """Text as YAML; quoted unless it is a plain word that can mean nothing else."""
    plain = text.isascii() and text[:1].isalpha() and all(letter.isalnum() or letter in "-_./" for letter in text)
    if plain and text.casefold() in ("true", "false"):
        return text
    if plain and text.casefold() not in ("null", "yes", "no", "on", "off", "y", "n"):
        return text
    return json.dumps(text, ensure_ascii=False)
