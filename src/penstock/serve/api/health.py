"""Whether the server does all of its work."""

from __future__ import annotations

import msgspec

from penstock import __version__
from penstock.serve.api.endpoint import Call, endpoint
from penstock.serve.api.shapes import Trouble


class Health(msgspec.Struct, frozen=True):
    """``status`` is ok, or degraded while something cannot be done; ``troubles`` says what."""

    status: str
    version: str
    user: str
    troubles: tuple[Trouble, ...]


@endpoint("GET", "/health")
def health(call: Call) -> Health:
    """What the server could not do lately."""
    troubles = tuple(Trouble(f.what, f.why, f.since, f.times) for f in call.live.failures.values())
    return Health("degraded" if troubles else "ok", __version__, call.user, troubles)
