"""``penstock accept``."""

from __future__ import annotations

import datetime

import click

from penstock.cli.options import State, open_state, state_options, you
from penstock.cli.screen import printable
from penstock.errors import WrongUse


@click.command("accept")
@click.argument("what", metavar="FINDING")
@click.argument("place", default="", required=False, metavar="[ASSET or FILE]")
@click.option("--why", required=True, help="The reason it can be lived with, or no longer can.")
@click.option("--revoke", is_flag=True, help="Take an acceptance back: the finding is open again.")
@click.option("--until", metavar="YYYY-MM-DD", help="The last day; default 90 days from now, at most 365.")
@click.option("--by", default=you, show_default="you", help="The person who decides.")
@state_options
def command(
    what: str, place: str, why: str, revoke: bool, until: str | None, by: str, state: str | None, config: str | None
) -> None:
    """Accept a finding until a date, with a reason.

    FINDING is an id, the first letters of one, or a rule; with a rule, ASSET or FILE says where.
    """
    from penstock.cli.scanning import current_report
    from penstock.respond.accept import accept, matching

    with open_state(state, config) as opened:
        if revoke:
            _take_back(opened, what, place, why, by)
            return
        graph = opened.store.graph()
        meant = matching(opened.store.findings(), graph, what, place)
        if not meant:
            raise WrongUse(f"There is no such open finding: {what} {place}".rstrip(), hint="penstock risks lists them")
        for finding in meant:
            decided = accept(opened.store, finding.id, who=by, why=why, until=end_of(until), now=opened.now)
            last = datetime.datetime.fromtimestamp(decided.until, datetime.UTC).date()
            click.echo(printable(f"Accepted until {last}: {finding.title} [{finding.id}]"))
        current_report(opened)


def _take_back(opened: State, what: str, place: str, why: str, by: str) -> None:
    """End the acceptances that are meant, and judge anew."""
    from penstock.cli.scanning import current_report
    from penstock.respond.accept import matching, revoke

    report = current_report(opened)
    meant = matching(report.accepted, report.graph, what, place)
    if not meant:
        raise WrongUse(
            f"There is no such accepted finding: {what} {place}".rstrip(), hint="penstock risks --accepted lists them"
        )
    for finding in meant:
        revoke(opened.store, finding.id, who=by, why=why, now=opened.now)
        click.echo(printable(f"Open again: {finding.title} [{finding.id}]"))
    current_report(opened)


def end_of(day: str | None) -> float | None:
    """The end of a day (UTC) in seconds since the epoch."""
    if day is None:
        return None
    try:
        date = datetime.date.fromisoformat(day)
    except ValueError as error:
        raise WrongUse(f"{day!r} is not a date", "--until", "Write it as 2027-01-31") from error
    return datetime.datetime.combine(date, datetime.time.max, datetime.UTC).timestamp()
