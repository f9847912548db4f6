"""Names of members that leave the folder into which an archive is unpacked."""

from __future__ import annotations

import re

_DRIVE = re.compile(r"[A-Za-z]:")


def escapes(name: str) -> str:
    """Why a name leaves the folder; empty when it does not."""
    plain = name.replace("\\", "/")
    if plain.startswith("/") or _DRIVE.match(plain):
        return "is an absolute path"
    depth = 0
    for part in plain.split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return "leaves the folder into which it is unpacked"
    return ""
