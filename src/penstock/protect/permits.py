"""What people granted, as one call sees it: a grant answers an ask of the same key, for its time and its session."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from penstock.protect.asking import Ask, Grant

#: Grants that were used up and are remembered; they run out long before so many have come.
_REMEMBERED = 100_000


class UsedGrants:
    """Single grants that this process has used up, whichever snapshot they stand in."""

    def __init__(self) -> None:
        self._used: dict[str, None] = {}
        self._lock = threading.Lock()

    def take(self, grant: Grant) -> bool:
        """Whether the grant was free; it is not any more."""
        with self._lock:
            if grant.id in self._used:
                return False
            if len(self._used) >= _REMEMBERED:
                del self._used[next(iter(self._used))]
            self._used[grant.id] = None
            return True

    def give_back(self, grant: Grant) -> None:
        with self._lock:
            self._used.pop(grant.id, None)


class Grants:
    """The grants of one snapshot, by what they answer."""

    def __init__(self, grants: Iterable[Grant] = ()) -> None:
        self._by_key: dict[tuple[str, str], list[Grant]] = {}
        for grant in grants:
            self._by_key.setdefault((grant.application, grant.key), []).append(grant)

    def answering(self, application: str, ask: Ask, now: float) -> list[Grant]:
        """Those in force; the ones that are not used up first."""
        found = self._by_key.get((application, ask.key), ())
        return sorted(
            (grant for grant in found if grant.until > now and grant.session in ("", ask.session)),
            key=lambda grant: grant.single,
        )


class Permits:
    """What one call asks and may: each wish is asked once, each single grant is taken once."""

    def __init__(
        self,
        application: str = "",
        grants: Grants | None = None,
        used: UsedGrants | None = None,
        *,
        session: str = "",
        requester: str = "",
    ) -> None:
        self.application = application
        self.session = session
        self.requester = requester
        self._grants = grants or _NONE
        self._used = used or _UNUSED
        self.granted: dict[str, Grant] = {}  # by the key of the ask
        self.asks: dict[str, Ask] = {}

    def allows(self, ask: Ask) -> bool:
        """Whether a grant answers; if none does, the wish is asked."""
        if ask.key in self.granted:
            return True
        for grant in self._grants.answering(self.application, ask, time.time()):
            if not grant.single or self._used.take(grant):
                self.granted[ask.key] = grant
                return True
        self.asks.setdefault(ask.key, ask)
        return False

    def not_used(self) -> None:
        """The call did not pass after all: single grants stay as they were."""
        for grant in self.granted.values():
            if grant.single:
                self._used.give_back(grant)
        self.granted.clear()


_NONE = Grants()
#: Nothing is granted where this stands, so nothing is used up either.
_UNUSED = UsedGrants()
