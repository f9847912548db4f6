"""What a command would do if it were run: fetch code, send data out, hide, stay, destroy. It never is run."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from penstock.inspect.signs import Sign, Signs, problems, shows
from penstock.inspect.span import Span
from penstock.knowledge.pack import define_pack, load_pack

define_pack("commands", Sign, check=shows, validate=problems)

_ADDRESS = re.compile(r"(?:\b(?:https?|ftp|wss?)://|\w@(?=[\w.-]+:))(\[[0-9a-f:]+\]|[\w.-]+)", re.IGNORECASE)
_HERE = re.compile(r"localhost|127(?:\.\d+){3}|\[?::1\]?|0\.0\.0\.0|host\.docker\.internal", re.IGNORECASE)


def dangers(command: str) -> list[Span]:
    """Signs of danger, the type in lower case as the property ``dangers`` names it.

    Data that leaves for this very machine does not leave; reading keys is a danger only where something is sent.
    """
    spans = [replace(span, type=span.type.lower()) for span in _signs().find(command)]
    types = {span.type for span in spans}
    away = not _stays_here(command)
    result = []
    for span in spans:
        if span.type == "sends_data" and away:
            result.append(replace(span, type="exfiltration"))
        elif span.type == "reads_secret" and away and types & {"sends", "sends_data"}:
            result.append(replace(span, type="exfiltration", reason="it reads where keys are kept and sends data out"))
        elif span.type not in ("sends_data", "reads_secret", "sends"):
            result.append(span)
    return result


def addresses(command: str) -> list[str]:
    """Hosts that a command names, other than this machine."""
    return [host for host in _ADDRESS.findall(command[:20_000]) if not _HERE.fullmatch(host)]


def _stays_here(command: str) -> bool:
    hosts = _ADDRESS.findall(command[:20_000])
    return bool(hosts) and all(_HERE.fullmatch(host) for host in hosts)


@cache
def _signs() -> Signs:
    return Signs(load_pack("commands").rows, "command")
