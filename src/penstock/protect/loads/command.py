"""A program started under the guard: its environment, and what happens in it first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from penstock.inspect.models import hashes
from penstock.inspect.models.verdict import Verdict
from penstock.protect.loads.guard import Guard, Stance
from penstock.protect.loads.hooks import install

_SITE = Path(__file__).parent / "site"
_HANDED = "PENSTOCK_MODEL_GUARD"


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says, as it travels in the environment. Paths are absolute."""

    refuse: str = "malicious"
    unseen: bool = False
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    log: str = ""

    def stance(self) -> Stance:
        """Raises:
        NotReachable, NotUnderstood: a list cannot be read.
        """
        lists = hashes.Lists(_joined(self.allow), _joined(self.deny))
        return Stance(Verdict[self.refuse.upper()], self.unseen, lists, self.log)


def environment(given: Given, around: Mapping[str, str]) -> dict[str, str]:
    """The environment in which every Python that is started looks before it loads."""
    behind = around.get("PYTHONPATH", "")
    path = os.pathsep.join(part for part in (os.fspath(_SITE), behind) if part)
    return {**around, "PYTHONPATH": path, _HANDED: msgspec.json.encode(given).decode()}


def installed(handed: str) -> Guard:
    """Put the guard in place, as the command line said."""
    return install(Guard(msgspec.json.decode(handed, type=Given).stance()))


def _joined(paths: tuple[str, ...]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for path in paths:
        joined |= hashes.read(Path(path))
    return joined
