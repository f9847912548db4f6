"""Mail: single messages and boxes of them. Whoever wrote and received it is personal data by nature."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import Message

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.blocks import spread
from penstock.discover.data.markup import page
from penstock.discover.data.poison import Passage
from penstock.discover.data.rows import decoded, say, unread
from penstock.discover.data.texts import of_texts
from penstock.discover.data.whole import is_cut, opened, size_of
from penstock.discover.walk import LARGEST_FILE

#: Messages looked at, parts of one message, and characters of one part.
_MESSAGES, _PARTS, _PART = 2_000, 50, 20_000
#: A message that counts as usual, for choosing places in a large box.
_USUAL = 64 * 1024
_HEADERS = ("From", "To", "Cc", "Reply-To", "Subject")


@collector(
    "data.mail",
    reads=("*.eml", "*.mbox", "*.mbx"),
    sees="messages that hold personal, payment, health or secret data, or that speak to a model",
    unseen="attachments",
)
def messages(file: File) -> Iterator[Yielded]:
    """A message is a dataset of one record, a box of as many as it holds."""
    single = file.path.lower().endswith(".eml")
    large = size_of(file) > LARGEST_FILE
    shown: list[Passage] = []
    concealed: list[Passage] = []
    seen = read = 0
    with opened(file) as content:
        blocks = spread(content, size_of(file), longest=_USUAL) if large else iter([(0, content.read(), 0)])
        for at, block, looked in blocks:
            read += looked
            for raw in [block] if single else _split(block, whole=not large and not is_cut(file)):
                seen += 1
                if seen <= _MESSAGES:
                    _read(raw, f"message near byte {at:,}" if large else f"message {seen}", shown, concealed)
    if not seen:
        if size_of(file):
            yield unread(file, "data.mail", "it holds no message in the form of a mailbox")
        return
    records = seen * size_of(file) // max(1, read) if large else None if is_cut(file) else seen
    yield from say(file, "data.mail", of_texts(shown, concealed=concealed, records=records, estimated=large))


def _split(block: bytes, *, whole: bool) -> list[bytes]:
    """Messages of a box; of a part of one, only those that begin and end in it."""
    parts = (b"\n" + block).split(b"\nFrom ")[1:]
    return parts if whole else parts[:-1]


def _read(raw: bytes, place: str, shown: list[Passage], concealed: list[Passage]) -> None:
    """Headers that name people, and the texts of the parts."""
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    named = [f"{name}: {message.get(name)}" for name in _HEADERS if message.get(name)]
    if named:
        shown.append(Passage(place, "\n".join(named)[:_PART]))
    for number, part in enumerate(message.walk()):
        if number >= _PARTS:
            break
        kind = part.get_content_type()
        if part.is_multipart() or not kind.startswith("text/") or part.get_filename():
            continue
        text = _text(part)
        if kind == "text/html":
            seen, hidden = page(text)
            shown += [Passage(place, passage.text) for passage in seen]
            concealed += [Passage(f"{place}, {passage.place}", passage.text) for passage in hidden]
        elif text.strip():
            shown.append(Passage(place, text))


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    return (decoded(data) or "")[:_PART]
