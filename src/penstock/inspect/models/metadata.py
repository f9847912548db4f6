"""What a file says about itself: no loader runs it, but viewers show it and scripts hand it on.

Credentials in it are leaks. Python that would reach a shell, commands that fetch and run, and markup with scripts have
no business there: they are for a person to look at, never by themselves a reason to block.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from penstock.inspect import commands
from penstock.inspect.models import python_code, secrets
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

#: Descriptions are shorter; what is longer is a document, and is only looked through for credentials.
_LONGEST = 20_000
_CALLS = re.compile(r"[\w\])]\s*\(")
_MARKUP = re.compile(
    r"<\s*(?:script|iframe|object|embed)\b|\bjavascript\s*:|<[a-z][^<>]{0,200}\son[a-z]{3,20}\s*=", re.I
)
_SHELL = re.compile(r"[|;&$`]|\b(?:curl|wget|bash|sh|nc|powershell)\b")


def find(piece: Piece, key: str, value: str, what: str = "the metadata") -> Iterator[Reason]:
    """Each kind of thing that does not belong into the text under a key, once."""
    yield from secrets.find(piece, f"{key}: {value}", what)
    if len(value) > _LONGEST:
        return
    named = f"{what} {key[:40]!r}" if key else what
    if _MARKUP.search(value):
        yield piece.say(Verdict.REVIEW, "metadata.markup", f"{named} holds markup that runs where it is shown")
    if _CALLS.search(value) and (does := _python(piece, value)):
        yield piece.say(Verdict.REVIEW, "metadata.code", f"{named} is Python that {does}, if anything runs it")
    elif _SHELL.search(value) and (found := commands.dangers(value)):
        yield piece.say(Verdict.REVIEW, "metadata.command", f"{named} is a command: {found[0].reason}")


def _python(piece: Piece, text: str) -> str:
    """What a text would do as Python, in words; empty when it is none or does no harm."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    worst = max(python_code.look(piece, text), key=lambda reason: reason.verdict, default=None)
    return f"does harm ({worst.what})" if worst is not None and worst.verdict >= Verdict.SUSPICIOUS else ""
