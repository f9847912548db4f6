"""``penstock explain``."""

from __future__ import annotations

import difflib
import sys

import click

from penstock.cli.screen import as_page, as_table
from penstock.errors import WrongUse


@click.command("explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain a rule: what it finds, why it matters, what to do. Without CODE: list all rules."""
    from penstock.assess.pages import page
    from penstock.assess.rules import load_rules

    rules = {rule.id.upper(): rule for rule in load_rules()}
    if code is None:
        rows = [(rule.id, rule.row.severity or "asks", rule.row.title) for rule in rules.values()]
        click.echo(as_table(("rule", "severity", "title"), rows), nl=False)
        return
    by_name = {rule.name.upper(): rule for rule in rules.values()}
    wanted = rules.get(code.upper()) or by_name.get(code.upper())
    if wanted is None:
        near = [name for name in rules if name.startswith(code.upper())][:3]
        near = near or difflib.get_close_matches(code.upper(), [*rules, *by_name], 3)
        hint = f"Close: {', '.join(n.lower() if n in by_name else n for n in near)}. " if near else ""
        raise WrongUse(f"There is no rule {code}", hint=f"{hint}All of them: penstock explain")
    click.echo(as_page(page(wanted)) if sys.stdout.isatty() else page(wanted), nl=False)
