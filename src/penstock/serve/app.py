"""The HTTP application: endpoints, the OpenAPI document, the console's files, all behind the guard."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from penstock.errors import NotAllowed, NotReachable, PenstockError
from penstock.serve.answer_page import answer_page, style

# Importing a subject registers its endpoints.
from penstock.serve.api import (  # noqa: F401
    approvals,
    asset,
    assets,
    audit,
    cases,
    corrections,
    coverage,
    data,
    events,
    findings,
    fixes,
    health,
    lineage,
    questions,
    today,
    traffic,
)
from penstock.serve.api.endpoint import ENDPOINTS, PREFIX, Call, Endpoint, NoSuchThing, decode_query
from penstock.serve.api.session import session
from penstock.serve.api.shapes import Problem
from penstock.serve.guard import Guard, Guarded
from penstock.serve.openapi import document
from penstock.serve.otlp import Intake, Otlp
from penstock.serve.roles import User
from penstock.serve.state import Live

STATIC = Path(__file__).parent / "static"


def build(live: Live, guard: Guard) -> ASGIApp:
    """The whole server as one ASGI application; the caller starts and stops ``live``."""
    described = msgspec.json.encode(document(ENDPOINTS))

    async def openapi(request: Request) -> Response:
        return Response(described, media_type="application/json")

    async def healthz(request: Request) -> Response:
        status = "degraded" if live.failures else "ok"
        return Response(msgspec.json.encode({"status": status}), media_type="application/json")

    async def answer(request: Request) -> Response:
        return await answer_page(request, live)

    routes = [Route(e.path, _handler(e, live), methods=[e.method]) for e in ENDPOINTS]
    routes += [
        Route("/api/openapi.json", openapi),
        Route("/api/v1/session", session, methods=["GET", "POST", "DELETE"]),
        Route("/healthz", healthz),
        Route("/answer/style.css", style),
        Route("/answer/{token}", answer, methods=["GET", "POST"]),
        Route("/api/{rest:path}", _no_endpoint, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        Route("/{rest:path}", _console),
    ]
    return Otlp(Guarded(Starlette(routes=routes), guard), Intake(live.store, live.state / "spool"), guard)


def _handler(e: Endpoint, live: Live) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        user: User = request.scope["penstock.user"]
        route = f"{e.method} {e.path.removeprefix(PREFIX)}"
        call = Call(live, user.name, request.path_params, time.time(), user.role, route)
        try:
            call.demand("")
            given = {}
            if e.query is not None:
                given["query"] = decode_query(request.query_params.multi_items(), e.query)
            if e.body is not None:
                given["body"] = msgspec.json.decode(await request.body(), type=e.body)
            answer = await run_in_threadpool(e.run, call, **given)
        except msgspec.MsgspecError as error:
            return _problem(400, Problem("The request is not as described", e.path, str(error)))
        except ClientDisconnect:
            return _problem(413, Problem("The request is too large or was broken off", e.path))
        except PenstockError as error:
            return _problem(_status(error), Problem(error.message, error.where, error.hint))
        return _json(answer)

    handle.__name__ = e.name
    return handle


def _status(error: PenstockError) -> int:
    if isinstance(error, NoSuchThing):
        return 404
    if isinstance(error, NotAllowed):
        return 403
    return 503 if isinstance(error, NotReachable) else 400


async def _no_endpoint(request: Request) -> Response:
    return _problem(404, Problem("There is no such endpoint", request.url.path, "See /api/openapi.json"))


async def _console(request: Request) -> Response:
    """A file of the console's build; any other address is a page of the console, which reads it itself."""
    name = request.path_params["rest"]
    if name.startswith("_static/"):
        asked = (STATIC / name).resolve()
        if asked.is_relative_to(STATIC) and asked.is_file():
            return FileResponse(asked, headers={"cache-control": "public, max-age=31536000, immutable"})
        return PlainTextResponse("No such file", 404)
    if name == "favicon.svg":
        return FileResponse(STATIC / name, headers={"cache-control": "public, max-age=86400"})
    page = STATIC / "index.html"
    if not page.is_file():
        return PlainTextResponse("The console is not built: run npm ci && npm run build in console/", 503)
    return FileResponse(page, headers={"cache-control": "no-cache"})


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json", headers={"cache-control": "no-store"})


def _problem(status: int, problem: Problem) -> Response:
    return Response(
        msgspec.json.encode(problem), status, media_type="application/json", headers={"cache-control": "no-store"}
    )
