"""What a checkpoint's tree of values says of its tensors: a dictionary of them, or the modules that hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import NotUnderstood
from penstock.inspect.models.tensors.tensor import Storage, Tensor, Tensors
from penstock.inspect.models.tensors.tree import Kept, Made, Name

#: Modules in modules, wrappers around a tensor.
_DEEPEST = 60
#: PyTorch's storages and dtypes, by safetensors' names.
_KINDS = {
    "FloatStorage": "F32", "DoubleStorage": "F64", "HalfStorage": "F16", "BFloat16Storage": "BF16",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8",
    "BoolStorage": "BOOL", "ComplexFloatStorage": "C64", "float32": "F32", "float": "F32", "float64": "F64",
    "double": "F64", "float16": "F16", "half": "F16", "bfloat16": "BF16", "int64": "I64", "long": "I64",
    "int32": "I32", "int": "I32", "int16": "I16", "short": "I16", "int8": "I8", "uint8": "U8", "uint16": "U16",
    "uint32": "U32", "uint64": "U64", "bool": "BOOL", "complex64": "C64", "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
}  # fmt: skip
_UTILS = "torch._utils"

#: A storage by its key.
Find = Callable[[str], Storage]


@dataclass(frozen=True, slots=True)
class _Found:
    """A tensor before it has a name."""

    kind: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    storage: Storage


def tensors(tree: Any, find: Find, key: str = "") -> Tensors:
    """The tensors of a tree by name, as ``state_dict`` would call them.

    key: the entry that holds them, dots between levels, where several do.

    Raises:
        NotUnderstood: there are none, several entries hold some, or one is of a kind that safetensors lacks.
    """
    root, where = tree, ""
    for step in filter(None, key.split(".")):
        inside = _entries(root)
        if inside is None or step not in inside:
            raise NotUnderstood(f"There is no entry {step!r}", where or None, _choices(inside or {}))
        root, where = inside[step], f"{where}.{step}".lstrip(".")
    if not key:
        root, where = _only(root, find)
    made: dict[str, Tensor] = {}
    left_out: list[str] = []
    for name, value in _walk(root, "", 0, left_out, find):
        if name in made:
            raise NotUnderstood("Two tensors have one name", name[:80])
        made[name] = Tensor(name, value.kind, value.shape, value.strides, value.offset, value.storage).check()
    if not made:
        raise NotUnderstood("There is no tensor in it", where or None)
    beside = [str(name) for name in (_entries(tree) or {}) if where and str(name) != where.split(".")[0]]
    return Tensors(made, tuple(left_out + beside), (f"taken from the entry {where}",) if where else ())


def _only(tree: Any, find: Find) -> tuple[Any, str]:
    """The part that holds tensors: the whole, or the one entry that does."""
    inside = _entries(tree)
    if inside is None or _holds(inside, find) or _is_module(tree):
        return tree, ""
    holders = {
        str(name): value
        for name, value in inside.items()
        if _is_module(value) or _holds(_entries(value) or {}, find)
    }  # fmt: skip
    if len(holders) > 1:
        raise NotUnderstood("Several entries hold tensors", ", ".join(holders), "Choose one: --key NAME")
    if holders:
        name, value = next(iter(holders.items()))
        return value, name
    return tree, ""


def _holds(inside: Mapping[Any, Any], find: Find) -> bool:
    return any(_tensor(value, find) is not None for value in inside.values())


def _choices(inside: Mapping[Any, Any]) -> str:
    return f"There are: {', '.join(str(name)[:40] for name in list(inside)[:12])}" if inside else "It holds no entries"


def _entries(value: Any) -> Mapping[Any, Any] | None:
    """What is in a mapping, whatever class it is of."""
    if isinstance(value, dict):
        return value
    if isinstance(value, Made) and value.items:
        return value.items
    return None


def _is_module(value: Any) -> bool:
    return isinstance(value, Made) and isinstance(value.state, dict) and "_parameters" in value.state


def _walk(value: Any, name: str, depth: int, left_out: list[str], find: Find) -> Iterator[tuple[str, _Found]]:
    if depth > _DEEPEST:
        raise NotUnderstood(f"It is nested more than {_DEEPEST} deep", name[:80])
    if (found := _tensor(value, find)) is not None:
        yield name, found
    elif _is_module(value):
        for held in ("_parameters", "_buffers", "_modules"):
            for inner, each in (_entries(value.state.get(held)) or {}).items():
                if each is not None:
                    yield from _walk(each, f"{name}.{inner}".lstrip("."), depth + 1, left_out, find)
    elif (inside := _entries(value)) is not None:
        for inner, each in inside.items():
            yield from _walk(each, f"{name}.{inner}".lstrip("."), depth + 1, left_out, find)
    elif isinstance(value, list | tuple) and value:
        for number, each in enumerate(value):
            yield from _walk(each, f"{name}.{number}".lstrip("."), depth + 1, left_out, find)
    elif not (isinstance(value, Made) and str(value.function) == "collections.OrderedDict"):
        left_out.append(name or type(value).__name__)


def _tensor(value: Any, find: Find, depth: int = 0) -> _Found | None:
    """The tensor that a call would rebuild; None where it would be something else."""
    if not isinstance(value, Made) or not isinstance(value.function, Name) or depth > 4:
        return None
    called, given = str(value.function), value.arguments
    if called == "torch._tensor._rebuild_from_type_v2" and len(given) >= 3 and isinstance(given[2], tuple):
        return _tensor(Made(given[0], given[2]), find, depth + 1)
    if called in (f"{_UTILS}._rebuild_parameter", f"{_UTILS}._rebuild_parameter_with_state") and given:
        return _tensor(given[0], find, depth + 1)
    if called == "torch.nn.parameter.Parameter" and given:
        return _tensor(given[0], find, depth + 1)
    if called.startswith(f"{_UTILS}._rebuild_") and called.rpartition("_rebuild_")[2] not in _PLAIN:
        raise NotUnderstood(f"A tensor is rebuilt by {called}, which safetensors has no form for")
    if called not in _REBUILDS or len(given) < 4 or not isinstance(given[0], Kept):
        return None
    kept = given[0].id
    if not (isinstance(kept, tuple) and len(kept) >= 5 and kept[0] == "storage" and isinstance(kept[1], Name)):
        return None
    stated = given[6] if called.endswith("_v3") and len(given) > 6 else kept[1]
    kind = _KINDS.get(stated.name) if isinstance(stated, Name) else None
    if kind is None:
        raise NotUnderstood(f"A tensor is of {stated}, which safetensors has no form for")
    offset, shape, strides = given[1], given[2], given[3]
    if not (type(offset) is int and _numbers(shape) and _numbers(strides) and len(shape) == len(strides)):
        raise NotUnderstood("A tensor's shape is not one")
    read, size = find(str(kept[2]))
    first = _view(kept) if len(kept) > 5 else 0
    return _Found(kind, tuple(shape), tuple(strides), offset + first, (read, size))


_PLAIN = ("tensor", "tensor_v2", "tensor_v3", "parameter", "parameter_with_state")
_REBUILDS = tuple(f"{_UTILS}._rebuild_{name}" for name in _PLAIN[:3])


def _view(kept: tuple[Any, ...]) -> int:
    """Where a view of an older file's storage begins, in elements."""
    view = kept[5]
    return view[1] if isinstance(view, tuple) and len(view) > 1 and type(view[1]) is int else 0


def _numbers(value: Any) -> bool:
    return isinstance(value, tuple | list) and all(type(each) is int for each in value)
