"""What scanning model files costs: start, opcodes, large files, bombs. ``python bench/models/speed.py``

Each line is a process of its own: CPU seconds of user and system, its peak memory, bytes of the file that were read.
Files are written to a temporary folder; the gigabytes are sparse.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

SCAN = """
import json, resource, sys
from penstock.inspect.models.scan import scan_path
report = scan_path(sys.argv[1], hashing=len(sys.argv) > 2)
used = resource.getrusage(resource.RUSAGE_SELF)
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) // 1024
print(json.dumps([used.ru_utime + used.ru_stime, peak, report.verdict.word, report.bytes_read]))
"""
#: What hashing alone costs, with the library's own reading.
HASH = """
import hashlib, json, resource, sys
with open(sys.argv[1], "rb") as file:
    hashlib.file_digest(file, "sha256")
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([used.ru_utime + used.ru_stime, 0, "", 0]))
"""
GIGABYTE = 1 << 30


def files(folder: Path) -> dict[str, Path]:
    made = {
        "an empty pickle (start)": (folder / "empty.pkl", pickle.dumps(None)),
        "vocabulary, 1.2 M opcodes": (folder / "vocab.pkl", pickle.dumps({f"token{n}": n for n in range(400_000)}, 4)),
        "100,000 small dicts": (
            folder / "rows.pkl",
            pickle.dumps([{"id": n, "x": ("a", n)} for n in range(100_000)], 4),
        ),
        "endless MEMOIZE": (folder / "memo.pkl", b"\x80\x04K\x01" + b"\x94" * 10_000_000 + b"."),
        "endless dicts": (folder / "dicts.pkl", b"\x80\x04" + b"}" * 10_000_000 + b"."),
        "endless tuples": (folder / "tuples.pkl", b"\x80\x04N" + b"\x85" * 10_000_000 + b"."),
        "endless marks": (folder / "marks.pkl", b"\x80\x04" + b"(" * 10_000_000 + b"."),
        "endless calls": (folder / "calls.pkl", b"\x80\x04ccollections\nOrderedDict\n" + b")R" * 5_000_000 + b"."),
        "endless appends": (folder / "appends.pkl", b"\x80\x04]" + b"Na" * 5_000_000 + b"."),
        "one million streams": (folder / "streams.pkl", b"\x80\x04N." * 1_000_000),
        "gzip of 1 GB of zeros": (folder / "bomb.pkl.gz", bomb()),
        "zip of 100,000 members": (folder / "many.zip", many(100_000)),
    }
    for path, content in made.values():
        path.write_bytes(content)
    large = {"safetensors, 1 GB": folder / "large.safetensors", "torch zip, 1 GB": folder / "large.pt"}
    safetensors(large["safetensors, 1 GB"])
    torch_zip(large["torch zip, 1 GB"])
    return {what: path for what, (path, _) in made.items()} | large


def bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    return b"".join(packer.compress(zeros) for _ in range(1024)) + packer.flush()


def many(count: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.pkl", b"\x80\x04N.")
    return made.getvalue()


def safetensors(path: Path) -> None:
    tensors = {
        f"layer.{n}.weight": {"dtype": "F16", "shape": [1 << 21], "data_offsets": [n << 22, n + 1 << 22]}
        for n in range(256)
    }
    header = json.dumps(tensors).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + GIGABYTE)


def torch_zip(path: Path) -> None:
    """256 storages of 4 MB, and the pickle that names them, as ``torch.save`` writes them."""
    body = b"\x80\x02}("
    for number in range(256):
        key = str(number).encode()
        body += (
            b"X" + struct.pack("<I", len(key)) + key + b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage"
        )
        body += (
            b"ctorch\nFloatStorage\nX" + struct.pack("<I", len(key)) + key + b"X\x03\x00\x00\x00cpuJ\x00\x00\x10\x00tQ"
        )
        body += b"K\x00J\x00\x00\x10\x00\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/data.pkl", body + b"u.")
        for number in range(256):
            archive.writestr(f"m/data/{number}", bytes(4 << 20))
        archive.writestr("m/version", b"3\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        print(f"{'':30}{'CPU s':>8}{'peak MB':>9}{'read MB':>9}  verdict")
        for what, path in files(Path(scratch)).items():
            show(what, [str(path)])
            if "1 GB" in what and "gzip" not in what:
                alone = [run(HASH, [str(path)])[0] for _ in range(3)]  # the first also reads from the disk
                hashed = [show(f"{what}, hashed", [str(path), "hash"]) for _ in range(2)]
                print(
                    f"{what + ', SHA-256 alone':30}{min(alone):>8.2f}   ratio {min(hashed) / min(alone):.2f}",
                    flush=True,
                )


def show(what: str, arguments: list[str]) -> float:
    cpu, peak, verdict, read = run(SCAN, arguments)
    print(f"{what:30}{cpu:>8.2f}{peak:>9}{read / 1e6:>9.2f}  {verdict}", flush=True)
    return cpu


def run(program: str, arguments: list[str]) -> tuple[float, int, str, int]:
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    cpu, peak, verdict, read = json.loads(done.stdout)
    return cpu, peak, verdict, read


if __name__ == "__main__":
    main()
