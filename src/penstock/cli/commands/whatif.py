"""``penstock whatif``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from penstock.cli.listing import current, print_json
from penstock.cli.options import format_option, state_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.assess.assessment import AttackPath, Fix
    from penstock.assess.whatif import WhatIf
    from penstock.graph.graph import Graph

#: Lines shown of each list; the JSON has all of them.
_SHOWN = 15


@click.command("whatif")
@click.argument("changes", nargs=-1, metavar="[CHANGE…]")
@format_option("table", "json")
@state_options
def command(changes: tuple[str, ...], format_: str, state: str | None, config: str | None) -> None:
    """Show which findings and attack paths a change would close, before anybody makes it.

    Nothing is changed; each CHANGE is a few words in quotes, several are tried together. Without one: the changes that
    close most, ready to be tried.

    \b
    penstock whatif
    penstock whatif "guard Web chat"
    penstock whatif "set lab-notebook auth=oidc" "remove lab-role can_read customers"
    """
    from penstock.assess.whatif import what_if
    from penstock.cli.find import asset_named

    with current(state, config) as (opened, report):
        if not changes:
            fixes = report.assessment.fixes
            if format_ == "json":
                print_json({"fixes": [_fix_document(fix, report.graph) for fix in fixes]})
            else:
                click.echo(_fixes(fixes, report.graph), nl=False)
            return
        told = what_if(
            report.graph,
            opened.settings.organisation,
            changes,
            lambda typed: asset_named(report.graph, typed),
            acceptances=opened.store.acceptances(),
            now=opened.now,
        )
        if format_ == "json":
            print_json(_document(told, report.graph))
        else:
            click.echo(_table(told, report.graph), nl=False)


def _fixes(fixes: Sequence[Fix], graph: Graph) -> str:
    from penstock.cli.screen import printable

    if not fixes:
        return "There is nothing to close.\n"
    lines = []
    for fix in fixes[:_SHOWN]:
        closed = [f"{len(fix.findings)} finding{'s' * (len(fix.findings) > 1)}"] if fix.findings else []
        closed += [f"{entry.replace('_', ' ')} → {_name(graph, jewel)}" for entry, jewel in fix.closes[:3]]
        closed += [f"{len(fix.closes) - 3} more ways"] if len(fix.closes) > 3 else []
        lines += [f"{fix.severity:8}  {fix.what}", f"          closes {', '.join(closed)}"]
        lines += [f'          try: penstock whatif "{fix.change}"'] if fix.change else []
    if len(fixes) > _SHOWN:
        lines.append(f"… and {len(fixes) - _SHOWN} more; all of them: penstock whatif --format json")
    return printable("\n".join(lines) + "\n")


def _fix_document(fix: Fix, graph: Graph) -> dict[str, Any]:
    return {
        "what": fix.what,
        "at": _name(graph, fix.at),
        "severity": fix.severity,
        "change": fix.change,
        "findings": list(fix.findings),
        "closes": [{"entry": entry, "jewel": _name(graph, jewel)} for entry, jewel in fix.closes],
    }


def _table(told: WhatIf, graph: Graph) -> str:
    from penstock.cli.screen import printable

    lines = [f"If {'; '.join(told.done)}:", "", told.sentence, ""]
    lines += _list("closed", [f"{f.severity:8}  {_name(graph, f.subject)}: {f.title}" for f in told.closed])
    lines += _list(
        "moved",
        [f"{was.severity} → {now.severity}  {_name(graph, now.subject)}: {now.title}" for was, now in told.moved],
    )
    lines += _list("opened", [f"{f.severity:8}  {_name(graph, f.subject)}: {f.title}" for f in told.opened])
    lines += _list("paths closed", [_path(path, graph) for path in told.paths_closed])
    lines += _list("paths that stay", [_path(path, graph) for path in told.after.paths])
    return printable("\n".join(lines).rstrip() + "\n")


def _list(title: str, rows: list[str]) -> list[str]:
    if not rows:
        return []
    more = [f"  … and {len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else []
    return [f"{title} ({len(rows)})", *(f"  {row}" for row in rows[:_SHOWN]), *more, ""]


def _path(path: AttackPath, graph: Graph) -> str:
    return f"{path.severity:8}  {path.entry.replace('_', ' ')}: {' → '.join(_name(graph, s.asset) for s in path.hops)}"


def _name(graph: Graph, id: str) -> str:
    asset = graph.assets.get(id)
    return asset.name if asset else id


def _document(told: WhatIf, graph: Graph) -> dict[str, Any]:
    def finding(one: Any) -> dict[str, Any]:
        subject = _name(graph, one.subject)
        return {"id": one.id, "rule": one.rule, "subject": subject, "severity": one.severity, "score": one.score}

    def path(one: AttackPath) -> dict[str, Any]:
        hops = [_name(graph, step.asset) for step in one.hops]
        return {"entry": one.entry, "severity": one.severity, "hops": hops}

    return {
        "if": list(told.done),
        "summary": told.sentence,
        "findings": {"before": len(told.before.findings), "after": len(told.after.findings)},
        "paths": {"before": len(told.before.paths), "after": len(told.after.paths)},
        "closed": [finding(one) for one in told.closed],
        "opened": [finding(one) for one in told.opened],
        "moved": [{"before": finding(was), "after": finding(now)} for was, now in told.moved],
        "paths_closed": [path(one) for one in told.paths_closed],
        "paths_opened": [path(one) for one in told.paths_opened],
    }
