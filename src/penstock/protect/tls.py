"""The gateway's own certificate, and those of its callers."""

from __future__ import annotations

import ssl
from pathlib import Path

from penstock.errors import NotUnderstood, WrongUse


def context(certificate: Path, key: Path, callers: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer with this certificate (its chain in one PEM file).

    Args:
        callers: certificates of the authorities that callers' certificates must come from. A caller may still come
            without one, and is then known by its key; one that comes with another certificate is turned away.
    Raises:
        WrongUse: a file cannot be read, or they do not belong together.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    try:
        renew(made, certificate, key)
        if callers is not None:
            made.load_verify_locations(callers)
            made.verify_mode = ssl.CERT_OPTIONAL
    except (OSError, NotUnderstood) as error:  # ssl.SSLError is an OSError
        said = getattr(error, "reason", "") or getattr(error, "strerror", "") or str(error)
        raise WrongUse("The TLS files cannot be used", f"{certificate}, {key}", said) from error
    return made


def renew(made: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Take in a new certificate; connections that stand keep the old one.

    Raises:
        OSError: a file cannot be read, or they do not belong together; the old certificate stays.
    """
    made.load_cert_chain(certificate, key, password=_no_password)


def _no_password() -> str:
    raise NotUnderstood("The key is encrypted", hint="Give a key without a password, readable by the gateway alone")
