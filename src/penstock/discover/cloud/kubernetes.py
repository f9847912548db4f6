"""What runs in a cluster, from ``kubectl get -A -o json``: read one resource at a time, as manifests are read.

A workload that another one made (a pod of a deployment) is that one, and ordinary workloads are no part of the
inventory. Values of secrets and configuration are neither kept nor printed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from penstock.discover.cloud.items import items
from penstock.discover.collector import Fact, File, Source
from penstock.discover.infra.kubernetes import WORKLOADS, resource_facts, workloads_with_ai
from penstock.discover.infra.marked import Map, Seq, as_map, as_text, dig, maps
from penstock.errors import NotUnderstood
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Observation, Unseen

COLLECTOR = "cloud.kubernetes"
#: Resources of one export; a cluster of 5,000 nodes has about 300,000.
MOST = 500_000
_START = re.compile(rb'\s*\{\s*"apiVersion"\s*:\s*"[\w./-]+"\s*,\s*"(?:items|kind|metadata)"\s*:')
_DEEPEST = 64


def is_dump(start: bytes) -> bool:
    """Whether a file is told by its start to be a list of Kubernetes resources in JSON."""
    return _START.match(start) is not None and b'"items"' in start[:4_096]


def scan(file: IO[bytes], path: Path, *, now: float) -> Scan:
    """What a list of resources says; the same cluster taken in again replaces what it said before.

    Raises:
        NotUnderstood: it breaks off before anything was read.
    """
    facts: dict[str, list[Fact]] = {}
    found: list[Observation] = []
    gaps: list[tuple[str, str]] = []
    name, read, broken = "", 0, 0
    try:
        for _, item in items(file, ("items",)):
            if read >= MOST:
                gaps.append(("the rest of the resources", f"one export is read up to {MOST:,} resources"))
                break
            read += 1
            if not isinstance(item, Mapping):
                broken += 1
                continue
            resource = as_map(marked(item))
            if as_text(resource.get("kind")) == "Namespace" and dig(resource, "metadata", "name") == "kube-system":
                name = as_text(dig(resource, "metadata", "uid"))
            if _made(resource):
                continue
            # The scope is known only at the end, and these facts do not hold it; what is observed at once is redone.
            for given in resource_facts(File(path.name, b"", _PLACE), resource):
                if isinstance(given, Fact):
                    if given.kind != "env":
                        facts.setdefault(given.kind, []).append(given)
                elif isinstance(given, Observation):
                    facts.setdefault("again", []).append(Fact("again", path.name, resource))
                    break
    except NotUnderstood as error:
        if not read:
            raise NotUnderstood(error.message, str(path), error.hint) from error
        gaps.append(("the rest of the export", error.message))
    if broken:
        gaps.append((f"{broken} of its items", "they are no objects, too long, or broken"))
    scope = f"cloud:k8s:{name or path.name}"
    for fact in facts.pop("again", ()):
        given_again = resource_facts(File(path.name, b"", scope), fact.value)
        found += [each for each in given_again if isinstance(each, Observation)]
    found += workloads_with_ai(Source(scope, name or path.name, (path.name,), facts, {}))
    unseen = tuple(
        Unseen(path.name, what, why, "Export it again", collector=COLLECTOR, scope=scope) for what, why in gaps
    )
    return Scan(tuple(found), (), unseen, (scope,), () if unseen else (scope,), now)


_PLACE = "cloud:k8s"


def _made(resource: Map) -> bool:
    """Whether another workload made this one."""
    owners = maps(dig(resource, "metadata", "ownerReferences"))
    return any(as_text(owner.get("kind")) in WORKLOADS for owner in owners)


def marked(value: Any, depth: int = 0) -> Any:
    """Plain JSON as the readers of configuration take it; a list of resources has no lines."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        made = Map(1)
        for key, inner in value.items():
            made[str(key)] = marked(inner, depth + 1)
        return made
    if isinstance(value, list):
        listed = Seq(1)
        listed.extend(marked(inner, depth + 1) for inner in value)
        listed.lines = [1] * len(listed)
        return listed
    return value
