"""``penstock approvals``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from penstock.cli.listing import print_json
from penstock.cli.options import State, format_option, open_state, state_options, you
from penstock.cli.screen import as_table, printable
from penstock.errors import WrongUse

if TYPE_CHECKING:
    from penstock.graph.store.protocol import Approval
    from penstock.respond.approvals import Decider

MINUTE = 60.0


@click.group("approvals", invoke_without_command=True)
@state_options
@click.pass_context
def command(ctx: click.Context, state: str | None, config: str | None) -> None:
    """List what waits for a person's yes, and answer it."""
    ctx.default_map = {name: {"state": state, "config": config} for name in command.commands}
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_approvals, state=state, config=config)


@command.command("list")
@click.option("--all", "closed", is_flag=True, help="Answered and ended ones too.")
@format_option("table", "json")
@state_options
def list_approvals(
    closed: bool = False, format_: str = "table", state: str | None = None, config: str | None = None
) -> None:
    """List requests: what is wished, by whom, who answers."""
    import msgspec

    from penstock.respond.approvals import said
    from penstock.respond.people import People

    with open_state(state, config) as opened:
        known = opened.store.approvals(states=() if closed else ("asked",), limit=500)
        people = People(opened.store.graph(), opened.settings)
    if format_ == "json":
        print_json({"schema": "penstock.approvals/1", "approvals": msgspec.to_builtins(list(known))})
        return
    if not known:
        click.echo("Nothing waits for anybody." if not closed else "Nothing was ever asked.")
        return
    rows = [
        (one.id, _ago(one.asked_at), people.name(one.about), one.subject, str(one.times), said(one, people))
        for one in known
    ]
    click.echo(as_table(("request", "asked", "application", "wishes", "times", "state"), rows), nl=False)


@command.command("show")
@click.argument("request")
@state_options
def show(request: str, state: str | None, config: str | None) -> None:
    """Show one request: what, why, who answers and why they, who is affected."""
    from penstock.respond.approvals import said
    from penstock.respond.people import People

    with open_state(state, config) as opened:
        one = _meant(opened, request)
        people = People(opened.store.graph(), opened.settings)
    affected = ", ".join(people.name(id) for id in people.affected(one.about)[:8])
    facts = [
        ("What", one.subject),
        ("Why it asks", one.why),
        ("Application", people.name(one.about)),
        ("Asked by", one.requester or people.name(one.about)),
        ("Asked", f"{_stamp(one.asked_at)}, {one.times} times"),
        ("Who answers", f"{people.name(one.approver) or 'nobody known'} ({one.approver_why})"),
        ("Affected", affected or "nobody known"),
        ("Holds for", "one call" if one.single else "one conversation" if one.session else "every such call"),
        ("State", said(one, people)),
        ("Until", _stamp(one.until if one.until is not None else one.answer_by)),
    ]
    for name, value in facts:
        click.echo(printable(f"{name + ':':<14}{value}"))
    if one.state == "asked":
        click.echo(
            printable(f"\nAnswer: penstock approvals grant {one.id} | penstock approvals refuse {one.id} --why …")
        )


@command.command("grant")
@click.argument("request")
@click.option("--minutes", type=float, help="How long the yes lasts; default as the settings have it.")
@click.option("--why", default="", help="The reason; decisions that are no single call need one.")
@click.option("--by", default=you, show_default="you", help="The person who decides; never who asked.")
@state_options
def grant(request: str, minutes: float | None, why: str, by: str, state: str | None, config: str | None) -> None:
    """Say yes; the gateway lets it through at the next try."""
    from penstock.respond import answers

    with open_state(state, config) as opened:
        one = _meant(opened, request)
        done = answers.grant(
            opened.store,
            opened.settings,
            opened.directory,
            one.id,
            by=_decider(by),
            why=why,
            seconds=None if minutes is None else minutes * MINUTE,
            now=time.time(),
        )
        _follow(opened, one)
    click.echo(printable(f"{done.note} (until {_stamp(done.approval.until)})."))


@command.command("refuse")
@click.argument("request")
@click.option("--why", required=True, help="What would have to be different.")
@click.option("--by", default=you, show_default="you", help="The person who decides.")
@state_options
def refuse(request: str, why: str, by: str, state: str | None, config: str | None) -> None:
    """Say no; the same wish reaches nobody for a while."""
    from penstock.respond import answers

    with open_state(state, config) as opened:
        one = _meant(opened, request)
        done = answers.refuse(opened.store, opened.settings, one.id, by=_decider(by), why=why, now=time.time())
    click.echo(printable(f"{done.note}."))


@command.command("withdraw")
@click.argument("request")
@click.option("--why", default="", help="The reason.")
@click.option("--by", default=you, show_default="you", help="The person who decides.")
@state_options
def withdraw(request: str, why: str, by: str, state: str | None, config: str | None) -> None:
    """Take back a request, or a yes that still holds."""
    from penstock.respond import answers

    with open_state(state, config) as opened:
        one = _meant(opened, request)
        done = answers.withdraw(
            opened.store, opened.settings, opened.directory, one.id, by=_decider(by), why=why, now=time.time()
        )
    click.echo(printable(f"{done.note}."))


@command.command("rotate-keys")
@state_options
def rotate_keys(state: str | None, config: str | None) -> None:
    """Sign grants and links with a new key; those signed before still count."""
    from penstock.respond.signing import rotate

    with open_state(state, config) as opened:
        made = rotate(opened.directory)
        opened.store.audit(you(), "made a new signing key", next(reversed(made.keys)), opened.now)
    click.echo(f"New signing key {next(reversed(made.keys))}; {len(made.keys)} verify.")


def _meant(opened: State, request: str) -> Approval:
    """The request with this id, or whose id begins so."""
    if found := opened.store.approval(request):
        return found
    known = [one for one in opened.store.approvals(limit=10_000) if one.id.startswith((request, f"ap-{request}"))]
    if len(known) != 1:
        raise WrongUse(f"{len(known) or 'No'} requests begin with {request!r}", hint="penstock approvals list --all")
    return known[0]


def _decider(by: str) -> Decider:
    """Who has the state directory is an admin of it."""
    from penstock.respond.approvals import Decider

    return Decider(by, "admin")


def _follow(opened: State, one: Approval) -> None:
    """Let risks and labels follow a decision that changed the graph."""
    if one.kind != "ask":
        from penstock.respond.refresh import refresh

        refresh(opened.store, opened.settings, opened.directory, now=time.time())


def _stamp(at: float | None) -> str:
    return f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime(at))} UTC" if at else ""


def _ago(at: float) -> str:
    minutes = max(0, int((time.time() - at) / MINUTE))
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
