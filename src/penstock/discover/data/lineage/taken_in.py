"""Lineage that is handed over instead of found in a source: exported files, a tracking server, events that are sent.

What is taken in belongs to a scope of its own that no scan looks at, so no scan retires it. The same files or server
taken in again replace what they said before; events that are sent only add.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from penstock.discover.collector import COLLECTORS, JOINERS, Fact, File, Source, Yielded
from penstock.discover.data.lineage import mlflow_server, openlineage
from penstock.discover.registry import Matcher, load
from penstock.errors import NotReachable, NotUnderstood, WrongUse
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Complete, Observation, Unseen

#: Where events that are sent to the server are kept.
RECEIVED = "lineage:received"
#: Bytes of one file; an event log of a year of hourly jobs has about 100 MB.
MOST_BYTES = 256_000_000
#: Files taken in together.
MOST_FILES = 1_000


def files(paths: Sequence[str], *, now: float) -> Scan:
    """What exported files say: events of OpenLineage, dbt artifacts, MLflow stores, model cards, ML-BOMs.

    Files given together may refer to one another (a dbt manifest and its catalog).

    Raises:
        NotReachable: a file is not there or cannot be read.
        NotUnderstood: one says nothing of where data comes from or goes.
        WrongUse: there are too many.
    """
    if len(paths) > MOST_FILES:
        raise WrongUse(f"{len(paths):,} files at once", hint=f"At most {MOST_FILES:,}; or scan their folder")
    places = [Path(path).resolve() for path in paths]
    root = Path(os.path.commonpath([place.parent for place in places]))
    # the folder's name is for people; its digest keeps two folders of one name apart
    told_apart = hashlib.sha256("\n".join(map(str, sorted(places))).encode()).hexdigest()[:8]
    scope = f"lineage:{root.name or 'root'}-{told_apart}"
    given = [File(place.relative_to(root).as_posix(), _read(place), scope) for place in places]
    found: list[Yielded] = []
    for file in given:
        said = list(_said(file))
        if not said:
            hint = "Taken in are events of OpenLineage, dbt's manifest and catalog, MLflow stores, cards and ML-BOMs"
            raise NotUnderstood("The file says nothing of where data comes from", file.path, hint)
        found += said
    found += _joined(scope, given, found)
    return _scan(found, scope, now)


def server(url: str, *, token: str = "", now: float) -> Scan:
    """What an MLflow tracking server recorded.

    Raises:
        WrongUse: the address is no web address, or holds a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongUse("The address is no web address", url.rpartition("@")[2], "Such as https://mlflow.example.com")
    if parts.username or parts.password:
        raise WrongUse("The address holds a password", parts.hostname, "Put a token into MLFLOW_TRACKING_TOKEN")
    return _scan(mlflow_server.read(url, token=token), f"mlflow:{parts.netloc}", now)


def events(sent: Iterable[object], *, now: float) -> Scan:
    """What events of OpenLineage say that somebody sent. They retire nothing: silence takes nothing back.

    Raises:
        NotUnderstood: one of them is no event.
    """
    found: list[Yielded] = []
    for number, event in enumerate(sent):
        if not openlineage.is_event(event):
            hint = "An event names its schema (schemaURL), its producer, and a job or a dataset"
            raise NotUnderstood("This is no event of OpenLineage", f"[{number}]", hint)
        found += openlineage.parse(event, scope=RECEIVED, where="an event of OpenLineage that was sent")
    return Scan(tuple(item for item in found if isinstance(item, Observation)), at=now)


def _scan(found: Iterable[Yielded], scope: str, now: float) -> Scan:
    """A scope is finished, so that what it no longer says is retired, unless something could not be read."""
    listed = list(found)
    unseen = tuple(item for item in listed if isinstance(item, Unseen))
    finished = () if any(not gap.skipped for gap in unseen) else (scope,)
    return Scan(
        tuple(item for item in listed if isinstance(item, Observation)),
        tuple(item for item in listed if isinstance(item, Complete)) if finished else (),
        unseen,
        (scope,),
        finished,
        now,
    )


def _read(place: Path) -> bytes:
    try:
        if not place.is_file():
            raise NotReachable("There is no such file", str(place), "Name a file; a folder is scanned: penstock scan")
        if place.stat().st_size > MOST_BYTES:
            raise NotReachable(f"The file is larger than {MOST_BYTES:,} bytes", str(place), "Split it by its lines")
        return place.read_bytes()
    except OSError as error:
        raise NotReachable(f"The file cannot be read: {error.strerror}", str(place)) from error


def _said(file: File) -> Iterator[Yielded]:
    """What the lineage readers make of a file; events are looked for whatever the file is called."""
    matcher = Matcher({name: COLLECTORS[name].reads for name in _readers()})
    names = dict.fromkeys((*matcher.names(file.path), openlineage.NAME))
    for name in names:
        yield from COLLECTORS[name].run(file)


def _joined(scope: str, given: Sequence[File], found: Iterable[Yielded]) -> Iterator[Yielded]:
    """What the files say together."""
    facts: dict[str, list[Fact]] = {}
    for item in found:
        if isinstance(item, Fact):
            facts.setdefault(item.kind, []).append(item)
    source = Source(scope, scope.partition(":")[2], tuple(file.path for file in given), facts, {})
    for name, joiner in JOINERS.items():
        if name.startswith(_LINEAGE):
            yield from joiner.run(source)


def _readers() -> tuple[str, ...]:
    load()
    return tuple(name for name in COLLECTORS if name.startswith(_LINEAGE))


_LINEAGE = "lineage."
