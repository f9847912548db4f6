"""Exports of directories, service registers and on-call tools: told by their content, taken in or met in a scan.

SCIM and LDIF say who there is; ServiceNow, PagerDuty and Opsgenie who answers for which service.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.lineage.saying import Saying
from penstock.discover.organisation import ldif, on_call, scim, servicenow
from penstock.discover.organisation.directory import MOST_CLAIMS
from penstock.errors import NotReachable, NotUnderstood
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Observation, Unseen

#: Bytes of one export: 100,000 people with 2 KB each are 200 MB, and are handed over in parts.
MOST_BYTES = 64_000_000
#: Rows of one CSV, and bytes by which a format is told.
MOST_ROWS, _START = 500_000, 65_536
#: Said where a file is none of them.
KNOWN = "directories (SCIM, LDIF), ServiceNow (JSON, CSV), PagerDuty and Opsgenie (JSON)"


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its name, how its start is told, and its reader of a JSON document."""

    name: str
    told: Callable[[bytes], bool]
    read: Callable[[Any, Saying], None]


#: SCIM before the others: its documents may hold any of their words.
_JSON = (
    Format("scim", scim.told, scim.read),
    Format("servicenow", servicenow.told, servicenow.read),
    Format("pagerduty", on_call.told_pagerduty, on_call.pagerduty),
    Format("opsgenie", on_call.told_opsgenie, on_call.opsgenie),
)


@collector(
    "organisation.exports",
    reads=["*.ldif", "*.ldf", "*.json", "*.jsonl", "*.csv"],
    sees="people and groups of directories (SCIM, LDIF); services with owners of ServiceNow, PagerDuty and Opsgenie",
    unseen="accounts that expire at a date; schedules with layers; columns that an organisation added itself",
)
def exports(file: File) -> Iterator[Yielded]:
    """What an export that lies in a source says."""
    if _format(file.path, file.data[:_START]):
        try:
            yield from _said(file)
        except NotUnderstood as error:
            yield Unseen(file.path, "the export", error.message, error.hint or "", "organisation.exports", file.scope)


def is_export(path: Path) -> bool:
    """Whether a file is told by its start to be an export of one of these.

    Raises:
        NotReachable: it cannot be read.
    """
    return bool(_format(path.name, _bytes(path, _START)))


def file(path: Path, *, now: float) -> Scan:
    """What an export says; the same file taken in again replaces what it said before.

    Raises:
        NotReachable: the file cannot be read.
        NotUnderstood: it is none of these, breaks off, or is larger than ``MOST_BYTES``.
    """
    data = _bytes(path, MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise NotUnderstood(f"The export is larger than {MOST_BYTES:,} bytes", str(path), "Export it in parts")
    scope = f"organisation:{path.name}"
    found = list(_said(File(path.name, data, scope)))
    gaps = tuple(item for item in found if isinstance(item, Unseen))
    seen = tuple(item for item in found if isinstance(item, Observation))
    if not seen:
        raise NotUnderstood("The export says nothing of people, groups or services", str(path), f"Known are {KNOWN}")
    return Scan(seen, (), gaps, (scope,), () if gaps else (scope,), now)


def _format(path: str, start: bytes) -> str:
    """The format's name; "" for none."""
    if path.casefold().endswith((".ldif", ".ldf")) or ldif.told(start):
        return "ldif"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return next((format.name for format in _JSON if format.told(start)), "")
    return "servicenow.csv" if servicenow.told_csv(start) else ""


def _said(file: File) -> Iterator[Observation | Unseen]:
    name = _format(file.path, file.data[:_START])
    said = Saying(f"organisation.{name.partition('.')[0]}", file.scope, file.path, most=MOST_CLAIMS)
    if name == "ldif":
        yield from ldif.read(file.text, said)
    elif name == "servicenow.csv":
        servicenow.read(_rows(file), said)
    elif name:
        next(format for format in _JSON if format.name == name).read(_document(file), said)
    yield from said


def _document(file: File) -> Any:
    """The JSON document, or a list of those that stand one a line."""
    data = file.data.removeprefix(b"\xef\xbb\xbf")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        lines = [line for line in data.splitlines() if line.strip()]
        try:
            return [orjson.loads(line) for line in lines]
        except orjson.JSONDecodeError:
            raise NotUnderstood(f"The export is no JSON: {error}", file.path, "Export it again") from error


def _rows(file: File) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    try:
        for row in csv.DictReader(io.StringIO(file.text, newline="")):
            if len(rows) >= MOST_ROWS:
                break
            rows.append(
                servicenow.from_columns({k: v for k, v in row.items() if isinstance(k, str) and isinstance(v, str)})
            )
    except csv.Error as error:
        raise NotUnderstood(f"The list is no CSV: {error}", file.path, "Export it again") from error
    return rows


def _bytes(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        raise NotReachable(f"The file cannot be read: {(error.strerror or str(error)).lower()}", str(path)) from error
