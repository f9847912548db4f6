"""The page of a rule, made from its row: ``python -m penstock.assess.pages docs/rules`` writes them all."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from penstock.assess.coverage import table
from penstock.assess.frameworks import address, titles
from penstock.assess.rules import Rule, load_rules


def page(rule: Rule) -> str:
    """The rule as Markdown: what it finds, why it matters, what to do, what it does not mean, and examples."""
    return "\n".join(_lines(rule)).rstrip() + "\n"


def index(rules: list[Rule]) -> str:
    """The list of all rules as Markdown."""
    lines = ["# Rules", "", "Made from the rule packs; the grammar is on [one page](../rules.md).", ""]
    lines += ["| id | name | what it finds | severity |", "|---|---|---|---|"]
    for rule in rules:
        severity = "question" if rule.asks else rule.row.severity
        lines.append(f"| [{rule.id}]({rule.id}.md) | {rule.name} | {rule.row.title} | {severity} |")
    return "\n".join(lines) + "\n"


def write(folder: Path) -> None:
    """Write the page of every shipped rule, their list, and the table of known risks."""
    folder.mkdir(parents=True, exist_ok=True)
    rules = load_rules()
    for rule in rules:
        (folder / f"{rule.id}.md").write_text(page(rule), encoding="utf-8")
    (folder / "README.md").write_text(index(rules), encoding="utf-8")
    (folder / "coverage.md").write_text(table(), encoding="utf-8")


def _lines(rule: Rule) -> Iterator[str]:
    row = rule.row
    yield f"# {row.id} · {row.title}"
    yield ""
    if rule.asks:
        yield f"`{row.name}` · asks a person: {_words(row.ask)}."
    else:
        fixed = "stays there" if row.fixed else f"moves with impact and likelihood up to {rule.at_most}"
        yield f"`{row.name}` · starts at **{row.severity}** and {fixed}."
        yield ""
        yield f"{_words(row.explain)}."
        yield ""
        yield f"**Why it matters.** {row.why}"
        yield ""
        yield f"**What to do.** {_words(row.fix)}."
        yield ""
        yield f"**What it does not mean.** {row.does_not_mean}"
    yield ""
    yield "## When"
    yield "```yaml"
    yield from (f"match: {chain.text}" for chain in rule.chains)
    for name, text in (("when", row.when), ("unless", row.unless)):
        if text:
            yield f"{name}: {text}"
    yield from (f"absent: {chain.text}" for chain in rule.absent)
    for name, shifts in (("raise", row.raises), ("lower", row.lower)):
        yield from (f"{name}: {shift.when}  # {shift.why}" for shift in shifts)
    yield "```"
    if row.absent:
        yield "Absence is read only where a scan saw every such relation; elsewhere a question is asked."
        yield ""
    if row.tags:
        yield "## Frameworks"
        for tag in row.tags:
            yield from (_tag(edition, id, tag["why"]) for edition, id in tag.items() if edition != "why")
        yield ""
    yield "## Examples"
    for title, examples in (("Fires" if not rule.asks else "Asks", row.fires), ("Stays silent", row.silent)):
        yield f"{title}:"
        yield "```text"
        yield from (_example(example) for example in examples)
        yield "```"


def _tag(edition: str, id: str, why: str) -> str:
    name = f"{edition}:{id}"
    return f"- [{name}]({address(name)}) {titles()[name]}: {why}"


def _words(text: str) -> str:
    """A template as a reader wants it: ``{agent}`` as *agent*, ``{store.labels}`` as *labels of store*."""

    def word(found: re.Match[str]) -> str:
        name, _, field = found[1].partition(".")
        return f"*{field} of {name}*" if field else f"*{name}*"

    return re.sub(r"\{([^{}]*)\}", word, text).rstrip(".")


def _example(example: Any) -> str:
    if isinstance(example, Mapping):
        rest = {name: value for name, value in example.items() if name != "world"}
        return f"{_example(example.get('world', ''))}   # {json.dumps(rest, sort_keys=True)}"
    return example if isinstance(example, str) else "   and   ".join(map(str, example))


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/rules"))
