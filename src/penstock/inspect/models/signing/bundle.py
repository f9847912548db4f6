"""The bundle beside a model (``model.sig``): an envelope, and what its signature can be checked with.

Format: OMS specification 1.0 (OpenSSF), sections 4 to 5; Sigstore bundle 0.1 to 0.3; DSSE 1.0; in-toto Statement 1.
"""

from __future__ import annotations

import base64
import binascii
import json
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.errors import NotReachable, NotUnderstood

#: A manifest of 100,000 files has about 20 MB.
LONGEST = 64 << 20
_MEDIA = re.compile(r"application/vnd\.dev\.sigstore\.bundle(?:\.v\d+\.\d+)?\+json(?:;version=[\d.]+)?")
_PREDICATE = "https://model_signing/signature/v1.0"
_IN_TOTO = "application/vnd.in-toto+json"
_RANGE = re.compile(r"(?s)(?P<name>.+):(?P<start>\d{1,18}):(?P<end>\d{1,18})")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of a file and their digest in lower-case hexadecimal; ``end`` None = to the end of the file."""

    name: str
    algorithm: str
    digest: str
    start: int = 0
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """Which files a signature covers; ``ignored``: paths from the model's root that it leaves out."""

    stretches: tuple[Stretch, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """signed: the bytes that the signatures are over. certificates: DER, the signer's first.

    method: key | certificate | sigstore.
    """

    method: str
    signed: bytes
    signatures: tuple[bytes, ...]
    certificates: tuple[bytes, ...]
    manifest: Manifest
    text: str


def read(path: Path) -> Bundle:
    """A bundle from its file.

    Raises:
        NotReachable: it cannot be read, or is longer than 64 MB.
        NotUnderstood: it is no bundle of this format.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise NotReachable(
            f"The signature cannot be read: {(error.strerror or str(error)).lower()}", str(path)
        ) from error
    if len(data) > LONGEST:
        raise NotUnderstood(f"The signature is longer than {LONGEST >> 20} MB", str(path))
    try:
        return parse(data)
    except (KeyError, TypeError, ValueError, IndexError, RecursionError, AttributeError, binascii.Error) as error:
        raise NotUnderstood(
            f"This is no signature of a model: {type(error).__name__}: {str(error)[:80]}", str(path)
        ) from error


def parse(data: bytes) -> Bundle:
    """Raises whatever the broken part raises; ``read`` says it in words."""
    document: dict[str, Any] = json.loads(data)
    if not _MEDIA.fullmatch(document["mediaType"]):
        raise ValueError(f"its media type is {document['mediaType'][:60]!r}")
    material = document["verificationMaterial"]
    envelope = document["dsseEnvelope"]
    if envelope["payloadType"] != _IN_TOTO:
        raise ValueError(f"its payload is {envelope['payloadType'][:60]!r}")
    payload = base64.b64decode(envelope["payload"], validate=True)
    method, certificates = _material(material)
    return Bundle(
        method,
        b"DSSEv1 %d %s %d %s" % (len(_IN_TOTO), _IN_TOTO.encode(), len(payload), payload),
        tuple(base64.b64decode(each["sig"], validate=True) for each in envelope["signatures"][:16]),
        certificates,
        _manifest(json.loads(payload)),
        data.decode("utf-8"),
    )


def _material(material: dict[str, Any]) -> tuple[str, tuple[bytes, ...]]:
    if "x509CertificateChain" in material:
        chain = material["x509CertificateChain"]["certificates"][:10]
        return "certificate", tuple(base64.b64decode(each["rawBytes"]) for each in chain)
    if "certificate" in material:
        return "sigstore", (base64.b64decode(material["certificate"]["rawBytes"]),)
    if "publicKey" in material:
        return "key", ()
    raise ValueError("it does not say how it can be checked")


def _manifest(statement: dict[str, Any]) -> Manifest:
    if statement["predicateType"] != _PREDICATE:
        raise ValueError(f"it states {str(statement['predicateType'])[:80]!r}")
    how = statement["predicate"]["serialization"]
    if how["method"] not in ("files", "shards"):
        raise ValueError(f"its files are put together by {str(how['method'])[:40]!r}")
    stretches = []
    for each in statement["predicate"]["resources"]:
        stretch = Stretch(_path(each["name"]), str(each["algorithm"]), str(each["digest"]).lower())
        if how["method"] == "shards":
            found = _RANGE.fullmatch(each["name"])
            if found is None:
                raise ValueError(f"{each['name'][:60]!r} names no stretch of a file")
            stretch = Stretch(
                _path(found["name"]), stretch.algorithm, stretch.digest, int(found["start"]), int(found["end"])
            )
        stretches.append(stretch)
    if not stretches:
        raise ValueError("it covers no file")
    ignored = tuple(posixpath.normpath(str(each)) for each in how.get("ignore_paths") or ())
    return Manifest(tuple(stretches), ignored)


def _path(name: str) -> str:
    if name.startswith("/") or ".." in name.split("/") or "\0" in name:
        raise ValueError(f"{name[:60]!r} leaves the model's folder")
    return posixpath.normpath(name)
