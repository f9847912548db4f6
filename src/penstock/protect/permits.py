"""What people granted, as one call sees it: a grant answers an ask of the same key, for its time and its session."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from penstock.protect.asking import Ask, Grant

#: Grants that were used up and are remembered; they run out long before so many have come.
_REMEMBERED = 100_000
#: Bytes of a journal that is begun anew at the next start: some twenty thousand grants.
LARGEST_JOURNAL = 1024 * 1024


class UsedGrants:
    """Single grants that are used up, whichever snapshot they stand in.

    With a journal that holds across restarts, and for all gateway processes of one state directory: a grant is on the
    disk as used before its call is sent on. Such grants are rare, so nobody else waits for that.
    """

    def __init__(self, journal: Path | None = None) -> None:
        """
        Raises:
            OSError: the journal cannot be opened.
        """
        self._used: dict[str, float] = {}  # id → until when the grant would hold
        self._lock = threading.Lock()
        self._read = 0
        self._file: int | None = None
        if journal is not None:
            self._file = os.open(journal, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with self._lock, self._alone():
                if self._read > LARGEST_JOURNAL:
                    self._begin_anew()

    def take(self, grant: Grant) -> bool:
        """Whether the grant was free; it is not any more. One that cannot be noted is not given."""
        with self._lock, self._alone():
            if grant.id in self._used:
                return False
            if len(self._used) >= _REMEMBERED:
                del self._used[next(iter(self._used))]
            if not self._noted(f"+{grant.id} {grant.until}"):
                return False
            self._used[grant.id] = grant.until
            return True

    def give_back(self, grant: Grant) -> None:
        with self._lock, self._alone():
            if self._used.pop(grant.id, None) is not None:
                self._noted(f"-{grant.id} 0")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """With no other process at the journal, and with all that they wrote."""
        if self._file is None:
            yield
            return
        import fcntl

        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            size = os.fstat(self._file).st_size
            if size < self._read:  # begun anew
                self._read, self._used = 0, {}
            if size > self._read:
                for line in os.pread(self._file, size - self._read, self._read).decode("utf-8", "replace").splitlines():
                    self._follow(line)
                self._read = size
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _follow(self, line: str) -> None:
        id, _, until = line[1:].partition(" ")
        if line[:1] == "-":
            self._used.pop(id, None)
        elif line[:1] == "+":
            with contextlib.suppress(ValueError):
                self._used[id] = float(until)

    def _noted(self, line: str) -> bool:
        if self._file is None:
            return True
        try:
            self._read += os.write(self._file, f"\n{line}\n".encode())  # a torn line before it ends here
            os.fsync(self._file)
        except OSError:
            return False
        return True

    def _begin_anew(self) -> None:
        """Leave out what has ended."""
        assert self._file is not None  # noqa: S101
        now = time.time()
        self._used = {id: until for id, until in self._used.items() if until > now}
        os.ftruncate(self._file, 0)
        self._read = os.write(self._file, "".join(f"+{id} {until}\n" for id, until in self._used.items()).encode())
        os.fsync(self._file)


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
