"""Rules that users write: read from a file of theirs and tried on their own examples, with a budget for each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from penstock.assess.examples import fires
from penstock.assess.rules import Row, compiled, problems
from penstock.errors import NotUnderstood, PenstockError

#: Largest file, in bytes (the longest shipped pack has 60 kB), and most CPU seconds that one example may take.
MAX_BYTES, SECONDS = 2_000_000, 5.0


@dataclass(frozen=True, slots=True)
class Tried:
    """An example and how it went: ``why`` is empty when the rule did as it should."""

    example: Any
    why: str = ""


def read_rules(file: Path) -> Iterator[tuple[Row, list[str]]]:
    """Each rule of a file, a list of rows or ``rows: […]``, with what is wrong with it.

    Raises:
        NotUnderstood: the file is no YAML of that form, or a row has a field that no rule has.
    """
    if file.stat().st_size > MAX_BYTES:
        raise NotUnderstood("The file is too large for rules", str(file), f"At most {MAX_BYTES:,} bytes")
    try:
        said = yaml.load(file.read_text(encoding="utf-8"), Loader=_NoAliases)  # noqa: S506 - a SafeLoader
        rows = said.get("rows") if isinstance(said, dict) else said
        read = msgspec.convert(rows, list[Row])
    except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood(
            "The file does not read as rules", f"{file}: {error}", "The grammar: docs/rules.md"
        ) from error
    for row in read:
        yield row, list(problems(row))


class _NoAliases(yaml.SafeLoader):
    """YAML without anchors: a few lines of them can stand for a million rows."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed in rules")
        return super().compose_node(parent, index)


def examples_of(row: Row) -> Iterator[Tried]:
    """Every example of a rule, tried."""
    rule = compiled(row)
    for wanted, examples in ((True, row.fires), (False, row.silent)):
        for example in examples:
            start = time.process_time()
            try:
                fired = fires(rule, example)
            except PenstockError as error:
                yield Tried(example, f"{row.id}: {error.message}: {example}")
                continue
            if time.process_time() - start > SECONDS:
                yield Tried(example, f"{row.id} takes more than {SECONDS:.0f} CPU seconds on {example}")
            elif fired != wanted:
                yield Tried(example, f"{'stays silent on' if wanted else 'fires on'} {example}")
            else:
                yield Tried(example)
    for name, examples in (("fires", row.fires), ("silent", row.silent)):
        if not examples:
            yield Tried(None, f"{row.id} has no example under {name}")
