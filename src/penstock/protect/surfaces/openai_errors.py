"""Errors as OpenAI's clients, and those of everything compatible with it, read them."""

from __future__ import annotations

import msgspec

from penstock.protect.surfaces.surface import Failure

#: Status → type of the error; the client chooses its exception by the status.
_TYPES = {401: "authentication_error", 403: "permission_error", 413: "invalid_request_error", 429: "rate_limit_error"}


def failure(status: int, message: str, code: str) -> Failure:
    kind = _TYPES.get(status) or ("invalid_request_error" if status < 500 else "server_error")
    return Failure(error(message, kind, code))


def error(message: str, kind: str, code: str) -> bytes:
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": None, "code": code}})
