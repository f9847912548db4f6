"""A verdict on a signature: whether somebody who is trusted signed exactly these files."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from penstock.errors import NotReachable, NotUnderstood, WrongUse
from penstock.inspect.models.signing import bundle, files

#: Where signers put it, from the model's folder.
USUAL = "model.sig"
#: What is told of the files that differ.
_TOLD = 20


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom the verifier trusts: public keys and root certificates as files, identities as (name, issuer)."""

    keys: tuple[Path, ...] = ()
    roots: tuple[Path, ...] = ()
    identities: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.keys or self.roots or self.identities)


@dataclass(frozen=True, slots=True)
class Verified:
    """word: valid | invalid | untrusted (the files agree, the signer is not known) | none.

    signer: in words, as far as it is proven. why: one line each.
    """

    word: str
    signer: str = ""
    why: tuple[str, ...] = field(default=())


def verify(
    model: Path, signature: Path | None, trust: Trust, *, now: float, read: Callable[[int], None] = lambda _: None
) -> Verified:
    """The verdict on a model's signature. ``now`` in epoch seconds; ``read`` is told of bytes as they are hashed.

    Raises:
        NotReachable, NotUnderstood: the signature, a key or a certificate cannot be read.
        WrongUse: an identity is to be checked, and the extra is not installed.
    """
    place = signature or (model if model.is_dir() else model.parent) / USUAL
    if not place.exists():
        if signature is not None:
            raise NotReachable("There is no such signature", str(signature))
        return Verified("none", why=(f"there is no {USUAL} beside it",))
    found = bundle.read(place)
    signer = _signer(found, trust, now)
    changed = list(files.differences(model, found.manifest, place, read))
    told = tuple(changed[:_TOLD]) + ((f"and {len(changed) - _TOLD} more",) if len(changed) > _TOLD else ())
    if changed:
        return Verified("invalid", signer if isinstance(signer, str) else "", told)
    if isinstance(signer, _No):
        return Verified("invalid" if signer.forged else "untrusted", why=(signer.why,))
    return Verified("valid", signer)


@dataclass(frozen=True, slots=True)
class _No:
    """Why nobody who is trusted signed; ``forged``: what is claimed is not so."""

    why: str
    forged: bool = False


def _signer(found: bundle.Bundle, trust: Trust, now: float) -> str | _No:
    if found.method == "key":
        return _by_key(found, trust.keys)
    if found.method == "certificate":
        return _by_certificate(found, trust.roots, now)
    return _by_identity(found, trust.identities)


def _by_key(found: bundle.Bundle, keys: Sequence[Path]) -> str | _No:
    for path in keys:
        if any(_signed(_key(path), signature, found.signed) for signature in found.signatures):
            return f"the key {path.name}"
    if keys:
        return _No("no trusted key signed it")
    return _No("it is signed with a key, and no key is trusted: --key FILE")


def _by_certificate(found: bundle.Bundle, roots: Sequence[Path], now: float) -> str | _No:
    try:
        chain = [x509.load_der_x509_certificate(each) for each in found.certificates]
    except ValueError:
        return _No("its certificates are damaged", forged=True)
    if not chain:
        return _No("it holds no certificate", forged=True)
    key = chain[0].public_key()
    if not any(_signed(key, signature, found.signed) for signature in found.signatures):
        return _No("the certificate in it did not sign it", forged=True)
    if not roots:
        return _No("it is signed with a certificate, and no root is trusted: --root FILE")
    trusted = [certificate for path in roots for certificate in _certificates(path)]
    why = _chain(chain, trusted, datetime.datetime.fromtimestamp(now, datetime.UTC))
    return _No(why) if why else f"{chain[0].subject.rfc4514_string()[:200]}"


def _chain(chain: list[x509.Certificate], trusted: list[x509.Certificate], at: datetime.datetime) -> str:
    """Why the signer's certificate does not lead to a trusted one; empty when it does.

    Written out, because the library's own verifier asks for the names and purposes of web servers, which signers of
    models do not have.
    """
    usage = _extension(chain[0], x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        return "its certificate is not for signing"
    current, left = chain[0], chain[1:]
    for _ in range(10):
        if not current.not_valid_before_utc <= at <= current.not_valid_after_utc:
            return f"the certificate of {current.subject.rfc4514_string()[:80]} is not valid now"
        if any(_issued(current, root) and _valid(root, at) for root in trusted) or current in trusted:
            return ""
        above = next((each for each in left if _issued(current, each)), None)
        if above is None:
            return "its certificate does not lead to a trusted root"
        left.remove(above)
        current = above
    return "its certificates are chained too deeply"


def _valid(certificate: x509.Certificate, at: datetime.datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    limits = _extension(by, x509.BasicConstraints)
    usage = _extension(by, x509.KeyUsage)
    if limits is None or not limits.ca or (usage is not None and not usage.key_cert_sign):
        return False
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _extension(certificate: x509.Certificate, kind: type[Any]) -> Any:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def _by_identity(found: bundle.Bundle, identities: Sequence[tuple[str, str]]) -> str | _No:
    if not identities:
        return _No("it is signed by an identity, and none is trusted: --identity NAME --issuer URL")
    try:
        from sigstore.errors import Error, VerificationError
        from sigstore.models import Bundle
        from sigstore.verify import Verifier
        from sigstore.verify.policy import Identity
    except ImportError:
        raise WrongUse(
            "Identities are checked with a library that is not installed", None, "pip install 'penstock[signing]'"
        ) from None
    try:
        verifier, given = Verifier.production(offline=True), Bundle.from_json(found.text)
    except (Error, ValueError) as error:
        return _No(f"the signature cannot be checked: {error}")
    for name, issuer in identities:
        try:
            verifier.verify_dsse(given, Identity(identity=name, issuer=issuer))
        except VerificationError:
            continue
        return f"{name} ({issuer})"
    return _No("no trusted identity signed it")


def _signed(key: object, signature: bytes, data: bytes) -> bool:
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            size = key.curve.key_size
            chosen = hashes.SHA256() if size <= 256 else hashes.SHA384() if size <= 384 else hashes.SHA512()
            key.verify(signature, data, ec.ECDSA(chosen))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _key(path: Path) -> object:
    data = _bytes(path)
    try:
        return load_pem_public_key(data) if data.lstrip().startswith(b"-----") else load_der_public_key(data)
    except ValueError as error:
        raise NotUnderstood("This is no public key", str(path), "Name a PEM or DER file with a public key") from error


def _certificates(path: Path) -> list[x509.Certificate]:
    data = _bytes(path)
    try:
        if data.lstrip().startswith(b"-----"):
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except ValueError as error:
        raise NotUnderstood("This is no certificate", str(path), "Name a PEM or DER file with certificates") from error


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(1 << 20)
    except OSError as error:
        raise NotReachable(f"The file cannot be read: {(error.strerror or str(error)).lower()}", str(path)) from error
