"""Datasets that lie in many files, as object stores keep them: the parts told as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from penstock.discover.collector import Fact, Source, Yielded, joiner
from penstock.discover.data.poison import Suspicion
from penstock.discover.data.rows import Told, as_test
from penstock.graph.identity import file_dataset
from penstock.graph.vocabulary import Observation


@joiner("data.partitions", sees="datasets that lie in many files: part-0000, 1-of-5, key=value folders")
def partitions(source: Source) -> Iterator[Yielded]:
    """One dataset for each folder of parts."""
    roots: dict[str, list[Fact]] = {}
    for fact in source.facts.get("data.part", ()):
        roots.setdefault(fact.value["root"], []).append(fact)
    for root, parts in sorted(roots.items()):
        told = together(parts)
        asset = file_dataset(root, source.scope, labels=told.labels, props=told.props())
        evidence = source.evidence(
            parts[0].value["collector"],
            parts[0].path,
            chain=(f"{len(parts)} files under {root} are one dataset", *told.why),
        )
        yield Observation(as_test(asset, f"{root}/"), evidence)


def together(parts: Iterable[Fact]) -> Told:
    """What the parts say as one: labels and columns of any, records of all."""
    parts = list(parts)
    values = [part.value for part in parts]
    counted = [value["records"] for value in values if value["records"] is not None]
    found: Counter[str] = Counter()
    for value in values:
        found.update(value["found"])
    suspicion = Suspicion()
    for part in parts:
        suspicion = suspicion.joined(Suspicion.unpacked(part.value["suspicion"]), part.path)
    return Told(
        labels=frozenset(label for value in values for label in value["labels"]),
        records=sum(counted) * len(values) // len(counted) if counted else None,
        estimated=any(value["estimated"] for value in values) or len(counted) < len(values),
        columns=tuple(dict.fromkeys(name for value in values for name in value["columns"]))[:200],
        found=dict(found),
        suspicion=suspicion,
        why=tuple(dict.fromkeys(reason for value in values for reason in value["why"]))[:20],
        role=next((value["role"] for value in values if value["role"]), ""),
    )
