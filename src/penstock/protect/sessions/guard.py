"""The tool calls of an answer, judged before the client gets them; denied ones are answered to the model.

The model is told that a call was not made, and asked again, so that the rest of the user's task goes on. Where the
client has seen words of the answer already, or the model insists, denied calls are taken out instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import msgspec

from penstock.errors import NotUnderstood
from penstock.protect.asking import Ask, key_of_ask
from penstock.protect.call import Call
from penstock.protect.exchange import Fragment, Key, Part, ToolCall
from penstock.protect.framing.frame import Frame
from penstock.protect.judging import rewritten
from penstock.protect.policy import SEVERITY
from penstock.protect.requests import LARGEST
from penstock.protect.sessions.answers import calls_of, continued, without
from penstock.protect.sessions.conversation import Conversation, conversation
from penstock.protect.sessions.egress import Leak, leaks, without_leaks
from penstock.protect.sessions.flowing import Flowing
from penstock.protect.sessions.instructions import given_away
from penstock.protect.sessions.judge import Ruling, judged
from penstock.protect.sessions.known import knowledge_of
from penstock.protect.snapshot import Rule
from penstock.protect.surfaces.surface import Heard, Streaming
from penstock.protect.upstream import Answer

#: How often a model is told in one call that it may not; each time costs one more call of the provider.
ROUNDS = 8
#: Bytes of a conversation that is judged beside the event loop, so that other calls do not wait for it.
_LARGE = 256 * 1024
#: Channels of what an assistant reads and nobody it works for has said.
_READ = frozenset({"tool_result", "document", "file"})

AskAgain = Callable[[bytes], Awaitable[Answer]]


class Sessions:
    """Judges what answers ask for. One for the life of a gateway."""

    async def settled(
        self, call: Call, body: bytes, answer: Answer, again: AskAgain, done: Callable[[Answer], None]
    ) -> Answer:
        """The answer that the client may have: the one that came, or the one that followed a denial.

        Args:
            body: the request as it was sent on.
            again: sends another request to the same provider; ``done`` frees an answer that is not wanted any more.
        """
        if not self._concerned(call) or answer.status >= 300:
            return answer
        first = answer
        found = await self._settled(call, body, answer, again, done)
        if found.connection is not first.connection:
            done(first)
        return found

    async def _settled(
        self, call: Call, body: bytes, answer: Answer, again: AskAgain, done: Callable[[Answer], None]
    ) -> Answer:
        assert call.exchange is not None  # noqa: S101
        first = answer.connection
        whole = b""
        for left in range(ROUNDS, -1, -1):
            streaming = call.surface.streaming(call.exchange, answer.content_type)
            if streaming is not None:
                heard = _Heard(call, streaming, answer, body)
                denied = await heard.begun()
            else:
                heard = None
                whole = await _whole(answer)
                denied = await _denied(call, body, whole)
                answer = msgspec.structs.replace(answer, body=_once(whole))
            if denied is None and heard is None:
                return msgspec.structs.replace(answer, body=_once(_without_leaks(call, body, whole)))
            if denied is None:
                return msgspec.structs.replace(answer, body=heard.rest()) if heard else answer
            following = denied.next_request(body) if left else None
            if following is None:
                if heard is not None:
                    return msgspec.structs.replace(answer, body=heard.refused(denied))
                taken = denied.taken_out(whole)
                return answer if taken is None else msgspec.structs.replace(answer, body=_once(taken))
            body = following
            if answer.connection is not first:
                done(answer)
            answer = await again(body)
            if answer.status >= 300:
                return answer
        return answer

    @staticmethod
    def _concerned(call: Call) -> bool:
        """Whether something was read that could have put words into the model's mouth; else nothing is judged."""
        exchange = call.exchange
        return exchange is not None and any(part.channel in _READ for part in exchange.parts)


class Denied(msgspec.Struct, frozen=True):
    """Calls of one answer, some or all of them held."""

    surface: str
    rulings: list[Ruling]
    approver: str
    reference: str
    reply: dict[str, object] | None = None

    def next_request(self, body: bytes) -> bytes | None:
        """The request that tells the model; None when some calls of the answer may be made, or there is no way."""
        if not all(ruling.held for ruling in self.rulings):
            return None
        calls = [ruling.call for ruling in self.rulings]
        return continued(self.surface, body, calls, [self.denial(ruling) for ruling in self.rulings], self.reply)

    def taken_out(self, reply: bytes) -> bytes | None:
        held = [number for number, ruling in enumerate(self.rulings) if ruling.held]
        return without(self.surface, reply, held, self.note)

    def denial(self, ruling: Ruling) -> str:
        """What the model reads in place of a result."""
        return (
            f"Not done: {ruling.call.name} was held by policy ({ruling.rule}), because {ruling.why}. "
            "Do not try it again and do not work around it. Go on with the rest of what the user asked for."
        )

    @property
    def note(self) -> str:
        """What the person reads in place of the calls."""
        held = [ruling for ruling in self.rulings if ruling.held]
        told = "; ".join(dict.fromkeys(f"{ruling.subject}: {ruling.why} (rule {ruling.rule})" for ruling in held[:5]))
        return (
            f"Not done without a yes: {told}. To allow it, ask {self.approver or 'your security team'} "
            f"and quote {self.reference}."
        )


async def _denied(call: Call, body: bytes, whole: bytes) -> Denied | None:
    try:
        reply = msgspec.json.decode(whole)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if not isinstance(reply, dict):
        return None
    return await ruled(call, body, calls_of(_surface(call), reply), reply)


async def ruled(
    call: Call, body: bytes, calls: Sequence[ToolCall], reply: dict[str, object] | None = None
) -> Denied | None:
    """The denied calls among those an answer asks for; None when all may be made. What was found is noted."""
    if not calls:
        return None
    if len(body) > _LARGE:
        rulings = await asyncio.to_thread(_rulings, call, body, calls)
    else:
        rulings = _rulings(call, body, calls)
    rulings = _noted(call, rulings)
    if not any(ruling.held for ruling in rulings):
        return None
    caller = call.policy.caller
    return Denied(_surface(call), rulings, caller.approver or caller.owner, call.id, reply)


def _rulings(call: Call, body: bytes, calls: Sequence[ToolCall]) -> list[Ruling]:
    talk: Conversation | None = conversation(_surface(call), msgspec.json.decode(body))
    return (
        judged(talk, calls, knowledge_of(call.policy.caller.known_tools))
        if talk is not None
        else [Ruling(one) for one in calls]
    )


def _noted(call: Call, rulings: list[Ruling]) -> list[Ruling]:
    """The rulings as they take effect: a person's yes lets a call pass, and an observing policy lets all pass."""
    caller, record = call.policy.caller, call.record
    effective: list[Ruling] = []
    for ruling in rulings:
        if ruling.held:
            why = f"{ruling.subject}: {ruling.why}"
            record.rules[ruling.rule] = Rule(
                id=ruling.rule, direction="out", categories=(), action=ruling.action, why=why
            )
            record.seen[f"out.{ruling.rule}"] += 1
            record.meant = max(record.meant, SEVERITY[ruling.action])
            if not call.policy.enforces:
                record.severity = max(record.severity, SEVERITY["observe"])
                ruling = Ruling(ruling.call)
            else:
                permits = record.permits
                permits.session = permits.session or call.session
                key = key_of_ask(caller.application, ruling.rule, ruling.subject)
                ask = Ask(
                    key=key, rule=ruling.rule, subject=ruling.subject, why=ruling.why, session=permits.session,
                    requester=permits.requester, single=True,
                )  # fmt: skip
                if permits.allows(ask):
                    ruling = Ruling(ruling.call)
                else:
                    record.severity = max(record.severity, SEVERITY[ruling.action])
        effective.append(ruling)
    return effective


def _without_leaks(call: Call, body: bytes, whole: bytes) -> bytes:
    """The answer without links and images that carry something out; whether it gives instructions away is noted."""
    try:
        reply = call.surface.reply(whole)
        talk = conversation(_surface(call), msgspec.json.decode(body))
    except (NotUnderstood, msgspec.DecodeError):  # an upload is no conversation
        return whole
    said = "\n".join(part.text for part in reply.parts if part.channel == "assistant")
    _noted_instructions(call, talk, said)
    changed: list[tuple[Part, str]] = []
    for part in reply.parts:
        if (
            talk is None
            or part.channel != "assistant"
            or part.fixed
            or not (found := leaks(part.text, talk, knowledge_of(call.policy.caller.known_tools)))
        ):
            continue
        _noted_leaks(call, found)
        changed.append((part, without_leaks(part.text, found)))
    return rewritten(whole, changed) if changed and call.policy.enforces else whole


def _noted_leaks(call: Call, found: Sequence[Leak]) -> None:
    why = f"It leads to {found[0].host} and carries more than any content says"
    _note(call, "answer-carries", why, "redact", len(found))


def _noted_instructions(call: Call, talk: Conversation | None, answer: str) -> None:
    """Note that an answer recites the operator's instructions, or a canary that stands in them."""
    system = "\n".join(turn.text for turn in talk.turns if turn.kind == "system") if talk is not None else ""
    if system and (what := given_away(answer, system)):
        told = "a canary of the instructions" if what == "canary" else "the instructions of the application"
        _note(call, f"answer-{what}", f"the answer gives away {told}", "observe", 1)


def _note(call: Call, rule: str, why: str, action: str, count: int) -> None:
    call.record.rules[rule] = Rule(id=rule, direction="out", categories=(), action=action, why=why)
    call.record.seen[f"out.{rule}"] += count
    call.record.meant = max(call.record.meant, SEVERITY[action])
    done = SEVERITY[action if call.policy.enforces else "observe"]
    call.record.severity = max(call.record.severity, done)


def _surface(call: Call) -> str:
    return call.exchange.surface if call.exchange is not None else ""


# ── answers on their way ────────────────────────────────────────────────────────────────────────────────────────────


async def _whole(answer: Answer) -> bytes:
    """An answer in one piece."""
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.body:
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST:
            raise NotUnderstood(f"The provider's answer is larger than {LARGEST >> 20} MiB", hint="Ask for less")
    return b"".join(pieces)


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


class _Heard:
    """A stream that is held until it says something: words pass as they come, a call waits until it is whole."""

    def __init__(self, call: Call, reader: Streaming, answer: Answer, body: bytes) -> None:
        self._call = call
        self._reader = reader
        self._answer = answer
        self._body = body
        self._pieces = answer.body
        self._flowing = Flowing(reader, self._leaks, acts=call.policy.enforces)  # frames before the first call
        self._talk: Conversation | None = None
        self._said: list[str] = []  # the words of the answer, up to a bound
        self._said_size = 0
        self._held: list[tuple[Frame, Heard, list[Fragment]]] = []  # from the first call on
        self._arguments: dict[Key, list[str]] = {}
        self._calls = False
        self._ended = False
        self._spoken = False
        self._size = 0

    async def begun(self) -> Denied | None:
        """Read until words come or the answer has ended; the denied calls of an answer that holds nothing else."""
        async for piece in self._pieces:
            self._take(piece)
            if self._spoken:
                return None
        self._close()
        return await self._judged()

    async def rest(self) -> AsyncIterator[bytes]:
        """What the client gets: words as they come, calls when they are judged."""
        for piece in self._given(ended=self._ended):
            yield piece
        if not self._ended:
            async for piece in self._pieces:
                self._take(piece)
                for ready in self._given():
                    yield ready
            self._close()
            for ready in self._given(ended=True):
                yield ready
            if (denied := await self._judged()) is not None:
                async for piece in self.refused(denied):
                    yield piece
                return
        for waiting in self._held:
            self._flowing.take(*waiting)
        for piece in self._given(ended=True):
            yield piece

    async def refused(self, denied: Denied) -> AsyncIterator[bytes]:
        """The end of the stream, with the note as its last words."""
        yield self._reader.refusal(denied.note) + self._reader.framing.end()

    def _given(self, *, ended: bool = False) -> list[bytes]:
        ready = self._flowing.ready(ended=ended or self._calls)
        for _, heard in ready:
            self._reader.passed(heard.tree or {})
        return [raw for raw, _ in ready]

    def _leaks(self, text: str) -> list[Leak]:
        if "://" not in text:
            return []
        found = leaks(text, talk, knowledge_of(self._call.policy.caller.known_tools)) if (talk := self._read()) else []
        if found:
            _noted_leaks(self._call, found)
        return found

    def _read(self) -> Conversation | None:
        """The conversation, read once."""
        if self._talk is None:
            self._talk = conversation(_surface(self._call), msgspec.json.decode(self._body))
        return self._talk

    def _take(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > LARGEST:
            raise NotUnderstood(f"The provider's answer is larger than {LARGEST >> 20} MiB", hint="Ask for less")
        for frame in self._reader.framing.feed(piece):
            self._follow(frame)

    def _close(self) -> None:
        """The upstream has ended: what is left without its end mark is a frame, too."""
        self._ended = True
        if (last := self._reader.framing.finish()) is not None:
            self._follow(last)
        _noted_instructions(self._call, self._read(), "".join(self._said))

    def _follow(self, frame: Frame) -> None:
        try:
            heard = self._reader.read(frame) if frame.data is not None else Heard([])
        except NotUnderstood:
            heard = Heard([])
        words = [one for one in heard.fragments if one.part.channel == "assistant" and not _is_name(one.key)]
        for fragment in words:
            if not fragment.whole and self._said_size < _SAID:
                self._said.append(fragment.part.text)
                self._said_size += len(fragment.part.text)
        for fragment in heard.fragments:
            if fragment.part.channel == "tool_call":
                self._calls = True
                if fragment.whole and fragment.key in self._arguments:
                    continue
                self._arguments.setdefault(fragment.key, []).append(fragment.part.text)
            elif fragment.part.channel == "assistant" and fragment.part.text and not self._calls:
                self._spoken = self._spoken or not _is_name(fragment.key)
        self._calls = self._calls or bool(self._reader.tool_calls())
        if self._calls:
            self._held.append((frame, heard, words))
        else:
            self._flowing.take(frame, heard, words)

    async def _judged(self) -> Denied | None:
        named = self._reader.tool_calls()
        texts = ["".join(pieces) for pieces in self._arguments.values()]
        if len(named) == len(texts):
            calls = [ToolCall(one.name, text, one.id) for one, text in zip(named, texts, strict=True)]
        elif named:  # some calls have no arguments: each is judged with all there are
            calls = [ToolCall(one.name, "[" + ",".join(texts) + "]", one.id) for one in named]
        else:
            return None
        return await ruled(self._call, self._body, calls)


#: Characters of an answer that are looked through for instructions when it has ended.
_SAID = 100_000
#: Last steps of a key under which a protocol says who speaks and which tool is called: no words yet.
_NAMES = frozenset({"role", "name", "id", "type", "call_id", "model", "status", "object"})


def _is_name(key: Key) -> bool:
    return any(step in _NAMES for step in key if isinstance(step, str))
