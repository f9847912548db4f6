"""``penstock rules``."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.errors import NotUnderstood


@click.group("rules", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List the rules, or test rules of your own. One rule in full: penstock explain RULE."""
    if ctx.invoked_subcommand is not None:
        return
    from penstock.assess.rules import load_rules
    from penstock.cli.screen import as_table

    rows = [(rule.id, rule.name, rule.row.severity or "asks", rule.row.title) for rule in load_rules()]
    click.echo(as_table(("rule", "name", "severity", "title"), rows), nl=False)


@command.command("test")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def test(file: Path) -> int:
    """Check the rules in FILE: that each reads, and that its examples fire and stay silent as it says.

    Nothing of the file is run: a rule is data, and its conditions have a budget.
    """
    from penstock.assess.own_rules import examples_of, read_rules

    failed = 0
    for row, problems in read_rules(file):
        tried = [] if problems else list(examples_of(row))
        wrong = [*problems, *(told.why for told in tried if told.why)]
        failed += bool(wrong)
        click.echo(f"{'fails' if wrong else 'holds'}  {row.id}  {row.title}  ({len(tried)} examples)")
        for why in wrong:
            click.echo(f"       {why}")
    if failed:
        raise NotUnderstood(f"{failed} rules do not hold", str(file), "The grammar: docs/rules.md")
    return 0
