"""``penstock events``: hand the gateway's events on to other systems."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from penstock.cli.options import open_state, state_options
from penstock.errors import NotReachable, WrongUse

if TYPE_CHECKING:
    from penstock.graph.vocabulary import Event

#: Seconds of a unit in ``--since 7d``.
_UNITS = {"m": 60, "h": 3_600, "d": 86_400}
FORMATS = ("jsonl", "ocsf", "otlp", "parquet")


@click.group("events")
def command() -> None:
    """Hand the gateway's events on: OCSF, OpenTelemetry spans, Parquet, JSON lines."""


@command.command("export")
@click.option("--format", "form", type=click.Choice(FORMATS), default="jsonl", show_default=True)
@click.option("--since", default="1d", show_default=True, help="A time ago (90m, 12h, 7d), or a day (2026-11-01).")
@click.option("--out", type=click.Path(path_type=Path), help="File to write; for parquet a folder. Else printed.")
@click.option("--endpoint", metavar="URL", help="otlp: the collector to send to, such as http://127.0.0.1:4318.")
@click.option("--header-env", metavar="VAR", help="otlp: variable that holds the Authorization header.")
@click.option("--limit", type=click.IntRange(1), default=100_000, show_default=True, help="The newest so many.")
@state_options
def export(
    form: str,
    since: str,
    out: Path | None,
    endpoint: str | None,
    header_env: str | None,
    limit: int,
    state: str | None,
    config: str | None,
) -> int:
    """Export what the gateway noted of calls; there are no texts in it.

    \b
    Examples:
      penstock events export --format ocsf --since 7d --out events.ocsf.jsonl
      penstock events export --format otlp --endpoint http://127.0.0.1:4318
      penstock events export --format parquet --since 2026-11-01 --out lake/
    """
    from penstock.protect.export import ocsf, otlp, parquet

    if form == "parquet" and out is None:
        raise WrongUse("Parquet is written to a folder", "--out", "Name one: --out lake/")
    if endpoint and form != "otlp":
        raise WrongUse(f"{form} is not sent to a collector", "--endpoint", "Use --format otlp")
    with open_state(state, config) as opened:
        events = list(opened.store.events(since=moment(since, opened.now), limit=limit))[::-1]
        assets = opened.store.graph().assets
        names = {event.application: assets[event.application].name for event in events if event.application in assets}
    if len(events) == limit:
        click.echo(f"only the newest {limit} events; give --limit or a later --since", err=True)
    if form == "parquet" and out is not None:
        files = parquet.write(out, events, names)
        click.echo(f"{len(events)} events in {len(files)} files under {out}", err=True)
        return 0
    if endpoint:
        said = os.environ.get(header_env, "") if header_env else ""
        sent = otlp.send(endpoint, otlp.requests(events, names), {"Authorization": said} if said else {})
        click.echo(f"{len(events)} spans in {sent} requests", err=True)
        return 0
    lines: Iterable[bytes]
    if form == "otlp":
        lines = otlp.requests(events, names)
    elif form == "ocsf":
        lines = (msgspec.json.encode(ocsf.activity(event, names)) for event in events)
    else:
        lines = _lines(events)
    _write(out, lines)
    click.echo(f"{len(events)} events", err=True)
    return 0


def moment(said: str, now: float) -> float:
    """Seconds since the epoch of ``7d`` (so long ago) or ``2026-11-01`` (the beginning of that day, UTC).

    Raises:
        WrongUse: it is neither.
    """
    if ago := re.fullmatch(r"(\d{1,6})([mhd])", said):
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        return datetime.strptime(said, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise WrongUse(f"{said!r} is no time", "--since", "Write 90m, 12h, 7d or 2026-11-01") from error


def _lines(events: Iterable[Event]) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode
    return (encode(event) for event in events)


def _write(out: Path | None, lines: Iterable[bytes]) -> None:
    if out is None:
        for line in lines:
            sys.stdout.write(line.decode() + "\n")
        return
    try:
        with out.open("wb") as file:
            file.writelines(line + b"\n" for line in lines)
    except OSError as error:
        raise NotReachable("The file cannot be written", str(out), str(error.strerror)) from error
