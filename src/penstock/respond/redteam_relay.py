"""The relay between garak and the endpoint it attacks: it holds the key and counts; and an endpoint to try it on."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from penstock.errors import WrongUse

#: Bytes of a request and of an answer; seconds to wait for the endpoint.
_LONGEST, _WAIT = 2_000_000, 60.0


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint that speaks as OpenAI does, or, with ``body``, any other that takes JSON.

    url: the base of an OpenAI-compatible API (``…/v1``), else the address itself. key: sent as a bearer token.
    body: JSON in which ``$INPUT`` stands for the prompt. answer: dotted path to the text in what comes back.
    """

    url: str
    model: str = ""
    key: str = field(default="", repr=False)
    body: str = ""
    answer: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise WrongUse("The endpoint has no address", self.url, "http:// or https://, with a host")
        if parts.username or parts.password:
            raise WrongUse("The address holds a secret", parts.hostname, "Put the key into a variable: --key-env NAME")
        if self.body and ("$INPUT" not in self.body or not self.answer):
            raise WrongUse("The body has no $INPUT, or no path to the answer is given", self.url, "--body and --answer")
        if self.body:
            _filled(self.body, "x")


class Relay:
    """Counts the requests that were made, and those that were refused because the budget was spent."""

    def __init__(self, target: Target, most: int) -> None:
        self.target, self.url = target, ""
        self.made = self.refused = 0
        self._most, self._lock = most, threading.Lock()

    def spend(self) -> bool:
        """Take one request out of the budget."""
        with self._lock:
            if self.made >= self._most:
                self.refused += 1
                return False
            self.made += 1
            return True

    def asked(self, chat: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Put a chat to the endpoint; what comes back, as a chat completion."""
        target = self.target
        if target.body:
            status, said = self._sent(urlsplit(target.url).path or "/", _filled(target.body, _prompt(chat)))
            return status, completion(str(_at(said, target.answer))) if status < 400 else {
                "error": {"message": "refused"}
            }
        path = f"{urlsplit(target.url).path.rstrip('/')}/chat/completions"
        return self._sent(path, {**chat, "model": target.model or chat.get("model", ""), "stream": False})

    def _sent(self, path: str, body: Any) -> tuple[int, Any]:
        parts = urlsplit(self.target.url)
        host, port = parts.hostname or "", parts.port
        line: http.client.HTTPConnection = (
            http.client.HTTPSConnection(host, port, timeout=_WAIT, context=ssl.create_default_context())
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=_WAIT)
        )
        headers = {"content-type": "application/json"}
        if self.target.key:
            headers["authorization"] = f"Bearer {self.target.key}"
        try:
            line.request("POST", path, json.dumps(body), headers)
            answer = line.getresponse()
            data = answer.read(_LONGEST + 1)
            return answer.status, json.loads(data) if len(data) <= _LONGEST else {}
        finally:
            line.close()


@contextmanager
def relayed(target: Target, most: int) -> Iterator[Relay]:
    """A relay to the endpoint on the loopback, for at most so many requests."""
    relay = Relay(target, most)

    class Handler(_Json):
        def answer(self, chat: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            if not relay.spend():
                return 400, {"error": {"message": "the budget of this run is spent", "type": "invalid_request_error"}}
            try:
                return relay.asked(chat)
            except (OSError, http.client.HTTPException, ValueError):
                return 400, {"error": {"message": "the endpoint did not answer", "type": "invalid_request_error"}}

    with _served(Handler) as url:
        relay.url = url
        yield relay


@contextmanager
def obedient() -> Iterator[str]:
    """An OpenAI-compatible endpoint that says back what it is told: every attack gets through."""

    class Handler(_Json):
        def answer(self, chat: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            return 200, completion(_prompt(chat))

    with _served(Handler) as url:
        yield f"{url}/v1"


class _Json(BaseHTTPRequestHandler):
    """Takes JSON and answers JSON; a request that is none is refused."""

    protocol_version = "HTTP/1.1"

    def answer(self, chat: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        raise AssertionError("each server says its own answer")

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        try:
            chat = json.loads(self.rfile.read(int(length))) if length.isdigit() and int(length) <= _LONGEST else None
        except (ValueError, RecursionError):
            chat = None
        status, said = self.answer(chat) if isinstance(chat, dict) else (400, {"error": {"message": "no chat"}})
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: prompts belong in no log."""


@contextmanager
def _served(handler: type[_Json]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def completion(text: str) -> dict[str, Any]:
    """A text as a chat completion."""
    return {
        "id": "chatcmpl-0", "object": "chat.completion", "created": 0, "model": "target",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }  # fmt: skip


def _prompt(chat: dict[str, Any]) -> str:
    """The last thing that a user says."""
    messages = chat.get("messages")
    said = [m.get("content") for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
    texts = [text for text in said if isinstance(text, str)]
    return texts[-1] if texts else ""


def _filled(body: str, prompt: str) -> Any:
    try:
        return json.loads(body.replace("$INPUT", json.dumps(prompt)[1:-1]))
    except ValueError as error:
        raise WrongUse("The body is no JSON", body[:80], """--body '{"question": "$INPUT"}'""") from error


def _at(said: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(said, list):
            said = said[int(name)] if name.isdigit() and int(name) < len(said) else ""
        else:
            said = said.get(name, "") if isinstance(said, dict) else ""
    return said
