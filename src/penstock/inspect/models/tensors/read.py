"""The tensors of a file, by its content: PyTorch's zip, its older stream, safetensors, NumPy's array or arrays."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from penstock.errors import NotReachable, NotUnderstood
from penstock.inspect.models.tensors import tree
from penstock.inspect.models.tensors.checkpoint import tensors
from penstock.inspect.models.tensors.tensor import SIZES, Storage, Tensor, Tensors, row_major

#: The pickle of a checkpoint; its numbers lie elsewhere.
_MOST_PICKLE = 512 << 20
_MOST_HEADER = 100_000_000
#: A compressed member is unpacked in memory, up to this size.
_MOST_UNPACKED = 4 << 30
#: Tensors may share a storage and are written apart; a file that grows beyond this many times itself is a bomb.
_GROWS = 16
_LOCAL = 30
#: The first value of PyTorch's older stream.
_MAGIC = 0x1950A86A20F9469CFC6C
_NUMPY = {
    "b1": "BOOL", "u1": "U8", "i1": "I8", "i2": "I16", "u2": "U16", "f2": "F16", "i4": "I32", "u4": "U32", "f4": "F32",
    "i8": "I64", "u8": "U64", "f8": "F64", "c8": "C64",
}  # fmt: skip


@contextmanager
def read(path: Path, key: str = "") -> Iterator[Tensors]:
    """The tensors of a file, readable while the context lasts.

    Raises:
        NotReachable: it cannot be opened.
        NotUnderstood: it is none of the formats, is damaged, or holds no tensor under this key.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise NotReachable(f"The file cannot be read: {(error.strerror or str(error)).lower()}", str(path)) from error
    with file:
        start = file.read(6)
        file.seek(0)
        try:
            if start.startswith(b"PK"):
                with zipfile.ZipFile(file) as archive:
                    yield _bounded(_zipped(file, archive, key), file)
            elif start == b"\x93NUMPY":
                yield Tensors({"array": _array("array", file, _size(file))})
            elif start[:1] == b"\x80":
                yield _bounded(_older(file, key), file)
            else:
                yield _safetensors(file)
        except zipfile.BadZipFile as error:
            raise NotUnderstood(f"The archive is damaged: {error}", str(path)) from error


def _bounded(found: Tensors, file: IO[bytes]) -> Tensors:
    written = sum(tensor.size for tensor in found.tensors.values())
    if written > _GROWS * _size(file) + _MOST_PICKLE:
        raise NotUnderstood(
            f"Its tensors would be {written >> 20:,} MB, more than {_GROWS} times the file", None, "It may be a bomb"
        )
    return found


def _zipped(file: IO[bytes], archive: zipfile.ZipFile, key: str) -> Tensors:
    pickles = [info for info in archive.infolist() if info.filename.rpartition("/")[2] == "data.pkl"]
    if not pickles:
        return _arrays(archive)
    prefix = pickles[0].filename.removesuffix("data.pkl")
    order = next((info for info in archive.infolist() if info.filename == f"{prefix}byteorder"), None)
    if order is not None and archive.read(order)[:8].strip() == b"big":
        raise NotUnderstood("The numbers are in big-endian order, which is not converted yet")
    if pickles[0].file_size > _MOST_PICKLE:
        raise NotUnderstood(f"The pickle has more than {_MOST_PICKLE >> 20} MB", pickles[0].filename)
    with archive.open(pickles[0]) as stream:
        value = tree.read(io.BytesIO(stream.read(_MOST_PICKLE)))
    members = {info.filename: info for info in archive.infolist()}

    def find(name: str) -> Storage:
        info = members.get(f"{prefix}data/{name}")
        if info is None:
            raise NotUnderstood("A tensor's numbers are not in the file", f"{prefix}data/{name}")
        return _member(file, archive, info)

    return tensors(value, find, key)


def _member(file: IO[bytes], archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Storage:
    """The bytes of a member: in place where it is stored as it is, which PyTorch does."""
    if info.compress_type != zipfile.ZIP_STORED:
        if info.file_size > _MOST_UNPACKED:
            raise NotUnderstood(f"It unpacks to more than {_MOST_UNPACKED >> 30} GB", info.filename)
        with archive.open(info) as stream:
            data = stream.read(_MOST_UNPACKED)
        return (lambda at, count: data[at : at + count]), len(data)
    file.seek(info.header_offset)
    header = file.read(_LOCAL)
    begin = (
        info.header_offset + _LOCAL + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    )
    return _stretch(file, begin, min(info.file_size, max(0, _size(file) - begin)))


def _stretch(file: IO[bytes], begin: int, size: int) -> Storage:
    def read(at: int, count: int) -> bytes:
        file.seek(begin + at)
        return file.read(max(0, min(count, size - at)))

    return read, size


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _older(file: IO[bytes], key: str) -> Tensors:
    """Magic, protocol, system, the tree; then the keys of the storages, and each storage behind its length."""
    if tree.read(file) != _MAGIC:
        raise _none()
    tree.read(file)
    tree.read(file)
    value = tree.read(file)
    keys = tree.read(file)
    if not isinstance(keys, list):
        raise NotUnderstood("The list of storages is not one")
    widths: dict[str, int] = {}
    _widths(value, widths)
    places: dict[str, Storage] = {}
    at = file.tell()
    for each in keys:
        file.seek(at)
        count = int.from_bytes(file.read(8), "little")
        size = count * widths.get(str(each), 1)
        if size > _size(file) - at - 8:
            raise NotUnderstood("A storage reaches beyond the end of the file", str(each)[:40])
        places[str(each)] = _stretch(file, at + 8, size)
        at += 8 + size

    def find(name: str) -> Storage:
        if name not in places:
            raise NotUnderstood("A tensor's numbers are not in the file", name[:40])
        return places[name]

    return tensors(value, find, key)


#: Bytes of a number in each of PyTorch's storages.
_WIDTHS = {
    "DoubleStorage": 8, "LongStorage": 8, "ComplexFloatStorage": 8, "FloatStorage": 4, "IntStorage": 4,
    "HalfStorage": 2, "BFloat16Storage": 2, "ShortStorage": 2, "ComplexDoubleStorage": 16,
}  # fmt: skip


def _widths(value: object, widths: dict[str, int]) -> None:
    """Bytes of a number by storage, from every id in the tree."""
    waiting, seen = [value], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, tree.Kept):
            if isinstance(each.id, tuple) and len(each.id) > 2 and isinstance(each.id[1], tree.Name):
                widths[str(each.id[2])] = _WIDTHS.get(each.id[1].name, 1)
        elif isinstance(each, tree.Made):
            waiting += [*each.arguments, each.state, *each.items.values(), *each.members]
        elif isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list | tuple):
            waiting += each


def _safetensors(file: IO[bytes]) -> Tensors:
    length = int.from_bytes(file.read(8), "little")
    try:
        if length > min(_MOST_HEADER, _size(file) - 8):
            raise ValueError
        header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        made = {
            name: _placed(file, name, about["dtype"], about["shape"], 8 + length, *about["data_offsets"])
            for name, about in header.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _none() from None
    return Tensors(made)


def _placed(file: IO[bytes], name: str, kind: str, shape: list[int], data: int, begin: int, end: int) -> Tensor:
    if not 0 <= begin <= end <= _size(file) - data:
        raise NotUnderstood("A tensor lies outside of the file", name[:80])
    if kind not in SIZES:
        raise NotUnderstood(f"A tensor is of {str(kind)[:20]}, which is not known here", name[:80])
    sides = tuple(int(side) for side in shape)
    return Tensor(name, kind, sides, row_major(sides), 0, _stretch(file, data + begin, end - begin)).check()


def _none() -> NotUnderstood:
    return NotUnderstood(
        "The format is none that tensors are taken from",
        None,
        "PyTorch checkpoints, safetensors, .npy and .npz are understood",
    )


def _arrays(archive: zipfile.ZipFile) -> Tensors:
    made: dict[str, Tensor] = {}
    left_out = []
    for info in archive.infolist():
        if not info.filename.endswith(".npy"):
            left_out.append(info.filename)
            continue
        if info.file_size > _MOST_UNPACKED:
            raise NotUnderstood(f"It unpacks to more than {_MOST_UNPACKED >> 30} GB", info.filename)
        name = info.filename.removesuffix(".npy")
        made[name] = _array(name, io.BytesIO(archive.read(info)), info.file_size)
    if not made:
        raise NotUnderstood(
            "There is no tensor in the archive", None, "PyTorch checkpoints, .npy and .npz are understood"
        )
    return Tensors(made, tuple(left_out))


def _array(name: str, file: IO[bytes], size: int) -> Tensor:
    try:
        version = np.lib.format.read_magic(file)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, kind = reader(file)
    except ValueError as error:
        raise NotUnderstood(f"The array's header is damaged: {error}", name) from error
    known = _NUMPY.get(kind.str[1:]) if kind.byteorder != ">" else None
    if known is None:
        raise NotUnderstood(f"The array is of {kind}, which safetensors has no form for", name)
    strides = tuple(reversed(row_major(tuple(reversed(shape))))) if by_columns else row_major(shape)
    begin = file.tell()
    return Tensor(name, known, tuple(shape), strides, 0, _stretch(file, begin, size - begin)).check()
