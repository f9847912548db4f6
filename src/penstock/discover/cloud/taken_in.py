"""Exports that are handed over: each account, subscription, project or state is a scope that no scan looks at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from penstock.discover.cloud import kubernetes
from penstock.discover.cloud.exports import Export, kind_of, things
from penstock.discover.cloud.things import Thing, observations
from penstock.errors import NotReachable, NotUnderstood
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Observation, Unseen

COLLECTOR = "cloud.exports"
_START = 65_536
_ACCOUNTS = (
    re.compile(r"arn:(?P<cloud>[\w-]+):[^:]*:[^:]*:(?P<account>\d{12}):"),
    re.compile(r"(?i)/(?P<cloud>subscriptions)/(?P<account>[0-9a-f-]{36})/"),
    re.compile(r"//[\w.-]*(?P<cloud>googleapis)\.com/projects/(?P<account>[^/]+)/"),
)
_CLOUDS = {"subscriptions": "azure", "googleapis": "gcp"}


def is_export(path: Path) -> bool:
    """Whether a file is told by its start to be an export.

    Raises:
        NotReachable: it cannot be read.
    """
    try:
        with path.open("rb") as opened:
            start = opened.read(_START)
            return kubernetes.is_dump(start) or kind_of(start) is not None
    except OSError as error:
        raise NotReachable(f"The file cannot be read: {(error.strerror or str(error)).lower()}", str(path)) from error


def file(path: Path, *, now: float) -> Scan:
    """What an export says. The same export taken in again replaces what it said before.

    Raises:
        NotReachable: the file cannot be read.
        NotUnderstood: it is no export that is known here, or breaks off before anything was read.
    """
    try:
        with path.open("rb") as opened:
            start = opened.read(_START)
            if kubernetes.is_dump(start):
                opened.seek(0)
                return kubernetes.scan(opened, path, now=now)
            export = kind_of(start)
            if export is None:
                raise NotUnderstood("This is no export that is known here", str(path), KNOWN)
            opened.seek(0)
            return _scan(export, opened, path, now)
    except OSError as error:
        raise NotReachable(f"The file cannot be read: {(error.strerror or str(error)).lower()}", str(path)) from error


#: Said where a file is none of them.
KNOWN = (
    "Known are Terraform states and plans (JSON), Pulumi states, ARM templates, AWS Config, Azure Resource Graph,"
    " Google Cloud Asset Inventory and lists of Kubernetes resources (kubectl get -A -o json)"
)


def _scan(export: Export, opened: IO[bytes], path: Path, now: float) -> Scan:
    listed: list[Thing] = []
    unseen: list[Unseen] = []
    broken = 0
    try:
        for thing in things(export, opened, path.name):
            if thing is None:
                broken += 1
            else:
                listed.append(thing)
    except NotUnderstood as error:
        if not listed:
            raise NotUnderstood(error.message, str(path), error.hint) from error
        unseen.append(_gap(path, "the rest of the export", error.message))
    if broken:
        unseen.append(_gap(path, f"{broken} of its items", "they are no objects, too long, or broken"))
    scope = scope_of(listed, path)
    gaps = tuple(Unseen(gap.where, gap.what, gap.why, gap.hint, collector=COLLECTOR, scope=scope) for gap in unseen)
    found: Iterable[Observation] = observations(_once(listed), scope, COLLECTOR)
    return Scan(tuple(found), (), gaps, (scope,), () if gaps else (scope,), now)


def scope_of(listed: Iterable[Thing], path: Path) -> str:
    """``cloud:aws:123456789012`` by what the resources are called, else by the file's name."""
    for thing in listed:
        for pattern in _ACCOUNTS:
            for word in (thing.id, *thing.also):
                if match := pattern.search(word):
                    cloud = _CLOUDS.get(match["cloud"], match["cloud"].split("-")[0])
                    state = "" if thing.id == word else f":{path.name}"
                    return f"cloud:{cloud}:{match['account']}{state}"
    return f"cloud:{path.name}"


def _once(listed: Iterable[Thing]) -> Iterator[Thing]:
    """Each resource as it was told last."""
    return iter({thing.id: thing for thing in listed}.values())


def _gap(path: Path, what: str, why: str) -> Unseen:
    return Unseen(path.name, what, why, "Export it again")
