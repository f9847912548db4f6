"""What an expression may be, and the strings it may hold: values that carry the steps that led to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

#: Answers for one expression.
MAX_TARGETS = 64
#: Steps of a chain that are kept.
_MAX_STEPS = 12


class Target(NamedTuple):
    """Something an expression may be.

    kind: value (a literal), function, class, instance (of a class of the source), external (of a package), module, env.
    ref: the row in ``path``: an expression, or a scope for functions and classes. For an external value it is the call
        that made it (-1: none).
    symbol: of an external thing its dotted name, calls as ``()``: ``openai.OpenAI().chat``; of env its name.
    """

    kind: str
    path: str
    ref: int
    symbol: str = ""
    chain: tuple[str, ...] = ()
    scope: int = -1
    frames: Frames = ()


class Frame(NamedTuple):
    """A call that is being looked into: whose parameters are bound by which call."""

    path: str
    scope: int
    call_path: str
    call: int
    outer: Frames


Frames = tuple[Frame, ...]


class Text(NamedTuple):
    """A string an expression may hold. ``value`` is None when a part is unknown or it is too long to be kept."""

    value: str | None
    path: str
    line: int
    chain: tuple[str, ...]
    env: str = ""
    length: int = 0
    sha: str = ""
    head: str = ""


def variable(name: str, chain: tuple[str, ...]) -> Target:
    """What the environment holds under a name."""
    return Target("env", "", -1, name, chain)


def stepped(targets: Iterable[Target], step: str) -> Iterator[Target]:
    """The targets, reached by one more step."""
    for target in targets:
        yield target._replace(chain=(step, *target.chain)[:_MAX_STEPS])


def distinct(targets: Iterator[Target]) -> list[Target]:
    """Each target once, by its first chain, within the bound."""
    found: dict[tuple[Any, ...], Target] = {}
    for target in targets:
        key = (target.kind, target.path, target.ref, target.symbol, target.scope, target.frames)
        if key not in found:
            found[key] = target
            if len(found) >= MAX_TARGETS:
                break
    return list(found.values())
