"""Who may speak to the server: the Host, the Origin, the size and type of what is sent, and who sends it.

On loopback every local program is trusted as its user is, so the danger is a web page in that user's browser: a
foreign Host (DNS rebinding) and a foreign Origin (forged requests) are refused. On any other address a token or an
OIDC bearer is demanded for everything but the console's own files, which hold no data.
"""

from __future__ import annotations

import getpass
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penstock.errors import NotAllowed, PenstockError, WrongUse
from penstock.serve.api.endpoint import PREFIX
from penstock.serve.api.shapes import Problem
from penstock.serve.headers import SECURITY_HEADERS
from penstock.serve.oidc import Oidc
from penstock.serve.roles import User
from penstock.serve.tokens import Tokens

COOKIE = "penstock_session"
#: Largest body of a request, in bytes: the largest thing anybody sends is a reason in words.
MOST_BODY = 64 * 1024
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_JSON, _FORM = b"application/json", b"application/x-www-form-urlencoded"
#: Where links in messages lead: a page without sign-in, whose link is what says who asks.
ANSWER_PAGE = "/answer/"


@dataclass(frozen=True)
class Guard:
    """What is demanded of a request.

    hosts: names the server answers to; None: any IP address, and this machine's own names (an address cannot be
        rebound, a name can).
    tokens, oidc: either suffices; with neither, whoever reaches the loopback address is ``local_user``.
    """

    hosts: frozenset[str] | None = LOOPBACK_NAMES
    tokens: Tokens | None = None
    oidc: Oidc | None = None
    local_user: str = field(default_factory=lambda: _login_name())

    @property
    def open(self) -> bool:
        """Nobody has to prove who they are."""
        return self.tokens is None and self.oidc is None

    def answers_to(self, host: str) -> bool:
        """Whether a Host header names this server."""
        name = _host_name(host)
        if self.hosts is not None:
            return name in self.hosts
        return _is_address(name) or name in _own_names()

    def user_of(self, headers: dict[bytes, bytes]) -> User | None:
        """Who sends the request, or None when that is not proven.

        Raises:
            NotAllowed, NotReachable: a bearer token was given and is refused, with the reason.
        """
        if self.open:
            return User(self.local_user)
        bearer = headers.get(b"authorization", b"").decode("latin-1")
        if bearer[:7].lower() == "bearer ":
            token = bearer[7:].strip()
            if self.tokens and (holder := self.tokens.holder(token)):
                return holder
            if self.oidc:
                return self.oidc.user_of(token)
            return None
        if self.tokens and (cookie := session_cookie(headers)):
            return self.tokens.user_of(cookie)
        return None


def choose(host: str, *, tokens: Tokens | None, oidc: Oidc | None, allowed: Iterable[str] = ()) -> Guard:
    """The guard for a bind address.

    Raises:
        WrongUse: others could reach the address, and nothing would ask them who they are.
    """
    named = frozenset(name.lower() for name in allowed)
    if is_loopback(host):
        return Guard(LOOPBACK_NAMES | named, tokens, oidc)
    if tokens is None and oidc is None:
        raise WrongUse(
            f"Others could reach {host}, and nothing would ask them who they are",
            "--host",
            "Make a token (python -m penstock.serve --state DIR --make-token), or give --token-file or "
            "--oidc-issuer with --oidc-audience; or stay on 127.0.0.1",
        )
    if named:
        return Guard(named | LOOPBACK_NAMES, tokens, oidc)
    return Guard(None, tokens, oidc)


class Guarded:
    """The application behind its guard: raw ASGI, so that a refused request costs nothing."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                names = {name for name, _ in own}
                message = {**message, "headers": [*own, *(row for row in SECURITY_HEADERS if row[0] not in names)]}
            await send(message)

        refusal = await self._refusal(scope, headers)
        if refusal:
            await _refuse(send_safely, *refusal)
            return
        await self._app(scope, _bounded(receive), send_safely)

    async def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[int, Problem] | None:
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._guard.answers_to(host):
            return 421, Problem(
                "This server does not answer to that name", host[:200], "Allow it with --allow-host, or use localhost"
            )
        path: str = scope["path"]
        method: str = scope["method"]
        if method not in _SAFE:
            if refused := _forged(headers, host):
                return refused
            if refused := _misshapen(headers, method, _FORM if path.startswith(ANSWER_PAGE) else _JSON):
                return refused
        elif path.startswith("/api/") and headers.get(b"sec-fetch-site") in {b"cross-site", b"same-site"}:
            return 403, Problem("Another site asked for this", "Sec-Fetch-Site", "Open the console itself")
        if not path.startswith("/api/") or path == f"{PREFIX}/session":
            scope["penstock.guard"] = self._guard
            return None
        try:
            user = await _in_thread(self._guard, headers)
        except PenstockError as error:
            status = 401 if isinstance(error, NotAllowed) else 503
            return status, Problem(error.message, error.where, error.hint)
        if user is None:
            return 401, Problem("This server asks who you are", path, "Sign in, or send Authorization: Bearer TOKEN")
        scope["penstock.user"] = user
        return None


def session_cookie(headers: dict[bytes, bytes]) -> str:
    """The session cookie's value, or ""."""
    try:
        jar = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return ""
    return jar[COOKIE].value if COOKIE in jar else ""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a bind address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


async def _in_thread(guard: Guard, headers: dict[bytes, bytes]) -> User | None:
    """Who it is; off the event loop only where a provider may have to be asked."""
    if guard.oidc is None:
        return guard.user_of(headers)
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(guard.user_of, headers)


def _forged(headers: dict[bytes, bytes], host: str) -> tuple[int, Problem] | None:
    """A change that another site's page sent: browsers name the page's origin, programs name none."""
    origin = headers.get(b"origin")
    site = headers.get(b"sec-fetch-site", b"none")
    same = origin is None or origin.decode("latin-1").partition("://")[2].lower() == host.lower()
    if same and site in {b"none", b"same-origin"}:
        return None
    return 403, Problem("Another site sent this change", (origin or site).decode("latin-1")[:200], "Use the console")


def _misshapen(headers: dict[bytes, bytes], method: str, wanted: bytes) -> tuple[int, Problem] | None:
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > MOST_BODY:
        return 413, Problem("The request is too large", "Content-Length", f"At most {MOST_BODY} bytes")
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind == wanted or method == "DELETE":
        return None
    shape = "a form" if wanted == _FORM else "JSON"
    return 415, Problem(f"Changes are sent as {shape}", "Content-Type", f"Send Content-Type: {wanted.decode()}")


def _bounded(receive: Receive) -> Receive:
    """Ends a body that grows past the limit, whatever its Content-Length said."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return {"type": "http.disconnect"} if taken > MOST_BODY else message

    return bounded


async def _refuse(send: Send, status: int, problem: Problem) -> None:
    body = msgspec.json.encode(problem)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="penstock"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _host_name(host: str) -> str:
    """The name in a Host header, lower-case, without port and brackets."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _own_names() -> frozenset[str]:
    return LOOPBACK_NAMES | {socket.gethostname().lower()}


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "local"
