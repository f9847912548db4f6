"""``penstock policy``: check the rules of a file, and try them on recorded calls before they are in force."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from penstock.cli.options import open_state, state_options
from penstock.cli.screen import as_table, printable
from penstock.errors import NotReachable, NotUnderstood

if TYPE_CHECKING:
    from penstock.protect.snapshot import PolicySnapshot
    from penstock.settings import Settings


@click.group("policy")
def command() -> None:
    """Check the gateway's rules, and try a change on recorded calls."""


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@state_options
def check_file(file: Path, state: str | None, config: str | None) -> None:
    """Say whether the rules of FILE (a configuration, or only its policy) can be put in force."""
    with open_state(state, config) as opened:
        settings = _with_policy_of(file, opened.settings)
    if not settings.policy:
        click.echo("The file holds no rules.")
        return
    rows = [(rule.id, rule.action, _about(rule.match), rule.when) for rule in settings.policy]
    click.echo(printable(as_table(("rule", "action", "about", "when"), rows)))


@command.command("test")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--enforced", is_flag=True, help="As if every application were in mode enforce, before and after.")
@state_options
def test_file(file: Path, enforced: bool, state: str | None, config: str | None) -> int:
    """Show which recorded calls the rules of FILE would decide otherwise. Exit code 1 when there are any.

    Recording is off unless the configuration says `gateway: {record: true}`; it keeps kinds of data, never texts.
    """
    from penstock.graph.labels import propagate
    from penstock.protect.replay import recordings, replay
    from penstock.respond.snapshot import compile_snapshot

    with open_state(state, config) as opened:
        changed = _with_policy_of(file, opened.settings)
        graph = opened.store.graph()
        labelling, findings = propagate(graph), opened.store.findings()
        cases, keys = opened.store.cases(), opened.store.keys()
        before, after = (
            compile_snapshot(graph, labelling, findings, cases, keys, settings, version=0, now=opened.now)
            for settings in (opened.settings, changed)
        )
        if enforced:
            before, after = _enforced(before), _enforced(after)
        folder = opened.directory / "recordings"
        replayed = replay(recordings(folder), before, after)
    if not replayed.calls:
        click.echo("Nothing is recorded. Write gateway: {record: true} in penstock.yaml, and let calls pass.")
        return 0
    click.echo(f"{replayed.calls} recorded calls; {sum(change.calls for change in replayed.changes)} decided otherwise")
    if replayed.unknown:
        click.echo(f"{replayed.unknown} of applications that have no key any more were left out")
    if not replayed.changes:
        return 0
    rows = [
        (one.application, one.before, one.after, ", ".join(one.rules), str(one.calls), one.example)
        for one in replayed.changes
    ]
    click.echo(printable(as_table(("application", "before", "after", "rules", "calls", "for example"), rows)))
    return 1


def _with_policy_of(file: Path, settings: Settings) -> Settings:
    """The settings with the rules of a file in place of their own.

    Raises:
        NotReachable, NotUnderstood: the file is not there, or holds rules that cannot be put in force.
    """
    from dataclasses import replace

    import yaml

    from penstock.protect.declared import check
    from penstock.settings import parse_settings

    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise NotReachable(f"The policy cannot be read: {error.strerror}", str(file), "Name another file") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood("The policy is not readable as YAML", str(file), " ".join(str(error).split())) from error
    if isinstance(document, list):
        document = {"policy": document}
    said = parse_settings(document, str(file))
    changed = replace(settings, policy=said.policy, limits=said.limits or settings.limits)
    check(changed, str(file))
    return changed


def _about(match: object) -> str:
    """What a rule is about, on one line."""
    import msgspec

    named = msgspec.to_builtins(match)
    return " ".join(f"{name}={','.join(v) if isinstance(v, list | tuple) else v}" for name, v in named.items() if v)


def _enforced(snapshot: PolicySnapshot) -> PolicySnapshot:
    from msgspec.structs import replace

    callers = {key: replace(caller, mode="enforce") for key, caller in snapshot.callers.items()}
    return replace(snapshot, callers=callers)
