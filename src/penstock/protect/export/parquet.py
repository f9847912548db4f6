"""Events as Parquet: one file a day, in folders that analysis tools read as one table (``day=2026-11-23/``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from penstock.errors import NotReachable, WrongUse
from penstock.graph.vocabulary import Event

#: Numbers in ``props`` that have columns of their own; the rest stays JSON.
_NUMBERS = {"status": "int64", "ms": "float64", "added_ms": "float64", "bytes_in": "int64", "bytes_out": "int64",
            "cost": "float64"}  # fmt: skip


def write(folder: Path, events: Iterable[Event], names: Mapping[str, str]) -> list[Path]:
    """The files written, one for each day (UTC) that has events. A day's file is put in place whole.

    Raises:
        WrongUse: the extra for Parquet is not installed.
        NotReachable: the folder cannot be written.
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]
    except ImportError as error:
        raise WrongUse("Parquet needs the extra 'data'", "--format", "pip install 'penstock[data]'") from error
    text = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [("id", pa.string()), ("at", pa.timestamp("us", "UTC")), ("kind", text), ("application", text),
         ("application_name", text), ("surface", text), ("provider", text), ("model", text), ("verdict", text),
         ("rules", pa.list_(pa.string())), ("seen", pa.map_(pa.string(), pa.int64())),
         ("findings", pa.list_(pa.string())), ("session", pa.string()),
         *((name, getattr(pa, kind)()) for name, kind in _NUMBERS.items()), ("props", pa.string())]
    )  # fmt: skip
    days: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        days.setdefault(datetime.fromtimestamp(event.at, UTC).strftime("%Y-%m-%d"), []).append(_row(event, names))
    written: list[Path] = []
    for day, rows in sorted(days.items()):
        path = folder / f"day={day}" / "events.parquet"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            rows.sort(key=lambda row: (row["at"], row["id"]))
            pq.write_table(pa.Table.from_pylist(rows, schema), fresh, compression="zstd")
            fresh.replace(path)
        except OSError as error:
            raise NotReachable("The file cannot be written", str(path), str(error.strerror)) from error
        written.append(path)
    return written


def _row(event: Event, names: Mapping[str, str]) -> dict[str, Any]:
    props = dict(event.props)
    numbers = {name: _number(props.pop(name, None), kind) for name, kind in _NUMBERS.items()}
    return {
        "id": event.id, "at": datetime.fromtimestamp(event.at, UTC), "kind": event.kind,
        "application": event.application, "application_name": names.get(event.application, ""),
        "surface": event.surface, "provider": event.provider, "model": event.model, "verdict": event.verdict,
        "rules": list(event.rules), "seen": list(event.seen.items()), "findings": list(event.finding_ids),
        "session": str(props.pop("session", "") or ""), **numbers, "props": msgspec.json.encode(props).decode(),
    }  # fmt: skip


def _number(value: Any, kind: str) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if kind == "int64" else float(value)
