"""What a Parquet file says about itself at its end: the columns and the number of rows. Thrift's compact protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

#: A footer of 10,000 columns in 1,000 row groups has 500 MB; what is read here is enough for the schema of most.
_LARGEST = 64 * 1024 * 1024
#: Values read and depth of structs within structs; a footer of 10,000 columns in one row group has 400,000.
_VALUES, _DEPTH = 5_000_000, 24


@dataclass(frozen=True, slots=True)
class Footer:
    """columns: names of the leaves, dotted; rows: in all row groups."""

    columns: tuple[str, ...]
    rows: int


def read_footer(content: BinaryIO, size: int) -> Footer:
    """The footer of a Parquet file.

    Raises:
        ValueError: the file is cut off, encrypted, or not Parquet.
    """
    if size < 12:
        raise ValueError("it is too short")
    content.seek(size - 8)
    tail = content.read(8)
    if tail[4:] == b"PARE":
        raise ValueError("its footer is encrypted")
    if tail[4:] != b"PAR1":
        raise ValueError("its end is missing: it was cut off or is still being written")
    length = int.from_bytes(tail[:4], "little")
    if not 0 < length <= min(size - 12, _LARGEST):
        raise ValueError(f"its footer of {length:,} bytes does not fit")
    content.seek(size - 8 - length)
    try:
        about = _Compact(content.read(length)).struct()
        rows = int(about[3])
        columns = tuple(_leaves([element for element in about[2] if isinstance(element, dict)]))
    except (IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("its footer does not read") from error
    if rows < 0:
        raise ValueError("its footer counts fewer than no rows")
    return Footer(columns, rows)


def _leaves(elements: list[dict[int, Any]]) -> list[str]:
    """Names of the leaves of a schema, which is written parent first with the number of children (field 5)."""
    names: list[str] = []
    open_: list[tuple[str, int]] = [("", int(elements[0].get(5, 0)))]
    for element in elements[1:]:
        while open_ and open_[-1][1] == 0:
            open_.pop()
        if not open_:
            break
        prefix, left = open_[-1]
        open_[-1] = (prefix, left - 1)
        name = prefix + bytes(element[4]).decode("utf-8", "replace")
        if children := int(element.get(5, 0)):
            open_.append((f"{name}.", children))
        else:
            names.append(name)
    return names


class _Compact:
    """A reader of Thrift's compact protocol: structs as dicts by field number, lists, whole numbers, bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.left = _VALUES

    def struct(self, depth: int = 0) -> dict[int, Any]:
        fields: dict[int, Any] = {}
        number = 0
        while True:
            head = self.byte()
            if head == 0:
                return fields
            number = number + (head >> 4) if head >> 4 else self.zigzag()
            fields[number] = self.value(head & 15, depth)

    def value(self, kind: int, depth: int) -> Any:
        self.left -= 1
        if depth > _DEPTH or self.left < 0:
            raise ValueError("too much within")
        match kind:
            case 1 | 2:
                return kind == 1
            case 3:
                return self.byte()
            case 4 | 5 | 6:
                return self.zigzag()
            case 7:
                return self.bytes(8)
            case 8:
                return self.bytes(self.varint())
            case 9 | 10:
                head = self.byte()
                count = head >> 4 if head >> 4 != 15 else self.varint()
                inner = head & 15
                # the elements of a list of flags are bytes; as fields their kind is the value
                return [
                    self.byte() if inner in (1, 2) else self.value(inner, depth + 1) for _ in range(self.fits(count))
                ]
            case 11:
                count = self.fits(self.varint())
                kinds = self.byte() if count else 0
                return [(self.value(kinds >> 4, depth + 1), self.value(kinds & 15, depth + 1)) for _ in range(count)]
            case 12:
                return self.struct(depth + 1)
        raise ValueError(f"there is no kind {kind}")

    def fits(self, count: int) -> int:
        """A count of elements, each of which takes a byte at least."""
        if count > len(self.data) - self.at:
            raise ValueError("a list is longer than its file")
        return count

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def bytes(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise ValueError("a text is longer than its file")
        self.at += count
        return self.data[self.at - count : self.at]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ValueError("a number does not end")

    def zigzag(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)
