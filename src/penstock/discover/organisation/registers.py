"""What the registers that lie in a repository share: which application a file speaks of, and saying what it says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from penstock.discover.collector import File, Yielded
from penstock.discover.organisation.parties import business_process, party, service, slug, system_of
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Evidence, Observation

_TIER = re.compile(r"(?i)(?:tier|level|sev)[\s_:=-]*([0-4])\b")


def subject(file: File, name: str, repositories: Iterable[str] = ()) -> Asset:
    """The application that a file speaks of: the repository it names, else its own when it lies at the root.

    A file deeper down speaks of what the register knows by that name.
    """
    for repository in repositories:
        if (named := system_of(repository)) is not None:
            status = "used" if named.scope == file.scope else "catalogue"
            return replace(named, name=name or named.name, status=status)
    if "/" not in file.path:
        return replace(identity.application(file.scope), name=name or identity.application(file.scope).name)
    return service(name)


def link(source: Asset, verb: str, target: Asset, at: Evidence) -> Iterator[Yielded]:
    """The relation with what is at its end; its start is described by who calls."""
    if source.id != target.id:
        yield Observation(target, at)
        yield Observation(identity.relation(source, verb, target), at)


def owned(asset: Asset, owner: str, at: Evidence, *, otherwise: str = "team") -> Iterator[Yielded]:
    if (who := party(owner, otherwise=otherwise)) is not None:
        yield from link(asset, "owned_by", who, at)


def supports(asset: Asset, process: str, at: Evidence) -> Iterator[Yielded]:
    if slug(process):
        yield from link(asset, "supports", business_process(process), at)


def relies_on(asset: Asset, name: str, at: Evidence) -> Iterator[Yielded]:
    if slug(name) and len(name) <= 120:
        yield from link(asset, "connects_to", service(name), at)


def criticality(tier: str) -> int | None:
    """4 vital to 1 low of a tier in words: ``tier_1``, ``Tier 1`` and tier 0 are vital."""
    match = _TIER.search(tier) or re.fullmatch(r"([0-4])", tier.strip())
    return None if match is None else min(4, 5 - max(1, int(match[1])))
