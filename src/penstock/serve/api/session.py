"""Signing in to the console with the token: an HttpOnly, SameSite=Strict cookie that scripts cannot read."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from penstock.serve.api.shapes import Problem
from penstock.serve.guard import COOKIE, Guard, session_cookie
from penstock.serve.roles import User
from penstock.serve.tokens import SESSION_SECONDS


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``name`` is written beside what this person decides; the token alone says that they may."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[\w .@'-]+$")]


class SessionState(msgspec.Struct, frozen=True):
    """``user`` is "" while nobody is signed in; ``asks`` is what the server demands: nothing, token or oidc.

    ``role`` is what the user may do: viewer, developer, approver or admin; "" while nobody is signed in.
    """

    user: str
    asks: str
    role: str = ""


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
    user = User(guard.local_user) if guard.open else None
    if guard.tokens and (cookie := session_cookie(headers)):
        user = guard.tokens.user_of(cookie)
    return _json(SessionState(user.name, _asks(guard), user.role) if user else SessionState("", _asks(guard)))


async def _sign_in(request: Request, guard: Guard) -> Response:
    if guard.tokens is None:
        return _json(Problem("This server takes no token", "token", "It needs none, or an OIDC bearer"), 400)
    try:
        asked = msgspec.json.decode(await request.body(), type=SignIn)
    except msgspec.MsgspecError as error:
        return _json(Problem("A name and the token are needed", "body", str(error)), 400)
    user = guard.tokens.holder(asked.token, asked.name)
    if user is None:
        return _json(
            Problem("That is not the token", "token", "After many wrong tries wait a minute; or make a new token"), 401
        )
    answer = _json(SessionState(user.name, _asks(guard), user.role))
    answer.set_cookie(
        COOKIE,
        guard.tokens.open_session(user, asked.token),
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
