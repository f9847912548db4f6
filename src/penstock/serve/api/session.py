"""Signing in to the console with the token: an HttpOnly, SameSite=Strict cookie that scripts cannot read."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from penstock.serve.api.shapes import Problem
from penstock.serve.guard import COOKIE, Guard, session_cookie
from penstock.serve.tokens import SESSION_SECONDS


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``name`` is written beside what this person decides; the token alone says that they may."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[\w .@'-]+$")]


class SessionState(msgspec.Struct, frozen=True):
    """``user`` is "" while nobody is signed in; ``asks`` is what the server demands: nothing, token or oidc."""

    user: str
    asks: str


async def session(request: Request) -> Response:
    """GET: who is signed in. POST: sign in. DELETE: sign out."""
    guard: Guard = request.scope["penstock.guard"]
    headers = dict(request.scope["headers"])
    if request.method == "POST":
        return await _sign_in(request, guard)
    if request.method == "DELETE":
        if guard.tokens:
            guard.tokens.close_session(session_cookie(headers))
        answer = _json(SessionState("", _asks(guard)))
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer
    user = guard.local_user if guard.open else None
    if guard.tokens and (cookie := session_cookie(headers)):
        user = guard.tokens.user_of(cookie)
    return _json(SessionState(user or "", _asks(guard)))


async def _sign_in(request: Request, guard: Guard) -> Response:
    if guard.tokens is None:
        return _json(Problem("This server takes no token", "token", "It needs none, or an OIDC bearer"), 400)
    try:
        asked = msgspec.json.decode(await request.body(), type=SignIn)
    except msgspec.MsgspecError as error:
        return _json(Problem("A name and the token are needed", "body", str(error)), 400)
    if not guard.tokens.is_right(asked.token):
        return _json(
            Problem("That is not the token", "token", "After many wrong tries wait a minute; or make a new token"), 401
        )
    answer = _json(SessionState(asked.name, _asks(guard)))
    answer.set_cookie(
        COOKIE,
        guard.tokens.open_session(asked.name),
        max_age=SESSION_SECONDS,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


def _asks(guard: Guard) -> str:
    return "nothing" if guard.open else "token" if guard.tokens else "oidc"


def _json(value: msgspec.Struct, status: int = 200) -> Response:
    return Response(
        msgspec.json.encode(value), status, media_type="application/json", headers={"cache-control": "no-store"}
    )
