"""What a change would close: the same judgement over the graph as it would be, nothing kept.

A change is a few words: ``remove ASSET``, ``remove SOURCE VERB TARGET``, ``set ASSET PROPERTY=VALUE``, ``guard ASSET``,
``unlabel ASSET LABEL``. Several are tried together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import yaml

from penstock.assess.compare import Compared, since
from penstock.errors import WrongUse
from penstock.graph.graph import Graph
from penstock.graph.store.protocol import Acceptance
from penstock.graph.vocabulary import LABELS, VERBS, Asset, Relation, check_props
from penstock.settings import Organisation

#: Finds the asset that a person means by what they typed.
Find = Callable[[str], Asset]
_HOW = "One of: remove ASSET · remove SOURCE VERB TARGET · set ASSET PROPERTY=VALUE · guard ASSET · unlabel ASSET LABEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf(Compared):
    """What would go, what would come, and what would be milder or worse, if something were ``done``."""

    done: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """``Doing this closes 3 of 7 attack paths and 5 of 12 findings.``"""
        paths, findings = len(self.before.paths), len(self.before.findings)
        closed = f"{len(self.paths_closed)} of {paths} attack paths and {len(self.closed)} of {findings} findings"
        worse = f"; it opens {len(self.opened)} findings" if self.opened else ""
        return f"Doing this closes {closed}{worse}."


def what_if(
    graph: Graph,
    organisation: Organisation,
    changes: Sequence[str],
    find: Find,
    *,
    acceptances: Sequence[Acceptance] = (),
    now: float,
) -> WhatIf:
    """Judge the graph as it is and as it would be.

    Raises:
        WrongUse: a change does not read as one, or names what is not there.
    """
    changed, done = graph, []
    for words in changes:
        changed, said = _changed(changed, words.split(), find)
        done.append(said)
    told = since(graph, changed, organisation, acceptances=acceptances, now=now)
    return WhatIf(done=tuple(done), **{field.name: getattr(told, field.name) for field in fields(told)})


def _changed(graph: Graph, words: Sequence[str], find: Find) -> tuple[Graph, str]:
    match list(words):
        case ["remove", *names] if (at := _verb_at(names)) is not None:
            source, target = find(" ".join(names[:at])), find(" ".join(names[at + 1 :]))
            return _without_relation(graph, source, names[at], target)
        case ["remove", *name] if name:
            return _without_asset(graph, find(" ".join(name)))
        case ["set", *name, said] if name and "=" in said:
            return _with_prop(graph, find(" ".join(name)), *said.split("=", 1))
        case ["guard", *name] if name:
            return _guarded(graph, find(" ".join(name)))
        case ["unlabel", *name, label] if name:
            return _unlabelled(graph, find(" ".join(name)), label)
    raise WrongUse(f"This is no change: {' '.join(words)!r}", hint=_HOW)


def _verb_at(names: Sequence[str]) -> int | None:
    return next((n for n, word in enumerate(names) if word in VERBS and 0 < n < len(names) - 1), None)


def _without_relation(graph: Graph, source: Asset, verb: str, target: Asset) -> tuple[Graph, str]:
    key = (source.id, verb, target.id)
    kept = tuple(relation for relation in graph.relations if relation.key != key)
    if len(kept) == len(graph.relations):
        there = sorted({r.verb for r in graph.relations if (r.source, r.target) == (source.id, target.id)})
        hint = f"Between them: {', '.join(there)}" if there else "Nothing joins the two"
        raise WrongUse(f"{source.name} has no relation {verb} to {target.name}", hint=hint)
    return replace(graph, relations=kept), f"{source.name} no longer {verb.replace('_', ' ')} {target.name}"


def _without_asset(graph: Graph, asset: Asset) -> tuple[Graph, str]:
    assets = {id: kept for id, kept in graph.assets.items() if id != asset.id}
    relations = tuple(r for r in graph.relations if asset.id not in (r.source, r.target))
    return replace(graph, assets=assets, relations=relations), f"{asset.name} is gone"


def _with_prop(graph: Graph, asset: Asset, name: str, said: str) -> tuple[Graph, str]:
    value = yaml.safe_load(said)
    check_props({name: value}, f"set {asset.name}")
    changed = replace(asset, props={**asset.props, name: value})
    return replace(
        graph, assets={**graph.assets, asset.id: changed}
    ), f"{asset.name}: {name.replace('_', ' ')} is {said}"


def _guarded(graph: Graph, asset: Asset) -> tuple[Graph, str]:
    """A guardrail that checks both ways stands before the asset."""
    guard = Asset(
        "what-if:guardrail", "guardrail", "guardrail", asset.scope, {"input_filter": True, "output_filter": True}
    )
    relation = Relation(asset.id, "guarded_by", guard.id)
    made = replace(graph, assets={**graph.assets, guard.id: guard}, relations=(*graph.relations, relation))
    return made, f"a guardrail checks what goes into {asset.name} and what comes out"


def _unlabelled(graph: Graph, asset: Asset, label: str) -> tuple[Graph, str]:
    if label not in LABELS:
        raise WrongUse(f"There is no label {label!r}", hint=f"Labels: {', '.join(LABELS)}")
    if label not in asset.labels:
        raise WrongUse(f"{asset.name} itself holds no {label}", hint="Name the asset that the label comes from")
    changed = replace(asset, labels=asset.labels - {label})
    return replace(graph, assets={**graph.assets, asset.id: changed}), f"{asset.name} holds no {label}"
