"""An answer that asks for tool calls, in each protocol: which calls, the same without some, and how one goes on.

To go on means to tell the model, in its own protocol, that a call was not made and why, so that it does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from penstock.protect.exchange import ToolCall
from penstock.protect.sessions.conversation import Tree, _dict, _dicts, _family, _said, as_json

#: A list in a reply that holds calls beside other things, and the place of each call in it.
_Slot = tuple[list[Any], int]


def calls_of(surface: str, reply: Tree) -> list[ToolCall]:
    """The calls that an answer in one piece asks for."""
    dialect = _DIALECTS.get(_family(surface))
    return [dialect.call(holder[at]) for holder, at in dialect.slots(reply)] if dialect else []


def without(surface: str, reply: bytes, held: Sequence[int], note: str) -> bytes | None:
    """The answer without some of its calls (by number); with a note in its place when none is left."""
    dialect = _DIALECTS.get(_family(surface))
    if dialect is None:
        return None
    tree = msgspec.json.decode(reply)
    slots = list(dialect.slots(tree))
    gone = {id(slots[number][0][slots[number][1]]) for number in held if number < len(slots)}
    for holder in {id(holder): holder for holder, _ in slots}.values():
        holder[:] = [entry for entry in holder if id(entry) not in gone]
    if len(held) >= len(slots):
        dialect.say(tree, note)
    return msgspec.json.encode(tree)


def continued(
    surface: str, request: bytes, calls: Sequence[ToolCall], denials: Sequence[str], reply: Tree | None = None
) -> bytes | None:
    """The request that tells the model its calls were denied; None where the protocol has no way to say so.

    reply: the answer as it came, whose own turn is kept as it is (its signatures included).
    """
    dialect = _DIALECTS.get(_family(surface))
    if dialect is None:
        return None
    tree = msgspec.json.decode(request)
    return msgspec.json.encode(tree) if dialect.go_on(tree, calls, denials, reply) else None


class _Dialect(msgspec.Struct, frozen=True):
    """What must be known of a protocol."""

    slots: Callable[[Tree], Iterator[_Slot]]
    call: Callable[[Any], ToolCall]
    say: Callable[[Any, str], None]
    go_on: Callable[[Any, Sequence[ToolCall], Sequence[str], Tree | None], bool]


def _holding(entries: Any, is_call: Callable[[Tree], bool]) -> Iterator[_Slot]:
    if isinstance(entries, list):
        for at, entry in enumerate(entries):
            if isinstance(entry, dict) and is_call(entry):
                yield entries, at


def _arguments(call: ToolCall) -> Any:
    try:
        found = msgspec.json.decode(call.arguments or "{}")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


# ── chat completions, Ollama, Cohere ────────────────────────────────────────────────────────────────────────────────


def _chat_messages(reply: Tree) -> list[Any]:
    choices = [_dict(choice.get("message")) for choice in _dicts(reply.get("choices"))]
    return choices or [message for message in (reply.get("message"),) if isinstance(message, dict)]


def _chat_slots(reply: Tree) -> Iterator[_Slot]:
    for message in _chat_messages(reply):
        yield from _holding(message.get("tool_calls"), lambda entry: True)


def _chat_call(entry: Any) -> ToolCall:
    function = _dict(entry.get("function")) or _dict(entry.get("custom"))
    sent = function.get("arguments", function.get("input"))
    return ToolCall(_said(function, "name"), as_json(sent), _said(entry, "id"))


def _chat_say(reply: Any, note: str) -> None:
    for message in _chat_messages(reply):
        message.pop("tool_calls", None)
        said = message.get("content")
        if isinstance(said, list):
            said.append({"type": "text", "text": note})
        else:
            message["content"] = f"{said}\n\n{note}" if said else note
    for choice in _dicts(reply.get("choices")):
        choice["finish_reason"] = "stop"  # type: ignore[index]
    if reply.get("finish_reason") == "TOOL_CALL":
        reply["finish_reason"] = "COMPLETE"


def _chat_go_on(request: Any, calls: Sequence[ToolCall], denials: Sequence[str], reply: Tree | None) -> bool:
    messages = request.get("messages")
    if not isinstance(messages, list):
        return False
    said = _chat_messages(reply) if reply else []
    if len(said) > 1:
        return False
    ollama = reply is not None and "choices" not in reply and "finish_reason" not in reply
    made = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
        for call in calls
    ]
    turn = {key: value for key, value in said[0].items() if value is not None} if said else {"tool_calls": made}
    messages.append({"content": None, **turn, "role": "assistant"} if not ollama else turn)
    for call, denial in zip(calls, denials, strict=True):
        name = {"tool_name": call.name} if ollama else {"tool_call_id": call.id}
        messages.append({"role": "tool", "content": denial, **name})
    return True


# ── Anthropic ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _anthropic_slots(reply: Tree) -> Iterator[_Slot]:
    return _holding(reply.get("content"), lambda entry: entry.get("type") == "tool_use")


def _anthropic_call(entry: Any) -> ToolCall:
    return ToolCall(_said(entry, "name"), as_json(entry.get("input")), _said(entry, "id"))


def _anthropic_say(reply: Any, note: str) -> None:
    reply["content"] = [*reply.get("content", ()), {"type": "text", "text": note}]
    reply["stop_reason"] = "end_turn"


def _anthropic_go_on(request: Any, calls: Sequence[ToolCall], denials: Sequence[str], reply: Tree | None) -> bool:
    messages = request.get("messages")
    if not isinstance(messages, list):
        return False
    made = [{"type": "tool_use", "id": call.id, "name": call.name, "input": _arguments(call)} for call in calls]
    messages.append({"role": "assistant", "content": reply.get("content") if reply else made})
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "is_error": True, "content": denial}
        for call, denial in zip(calls, denials, strict=True)
    ]
    messages.append({"role": "user", "content": results})
    return True


# ── Bedrock Converse ────────────────────────────────────────────────────────────────────────────────────────────────


def _converse_message(reply: Tree) -> Tree:
    return _dict(_dict(reply.get("output")).get("message"))


def _converse_slots(reply: Tree) -> Iterator[_Slot]:
    return _holding(_converse_message(reply).get("content"), lambda entry: "toolUse" in entry)


def _converse_call(entry: Any) -> ToolCall:
    use = _dict(entry.get("toolUse"))
    return ToolCall(_said(use, "name"), as_json(use.get("input")), _said(use, "toolUseId"))


def _converse_say(reply: Any, note: str) -> None:
    content = _converse_message(reply).get("content")
    if isinstance(content, list):
        content.append({"text": note})
    reply["stopReason"] = "end_turn"


def _converse_go_on(request: Any, calls: Sequence[ToolCall], denials: Sequence[str], reply: Tree | None) -> bool:
    messages = request.get("messages")
    if not isinstance(messages, list):
        return False
    made = [{"toolUse": {"toolUseId": c.id, "name": c.name, "input": _arguments(c)}} for c in calls]
    messages.append(_converse_message(reply) if reply else {"role": "assistant", "content": made})
    results = [
        {"toolResult": {"toolUseId": call.id, "status": "error", "content": [{"text": denial}]}}
        for call, denial in zip(calls, denials, strict=True)
    ]
    messages.append({"role": "user", "content": results})
    return True


# ── Gemini ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _gemini_slots(reply: Tree) -> Iterator[_Slot]:
    for candidate in _dicts(reply.get("candidates")):
        yield from _holding(_dict(candidate.get("content")).get("parts"), lambda entry: "functionCall" in entry)


def _gemini_call(entry: Any) -> ToolCall:
    call = _dict(entry.get("functionCall"))
    return ToolCall(_said(call, "name"), as_json(call.get("args")), _said(call, "id"))


def _gemini_say(reply: Any, note: str) -> None:
    for candidate in _dicts(reply.get("candidates")):
        parts = _dict(candidate.get("content")).get("parts")
        if isinstance(parts, list):
            parts.append({"text": note})


def _gemini_go_on(request: Any, calls: Sequence[ToolCall], denials: Sequence[str], reply: Tree | None) -> bool:
    contents = request.get("contents")
    said = _dicts(reply.get("candidates")) if reply else []
    if not isinstance(contents, list) or len(said) > 1:
        return False
    made = {"role": "model", "parts": [{"functionCall": {"name": c.name, "args": _arguments(c)}} for c in calls]}
    contents.append(said[0].get("content") if said else made)
    results = []
    for call, denial in zip(calls, denials, strict=True):
        response = {"name": call.name, "response": {"error": denial}, **({"id": call.id} if call.id else {})}
        results.append({"functionResponse": response})
    contents.append({"role": "user", "parts": results})
    return True


# ── Responses ───────────────────────────────────────────────────────────────────────────────────────────────────────

#: Calls that the client makes; the provider's own tools (web search, code) have run already.
_CLIENT_CALLS = frozenset({"function_call", "custom_tool_call"})


def _responses_slots(reply: Tree) -> Iterator[_Slot]:
    return _holding(reply.get("output"), lambda entry: entry.get("type") in _CLIENT_CALLS)


def _responses_call(entry: Any) -> ToolCall:
    return ToolCall(
        _said(entry, "name"), as_json(entry.get("arguments", entry.get("input"))), _said(entry, "call_id", "id")
    )


def _responses_say(reply: Any, note: str) -> None:
    content = [{"type": "output_text", "text": note, "annotations": []}]
    message = {"id": "msg_penstock", "type": "message", "role": "assistant", "status": "completed", "content": content}
    reply["output"] = [*reply.get("output", ()), message]


def _responses_go_on(request: Any, calls: Sequence[ToolCall], denials: Sequence[str], reply: Tree | None) -> bool:
    given = request.get("input")
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    if not isinstance(given, list):
        return False
    made: list[Any] = [
        {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments or "{}"}
        for call in calls
    ]
    results = [
        {"type": "function_call_output", "call_id": call.id, "output": denial}
        for call, denial in zip(calls, denials, strict=True)
    ]
    request["input"] = [*given, *((reply or {}).get("output") or made), *results]
    return True


_DIALECTS: Mapping[str, _Dialect] = {
    "chat": _Dialect(_chat_slots, _chat_call, _chat_say, _chat_go_on),
    "anthropic": _Dialect(_anthropic_slots, _anthropic_call, _anthropic_say, _anthropic_go_on),
    "converse": _Dialect(_converse_slots, _converse_call, _converse_say, _converse_go_on),
    "gemini": _Dialect(_gemini_slots, _gemini_call, _gemini_say, _gemini_go_on),
    "responses": _Dialect(_responses_slots, _responses_call, _responses_say, _responses_go_on),
}
