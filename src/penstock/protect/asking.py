"""What the gateway asks a person, and what a person granted: the two values between it and the approvals."""

from __future__ import annotations

from hashlib import sha256

import msgspec


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to do what a rule does not allow by itself. Travels in ``Event.props["asks"]`` as a plain mapping.

    key: what a grant must answer (``key_of_ask``), so that the retry of the same wish is recognised.
    subject: what is wished, in words a person decides by, e.g. ``send_money(recipient=…)``; never a whole secret.
    session: the conversation it belongs to, when the grant is to hold for that one only.
    requester: who asked, as far as the caller's identity says; never the one who may approve.
    single: whether the grant is used up by one call.
    """

    key: str
    rule: str
    subject: str
    why: str
    session: str = ""
    requester: str = ""
    single: bool = False


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A person's yes to an ``Ask``. ``until`` is in epoch seconds; ``session`` empty = any."""

    id: str
    application: str
    key: str
    until: float
    session: str = ""
    single: bool = False


def key_of_ask(application: str, rule: str, subject: str) -> str:
    """The key that an ask and its grant share: 32 hexadecimal digits."""
    return sha256("\0".join((application, rule, subject)).encode("utf-8", "surrogatepass")).hexdigest()[:32]
