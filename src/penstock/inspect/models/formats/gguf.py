"""GGUF: key-values and tensor descriptions are read to their end, weights never; chat templates are judged."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from math import prod
from typing import Any

from penstock.inspect.models import metadata, template
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

_WIDTH = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_FORM = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_MOST_KEYS, _MOST_TENSORS, _WINDOW = 100_000, 200_000, 1 << 18
#: Bytes and values of a block of each tensor type, by its number in ggml.
_BLOCKS = {
    0: (4, 1), 1: (2, 1), 2: (18, 32), 3: (20, 32), 6: (22, 32), 7: (24, 32), 8: (34, 32), 9: (36, 32), 10: (84, 256),
    11: (110, 256), 12: (144, 256), 13: (176, 256), 14: (210, 256), 15: (292, 256), 24: (1, 1), 25: (2, 1), 26: (4, 1),
    27: (8, 1), 28: (8, 1), 30: (2, 1),
}  # fmt: skip
_FACTS = {
    "general.architecture": "architecture", "general.name": "name", "general.license": "licence",
    "general.base_model.0.repo_url": "base", "tokenizer.ggml.model": "tokenizer",
}  # fmt: skip
#: ``general.file_type`` in words (llama.cpp's ``llama_ftype``).
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
    21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0",
}  # fmt: skip


class _Cut(Exception):
    pass


class _Reader:
    """Values in order; strings of absurd length end it."""

    def __init__(self, piece: Piece, order: str) -> None:
        self.piece = piece
        self.source = piece.source
        self.order = order
        self.at = 4
        self._base, self._window = 0, b""

    def take(self, count: int) -> bytes:
        if count > self.source.size - self.at:
            raise _Cut(f"asks for {count} bytes at {self.at} where {self.source.size - self.at} are left")
        offset = self.at - self._base
        if offset < 0 or offset + count > len(self._window):
            self._base, self._window = self.at, self.source.read(self.at, max(count, _WINDOW))
            offset = 0
        self.at += count
        return self._window[offset : offset + count]

    def number(self, form: str) -> Any:
        return struct.unpack(self.order + form, self.take(struct.calcsize(form)))[0]

    def text(self, most: int = 1 << 20) -> str:
        length = self.number("Q")
        if length > most:
            raise _Cut(f"has a text of {length} bytes at {self.at}")
        return self.take(length).decode("utf-8", "replace")

    def value(self, kind: int, depth: int = 0) -> Any:
        if kind == 8:
            return self.text(8 << 20)
        if kind == 9:
            inner, count = self.number("I"), self.number("Q")
            if depth > 4 or count > 1 << 28:
                raise _Cut(f"has a list of {count} at {self.at}")
            if inner in _WIDTH:
                self._skip(_WIDTH[inner] * count)
                return f"{count} values"
            for index in range(count):
                if not index & 4095:
                    self.piece.budget.check()
                if inner == 8:
                    self._skip(self.number("Q"))
                else:
                    self.value(inner, depth + 1)
            return f"{count} values"
        if kind not in _FORM:
            raise _Cut(f"has a value of unknown kind {kind} at {self.at}")
        return self.number(_FORM[kind])

    def _skip(self, count: int) -> None:
        if count > self.source.size - self.at:
            raise _Cut(f"asks for {count} bytes at {self.at} where {self.source.size - self.at} are left")
        self.at += count


def look(piece: Piece) -> Iterator[Reason]:
    """Read the header; judge templates, metadata and the places of tensors."""
    mark = piece.source.read(0, 8)
    if mark[:4] not in (b"GGUF", b"FUGG"):
        piece.report.notes.append(
            f"{piece.where}: an early GGML file: hyperparameters, vocabulary and numbers without code"
        )
        return
    order = ">" if mark[:4] == b"FUGG" or mark[4:8] in (b"\0\0\0\2", b"\0\0\0\3") else "<"
    reader = _Reader(piece, order)
    try:
        yield from _content(piece, reader)
    except _Cut as error:
        yield piece.say(Verdict.SUSPICIOUS, "gguf.header", f"the header {error}", reader.at)


def _content(piece: Piece, reader: _Reader) -> Iterator[Reason]:
    version = reader.number("I")
    if version not in (2, 3):
        yield piece.say(Verdict.INCONCLUSIVE, "gguf.version", f"is of version {version}, which is not read here", 4)
        return
    tensors, keys = reader.number("Q"), reader.number("Q")
    if keys > _MOST_KEYS or tensors > _MOST_TENSORS:
        yield piece.say(
            Verdict.SUSPICIOUS, "gguf.header", f"the header says it has {tensors} tensors and {keys} keys", 8
        )
        return
    seen: set[str] = set()
    for _ in range(keys):
        key = reader.text(1 << 16)
        value = reader.value(reader.number("I"))
        if key in seen:
            yield piece.say(
                Verdict.SUSPICIOUS,
                "gguf.twice",
                f"the key {key[:60]!r} stands twice: readers differ in which they take",
                reader.at,
            )
        seen.add(key)
        if key in _FACTS:
            piece.report.facts.setdefault(_FACTS[key], str(value)[:200])
        elif key == "general.file_type":
            known = _FILE_TYPES.get(value) if isinstance(value, int) else None
            how = "dtype" if known in ("F32", "F16", "BF16") else "quantisation"
            piece.report.facts.setdefault(how, known or f"type {str(value)[:20]}")
        if (isinstance(value, str) and "chat_template" in key) or (
            isinstance(value, str) and ("{%" in value or "{{" in value)
        ):
            yield from template.look(piece, value, f"the template {key[:60]}")
        if isinstance(value, str):
            yield from metadata.find(piece, key, value)
    yield from _tensors(piece, reader, tensors)


def _tensors(piece: Piece, reader: _Reader, count: int) -> Iterator[Reason]:
    parameters, furthest = 0, 0
    names: set[str] = set()
    for index in range(count):
        if not index & 1023:
            piece.budget.check()
        name = reader.text(1 << 16)
        sides = [reader.number("Q") for _ in range(min(reader.number("I"), 9))]
        kind, offset = reader.number("I"), reader.number("Q")
        values = prod(sides)
        if len(sides) > 8 or values > 1 << 48:
            yield piece.say(
                Verdict.SUSPICIOUS, "gguf.shape", f"the tensor {name[:60]!r} says it has {values} values", reader.at
            )
            return
        if name in names:
            yield piece.say(Verdict.SUSPICIOUS, "gguf.twice", f"the tensor {name[:60]!r} stands twice", reader.at)
        names.add(name)
        parameters += values
        width, block = _BLOCKS.get(kind, (0, 1))
        furthest = max(furthest, offset + values // block * width)
    if count:
        piece.report.facts.setdefault("parameters", parameters)
        piece.report.facts.setdefault("tensors", count)
        if furthest > piece.source.size - reader.at + 64:
            verdict = Verdict.SUSPICIOUS if furthest > 1 << 46 else Verdict.INCONCLUSIVE
            yield piece.say(verdict, "gguf.range", "a tensor lies behind the end of the file", reader.at)
