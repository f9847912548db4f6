"""Who can reach what a route leads to: read from its host, its class and its annotations, never from a name alone."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping

#: Suffixes that public DNS does not resolve (RFC 6761, 6762, 8375, 9476) or that companies keep for themselves.
_LOCAL = re.compile(
    r"(?:^|\.)(?:local|localhost|localdomain|internal|intern|intranet|lan|corp|home|home\.arpa|private|test|invalid|svc)\Z"
)
#: A label that says that a name is for the inside: admin.intranet.shop.com, x.internal.shop.com.
_INSIDE = re.compile(r"(?:^|\.)(?:int|intern|internal|intranet|corp|private|vpn|lan)\.", re.IGNORECASE)
_INTERNAL_CLASS = re.compile(r"(?:^|[-_./])(?:internal|intern|private|vpn|corp|intranet)(?:$|[-_./])", re.IGNORECASE)
_PUBLIC_CLASS = re.compile(r"(?:^|[-_./])(?:external|public|internet)(?:$|[-_./])", re.IGNORECASE)
_SCHEME = ("alb.ingress.kubernetes.io/scheme", "service.beta.kubernetes.io/aws-load-balancer-scheme")
_INTERNAL_FLAGS = (
    "service.beta.kubernetes.io/aws-load-balancer-internal",
    "service.beta.kubernetes.io/azure-load-balancer-internal",
    "appgw.ingress.kubernetes.io/use-private-ip",
)
_GOOGLE = ("networking.gke.io/load-balancer-type", "cloud.google.com/load-balancer-type")
_RANGES = (
    "nginx.ingress.kubernetes.io/whitelist-source-range",
    "nginx.ingress.kubernetes.io/allowlist-source-range",
    "alb.ingress.kubernetes.io/inbound-cidrs",
)


def exposure(hosts: Iterable[str], class_name: str, annotations: Mapping[str, str]) -> tuple[str, str] | None:
    """(exposure, why) of a route, or None when nothing tells."""
    class_name = class_name or annotations.get("kubernetes.io/ingress.class", "")
    for key in _RANGES:
        if (ranges := annotations.get(key)) and _all_private(ranges):
            return "corporate", f"only {ranges} may come in"
    for key in _SCHEME:
        if (scheme := annotations.get(key, "").casefold()) in ("internal", "internet-facing"):
            return ("corporate" if scheme == "internal" else "internet"), f"{key}: {scheme}"
    for key in _INTERNAL_FLAGS:
        if annotations.get(key, "").casefold() in ("true", "0.0.0.0/0"):
            return "corporate", f"{key}: {annotations[key]}"
    for key in _GOOGLE:
        if annotations.get(key, "").casefold() == "internal":
            return "corporate", f"{key}: Internal"
    if _INTERNAL_CLASS.search(class_name):
        return "corporate", f"its class is {class_name}"
    named = [host.casefold().strip() for host in hosts if host.strip()]
    if public := [host for host in named if is_public(host)]:
        return "internet", f"its host is {public[0]}"
    if named:
        return "corporate", f"its host is {named[0]}"
    if _PUBLIC_CLASS.search(class_name):
        return "internet", f"its class is {class_name}"
    return None


def is_public(host: str) -> bool:
    """Whether a host name is one that the internet may resolve."""
    host = host.removeprefix("*.").rstrip(".").casefold()
    if "." not in host or not re.fullmatch(r"[a-z0-9_.-]+", host):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return not _LOCAL.search(host) and not _INSIDE.search(host)


def auth(annotations: Mapping[str, str]) -> tuple[str, str] | None:
    """(auth, why) that an ingress itself demands, or None when nothing tells."""
    for key, value in annotations.items():
        word = key.rpartition("/")[2]
        if word in ("auth-signin", "auth-url") and value:
            return "oidc", f"{key}: {value.partition('?')[0]}"
        if (
            word == "auth-tls-secret"
            and value
            and annotations.get(key.replace("secret", "verify-client"), "on") == "on"
        ):
            return "mtls", key
        if word == "auth-type" and value in ("oidc", "cognito"):
            return "oidc", f"{key}: {value}"
    return None


def _all_private(ranges: str) -> bool:
    networks = [part.strip() for part in ranges.split(",") if part.strip()]
    try:
        return bool(networks) and all(ipaddress.ip_network(n, strict=False).is_private for n in networks)
    except ValueError:
        return False
