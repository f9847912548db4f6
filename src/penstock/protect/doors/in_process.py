"""The guard inside a Python program: same policy, same events, no proxy.

guard = Guard()                                  # $PENSTOCK_STATE, $PENSTOCK_KEY
with guard.call(model="gpt-4o") as call:
    answer = client.ask(call.sends(prompt))      # raises Stopped where policy stops it
    print(call.receives(answer))

@guard.tool                                      # arguments leave, the result is untrusted content
def search(query: str) -> str: ...
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from penstock.errors import NotAllowed, NotReachable
from penstock.protect.doors.examine import Examined, Noted, Text, examine
from penstock.protect.inspection import Inspection
from penstock.protect.permits import Permits, UsedGrants
from penstock.protect.policy import Policy, Record
from penstock.protect.sink import Sink, Spool
from penstock.protect.snapshot_source import SnapshotFile, Source
from penstock.settings import state_directory

P = ParamSpec("P")
R = TypeVar("R")
#: Depth to which arguments and results are looked through for texts.
DEPTH = 16


class Stopped(NotAllowed):
    """Policy stops this text. ``str`` says what, why and whom to ask; ``examined`` has the spans and rules."""

    def __init__(self, examined: Examined) -> None:
        super().__init__(examined.message)
        self.examined = examined


class Guard:
    """Open it once for a process; it is safe to use from threads.

    Args:
        key: the virtual key of this application; ``$PENSTOCK_KEY`` when not given.
        source, sink: for tests, or to share those of a gateway.
    """

    def __init__(
        self,
        state: str | Path | None = None,
        key: str | None = None,
        *,
        source: Source | None = None,
        sink: Sink | None = None,
    ) -> None:
        folder = state_directory(state)
        self._key = os.environ.get("PENSTOCK_KEY", "") if key is None else key
        self._source = source or SnapshotFile(folder / "snapshot.json")
        self._sink = sink or Spool(folder / "spool")
        self._inspection = Inspection()
        self._used = UsedGrants()

    def check(self, text: str, direction: str = "in", channel: str = "user") -> Examined:
        """Judge one text; nothing is raised when policy stops it."""
        noted = self._noted("")
        examined = examine(
            self._inspection, noted.policy, noted.record, [Text(text=text, channel=channel)], direction, noted.id
        )
        self._sink.emit(noted.event("stopped_by_policy" if examined.stopped else "answered"))
        return examined

    @contextmanager
    def call(self, model: str = "", surface: str = "in-process") -> Iterator[GuardedCall]:
        """One call of a model: one event for all that is sent and received within."""
        noted = self._noted(model, surface)
        outcome = "failed"
        try:
            yield GuardedCall(self._inspection, noted)
            outcome = "answered"
        except Stopped:
            outcome = "stopped_by_policy"
            raise
        finally:
            self._sink.emit(noted.event(outcome))

    def tool(self, function: Callable[P, R]) -> Callable[P, R]:
        """A tool of an agent: texts in its arguments are what leaves, texts in its result come from outside."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def waiting(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self.call(surface=f"tool {function.__name__}") as call:
                    given = call.sends([list(args), kwargs], "tool_call")
                    return call.receives(await function(*given[0], **given[1]), "tool_result")

            return waiting  # type: ignore[return-value]

        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            with self.call(surface=f"tool {function.__name__}") as call:
                given = call.sends([list(args), kwargs], "tool_call")
                result: R = call.receives(function(*given[0], **given[1]), "tool_result")
                return result

        return guarded

    def close(self) -> None:
        """Write the events that are held, and stop following the policy."""
        for part in (self._source, self._sink):
            if close := getattr(part, "close", None):
                close()

    def _noted(self, model: str, surface: str = "in-process") -> Noted:
        in_force = self._source.current()
        if in_force is None:
            raise NotReachable(
                "There is no policy yet", self._source.problem, "Run penstock up or penstock scan, which write it"
            )
        policy = in_force.policy_of(self._key)
        if policy is None:
            raise NotAllowed("This key is not known", "PENSTOCK_KEY", "Make one with penstock keys add")
        caller = policy.caller
        permits = Permits(caller.application, in_force.grants, self._used, requester=caller.name)
        return Noted(surface, policy, Record(permits=permits), model=model)


class GuardedCall:
    """What goes to a model or tool and what comes back, on the record of one call."""

    def __init__(self, inspection: Inspection, noted: Noted) -> None:
        self._inspection = inspection
        self._noted = noted

    @property
    def policy(self) -> Policy:
        return self._noted.policy

    def sends(self, value: Any, channel: str = "user") -> Any:
        """What may be sent: the same value, texts masked where policy masks.

        Raises:
            Stopped: policy stops it.
        """
        return self._judged(value, "in", channel)

    def receives(self, value: Any, channel: str = "assistant") -> Any:
        """What may be shown or read. Raises ``Stopped`` as ``sends`` does."""
        return self._judged(value, "out", channel)

    def judged(self, texts: Sequence[Text], direction: str) -> list[str]:
        """The texts as they may go on (``in``: sent, ``out``: received). Raises ``Stopped`` as ``sends`` does."""
        noted = self._noted
        size = sum(len(text.text) for text in texts)
        if direction == "in":
            noted.sent += size
        else:
            noted.answered += size
        examined = examine(self._inspection, noted.policy, noted.record, texts, direction, noted.id)
        if examined.stopped:
            raise Stopped(examined)
        return list(examined.texts)

    def _judged(self, value: Any, direction: str, channel: str) -> Any:
        found: list[str] = []
        _collect(value, found, 0)
        clean = self.judged([Text(text=text, channel=channel) for text in found], direction)
        return value if clean == found else _put(value, iter(clean), 0)


def _collect(value: Any, found: list[str], depth: int) -> None:
    """The texts in a value of plain lists and mappings, keys left out."""
    if isinstance(value, str):
        found.append(value)
    elif depth < DEPTH and isinstance(value, dict):
        for inner in value.values():
            _collect(inner, found, depth + 1)
    elif depth < DEPTH and isinstance(value, list | tuple):
        for inner in value:
            _collect(inner, found, depth + 1)


def _put(value: Any, texts: Iterator[str], depth: int) -> Any:
    if isinstance(value, str):
        return next(texts)
    if depth < DEPTH and isinstance(value, dict):
        return {key: _put(inner, texts, depth + 1) for key, inner in value.items()}
    if depth < DEPTH and isinstance(value, list | tuple):
        changed = [_put(inner, texts, depth + 1) for inner in value]
        return tuple(changed) if isinstance(value, tuple) else changed
    return value
