"""AWS for tests: a real moto server, and one that speaks the real protocol of what moto lacks from recorded answers.

Every recorded answer is validated against botocore's model of the service when it is loaded.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import botocore.session
from botocore.validate import ParamValidator

ACCOUNT, REGION = "123456789012", "eu-west-1"
SESSION = botocore.session.get_session()
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}


@contextmanager
def moto() -> Iterator[str]:
    """The address of a moto server of its own process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **CREDENTIALS},
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/moto-api/data.json", timeout=2).read()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise RuntimeError("moto did not start")
        yield address
    finally:
        server.kill()
        server.wait()


class Recorded:
    """Answers of AWS by service and operation, served over HTTP in each service's own protocol.

    An answer is a mapping, or a function of the parameters; parameters of the path are given, the rest as sent.
    ``calls``: (service, operation) of everything that was asked. An answer may be an ``Exception`` of (status, code).
    What nobody recorded goes to ``behind`` (a moto server), else is an empty answer.
    """

    def __init__(self, answers: dict[str, dict[str, Any]], behind: str = "", account: str = ACCOUNT) -> None:
        self.answers = answers
        self.behind = behind
        self.calls: list[tuple[str, str]] = []
        self.account = account
        for service, operations in answers.items():
            for operation, answer in operations.items():
                if isinstance(answer, dict):
                    validate(service, operation, answer)

    def answer(self, service: str, operation: str, parameters: dict[str, Any]) -> Any:
        self.calls.append((service, operation))
        found = self.answers.get(service, {}).get(operation)
        if callable(found):
            found = found(parameters)
            if isinstance(found, dict):
                validate(service, operation, found)
        return found


class Refused(Exception):
    """(HTTP status, AWS error code)."""


def validate(service: str, operation: str, answer: dict[str, Any]) -> None:
    shape = SESSION.get_service_model(service).operation_model(operation).output_shape
    report = ParamValidator().validate(_typed(answer, shape), shape)
    assert not report.has_errors(), f"{service} {operation}: {report.generate_report()}"


def _typed(value: Any, shape: Any) -> Any:
    """Times of recorded JSON as times; and no member that the model does not know."""
    if shape.type_name == "structure" and isinstance(value, dict):
        unknown = set(value) - set(shape.members)
        assert not unknown or shape.is_document_type, f"{shape.name} has no {unknown}"
        return {key: _typed(each, shape.members[key]) for key, each in value.items()} if shape.members else value
    if shape.type_name == "list" and isinstance(value, list):
        return [_typed(each, shape.member) for each in value]
    if shape.type_name == "timestamp" and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return value


@contextmanager
def serving(recorded: Recorded) -> Iterator[str]:
    """The address under which recorded answers are given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            service, operation, parameters = _asked(self.command, self.path, self.headers, body)
            answer = recorded.answer(service, operation, parameters)
            if isinstance(answer, Refused):
                status, code = answer.args
                self._give(status, json.dumps({"__type": code, "message": "no"}).encode(), code)
            elif isinstance(answer, bytes):
                self._give(200, answer)
            elif answer is not None:
                self._give(200, json.dumps(answer).encode())
            elif recorded.behind:
                self._forward(body)
            else:
                self._give(200, _empty(service, operation))

        do_GET = do_POST = do_PUT = do_HEAD = _serve

        def _give(self, status: int, body: bytes, code: str = "") -> None:
            self.send_response(status)
            if code:
                self.send_header("x-amzn-ErrorType", code)
            self.send_header("Content-Type", "text/xml" if body.startswith(b"<") else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _forward(self, body: bytes) -> None:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("content-length", "connection")}
            asked = urllib.request.Request(
                recorded.behind + self.path, data=body or None, headers=headers, method=self.command
            )
            try:
                with urllib.request.urlopen(asked, timeout=60) as answer:
                    status, said, kind = answer.status, answer.read(), dict(answer.headers)
            except urllib.error.HTTPError as error:
                status, said, kind = error.code, error.read(), dict(error.headers)
            self.send_response(status)
            for name, value in kind.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


_SIGNED = re.compile(r"Credential=[^/]+/\d+/[^/]+/(?P<name>[^/]+)/")
#: Names that requests are signed for → the services that share each.
_SERVICES = {
    "bedrock": ("bedrock-agent", "bedrock"), "bedrock-agentcore": ("bedrock-agentcore-control",),
    "sagemaker": ("sagemaker",), "aoss": ("opensearchserverless",), "s3vectors": ("s3vectors",), "lambda": ("lambda",),
    "ecs": ("ecs",), "apigateway": ("apigatewayv2", "apigateway"), "iam": ("iam",), "s3": ("s3",), "sts": ("sts",),
    "organizations": ("organizations",), "tagging": ("resourcegroupstaggingapi",), "ec2": ("ec2",),
}  # fmt: skip
_ROUTES: dict[str, list[tuple[str, re.Pattern[str], set[str], str]]] = {}


def _asked(method: str, path: str, headers: Any, body: bytes) -> tuple[str, str, dict[str, Any]]:
    """(service, operation, parameters) of a request."""
    signed = _SIGNED.search(headers.get("Authorization", ""))
    services = _SERVICES[signed["name"]] if signed else ("sts",)
    parameters: dict[str, Any] = json.loads(body) if body[:1] == b"{" else {}
    parameters |= {key: values[0] for key, values in parse_qs(urlsplit(path).query).items()}
    if target := headers.get("X-Amz-Target"):
        return services[0], target.rpartition(".")[2], parameters
    if action := re.search(rb"Action=(\w+)", body):
        return services[0], action[1].decode(), parameters
    plain = urlsplit(path).path.rstrip("/") or "/"
    query = set(parse_qs(urlsplit(path).query, keep_blank_values=True))
    for service in services:
        for verb, pattern, needed, name in _routes(service):
            if verb == method and needed <= query and (match := pattern.match(plain)):
                return service, name, parameters | {key: unquote(value) for key, value in match.groupdict().items()}
    return services[0], "", parameters


def _routes(service: str) -> list[tuple[str, re.Pattern[str], set[str], str]]:
    """Operations by method, path and what must stand in the query; the most particular first."""
    if service not in _ROUTES:
        model = SESSION.get_service_model(service)
        rows = []
        for name in model.operation_names:
            http = model.operation_model(name).http
            path, _, query = http["requestUri"].partition("?")
            parts = [
                f"(?P<{re.sub('[^a-zA-Z0-9]', '_', part[1:-1].rstrip('+'))}>[^/]+)"
                if part.startswith("{")
                else re.escape(part)
                for part in (path.rstrip("/") or "/").split("/")
            ]
            pattern = re.compile("/".join(parts) + r"\Z" if len(parts) > 1 else "/" + r"\Z")
            needed = {word.partition("=")[0] for word in query.split("&") if word}
            rows.append((http["method"], pattern, needed, name))
        _ROUTES[service] = sorted(rows, key=lambda row: (row[1].pattern.count("(?P"), -len(row[2])))
    return _ROUTES[service]


def _empty(service: str, operation: str) -> bytes:
    protocol = SESSION.get_service_model(service).metadata["protocol"]
    if protocol in ("query", "ec2"):
        return f"<{operation}Response><{operation}Result/></{operation}Response>".encode()
    if protocol == "rest-xml":
        return b"<Result/>"
    return b"{}"
