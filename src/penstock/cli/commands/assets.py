"""``penstock assets``."""

from __future__ import annotations

import difflib

import click

from penstock.cli.listing import current, show
from penstock.cli.options import format_option, state_options
from penstock.errors import WrongUse
from penstock.graph.vocabulary import KINDS


@click.command("assets")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind; repeat for several.")
@format_option("table", "json")
@state_options
def command(kinds: tuple[str, ...], format_: str, state: str | None, config: str | None) -> None:
    """List the AI inventory: what there is, whose it is, which data it touches."""
    from penstock.report import lists

    with current(state, config) as (_, report):
        show(report, format_, lambda r: lists.inventory(r, kinds=known(kinds)), ["assets", "relations"])


def known(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds, each checked; a plural or a hyphen is forgiven."""
    found = []
    for kind in kinds:
        word = kind.lower().replace("-", "_")
        word = word if word in KINDS else word.removesuffix("s")
        if word not in KINDS:
            near = difflib.get_close_matches(word, KINDS, 3)
            raise WrongUse(f"There is no kind {kind!r}", "--kind", f"Close: {', '.join(near or sorted(KINDS))}")
        found.append(word)
    return tuple(found)
