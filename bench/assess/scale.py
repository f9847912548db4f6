"""What judging a large organisation costs: ``python bench/assess/scale.py [ASSETS] [RELATIONS]``.

The generated organisation has the shape of real ones: projects of a few dozen assets that hang together (application,
agents, tools, indexes, endpoints, pipelines, identities, stores), and hubs that everybody uses (a hosted model, a
logging store, a shared role, a base model) with up to 10^5 relations. Most settings are sound; a few in a hundred are
not, and a few in a hundred are not known. Prints CPU seconds and the memory of the process.
"""

from __future__ import annotations

import gc
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from penstock.assess.standing import Standing
from penstock.graph.diff import Changes
from penstock.graph.graph import Graph
from penstock.graph.labels import propagate
from penstock.graph.vocabulary import VERBS, Asset, Evidence, Relation
from penstock.settings import Organisation

T = TypeVar("T")
ORGANISATION = Organisation(
    regions=("eu",), regimes=("gdpr", "eu_ai_act"), sanctioned_providers=("house", "openai", "anthropic")
)
#: Assets of one project by kind, and how many relations that leaves for hubs and neighbours to make up.
_KINDS = (
    "application agent agent tool tool tool mcp_server endpoint model pipeline identity identity identity credential "
    "dataset dataset dataset data_store vector_store log_store memory content_source workspace "
    "infrastructure guardrail prompt"
).split()
_INSIDE = (
    ("application", "invokes", "agent"), ("application", "invokes", "endpoint"), ("agent", "uses_tool", "tool"),
    ("agent", "uses_tool", "mcp_server"), ("agent", "uses_model", "model"), ("agent", "retrieves_from", "vector_store"),
    ("agent", "delegates_to", "agent"), ("agent", "remembers_in", "memory"), ("agent", "logs_to", "log_store"),
    ("tool", "reads", "dataset"), ("tool", "runs_as", "identity"), ("tool", "writes", "data_store"),
    ("mcp_server", "holds", "credential"), ("credential", "grants", "data_store"), ("endpoint", "serves", "model"),
    ("model", "trained_on", "dataset"), ("pipeline", "consumes", "dataset"), ("pipeline", "produces", "model"),
    ("pipeline", "runs_as", "identity"), ("identity", "can_read", "dataset"), ("identity", "can_write", "data_store"),
    ("vector_store", "indexes", "dataset"), ("vector_store", "ingests", "content_source"),
    ("workspace", "deployed_on", "infrastructure"), ("infrastructure", "runs_as", "identity"),
    ("workspace", "reads", "dataset"), ("agent", "instructed_by", "prompt"), ("application", "guarded_by", "guardrail"),
    ("dataset", "derived_from", "data_store"), ("log_store", "copied_to", "data_store"), ("agent", "reads", "dataset"),
)  # fmt: skip
#: More of the same: all but who runs as whom, which is said once.
_MORE = tuple(link for link in _INSIDE if link[1] not in ("runs_as", "holds"))


def main() -> None:
    assets = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    relations = int(sys.argv[2]) if len(sys.argv) > 2 else 5 * assets
    graph = generated(assets, relations)
    print(f"{len(graph.assets):,} assets, {len(graph.relations):,} relations, {memory()}")
    seconds, labelling = timed(lambda: propagate(graph))
    print(f"labels                     {seconds:8.2f} CPU s   {memory()}")
    seconds, standing = timed(lambda: Standing(graph, labelling, ORGANISATION))
    print(f"all rules                  {seconds:8.2f} CPU s   {memory()}")
    seconds, assessed = timed(lambda: standing.assessment(now=0.0))
    print(f"findings in order, paths   {seconds:8.2f} CPU s   {memory()}")
    found = (len(assessed.findings), len(assessed.questions), len(assessed.paths), len(assessed.unseen))
    print("  {:,} findings, {:,} questions, {:,} paths, {:,} bounds reached".format(*found))
    gc.freeze()  # as a server does: the graph that stays is no concern of the collector's
    spent: list[float] = []
    for seed in range(7, 11):
        for name, after, changes in one_change(graph, seed):
            seconds, labelled = timed(
                lambda after=after, changes=changes: propagate(after, after=labelling, changes=changes)
            )
            print(f"{name}: labels {seconds:.2f} CPU s,", end=" ")
            judged, _ = timed(lambda a=after, c=changes, told=labelled: standing.change(a, told, c))
            print(f"rules {judged:.2f} CPU s, {standing.judged_again:,} subjects judged again", flush=True)
            spent.append(judged)
            standing.change(graph, labelling, undone(changes, graph))
    print(f"one change, rules: {statistics.median(spent):.2f} CPU s in the middle, {max(spent):.2f} at worst")


def one_change(graph: Graph, seed: int = 7) -> Iterator[tuple[str, Graph, Changes]]:
    """A login taken away, a relation more, a label more, and a user more of the hub that everybody uses."""
    kinds: dict[str, list[str]] = {}
    for asset in graph.assets.values():
        kinds.setdefault(asset.kind, []).append(asset.id)
    chance = random.Random(seed)
    door, tool, data, agent = (chance.choice(kinds[kind]) for kind in ("application", "tool", "dataset", "agent"))
    opened = replace(graph.assets[door], props={**graph.assets[door].props, "exposure": "internet", "auth": "none"})
    labelled = replace(graph.assets[data], labels=frozenset({"phi"}))
    for name, asset in (("a login taken away", opened), ("a label more", labelled)):
        was = graph.assets[asset.id]
        fields = {f"props.{k}": (was.prop(k), v) for k, v in asset.props.items() if was.prop(k) != v}
        if was.labels != asset.labels:
            fields["labels"] = (sorted(was.labels), sorted(asset.labels))
        yield name, replace(graph, assets={**graph.assets, asset.id: asset}), Changes(changed={asset.id: fields})
    hub = next(asset.id for asset in graph.assets.values() if asset.name == "gpt-4o")
    for name, relation in (
        ("a relation more", Relation(tool, "reads", data, {})),
        ("a user more of a hub", Relation(agent, "uses_model", hub, {})),
    ):
        kept = tuple(r for r in graph.relations if r.key != relation.key)
        if len(kept) == len(graph.relations):
            yield name, replace(graph, relations=(*graph.relations, relation)), Changes(relations_added=(relation,))


def undone(changes: Changes, graph: Graph) -> Changes:
    back = {id: {name: (new, old) for name, (old, new) in fields.items()} for id, fields in changes.changed.items()}
    return Changes(changed=back, relations_removed=changes.relations_added)


def timed(act: Callable[[], T]) -> tuple[float, T]:
    start = time.process_time()
    result = act()
    return time.process_time() - start, result


def memory() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB at most"


# ── the organisation ─────────────────────────────────────────────────────────────────────────────────────────────────


def generated(assets: int, relations: int, seed: int = 1) -> Graph:
    """An organisation of about so many assets and relations; equal for equal seeds."""
    chance = random.Random(seed)
    evidence = {n: (Evidence("bench", "bench", "declared", scope=f"repo:bench/{n}"),) for n in range(64)}
    made: dict[str, Asset] = {}
    said: dict[Any, tuple[Evidence, ...]] = {}
    projects: list[dict[str, list[str]]] = []
    bags: dict[Any, Any] = {}

    def add(kind: str, name: str, props: dict[str, Any], labels: tuple[str, ...], scope: int) -> str:
        id = f"{kind[:3]}:{len(made):08x}"
        key = tuple(sorted((k, str(v)) for k, v in props.items()))
        shared = bags.setdefault(key, props)
        made[id] = Asset(id, kind, name, f"repo:bench/{scope}", shared, frozenset(labels))
        said[id] = evidence[scope]
        return id

    team = add("team", "team", {}, (), 0)
    process = add("process", "process", {"criticality": 3}, (), 0)
    hubs = _hubs(add)
    while len(made) < assets:
        project: dict[str, list[str]] = {}
        scope = len(projects) % 64
        for kind in _KINDS * 2:
            props, labels = _said(kind, chance)
            project.setdefault(kind, []).append(add(kind, f"{kind} {len(projects)}", props, labels, scope))
        projects.append(project)
    empty: dict[str, Any] = {}
    seen: set[int] = set()  # of the three numbers of a relation in one: names would fill more memory than the graph
    number = {id: place for place, id in enumerate(made)}
    verbs = {verb: place for place, verb in enumerate(sorted(VERBS))}
    links: list[Relation] = []
    for source, verb, target in _relations(projects, hubs, team, process, relations, chance):
        key = (number[source] * len(made) + number[target]) * len(verbs) + verbs[verb]
        if key not in seen:
            seen.add(key)
            links.append(Relation(source, verb, target, empty))
        if len(links) >= relations:
            break
    complete = frozenset((f"repo:bench/{n}", verb) for n in range(64) for verb in VERBS)
    return Graph(assets=made, relations=tuple(links), evidence=said, complete=complete)


def _hubs(add: Callable[..., str]) -> list[tuple[str, str, str]]:
    """(kind of the user, verb, hub)."""
    model = add("model", "gpt-4o", {"provider": "openai"}, (), 0)
    base = add("model", "house base", {"publisher": "internal", "revision": "pinned"}, (), 0)
    role = add("identity", "platform role", {"scope": "read one bucket"}, (), 0)
    log = add("log_store", "central log", {"public_read": False}, (), 0)
    provider = add("provider", "openai", {"sanction": "sanctioned", "agreement": True, "region": "eu"}, (), 0)
    cluster = add("infrastructure", "cluster", {"exposure": "private"}, (), 0)
    return [
        ("agent", "uses_model", model), ("model", "fine_tuned_from", base), ("workspace", "runs_as", role),
        ("application", "logs_to", log), ("application", "sends_to", provider), ("endpoint", "deployed_on", cluster),
    ]  # fmt: skip


def _said(kind: str, chance: random.Random) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Properties and labels of one asset: mostly sound, now and then not, now and then not known."""

    def mostly(sound: Any, rare: Any, share: float = 0.02, unknown: float = 0.02) -> Any:
        draw = chance.random()
        return None if draw < unknown else rare if draw < unknown + share else sound

    door = {
        "exposure": mostly(chance.choice(["private", "corporate"]), "internet", 0.05),
        "auth": mostly("oidc", "none"),
    }
    said: dict[str, dict[str, Any]] = {
        "application": {**door, "audience": "employees", "output_filter": mostly(True, False, 0.03),
                        "input_filter": mostly(True, False, 0.03), "rate_limit": mostly(True, False)},
        "agent": {"autonomy": mostly("suggest", "act", 0.3), "exposure": "private"},
        "tool": {"effects": chance.choice([["read"], ["read"], ["write"], ["email"], ["exec"], ["money"]]),
                 "approval": mostly("required", "none", 0.1), "sandbox": mostly(True, False)},
        "mcp_server": {"transport": "stdio", "version_pin": mostly(True, False, 0.05), "publisher": "verified"},
        "endpoint": {**door, "audience": "machine", "region": "eu", "logging": mostly(True, False)},
        "model": {"publisher": mostly("internal", "unverified"), "revision": mostly("pinned", "floating"),
                  "format": mostly("safetensors", "pickle")},
        "pipeline": {"network_isolation": mostly(True, False)},
        "identity": {"scope": mostly("read one bucket", "admin on storage", 0.01)},
        "credential": {"scope": "one project", "age_days": mostly(30, 400)},
        "dataset": {"public_read": mostly(False, True, 0.01), "public_write": False, "records": 1000, "region": "eu"},
        "data_store": {"public_read": mostly(False, True, 0.005), "region": "eu"},
        "vector_store": {"auth": mostly("token", "none"), "exposure": "private", "region": "eu"},
        "log_store": {"public_read": mostly(False, True, 0.005), "region": "eu"},
        "content_source": {"trust": mostly("trusted", "untrusted", 0.05), "region": "eu"},
        "workspace": {**door, "root": mostly(False, True)},
        "infrastructure": {"exposure": "private"},
        "guardrail": {"input_filter": True, "output_filter": True},
    }  # fmt: skip
    sensitive = kind == "dataset" and chance.random() < 0.02
    labels = (chance.choice(["pii", "phi", "confidential", "pci"]),) if sensitive else ()
    return {name: value for name, value in said.get(kind, {}).items() if value is not None}, labels


def _relations(
    projects: list[dict[str, list[str]]],
    hubs: list[tuple[str, str, str]],
    team: str,
    process: str,
    count: int,
    chance: random.Random,
) -> Iterator[tuple[str, str, str]]:
    for number, project in enumerate(projects):
        for kinds in project.values():
            for id in kinds:
                if chance.random() > 0.01:
                    yield id, "owned_by", team
        if number % 10 == 0:
            yield project["application"][0], "supports", process
        for source, verb, target in _INSIDE:
            if chance.random() < 0.9:
                one, two = chance.choice(project[source]), chance.choice(project[target])
                if one != two:
                    yield one, verb, two
        for kind, verb, hub in hubs:
            for id in project.get(kind, ())[:1]:
                yield id, verb, hub
    while True:  # more of the same inside, and now and then to a neighbour, so that chains run on
        number = chance.randrange(len(projects))
        other = projects[min(len(projects) - 1, number + chance.randrange(8)) if chance.random() < 0.003 else number]
        source, verb, target = chance.choice(_MORE)
        one, two = chance.choice(projects[number][source]), chance.choice(other[target])
        if one != two:
            yield one, verb, two


if __name__ == "__main__":
    main()
