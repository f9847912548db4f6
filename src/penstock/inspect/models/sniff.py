"""What a file is, by its content; its name only breaks ties between formats that have no mark."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.inspect.models.piece import Piece

_ROOM = "penstock.inspect.models"


@dataclass(frozen=True, slots=True)
class Format:
    """A format, the module that reads it, and the name endings that are usual for it."""

    name: str
    module: str
    endings: tuple[str, ...] = ()


def _f(name: str, module: str, endings: str = "") -> Format:
    return Format(name, f"{_ROOM}.{module}", tuple(endings.split()))


FORMATS = {
    each.name: each
    for each in (
        _f("pickle", "pickle.streams", ".pkl .pickle .p .pk .joblib .jbl .pt .pth .bin .ckpt .model .dat .dill .sav"
           " .pdparams .pdopt .pdmodel .data .cpkl .tar .npy .pl .z .gz .bz2 .xz .zlib .lzma .lz4"
           " .mtd .obj .weights .metadata .distcp"),
        _f("zip", "containers.zip", ".zip .pt .pth .bin .ckpt .npz .keras .skops .mar .pt2 .ptl .model"
           " .mlmodel .whl .jar .egg .llamafile .pte .tgz .docx .xlsx .nemo .mlpackage .t7 .pkl .dat"),
        _f("tar", "containers.tar", ".tar .nemo .gz .tgz .bz2 .xz .pt .pth .ckpt .tbz2 .txz .model .pdparams"),
        _f("compressed", "containers.compressed", ".gz .bz2 .xz .zlib .z .lzma .lz4 .zst .joblib .pkl .tgz"
           " .tbz2 .txz .rds .rda .rdata .jbl .zst .model .dat .gzip"),
        _f("7z", "containers.sevenzip", ".7z"),
        _f("safetensors", "formats.safetensors", ".safetensors"),
        _f("numpy", "formats.numpy", ".npy"),
        _f("hdf5", "formats.hdf5", ".h5 .hdf5 .keras .hdf .he5 .mat .nc .caffemodel"),
        _f("gguf", "formats.gguf", ".gguf .ggml .bin"),
        _f("onnx", "formats.onnx", ".onnx .ort .pb"),
        _f("tensorflow", "formats.tensorflow", ".pb .pbtxt .meta"),
        _f("tflite", "formats.tflite", ".tflite .lite"),
        _f("coreml", "formats.coreml", ".mlmodel .mlpackage"),
        _f("paddle", "formats.paddle", ".pdmodel"),
        _f("rds", "formats.rds", ".rds .rda .rdata"),
        _f("xml", "formats.xml", ".xml .pmml .svg .xhtml"),
        _f("json", "formats.json", ".json .jsonl .ipynb .index"),
        _f("yaml", "formats.yaml", ".yaml .yml"),
        _f("jinja", "formats.jinja", ".jinja .jinja2 .j2"),
        _f("python", "formats.python", ".py"),
        _f("msgpack", "formats.msgpack", ".msgpack"),
        _f("boosted", "formats.boosted", ".cbm .ubj .txt .model .bst .lgb"),
        _f("program", "formats.program", ".so .dll .exe .dylib .llamafile .bin .engine .plan .trt"),
        _f("text", "formats.text", ".txt .md .rst .csv .tsv .toml .cfg .ini .env .sh"),
    )
}  # fmt: skip


def formats(piece: Piece) -> list[Format]:
    """Every format that the content is; empty when it is none we know."""
    source = piece.source
    head = source.read(0, 560)
    found: list[str] = []
    if not head:
        return []
    for mark, name in _MARKS:
        if head.startswith(mark):
            found.append(name)
            break
    from penstock.inspect.models.pickle.streams import looks_like, marked

    if not found:
        if marked(head):
            found.append("pickle")
        elif _tar(head):
            found.append("tar")
        elif _zlib(head):
            found.append("compressed")
        elif len(head) > 8 and head[4:8] == b"TFL3":
            found.append("tflite")
        elif _safetensors(piece, head):
            found.append("safetensors")
        elif name := _protobuf(piece, head):
            found.append(name)
    if not found or found[0] in ("text", "json", "xml"):
        if looks_like(source):
            found.insert(0, "pickle")
        elif not found:
            found += _by_text(piece, head)
    if "zip" not in found and source.size > 22 and _zip_at_end(piece):
        found.append("zip")
    return [FORMATS[name] for name in found]


_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "zip"),
    (b"\x93NUMPY", "numpy"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"GGUF", "gguf"),
    (b"FUGG", "gguf"),
    (b"lmgg", "gguf"),
    (b"tjgg", "gguf"),
    (b"fmgg", "gguf"),
    (b"algg", "gguf"),
    (b"\x1f\x8b", "compressed"),
    (b"BZh", "compressed"),
    (b"\xfd7zXZ\x00", "compressed"),
    (b"\x5d\x00\x00", "compressed"),
    (b"\x28\xb5\x2f\xfd", "compressed"),
    (b"\x04\x22\x4d\x18", "compressed"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"X\n\x00\x00\x00", "rds"),
    (b"A\n2\n", "rds"),
    (b"A\n3\n", "rds"),
    (b"RDX2\n", "rds"),
    (b"RDX3\n", "rds"),
    (b"CBM1", "boosted"),
    (b"tree\n", "boosted"),
    (b"binf", "boosted"),
    (b"{L", "boosted"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
    (b"\xce\xfa\xed\xfe", "program"),
    (b"\xca\xfe\xba\xbe", "program"),
    (b"#!", "program"),
    (b"ptrt", "program"),
    (b"ftrt", "program"),
)  # fmt: skip


def _tar(head: bytes) -> bool:
    if len(head) < 512:
        return False
    if head[257:262] == b"ustar":
        return True
    try:
        said = int(head[148:156].strip(b" \0") or b"-1", 8)
    except ValueError:
        return False
    return said == sum(head[:148]) + 256 + sum(head[156:512]) and head[0] != 0


def _zlib(head: bytes) -> bool:
    return (
        len(head) > 2 and head[0] == 0x78 and head[1] in (0x01, 0x5E, 0x9C, 0xDA) and (head[0] << 8 | head[1]) % 31 == 0
    )


def _safetensors(piece: Piece, head: bytes) -> bool:
    if len(head) < 9:
        return False
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and length < 1 << 40:
        return True
    return piece.ending == ".safetensors"


def _protobuf(piece: Piece, head: bytes) -> str:
    from penstock.inspect.models.protobuf import shape

    if head[:1] not in (b"\x08", b"\x0a", b"\x12", b"\x1a", b"\x3a", b"\x22", b"\x10"):
        return ""
    return shape(piece.source, piece.ending, piece.name)


def _by_text(piece: Piece, head: bytes) -> list[str]:
    name = piece.name.rpartition("/")[2]
    stripped = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if piece.ending == ".msgpack":
        return ["msgpack"]
    if piece.ending == ".py":
        return ["python"]
    if piece.ending in (".jinja", ".jinja2", ".j2"):
        return ["jinja"]
    if stripped[:2] in (b"{%", b"{{", b"{#"):
        return ["jinja"]
    if stripped[:1] in (b"{", b"[") and piece.ending not in (".yaml", ".yml"):
        return ["json"]
    if stripped[:5] == b"<?xml" or stripped[:5] == b"<PMML" or stripped[:4] == b"<net" or stripped[:2] == b"<!":
        return ["xml"]
    if piece.ending in (".yaml", ".yml") or name == "MLmodel":
        return ["yaml"]
    if b"\x00" not in head:
        return ["text"]
    if piece.ending in FORMATS["gguf"].endings[:2]:
        return ["gguf"]
    return []


def _zip_at_end(piece: Piece) -> bool:
    tail = (
        piece.source.read(max(0, piece.source.size - 66_000), 66_000)
        if piece.source.size <= 1 << 20
        else piece.source.read(piece.source.size - 1100, 1100)
    )
    at = tail.rfind(b"PK\x05\x06")
    return at >= 0 and len(tail) - at >= 22 and len(tail) - at - 22 == int.from_bytes(tail[at + 20 : at + 22], "little")
