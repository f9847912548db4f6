"""``penstock who``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from penstock.cli.listing import current, print_json
from penstock.cli.options import format_option, state_options
from penstock.cli.screen import printable

if TYPE_CHECKING:
    from penstock.graph.vocabulary import Asset
    from penstock.respond.people import People
    from penstock.respond.who import Who

#: Lines of one answer that are shown; JSON has them all.
MOST = 12


@click.command("who")
@click.argument("asset", metavar="ASSET")
@click.option("--requester", metavar="NAME", default="", help="Who asks: they do not approve for themselves.")
@format_option("table", "json")
@state_options
def command(asset: str, requester: str, format_: str, state: str | None, config: str | None) -> None:
    """Show who answers for an asset, who may approve, who must know and who is affected.

    ASSET is an id or a name. What nobody says is called unknown; sources that contradict one another are all shown.
    """
    from penstock.respond.people import People
    from penstock.respond.who import as_json, who

    with current(state, config) as (opened, report):
        people = People(report.graph, opened.settings)
        found = who(people, report.labelling, _meant(people, asset).id, requester)
        if format_ == "json":
            print_json(as_json(people, found))
            return
        for title, line in _lines(people, found):
            click.echo(printable(f"{title:<11} {line}".rstrip()))


def _meant(people: People, typed: str) -> Asset:
    """The asset; what catalogues call by the same name is no second one."""
    from penstock.cli.find import asset_named

    called = [a for a in people.graph.assets.values() if a.name.casefold() == typed.casefold()]
    meant = {people.names.thing(a.id) for a in called if a.lifecycle != "retired"}
    return people.graph.assets[meant.pop()] if len(meant) == 1 else asset_named(people.graph, typed)


def _lines(people: People, found: Who) -> Iterator[tuple[str, str]]:
    yield found.name, found.kind.replace("_", " ")
    yield "Owner", found.owner.name or "unknown"
    yield "", found.owner.why
    for claim in found.owner.conflicts:
        yield "", f"contradicted: {claim}"
    for claim in found.owner.left:
        yield "", f"has left: {claim}"
    yield from _listed(
        "Data", [f"{people.name(data)}: {owner.name}, {owner.why}" for data, owner in found.data.items()]
    )
    yield "Approver", people.name(found.approver) if found.approver else "unknown"
    yield "", found.approver_why
    informed = [people.name(id) for id in found.informed]
    yield from _listed("Informed", informed or ["nobody is configured (security_team in penstock.yaml)"])
    yield "", found.informed_why
    kinds = [f"{people.name(id)}  {people.graph.assets[id].kind}" for id in found.affected]
    yield from _listed("Affected", kinds or ["nothing that was seen"])
    yield from _listed("Process", [people.name(id) for id in found.processes] or ["unknown"])
    yield "Tier", str(found.tier or "unknown")


def _listed(title: str, lines: list[str]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines[:MOST]):
        yield "" if number else title, line
    if len(lines) > MOST:
        yield "", f"and {len(lines) - MOST} more (--format json)"
