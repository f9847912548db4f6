"""``penstock act``."""

from __future__ import annotations

import time

import click

from penstock.cli.options import open_state, state_options, you
from penstock.cli.screen import as_table, printable
from penstock.errors import WrongUse

DAY = 86_400.0


@click.group("act")
def command() -> None:
    """Set a model, a tool or an application aside, and take that back; hand a case on."""


@command.command("ticket")
@click.argument("case")
@click.option(
    "--to", "kind", type=click.Choice(["jira", "servicenow", "pagerduty"]), help="Which, if several are set up."
)
@click.option("--by", default=you, show_default="you", help="The person who hands it on.")
@click.option("--dry-run", is_flag=True, help="Only show what it would say.")
@state_options
def ticket(case: str, kind: str | None, by: str, dry_run: bool, state: str | None, config: str | None) -> None:
    """Open an issue, an incident or a page for a case; handed on twice it is still one."""
    import os

    from penstock.cli.scanning import current_report
    from penstock.errors import NotAllowed
    from penstock.respond.people import People
    from penstock.respond.tickets import System, hand_on
    from penstock.respond.triage import summary

    with open_state(state, config) as opened:
        report = current_report(opened)
        meant = [known for known in report.cases if known.id.startswith((case, f"case-{case}"))]
        if len(meant) != 1:
            raise WrongUse(f"{len(meant) or 'No'} cases begin with {case!r}", hint="penstock cases --all")
        findings = {f.id: f for f in (*report.assessment.findings, *report.assessment.accepted)}
        on_it = set(meant[0].events)
        events = [event for event in opened.store.events(limit=1000) if event.id in on_it]
        people = People(report.graph, opened.settings)
        lines = summary(meant[0], findings, events, report.labelling, people, now=opened.now)
        if dry_run:
            for line in lines:
                click.echo(printable(f"{line.question} {line.answer}"))
            return
        found = [one for one in opened.settings.tickets if kind in (None, one.kind)]
        if len(found) != 1:
            raise WrongUse(f"{len(found) or 'No'} ticket systems fit", "tickets in penstock.yaml", "Name one with --to")
        token = os.environ.get(found[0].token_env, "")
        if not token:
            raise NotAllowed("The ticket system has no token", found[0].kind, f"Set {found[0].token_env}")
        system = System(found[0].kind, found[0].address, token, found[0].user, found[0].project)
        made = hand_on(opened.store, system, meant[0], lines, who=by, now=opened.now)
    click.echo(printable(f"Handed on as {made.key} {made.address}".rstrip()))


@command.command("quarantine")
@click.argument("kind", type=click.Choice(["model", "tool", "application"]))
@click.argument("name")
@click.option("--for", "only", default="", metavar="APPLICATION", help="Only for this application.")
@click.option("--days", type=float, default=7, show_default=True, help="How long, at most 90.")
@click.option("--why", required=True, help="The reason; the person who is stopped reads it.")
@click.option("--by", default=you, show_default="you", help="The person who decides.")
@click.option("--dry-run", is_flag=True, help="Only say whom it would stop.")
@state_options
def quarantine(
    kind: str, name: str, only: str, days: float, why: str, by: str, dry_run: bool, state: str | None,
    config: str | None,
) -> None:  # fmt: skip
    """Let the gateway stop every call of it, from now on."""
    from penstock.cli.find import asset_named
    from penstock.respond.in_force import put_in_force
    from penstock.respond.quarantine import set_aside, stopped_by

    with open_state(state, config) as opened:
        graph = opened.store.graph()
        applications = {"application", "agent", "assistant"}
        about = asset_named(graph, only, applications).id if only else ""
        meant = asset_named(graph, name, applications).id if kind == "application" else name
        calls = stopped_by(opened.store, kind, meant, about, now=opened.now)
        seen = f"{calls.number} of the last {calls.looked_at} calls, by {len(calls.applications)} applications"
        if dry_run:
            click.echo(printable(f"It would have stopped {seen}. Nothing was changed."))
            return
        made = set_aside(
            opened.store, kind, meant, application=about, who=by, why=why, until=opened.now + days * DAY,
            now=opened.now,
        )  # fmt: skip
        put_in_force(opened.store, opened.directory, now=opened.now)
    click.echo(printable(f"The {kind} {name} is set aside for {days:g} days ({seen} used it)."))
    click.echo(printable(f"Undo: penstock act release {made.id} --why …"))


@command.command("release")
@click.argument("id")
@click.option("--why", required=True, help="The reason.")
@click.option("--by", default=you, show_default="you", help="The person who decides.")
@state_options
def release(id: str, why: str, by: str, state: str | None, config: str | None) -> None:
    """Let what was set aside be used again."""
    from penstock.respond.in_force import put_in_force
    from penstock.respond.quarantine import release as let_go

    with open_state(state, config) as opened:
        gone = let_go(opened.store, id, who=by, why=why, now=opened.now)
        put_in_force(opened.store, opened.directory, now=opened.now)
    click.echo(printable(f"The {gone.kind} {gone.name} may be used again."))


@command.command("list")
@state_options
def list_aside(state: str | None, config: str | None) -> None:
    """List what is set aside: what, by whom, why, until when."""
    from penstock.respond.quarantine import quarantines

    with open_state(state, config) as opened:
        graph, aside = opened.store.graph(), quarantines(opened.store, now=opened.now)
    if not aside:
        click.echo("Nothing is set aside.")
        return
    rows = []
    for one in aside:
        asset = graph.assets.get(one.name)
        until = time.strftime("%Y-%m-%d", time.gmtime(one.until))
        rows.append((one.id, one.kind, asset.name if asset else one.name, one.who, until, one.why))
    click.echo(as_table(("id", "kind", "name", "by", "until", "why"), rows), nl=False)
