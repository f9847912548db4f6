"""Tensors into a safetensors file: eight bytes of length, a JSON header, the numbers. Nothing in it can run.

Format: the safetensors README, "Format": offsets count from the end of the header, no holes, no overlaps; headers are
padded with spaces so that the numbers begin at a multiple of eight.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from penstock.errors import NotReachable
from penstock.inspect.models.tensors.tensor import SIZES, Tensors


def write(path: Path, of: Tensors, *, done: Callable[[int], None] = lambda _: None) -> int:
    """Write the tensors and answer the bytes written; the file is there whole or not at all.

    done: told of the bytes of each part as it is written.

    Raises:
        NotReachable: the folder cannot be written, or the disk is full.
        NotUnderstood: the numbers cannot be read to their end.
    """
    order = sorted(of.tensors.values(), key=lambda tensor: (-SIZES[tensor.kind], tensor.name))
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for tensor in order:
        header[tensor.name] = {
            "dtype": tensor.kind, "shape": list(tensor.shape), "data_offsets": [at, at + tensor.size],
        }  # fmt: skip
        at += tensor.size
    told = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    told += b" " * (-len(told) % 8)
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(len(told).to_bytes(8, "little") + told)
            for tensor in order:
                for part in tensor.parts():
                    file.write(part)
                    done(len(part))
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
        temporary = ""
    except OSError as error:
        raise NotReachable(
            f"The file cannot be written: {(error.strerror or str(error)).lower()}", str(path)
        ) from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
    return 8 + len(told) + at
