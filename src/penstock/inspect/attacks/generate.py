"""Training texts made from patterns: attacks in many wordings, and harmless texts that use the same words.

All patterns were written for this project. ``{name}`` stands for any line of the list of that name, and ``{a|b}`` for
one of its parts. The same seed gives the same texts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from penstock.inspect.attacks.training import Example

_PATTERNS = Path(__file__).parent / "patterns.yaml"
_SLOT = re.compile(r"\{([^{}]*)\}")
#: Texts that are made of each list: its lines are few, its wordings many.
_EACH = 700


def examples(carriers: Sequence[str], seed: int = 7) -> list[Example]:
    """Texts of every list; those of some lists also inside carriers, as mails, pages and code hold them."""
    patterns, chance = _patterns(), random.Random(seed)  # noqa: S311 - not for secrets
    made: list[Example] = []
    for kind in ("attack", "benign"):
        for name, lines in patterns[kind].items():
            count = min(_EACH, 60 * len(lines))
            texts = dict.fromkeys(write(chance.choice(lines), patterns["parts"], chance) for _ in range(count))
            made += [Example(text, kind == "attack", f"made:{name}") for text in texts]
            if name in patterns["planted"]:
                made += [
                    Example(planted(text, chance.choice(carriers), chance), kind == "attack", f"planted:{name}")
                    for text in list(texts)[: _EACH // 2]
                ]
    return made


def write(pattern: str, parts: Mapping[str, Sequence[str]], chance: random.Random) -> str:
    """A pattern with its slots filled, in one of several manners of typing."""
    for _ in range(12):
        if not _SLOT.search(pattern):
            break
        pattern = _SLOT.sub(lambda slot: _fill(slot[1], parts, chance), pattern)
    text = " ".join(pattern.split(" ")).strip()
    manner = chance.random()
    if manner < 0.12:
        return text.lower()
    if manner < 0.16:
        return text.upper()
    return text[:1].upper() + text[1:]


def planted(text: str, carrier: str, chance: random.Random) -> str:
    """The text put between lines or sentences of a carrier, as comments, notes and values of fields are."""
    carrier = carrier[: chance.randint(200, 1500)]
    gaps = [found.end() for found in re.finditer(r"\n|[.?!] ", carrier)] or [len(carrier)]
    at = chance.choice(gaps)
    before, after = chance.choice(
        (("\n\n", "\n\n"), (" ", " "), ("<!-- ", " -->"), ("\n# ", "\n"), ("\n", "\n"), ("", "\n"))
    )
    return f"{carrier[:at]}{before}{text}{after}{carrier[at:]}"


_AROUND = (("\n\n", "\n\n"), (" ", " "), ("<!-- ", " -->"), ("\n# ", "\n"), ("\n", "\n"), ("", "\n"))


def _fill(slot: str, parts: Mapping[str, Sequence[str]], chance: random.Random) -> str:
    return str(chance.choice(parts[slot] if slot in parts else slot.split("|")))


@cache
def _patterns() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(_PATTERNS.read_text(encoding="utf-8"))
    return read
