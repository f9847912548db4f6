"""``POST /v1/inspect``: texts or messages in, a verdict out. For programs that call models in ways of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from penstock.errors import NotUnderstood
from penstock.protect.doors.examine import Examined, Noted, Text, examine
from penstock.protect.doors.room import Refused, Room, answer
from penstock.protect.exchange import CHANNELS
from penstock.protect.requests import ClientGone, Receive, Scope, Send, TooLarge, read_body
from penstock.protect.surfaces.json_surface import CHANNEL_OF

#: Texts of one call, and bytes from which on they are judged beside the event loop.
TEXTS, LARGE = 4096, 16 * 1024


class Said(msgspec.Struct, frozen=True):
    """A message as chat APIs write it."""

    role: str
    content: Any = ""


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``text`` or ``messages``. ``channel``: what the text is to the model (``exchange.CHANNELS``)."""

    text: str | None = None
    messages: list[Said] | None = None
    direction: Literal["in", "out"] = "in"
    channel: str = "user"
    model: str = ""


class InspectDoor:
    """Judges and answers; nothing is sent anywhere."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._room.counts["calls"] += 1
        try:
            status, value = 200, await self._examined(scope, receive)
        except ClientGone:
            self._room.counts["hung_up"] += 1
            return
        except Refused as error:
            status, value = error.status, _problem(error.message, error.code)
        except TooLarge as error:
            status, value = 413, _problem(str(error), "request_too_large")
        except NotUnderstood as error:
            status, value = 400, _problem(str(error), "not_understood")
        self._room.counts["refused"] += status != 200
        await answer(send, status, value)

    async def _examined(self, scope: Scope, receive: Receive) -> Any:
        if scope["method"] != "POST":
            raise Refused(405, "Texts are inspected with POST", "method_not_allowed")
        in_force, policy = self._room.caller(scope)
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        body = await read_body(headers, receive)
        texts, wanted = read(body)
        noted = Noted("inspect", policy, self._room.record(in_force, policy), model=wanted.model, sent=len(body))

        def judge() -> Examined:
            return examine(self._room.inspection, policy, noted.record, texts, wanted.direction, noted.id)

        examined = await asyncio.to_thread(judge) if len(body) > LARGE else judge()
        self._room.sink.emit(noted.event("stopped_by_policy" if examined.stopped else "answered"))
        return _answered(examined, wanted)


def read(body: bytes) -> tuple[list[Text], Wanted]:
    """The texts of a request.

    Raises:
        NotUnderstood: it is not what the API takes.
    """
    try:
        wanted = msgspec.json.decode(body, type=Wanted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood("The request is not as described", hint=str(error)) from error
    if (wanted.text is None) == (wanted.messages is None):
        raise NotUnderstood("Send either text or messages", hint='{"text": "…"} or {"messages": [{"role": …}]}')
    if wanted.channel not in CHANNELS:
        raise NotUnderstood(f"There is no channel {wanted.channel!r}", hint=", ".join(sorted(CHANNELS)))
    if wanted.text is not None:
        return [Text(text=wanted.text, channel=wanted.channel)], wanted
    texts = [
        Text(text=text, role=said.role, channel=CHANNEL_OF.get(said.role, "other"))
        for said in wanted.messages or ()
        for text in _texts(said.content)
    ]
    if len(texts) > TEXTS:
        raise NotUnderstood(f"More than {TEXTS} texts", hint="Send them in several calls")
    return texts, wanted


def _texts(content: Any) -> list[str]:
    """The texts of a message: its content, or those of the parts of its content."""
    if isinstance(content, str):
        return [content]
    if content is None:
        return []
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        texts = [part.get("text", part.get("content")) for part in content]
        if all(isinstance(text, str) for text in texts):
            return texts
    raise NotUnderstood("A message's content is neither a text nor a list of parts with texts")


def _answered(examined: Examined, wanted: Wanted) -> dict[str, Any]:
    """The verdict, with what may go on in the shape it came in."""
    value: dict[str, Any] = msgspec.to_builtins(examined)
    texts = list(value.pop("texts"))
    if examined.stopped:
        return value
    if wanted.messages is None:
        return value | {"text": texts[0]}
    left = iter(texts)
    return value | {"messages": [{"role": said.role, "content": _put(said.content, left)} for said in wanted.messages]}


def _put(content: Any, left: Any) -> Any:
    if isinstance(content, str):
        return next(left)
    if content is None:
        return None
    return [part | {"text" if "text" in part else "content": next(left)} for part in content]


def _problem(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "code": code}}
