"""Programs among weights: native code, scripts, and engines that are native code by design."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict


def look(piece: Piece) -> Iterator[Reason]:
    """Say what it is; native code is not judged further."""
    head = piece.source.read(0, 64)
    if head[:4] in (b"ptrt", b"ftrt"):
        yield piece.say(
            Verdict.REVIEW,
            "engine",
            "is a TensorRT engine: compiled and opaque, with whatever plug-ins it carries; build it from ONNX instead",
        )
    elif head[:2] == b"#!":
        if piece.depth or piece.ending not in (".sh", ".py", ""):
            yield piece.say(
                Verdict.SUSPICIOUS,
                "program.script",
                "is a script among weights",
                chain=head.partition(b"\n")[0].decode("latin-1"),
            )
    elif piece.name.endswith(".llamafile") or "zip" in piece.formats:
        yield piece.say(
            Verdict.REVIEW,
            "program.llamafile",
            "is a program that carries its weights; take the GGUF file and a runtime of your own instead",
        )
    elif piece.ending in (".so", ".dll", ".dylib", ".exe", ".pyd"):
        yield piece.say(Verdict.REVIEW, "program.library", "is native code beside weights")
    elif head[:2] != b"MZ" or _portable(piece):
        yield piece.say(Verdict.SUSPICIOUS, "program.native", "is native code under another name")


def _portable(piece: Piece) -> bool:
    """Whether ``MZ`` starts a program: its header points to ``PE``, or it is of those that run everywhere."""
    head = piece.source.read(0, 64)
    if head[:6] == b"MZqFpD":
        return True
    place = int.from_bytes(head[60:64], "little")
    return piece.source.read(place, 4) == b"PE\0\0"
