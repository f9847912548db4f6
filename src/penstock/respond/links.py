"""Links by which a request is answered from a message: signed, for one request and one party, until its answer.

A link is a bearer's: whoever holds it speaks for the party it was sent to. It therefore opens a page that shows the
facts and asks; opening it changes nothing, so that scanners which follow every link of a message approve nothing. It
works once, because a request that was answered is not asked any more.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import msgspec

from penstock.errors import NotAllowed
from penstock.graph.store.protocol import Approval
from penstock.respond.signing import Keyring

PURPOSE = "answer-link/1"
#: What a link may be long, in letters: anything longer was not made here.
LONGEST = 600


@dataclass(frozen=True, slots=True)
class Link:
    """For which request, to whom it was sent (asset id), and until when it opens (seconds since the epoch)."""

    approval: str
    party: str
    until: float


def make_link(keyring: Keyring, approval: Approval, party: str, base: str) -> str:
    """The address that answers a request in a party's name."""
    return f"{base.rstrip('/')}/answer/{make_token(keyring, Link(approval.id, party, approval.answer_by))}"


def make_token(keyring: Keyring, link: Link) -> str:
    body = base64.urlsafe_b64encode(msgspec.json.encode(link)).rstrip(b"=")
    return f"{body.decode()}.{keyring.sign(PURPOSE, body)}"


def read_token(keyring: Keyring, token: str, *, now: float) -> Link:
    """The link that a token is.

    Raises:
        NotAllowed: it was not signed by us, was changed, or has ended.
    """
    body, _, signature = token.partition(".")
    if len(token) > LONGEST or not keyring.verifies(signature, PURPOSE, body.encode()):
        raise NotAllowed("This link was not made here, or was changed", None, "Open the newest message, or the console")
    try:
        link = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=Link)
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise NotAllowed("This link cannot be read", None, "Open the newest message, or the console") from error
    if link.until <= now:
        raise NotAllowed("This link has ended", None, "The request has to be made again")
    return link
