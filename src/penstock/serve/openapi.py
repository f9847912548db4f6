"""The OpenAPI 3.1 document, written from the same types that decode requests and encode replies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from penstock import __version__
from penstock.serve.api.endpoint import Endpoint
from penstock.serve.api.session import SessionState, SignIn
from penstock.serve.api.shapes import Problem

_REF = "#/components/schemas/{name}"


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole document; equal for equal code."""
    types: list[Any] = [Problem, SignIn, SessionState]
    for e in endpoints:
        types += [t for t in (e.returns, e.body) if t is not None]
    _, components = msgspec.json.schema_components(types, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {"/api/v1/session": _session()}
    for e in endpoints:
        paths.setdefault(e.path, {})[e.method.lower()] = _operation(e)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Penstock",
            "version": __version__,
            "description": "AI assets, what could go wrong with them, and what waits for a person.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "penstock_session"},
            },
        },
        "security": [{"bearer": []}, {"session": []}, {}],
    }


def _operation(e: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": e.name,
        "summary": e.summary,
        "responses": {
            "200": {"description": "What was asked for", "content": _content(e.returns)},
            "default": {"description": "What happened, where, what to do", "content": _content(Problem)},
        },
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)", e.path)
    ]
    if e.query is not None:
        parameters += _query_parameters(e.query)
    if parameters:
        operation["parameters"] = parameters
    if e.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(e.body)}
    return operation


def _query_parameters(query: type) -> list[dict[str, Any]]:
    whole = msgspec.json.schema(query)
    properties = whole["$defs"][query.__name__]["properties"]
    return [
        {"name": name, "in": "query", "schema": schema, **({"explode": True} if schema.get("type") == "array" else {})}
        for name, schema in properties.items()
    ]


def _content(shape: Any) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=shape.__name__)}}}


def _session() -> dict[str, Any]:
    answer = {
        "200": {"description": "Who is signed in", "content": _content(SessionState)},
        "default": {"description": "What happened, where, what to do", "content": _content(Problem)},
    }
    return {
        "get": {"operationId": "session", "summary": "Who is signed in", "security": [{}], "responses": answer},
        "post": {
            "operationId": "sign_in",
            "summary": "Sign in with the token",
            "security": [{}],
            "requestBody": {"required": True, "content": _content(SignIn)},
            "responses": answer,
        },
        "delete": {"operationId": "sign_out", "summary": "Sign out", "security": [{}], "responses": answer},
    }
