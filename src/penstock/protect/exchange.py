"""One call as everyone behind the surface sees it: who speaks, what is said, and where it stands in the bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a body, with its place in the bytes.

    role: who says it (system, user, assistant, tool, …; empty for what nobody says, such as a parameter).
    channel: content | tool_call | tool_definition | other.
    start, end: the JSON string in the body, quotes included; replacing these bytes replaces the text, nothing else.
    """

    role: str
    channel: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is asked, without a protocol. ``tools`` are the names of tools the model is offered."""

    surface: str
    model: str
    stream: bool
    parts: tuple[Part, ...]
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. ``probabilities``: it holds token probabilities, which repeat the text token by token."""

    parts: tuple[Part, ...]
    probabilities: bool = False
