"""A scripted provider and the gateway in front of it, both real servers on loopback."""

import asyncio
import hashlib
import json
import threading
import time
from contextlib import contextmanager

import uvicorn

from penstock.protect.snapshot import Caller, PolicySnapshot, Rule, Upstream

KEY = "psk_support_1"


@contextmanager
def served(app):
    """The ASGI application on a free port, in a thread of its own."""
    config = uvicorn.Config(app, port=0, http="httptools", ws="none", log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(5)


class Provider:
    """Answers what ``script`` says: ``body`` in pieces, with status and headers. Remembers what it was asked."""

    def __init__(self):
        self.url = ""
        self.asked = []
        self.script = {"body": [b"{}"], "status": 200, "type": "application/json", "headers": []}
        self.closed = threading.Event()
        self.sent = 0

    def says(self, *body, type="application/json", status=200, headers=(), pause=0.0):
        self.script = {"body": list(body), "status": status, "type": type, "headers": list(headers), "pause": pause}

    def completes(self, text, **message):
        self.says(json.dumps(completion(text, **message)).encode())

    def streams(self, *pieces, pause=0.0):
        self.says(*chunks(*pieces), b"data: [DONE]\n\n", type="text/event-stream", pause=pause)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.asked.append((scope, body))
        script = self.script
        headers = [(b"content-type", script["type"].encode()), *script["headers"]]
        await send({"type": "http.response.start", "status": script["status"], "headers": headers})
        watcher = asyncio.create_task(self._watch(receive))
        for piece in script["body"]:
            if self.closed.is_set():
                break
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            self.sent += 1
            if script.get("pause"):
                await asyncio.sleep(script["pause"])
        watcher.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _watch(self, receive):
        await receive()
        self.closed.set()


def completion(text, **message):
    said = {"role": "assistant", "content": text, **message}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o",
        "choices": [{"index": 0, "message": said, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
    }


def chunks(*pieces, choice=0):
    """Stream events as a provider sends them: a role, the pieces, a reason to finish."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}

    def event(delta, reason=None):
        row = {"index": choice, "delta": delta, "finish_reason": reason}
        return b"data: " + json.dumps({**head, "choices": [row]}).encode() + b"\n\n"

    return [
        event({"role": "assistant", "content": ""}),
        *(event(piece if isinstance(piece, dict) else {"content": piece}) for piece in pieces),
        event({}, "stop"),
    ]


def rule(action, *categories, direction="out", id="", types=()):
    return Rule(
        id=id or f"{direction}-{action}",
        direction=direction,
        categories=categories or ("*",),
        action=action,
        why="The support agent answers the internet",
        findings=("finding-1",),
        types=types,
    )


def caller(*rules, mode="enforce", **more):
    named = {"application": "actor-1", "name": "support-agent", "owner": "team-support", "approver": "team-security"}
    return Caller(mode=mode, rules=rules, **(named | more))


def snapshot(
    *rules, upstream="http://127.0.0.1:1/v1", mode="enforce", unknown=None, key_env="PENSTOCK_TEST_UPSTREAM_KEY", **more
):
    return PolicySnapshot(
        version=1,
        made_at=0.0,
        callers={hashlib.sha256(KEY.encode()).hexdigest(): caller(*rules, mode=mode, **more)},
        upstreams=(Upstream(name="openai", base_url=upstream, key_env=key_env),),
        unknown=unknown,
    )
