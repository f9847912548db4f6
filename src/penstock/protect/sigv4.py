"""AWS Signature Version 4, so that calls to Bedrock can go out in the gateway's own name.

As described in "Signing AWS API requests" (IAM user guide); the region and the service are read from the host.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from yarl import URL

#: ``bedrock-runtime.eu-central-1.amazonaws.com``, its FIPS and China forms, and VPC endpoints.
_HOST = re.compile(r"(?:^|\.)(bedrock(?:-[a-z]+)*?)(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d)\.")
#: Services whose name to sign is not their host's.
_SIGNED_AS = {"bedrock-runtime": "bedrock", "bedrock-agent-runtime": "bedrock", "bedrock-agent": "bedrock"}


def sign(
    method: str,
    url: URL,
    body: bytes,
    headers: Mapping[bytes, bytes],
    *,
    key_id: str,
    secret: str,
    token: str = "",
    at: datetime | None = None,
) -> list[tuple[bytes, bytes]]:
    """The headers that sign a request. ``headers`` are the caller's, for the content type and a region."""
    when = (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    region, service = _scope(url.host or "", headers)
    signed = {
        "content-type": headers.get(b"content-type", b"").decode("latin-1").strip(),
        "host": url.host_port_subcomponent or "",
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-amz-date": when,
        "x-amz-security-token": token,
    }
    signed = {name: value for name, value in signed.items() if value}
    names = ";".join(sorted(signed))
    canonical = "\n".join(
        (
            method,
            quote(url.raw_path, safe="/-_.~"),  # encoded once more: all services but S3 sign the path so
            "&".join(sorted(url.raw_query_string.split("&"))) if url.raw_query_string else "",
            "".join(f"{name}:{signed[name]}\n" for name in sorted(signed)),
            names,
            signed["x-amz-content-sha256"],
        )
    )
    scope = f"{when[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{when}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    authorization = f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    own = {name: value for name, value in signed.items() if name.startswith("x-amz-")}
    return [(name.encode(), value.encode()) for name, value in {**own, "authorization": authorization}.items()]


def _scope(host: str, headers: Mapping[bytes, bytes]) -> tuple[str, str]:
    """Region and service, from the host; for a host that names neither, as the caller signed or us-east-1."""
    if found := _HOST.search(host):
        return found[2], _SIGNED_AS.get(found[1], found[1])
    said = re.search(rb"Credential=[^/]+/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/", headers.get(b"authorization", b""))
    return (said[1].decode(), said[2].decode()) if said else ("us-east-1", "bedrock")
