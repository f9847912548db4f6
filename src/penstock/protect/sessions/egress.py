"""Links and images of an answer that carry something out: a content names the host, and the model fills the rest.

An image is fetched as soon as it is shown, without a click, so whatever stands in its address has left.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from penstock.protect.sessions.conversation import Conversation
from penstock.protect.sessions.judge import carries
from penstock.protect.sessions.known import NOTHING, Knowledge
from penstock.protect.sessions.task import Read, Task, task_of

#: Links of one text that are looked at.
_MOST = 500
_IMAGE = re.compile(
    r"!\[[^\]\n]{0,400}\]\(\s*<?([^)\s>]{4,4000})[^)\n]{0,200}\)"
    r"|<img\b[^>]{0,400}?\bsrc\s*=\s*[\"']?([^\"'\s>]{4,4000})[^>]{0,400}>",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://[^\s<>\"'`)\]}]{4,4000}", re.IGNORECASE)
#: Characters behind the host above which the address of an image nobody named may hold somebody's data.
_LITTLE = 24


class Leak(msgspec.Struct, frozen=True, gc=False):
    """A place of the text that carries something out, and the host it leads to."""

    start: int
    end: int
    host: str
    image: bool


def leaks(text: str, talk: Conversation, knowledge: Knowledge = NOTHING) -> list[Leak]:
    """The links and images of an answer that carry something out."""
    if "://" not in text and "![" not in text:
        return []
    task = task_of(talk, frozenset(tool.name for tool in talk.tools if knowledge.trusted(tool)))
    found: list[Leak] = []
    for match in _IMAGE.finditer(text):
        url = match[1] or match[2]
        if len(found) < _MOST and "://" in url and _image_leaks(url, task, task.read):
            found.append(Leak(match.start(), match.end(), _host(url), True))
    for match in _LINK.finditer(text):
        inside = any(leak.start <= match.start() < leak.end for leak in found)
        if len(found) < _MOST and not inside and carries(match[0], task, task.read):
            found.append(Leak(match.start(), match.end(), _host(match[0]), False))
    return sorted(found, key=lambda leak: leak.start)


def without_leaks(text: str, found: Sequence[Leak]) -> str:
    """The text with a note in the place of each."""
    pieces: list[str] = []
    done = 0
    for leak in found:
        pieces += (text[done : leak.start], instead(leak))
        done = leak.end
    return "".join([*pieces, text[done:]])


def instead(leak: Leak) -> str:
    """What stands in the place of a link or image."""
    return f"[{'image' if leak.image else 'link'} to {leak.host} removed]"


def _image_leaks(url: str, task: Task, read: Sequence[Read]) -> bool:
    host = _host(url)
    if task.said.holds(host) or any(one.content.corpus.holds(url) for one in read):
        return False
    return carries(url, task, read) or len(url.partition("://")[2]) - len(host) > _LITTLE or "?" in url


def _host(url: str) -> str:
    return re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0][:253]
