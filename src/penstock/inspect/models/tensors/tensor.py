"""One tensor in a file: what it is, and where its numbers lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from penstock.errors import NotUnderstood

#: Bytes that are handed on at once.
PART = 1 << 22
#: A tensor whose numbers do not lie in a row is put in order in memory, up to this size.
MOST_GATHERED = 8 << 30

#: Bytes of each kind of number, by safetensors' name of it.
SIZES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4,
    "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8, "C64": 8,
}  # fmt: skip

#: ``read(at, count)`` of the bytes of a storage, and their number.
Storage = tuple[Callable[[int, int], bytes], int]


@dataclass(frozen=True, slots=True)
class Tensor:
    """shape and strides in elements, as PyTorch has them; offset: the first element in its storage."""

    name: str
    kind: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    storage: Storage

    @property
    def size(self) -> int:
        """Bytes of the numbers alone."""
        return elements(self.shape) * SIZES[self.kind]

    def check(self) -> Tensor:
        """Raises:
        NotUnderstood: it would reach outside of its storage.
        """
        whole = all(side >= 0 for side in self.shape) and all(step >= 0 for step in self.strides) and self.offset >= 0
        last = self.offset + sum(
            (side - 1) * step for side, step in zip(self.shape, self.strides, strict=True) if side > 0
        )
        if not whole or (elements(self.shape) and (last + 1) * SIZES[self.kind] > self.storage[1]):
            raise NotUnderstood(
                f"The tensor {self.name[:80]!r} reaches outside of its storage", None, "The file is damaged or forged"
            )
        return self

    def parts(self) -> Iterator[bytes]:
        """The numbers in row-major order, in pieces."""
        width, read = SIZES[self.kind], self.storage[0]
        if self.strides == row_major(self.shape):
            at, left = self.offset * width, self.size
            while left:
                data = read(at, min(PART, left))
                if not data:
                    raise NotUnderstood(f"The file ends within the tensor {self.name[:80]!r}")
                yield data
                at, left = at + len(data), left - len(data)
            return
        if not self.size:
            return
        if max(self.size, self.storage[1]) > MOST_GATHERED:
            raise NotUnderstood(
                f"The tensor {self.name[:80]!r} does not lie in a row and has more than {MOST_GATHERED >> 30} GB"
            )
        numbers = np.frombuffer(read(0, self.storage[1]), dtype=f"V{width}", count=self.storage[1] // width)
        view = np.lib.stride_tricks.as_strided(
            numbers[self.offset :], self.shape, tuple(step * width for step in self.strides), writeable=False
        )
        yield np.ascontiguousarray(view).tobytes()


@dataclass(frozen=True, slots=True)
class Tensors:
    """tensors by name; left_out: what else stood beside them, in words."""

    tensors: dict[str, Tensor]
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def elements(shape: tuple[int, ...]) -> int:
    """How many numbers a shape holds."""
    count = 1
    for side in shape:
        count *= side
    return count


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides, in elements, of numbers that lie row after row."""
    strides, step = [], 1
    for side in reversed(shape):
        strides.append(step)
        step *= max(side, 1)
    return tuple(reversed(strides))
