"""What an endpoint is: a typed function of the current world, registered under a method and a path.

The same types decode the request, encode the reply and write the OpenAPI document, so the three cannot disagree.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

import msgspec

from penstock.errors import NotAllowed, PenstockError
from penstock.serve.roles import User, needed
from penstock.serve.state import Live

PREFIX = "/api/v1"
F = TypeVar("F", bound=Callable[..., Any])


class NoSuchThing(PenstockError):
    """The id in the address names nothing here: go back to the list."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the live state, who asks, the ids in the path, and when. ``route`` is the address as declared."""

    live: Live
    user: str
    path: Mapping[str, str]
    now: float
    role: str = "admin"
    route: str = ""

    def demand(self, what: str) -> None:
        """Refuse what this person may not do at this address, as the one table of roles has it.

        Raises:
            NotAllowed: their role is not enough.
        """
        method, _, path = self.route.partition(" ")
        least = needed(method, path, what)
        if not User(self.user, self.role).may(least):
            raise NotAllowed(f"A {self.role} may not {what or 'do this'}", path, f"It needs the role {least}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``query`` and ``body`` are msgspec types, or None when the endpoint takes none."""

    method: str
    path: str
    run: Callable[..., Any]
    query: type | None
    body: type | None
    returns: Any
    summary: str

    @property
    def name(self) -> str:
        return self.run.__name__


ENDPOINTS: list[Endpoint] = []


def endpoint(method: str, path: str) -> Callable[[F], F]:
    """Register ``run(call[, query=…][, body=…])``; its annotations are the contract, its docstring the summary."""

    def register(run: F) -> F:
        hints = get_type_hints(run)
        names = inspect.signature(run).parameters
        summary = (run.__doc__ or "").strip().splitlines()[0]
        ENDPOINTS.append(
            Endpoint(
                method,
                PREFIX + path,
                run,
                hints["query"] if "query" in names else None,
                hints["body"] if "body" in names else None,
                hints["return"],
                summary,
            )
        )
        return run

    return register


def decode_query(pairs: list[tuple[str, str]], into: type) -> Any:
    """The query string as its declared type.

    Raises:
        msgspec.ValidationError: an unknown name, a value of the wrong type or outside its bounds.
    """
    lists = {f.name for f in msgspec.structs.fields(into) if getattr(f.type, "__origin__", None) is tuple}
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in lists:
            values.setdefault(name, []).append(value)
        else:
            values[name] = value
    return msgspec.convert(values, into, strict=False)
