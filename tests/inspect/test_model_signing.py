"""Signatures of models: made here as the format says, and held against what can go wrong with them."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from penstock.cli.commands.model import command
from penstock.errors import NotUnderstood
from penstock.inspect.models.signing.verify import Trust, verify

IN_TOTO = "application/vnd.in-toto+json"
NOW = time.time()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "inner").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "inner" / "weights.bin").write_bytes(bytes(range(100)))
    (folder / ".gitattributes").write_text("* -text")
    return folder


def key(size: int = 256) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key({256: ec.SECP256R1(), 384: ec.SECP384R1()}[size])


def public(folder: Path, private: ec.EllipticCurvePrivateKey) -> Path:
    path = folder / "public.pem"
    path.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def resources(folder: Path, shard: int = 0) -> list[dict[str, str]]:
    listed = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and not each.name.startswith(".")):
        data, name = path.read_bytes(), path.relative_to(folder).as_posix()
        for start in range(0, len(data), shard) if shard else (0,):
            part = data[start : start + shard] if shard else data
            told = f"{name}:{start}:{start + len(part)}" if shard else name
            listed.append({"name": told, "algorithm": "sha256", "digest": hashlib.sha256(part).hexdigest()})
    return listed


def sign(
    folder: Path, private: ec.EllipticCurvePrivateKey, material: dict[str, object] | None = None, *, shard: int = 0,
    **changed: object,
) -> None:  # fmt: skip
    how = {"method": "shards" if shard else "files", "hash_type": "sha256", "allow_symlinks": False}
    listed = changed.pop("resources", None) or resources(folder, shard)
    statement = {
        "_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "model", "digest": {"sha256": "00"}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {"serialization": {**how, **changed}, "resources": listed},
    }  # fmt: skip
    payload = json.dumps(statement).encode()
    signed = f"DSSEv1 {len(IN_TOTO)} {IN_TOTO} {len(payload)} ".encode() + payload
    chosen = hashes.SHA256() if private.curve.key_size <= 256 else hashes.SHA384()
    signature = base64.b64encode(private.sign(signed, ec.ECDSA(chosen))).decode()
    bundle = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": material or {"publicKey": {"hint": "a"}},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(), "payloadType": IN_TOTO, "signatures": [{"sig": signature}],
        },
    }  # fmt: skip
    (folder / "model.sig").write_text(json.dumps(bundle))


def certificate(
    subject: str, of: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, issuer: str, *, ca: bool = False,
    days: int = 10,
) -> x509.Certificate:  # fmt: skip
    def name(words: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])

    start = datetime.datetime.fromtimestamp(NOW, datetime.UTC) - datetime.timedelta(days=20)
    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(of.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=20 + days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(by, hashes.SHA256())
    )


def chained(*certificates: x509.Certificate) -> dict[str, object]:
    raw = [{"rawBytes": base64.b64encode(each.public_bytes(Encoding.DER)).decode()} for each in certificates]
    return {"x509CertificateChain": {"certificates": raw}}


def pem(folder: Path, *certificates: x509.Certificate) -> Path:
    path = folder / "root.pem"
    path.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
    return path


@pytest.mark.parametrize(("size", "shard"), [(256, 0), (384, 0), (256, 30)])
def test_a_trusted_key_over_the_very_files_is_valid(model, tmp_path, size, shard):
    private = key(size)
    sign(model, private, shard=shard)
    found = verify(model, None, Trust(keys=(public(tmp_path, private),)), now=NOW)
    assert (found.word, found.signer) == ("valid", "the key public.pem")


def test_a_signer_nobody_trusts_is_said_to_be_one(model, tmp_path):
    sign(model, key())
    assert verify(model, None, Trust(), now=NOW).word == "untrusted"
    other = verify(model, None, Trust(keys=(public(tmp_path, key()),)), now=NOW)
    assert (other.word, other.why) == ("untrusted", ("no trusted key signed it",))


@pytest.mark.parametrize("shard", [0, 30])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda at: (at / "config.json").write_text("{ }"), "config.json"),
        (lambda at: (at / "config.json").unlink(), "config.json is not there"),
        (lambda at: (at / "modeling.py").write_text("import os"), "modeling.py is not covered"),
        (lambda at: (at / "inner" / "weights.bin").write_bytes(bytes(range(101))), "weights.bin"),
        (lambda at: (at / "late.py").symlink_to("config.json"), "late.py is not covered"),
    ],
)
def test_files_that_are_not_as_signed_make_it_invalid(model, tmp_path, change, words, shard):
    private = key()
    sign(model, private, shard=shard)
    change(model)
    found = verify(model, None, Trust(keys=(public(tmp_path, private),)), now=NOW)
    assert found.word == "invalid"
    assert words in " ".join(found.why)


def test_what_the_signer_left_out_may_be_there(model, tmp_path):
    private = key()
    sign(model, private, ignore_paths=["cache"])
    (model / "cache").mkdir()
    (model / "cache" / "any").touch()
    assert verify(model, None, Trust(keys=(public(tmp_path, private),)), now=NOW).word == "valid"


def test_certificates_lead_to_a_trusted_root_or_count_for_nothing(model, tmp_path):
    root, middle, leaf = key(), key(), key()
    top = certificate("root", root, root, "root", ca=True)
    between = certificate("middle", middle, root, "root", ca=True)
    own = certificate("vendor", leaf, middle, "middle")
    sign(model, leaf, chained(own, between))
    found = verify(model, None, Trust(roots=(pem(tmp_path, top),)), now=NOW)
    assert (found.word, found.signer) == ("valid", "CN=vendor")
    assert verify(model, None, Trust(), now=NOW).word == "untrusted"
    stranger = certificate("root", key(), root, "root", ca=True)
    assert verify(model, None, Trust(roots=(pem(tmp_path, stranger),)), now=NOW).word == "untrusted"
    late = verify(model, None, Trust(roots=(pem(tmp_path, top),)), now=NOW + 40 * 86400)
    assert late.word == "untrusted"
    assert "not valid now" in late.why[0]


def test_a_certificate_that_is_no_authority_vouches_for_nobody(model, tmp_path):
    root, middle, leaf = key(), key(), key()
    top = certificate("root", root, root, "root", ca=True)
    between = certificate("middle", middle, root, "root")
    sign(model, leaf, chained(certificate("vendor", leaf, middle, "middle"), between))
    assert verify(model, None, Trust(roots=(pem(tmp_path, top),)), now=NOW).word == "untrusted"


def test_a_certificate_of_somebody_else_is_a_forgery(model, tmp_path):
    root, leaf = key(), key()
    top = certificate("root", root, root, "root", ca=True)
    sign(model, key(), chained(certificate("vendor", leaf, root, "root")))
    assert verify(model, None, Trust(roots=(pem(tmp_path, top),)), now=NOW).word == "invalid"


@pytest.mark.parametrize(
    "broken",
    [
        b"", b"[]", b"{}", b'{"mediaType": 3}', b"\xff\xfe", b"[" * 100_000,
        b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {}}',
    ],
)  # fmt: skip
def test_what_is_no_signature_is_said_to_be_none(model, broken):
    (model / "model.sig").write_bytes(broken)
    with pytest.raises(NotUnderstood, match="no signature of a model"):
        verify(model, None, Trust(), now=NOW)


def test_a_manifest_cannot_reach_out_of_the_folder(model):
    sign(model, key(), resources=[{"name": "../secret", "algorithm": "sha256", "digest": "00"}])
    with pytest.raises(NotUnderstood, match="leaves the model's folder"):
        verify(model, None, Trust(), now=NOW)


def test_the_command_ends_with_1_unless_it_is_valid(model, tmp_path):
    private = key()
    runner = CliRunner()
    none = runner.invoke(command, ["verify", str(model)], standalone_mode=False)
    assert none.return_value == 1
    assert "none" in none.output
    sign(model, private)
    pem_file = public(tmp_path, private)
    done = runner.invoke(
        command, ["verify", str(model), "--key", str(pem_file), "--format", "json"], standalone_mode=False
    )
    assert done.return_value == 0
    assert json.loads(done.output)["signature"] == "valid"
