"""safetensors: eight bytes of length, a JSON header, numbers.

Nothing in it runs; a header that lies is an attack on readers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import prod
from typing import Any

from penstock.inspect.models import metadata
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

#: The format's own limit of a header.
_LONGEST = 100_000_000
#: Headers are read whole up to here: a model of 100,000 tensors has 12 MB.
_READ = 16 << 20
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16,
    "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64, "F4": 4,
    "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


def look(piece: Piece) -> Iterator[Reason]:
    """Check the header and every tensor's place."""
    size = piece.source.size
    length = int.from_bytes(piece.source.read(0, 8), "little")
    if size < 10 or length > size - 8:
        verdict = Verdict.SUSPICIOUS if length > _LONGEST else Verdict.INCONCLUSIVE
        yield piece.say(
            verdict, "safetensors.header", f"the header says it has {length} bytes where {max(0, size - 8)} are left", 0
        )
        return
    if length > _LONGEST:
        yield piece.say(
            Verdict.SUSPICIOUS, "safetensors.header", f"the header has {length} bytes, more than the format allows", 0
        )
        return
    if length > _READ:
        yield piece.say(Verdict.INCONCLUSIVE, "bounds", f"the header has {length >> 20} MB and was not read", 0)
        return
    names: list[str] = []

    def pairs(listed: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in listed}) < len(listed):
            names.append("twice")
        return dict(listed)

    try:
        header = json.loads(piece.source.read(8, length), object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        yield piece.say(Verdict.SUSPICIOUS, "safetensors.header", "the header is no JSON", 8)
        return
    if not isinstance(header, dict):
        yield piece.say(Verdict.SUSPICIOUS, "safetensors.header", "the header is no JSON object", 8)
        return
    if names:
        yield piece.say(
            Verdict.SUSPICIOUS,
            "safetensors.twice",
            "the header names a tensor twice: readers differ in which they take",
            8,
        )
    said = header.pop("__metadata__", {})
    yield from _tensors(piece, header, 8 + length)
    if isinstance(said, dict):
        piece.report.facts.setdefault("metadata", {key: str(value)[:200] for key, value in list(said.items())[:50]})
        for key, value in said.items():
            if isinstance(value, str):
                yield from metadata.find(piece, key, value)
                if "{%" in value or "{{" in value:
                    from penstock.inspect.models import template

                    yield from template.look(piece, value, f"the metadata {key[:40]}")


def _tensors(piece: Piece, header: dict[str, Any], start: int) -> Iterator[Reason]:
    left = piece.source.size - start
    spans = []
    parameters = 0
    kinds: dict[str, int] = {}
    for name, about in header.items():
        place = about.get("data_offsets") if isinstance(about, dict) else None
        shape = about.get("shape") if isinstance(about, dict) else None
        if not (
            isinstance(place, list)
            and len(place) == 2
            and isinstance(shape, list)
            and all(type(n) is int for n in [*place, *shape])
        ):
            yield piece.say(
                Verdict.SUSPICIOUS, "safetensors.tensor", f"the tensor {name[:60]!r} is not described as tensors are"
            )
            return
        begin, end = place
        if begin < 0 or end < begin or end > left or any(side < 0 for side in shape):
            yield piece.say(
                Verdict.SUSPICIOUS,
                "safetensors.range",
                f"the tensor {name[:60]!r} lies at {begin}–{end} of {left} bytes",
            )
            return
        bits = _BITS.get(str(about.get("dtype")))
        if bits and prod(shape) * bits != (end - begin) * 8:
            yield piece.say(
                Verdict.SUSPICIOUS, "safetensors.size", f"the tensor {name[:60]!r} has another size than its shape"
            )
            return
        parameters += prod(shape)
        kinds[str(about.get("dtype"))] = kinds.get(str(about.get("dtype")), 0) + prod(shape)
        spans.append((begin, end))
    spans.sort()
    at = 0
    for begin, end in spans:
        if begin < at:
            yield piece.say(Verdict.SUSPICIOUS, "safetensors.overlap", "tensors lie over each other")
            return
        if begin > at:
            yield piece.say(
                Verdict.SUSPICIOUS,
                "safetensors.gap",
                f"{begin - at} bytes lie between tensors and belong to none",
                start + at,
            )
            return
        at = end
    if at < left:
        yield piece.say(
            Verdict.SUSPICIOUS, "safetensors.appended", f"{left - at} bytes lie behind the last tensor", start + at
        )
    piece.report.facts.setdefault("parameters", parameters)
    piece.report.facts.setdefault("tensors", len(header))
    if kinds:
        piece.report.facts.setdefault("dtype", max(kinds, key=lambda kind: kinds[kind]))
