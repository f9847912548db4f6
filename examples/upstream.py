"""A scripted model server on http://127.0.0.1:8422, as OpenAI, Azure, Anthropic, Google, AWS, Ollama and Cohere speak.

Start it with ``python examples/upstream.py``.

It is not a model. Asked about a customer of the example estate, it answers with that customer's (synthetic) record, as
a model trained on the table might; asked anything else, it says what it is. The same question gets the same answer.
Streams come in small pieces, so that an e-mail address or an account number always arrives torn. Offered a tool, it
calls it with what it would have said. Chat completions are written out here; the other protocols are in
``protocols.py``.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import hashlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).parents[1]))

from examples.protocols import CHAT, PROTOCOLS, TOOL, Protocol

TABLE = Path(__file__).parent / "estate" / "support-llm" / "data" / "customer_conversations.csv"
MODEL = "support-llm"
#: Characters a streamed chunk; shorter than any e-mail address or IBAN.
PIECE = 7
CREATED = 1_764_000_000


def build(table: Path = TABLE, *, pause: float = 0.01) -> Starlette:
    """The server as an ASGI application.

    Args:
        table: CSV with the columns customer_id, full_name, email, phone and iban.
        pause: seconds between two streamed chunks.
    """
    with table.open(encoding="utf-8", newline="") as lines:
        customers = list(csv.DictReader(lines))

    async def models(request: Request) -> Response:
        model = {"id": MODEL, "object": "model", "created": CREATED, "owned_by": "examples"}
        return JSONResponse({"object": "list", "data": [model]})

    async def completions(request: Request) -> Response:
        try:
            body = await request.json()
            messages = body["messages"]
            question = next(text_of(message) for message in reversed(messages) if message.get("role") == "user")
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
            return JSONResponse(
                {"error": {"message": "messages with a user's turn are needed", "type": "invalid_request_error",
                           "param": "messages", "code": None}},
                status_code=400,
            )  # fmt: skip
        reply = answer(question, customers)
        name = str(body.get("model") or MODEL)
        number = "chatcmpl-" + hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()[:24]
        usage = {"prompt_tokens": words(question), "completion_tokens": words(reply)}
        usage["total_tokens"] = sum(usage.values())
        head = {"id": number, "created": CREATED, "model": name}
        if body.get("tools"):
            return speak(CHAT, bool(body.get("stream")), json.dumps(body).encode(), reply, pause)
        if body.get("stream"):
            options = body.get("stream_options") or {}
            told = usage if options.get("include_usage") else None
            return StreamingResponse(stream(head, reply, told, pause), media_type="text/event-stream")
        choice = {"index": 0, "message": {"role": "assistant", "content": reply}, "finish_reason": "stop"}
        return JSONResponse({**head, "object": "chat.completion", "choices": [choice], "usage": usage})

    async def others(request: Request) -> Response:
        asked = await request.body()
        protocol, streams = protocol_of(request, asked)
        if protocol is None:
            return JSONResponse({"error": {"message": "this path is not scripted", "code": 404}}, status_code=404)
        return speak(protocol, streams, asked, answer(asked.decode(errors="replace"), customers), pause)

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/chat/completions", completions, methods=["POST"]),
            Route("/{path:path}", others, methods=["POST"]),
        ]
    )


def protocol_of(request: Request, asked: bytes) -> tuple[Protocol | None, bool]:
    """Whose words the request is in, and whether it asks for a stream."""
    target = _shape(request.url.path)
    for protocol in PROTOCOLS:
        for path, streams in ((protocol.stream_path, True), (protocol.path, False)):
            if _shape(path.partition("?")[0]) != target:
                continue
            if "alt=sse" in protocol.stream_path and streams and "alt=sse" not in request.url.query:
                continue
            if protocol.path == protocol.stream_path:  # the body says
                lines = protocol.stream_type.endswith("ndjson")
                streams = b'"stream":true' in asked.replace(b" ", b"")
                streams = streams or (lines and b'"stream":false' not in asked.replace(b" ", b""))
            return protocol, streams
    return None, False


def _shape(path: str) -> str:
    """The path with its version and the name of its model taken out."""
    path = re.sub(r"^/v1beta/", "/v1/", unquote(path))
    return re.sub(r"/(models?|deployments)/.+?(?=[/:][a-z])", r"/\1/*", path)


def speak(protocol: Protocol, streams: bool, asked: bytes, reply: str, pause: float) -> Response:
    """The reply in the protocol's words, or as a call of the tool that was offered."""
    calls = TOOL.encode() in re.findall(rb'"name"\s*:\s*"(\w+)"', asked)
    arguments = json.dumps({"note": reply})
    if not streams:
        return JSONResponse(protocol.call(arguments) if calls else protocol.answer(reply))
    text = arguments if calls else reply
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]

    async def slowly() -> AsyncIterator[bytes]:
        for event in protocol.called(pieces) if calls else protocol.events(pieces):
            yield event
            await asyncio.sleep(pause)

    return StreamingResponse(slowly(), media_type=protocol.stream_type)


def answer(question: str, customers: list[dict[str, str]]) -> str:
    """The record of the first customer whose name, number or address the question names; else who is speaking."""
    asked = question.casefold()
    for row in customers:
        names = (row["full_name"], row["customer_id"], row["email"])
        if any(re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", asked) for name in names):
            return (
                f"I found {row['full_name']} (customer {row['customer_id']}). The e-mail address is {row['email']}, "
                f"the phone number is {row['phone']}, and we debit the account {row['iban']}. What shall I change?"
            )
    return (
        "I am the scripted stand-in for a model. Ask me about a customer by name or number, and I will tell too much."
    )


async def stream(head: dict[str, Any], reply: str, usage: dict[str, int] | None, pause: float) -> AsyncIterator[str]:
    def event(choices: list[dict[str, Any]], **more: Any) -> str:
        return "data: " + json.dumps({**head, "object": "chat.completion.chunk", "choices": choices, **more}) + "\n\n"

    def part(delta: dict[str, str], finish: str | None = None) -> str:
        return event([{"index": 0, "delta": delta, "finish_reason": finish}])

    yield part({"role": "assistant", "content": ""})
    for start in range(0, len(reply), PIECE):
        yield part({"content": reply[start : start + PIECE]})
        await asyncio.sleep(pause)
    yield part({}, "stop")
    if usage:
        yield event([], usage=usage)
    yield "data: [DONE]\n\n"


def text_of(message: dict[str, Any]) -> str:
    """The text of a message, whether it is a string or a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))


def words(text: str) -> int:
    """Stands for the number of tokens."""
    return len(text.split())


def main() -> None:
    import uvicorn

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8422")))
    chosen = parser.parse_args()
    uvicorn.run(build(), host=chosen.host, port=chosen.port, log_level="warning")


if __name__ == "__main__":
    main()
