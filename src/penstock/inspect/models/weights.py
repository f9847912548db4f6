"""What samples of the numbers themselves look like: told as notes, never as a verdict.

Cheap and honest: NaN and infinities, and readable words or the start of a program where the last bits of numbers lie,
which is where hidden data goes. Statistics that would have to guess (layers with odd spectra, "poisoned" neurons) are
left to tools that can run a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from penstock.errors import NotUnderstood
from penstock.inspect.models.tensors.tensor import SIZES, Tensor, Tensors

#: Bytes of one tensor, and of all, that are looked at.
_EACH, _ALL = 1 << 18, 64 << 20
#: Printable characters in a row: by chance once in 10^10 places.
_WORDS = re.compile(rb"[\x20-\x7e\n\t]{24,}")
_STARTS = {
    b"\x7fELF": "a program", b"MZ\x90\x00": "a program", b"PK\x03\x04": "an archive", b"\x1f\x8b\x08": "an archive",
    b"\x80\x04\x95": "a pickle", b"#!/": "a script", b"7z\xbc\xaf": "an archive",
}  # fmt: skip
_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
#: Notes told of one file.
_TOLD = 20


def notes(of: Tensors) -> list[str]:
    """What stands out, a line each."""
    told: list[str] = []
    left = _ALL
    for name, tensor in of.tensors.items():
        if left <= 0:
            told.append(f"samples of {_ALL >> 20} MB were looked at; later tensors were not")
            break
        data = _sample(tensor)
        left -= len(data)
        told += [f"{name[:80]}: {note}" for note in _of(tensor.kind, data)]
        if len(told) > _TOLD:
            return [*told[:_TOLD], "and more"]
    return told


def _sample(tensor: Tensor) -> bytes:
    """The first numbers; hidden data has to begin where its finder begins."""
    try:
        return next(tensor.parts(), b"")[:_EACH]
    except NotUnderstood:
        return b""


def _of(kind: str, data: bytes) -> Iterator[str]:
    width = SIZES[kind]
    data = data[: len(data) // width * width]
    if not data:
        return
    if kind in _FLOATS or kind == "BF16":
        odd = int(np.count_nonzero(~np.isfinite(_floats(kind, data))))
        if odd:
            yield f"{odd:,} of {len(data) // width:,} sampled numbers are NaN or infinite"
    if found := _hidden(data):
        yield f"its bytes hold {found}"
        return
    if width > 1 and kind not in ("I64", "U64", "I32", "U32"):  # small whole numbers have readable last bytes
        lowest = np.frombuffer(data, np.uint8).reshape(-1, width)[:, 0]
        bits = lowest & 1
        for order in ("big", "little"):
            if found := _hidden(np.packbits(bits, bitorder=order).tobytes()):
                yield f"the last bits of its numbers hold {found}"
                return
        if found := _hidden(lowest.tobytes()):
            yield f"the last bytes of its numbers hold {found}"


def _floats(kind: str, data: bytes) -> NDArray[np.floating]:
    if kind == "BF16":  # the upper half of a float32
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
    return np.frombuffer(data, _FLOATS[kind])


def _hidden(data: bytes) -> str:
    """What bytes that should be noise begin with or hold, in words."""
    for start, what in _STARTS.items():
        if data.startswith(start):
            return f"what begins like {what}"
    found = _WORDS.search(data)
    return "readable text" if found and len(set(found[0])) > 6 else ""
