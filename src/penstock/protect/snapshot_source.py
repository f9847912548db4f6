"""The policy in force: swapped whole when its file changes; a broken file leaves the old one in force and says so."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import msgspec

from penstock.errors import NotUnderstood
from penstock.protect.identities import Subject, Tokens, is_token, matches
from penstock.protect.keys import caller_id
from penstock.protect.permits import Grants
from penstock.protect.policy import Policy
from penstock.protect.prices import Prices
from penstock.protect.snapshot import PolicySnapshot, Upstream, decode

#: Seconds between looks at the file; with writing and reading well below the two seconds a change may take.
EVERY = 0.25


@dataclass
class InForce:
    """One snapshot, ready to answer: policies are made once, not once a call."""

    snapshot: PolicySnapshot
    tokens: Tokens = field(default_factory=Tokens)

    def __post_init__(self) -> None:
        self.tokens.trust(self.snapshot.issuers)
        made: dict[int, Policy] = {}  # keys of one application share its policy
        self._policies = {
            key: made.setdefault(id(caller), Policy(caller)) for key, caller in self.snapshot.callers.items()
        }
        self._identities = [
            (identity, made.setdefault(id(identity.caller), Policy(identity.caller)))
            for identity in self.snapshot.identities
        ]
        self.grants = Grants(self.snapshot.grants)
        self.prices = Prices(self.snapshot.prices)
        self._by_name = {upstream.name: upstream for upstream in self.snapshot.upstreams}

    def policy_of(self, key: str, certificate: str = "") -> Policy | None:
        """The caller's policy, that of unknown callers, or None: refuse.

        A key of ours comes before a token, and both before a certificate: what is sent with the call says more than
        the connection, which several may share. A token that is not valid is not made up for by a certificate.
        """
        if known := self._policies.get(caller_id(key, self.snapshot)):
            return known
        if self._identities and (subject := self.subject(key, certificate)):
            for identity, policy in self._identities:
                if matches(identity, subject):
                    return policy
        return self._unknown

    def subject(self, key: str, certificate: str) -> Subject | None:
        """Who the caller proved to be without a key of ours; a token that is not valid proves nothing."""
        if is_token(key):
            return self.tokens.subject(key)
        return Subject("certificate", certificate) if certificate else None

    def upstream(self, name: str, family: str = "", surface: str = "") -> Upstream | None:
        """The named upstream; when none is named the one meant for the surface or its family, else the first one."""
        upstreams = self.snapshot.upstreams
        if name:
            return self._by_name.get(name)
        if len(upstreams) < 2 or not family:
            return upstreams[0] if upstreams else None
        wanted = {surface, family}
        meant = [one for one in upstreams if wanted & set(one.surfaces)]
        open_to_all = [one for one in upstreams if not one.surfaces] or list(upstreams)
        named = [one for one in open_to_all if one.name == family] or [
            one for one in open_to_all if family in _words(one)
        ]
        return [*meant, *named, *open_to_all][0]

    def routed(self, to: str, family: str) -> Upstream | None:
        """Where a rule sends a call: a name, or the first upstream of a region that speaks the protocol."""
        region = to.removeprefix("region:")
        if region == to:
            return self._by_name.get(to)
        there = [one for one in self.snapshot.upstreams if one.region == region]
        fits = [one for one in there if family in one.surfaces] or [one for one in there if not one.surfaces]
        return next(iter(fits), None)

    def fallbacks(self, upstream: Upstream) -> list[Upstream]:
        """Whom to ask when the upstream fails, in order."""
        return [self._by_name[name] for name in upstream.fallback if name in self._by_name]

    @cached_property
    def _unknown(self) -> Policy | None:
        return Policy(self.snapshot.unknown) if self.snapshot.unknown else None


def stranger(in_force: InForce, key: str, certificate: str) -> dict[str, str]:
    """What is noted of a caller that nobody knows: who it proved to be, else a fingerprint of the key it sent."""
    if subject := in_force.subject(key, certificate):
        return {"by": subject.by, "name": subject.name[:200], "issuer": subject.issuer[:200]}
    if not key:
        return {"by": "nothing", "name": ""}
    return {"by": "key", "name": f"key {sha256(key.encode('latin-1', 'replace')).hexdigest()[:12]}"}


def _words(upstream: Upstream) -> set[str]:
    """The words of an upstream's name and host."""
    return set(re.split(r"[^a-z0-9]+", f"{upstream.name} {upstream.base_url}".lower()))


class Source(Protocol):
    """Where the gateway finds the policy in force. ``folder``: the state directory, None when there is none."""

    problem: str
    folder: Path | None

    def current(self) -> InForce | None: ...


class FixedSnapshot:
    """A snapshot that never changes by itself."""

    def __init__(self, snapshot: PolicySnapshot | None, problem: str = "", folder: Path | None = None) -> None:
        self.problem = problem
        self.folder = folder
        self.put(snapshot)

    def put(self, snapshot: PolicySnapshot | None) -> None:
        self._current = InForce(snapshot) if snapshot else None

    def current(self) -> InForce | None:
        return self._current


class SnapshotFile:
    """Follows a file from a thread of its own. ``problem`` says in words why the newest content is not in force."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.folder: Path | None = path.parent
        self._current: InForce | None = None
        self._mark: tuple[int, int, int] | None = None
        self._ended = threading.Event()
        self._tokens = Tokens()  # outlives snapshots, so that keys are not fetched anew with each
        self.problem = ""
        self.look()
        self._thread = threading.Thread(target=self._follow, name="policy snapshot", daemon=True)
        self._thread.start()

    def current(self) -> InForce | None:
        return self._current

    def look(self) -> None:
        """Read the file if it changed since the last look."""
        try:
            found = self._path.stat()
            mark = (found.st_mtime_ns, found.st_size, found.st_ino)
            if mark == self._mark:
                return
            fresh = decode(self._path.read_bytes())
        except FileNotFoundError:
            self._mark = None
            self.problem = f"there is no file {self._path}"
        except OSError as error:
            self.problem = f"{self._path} cannot be read: {error.strerror}"
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._mark = mark
            self.problem = f"{self._path} is no policy snapshot: {error}"
        else:
            self._mark = mark
            if fresh.format != 1:
                self.problem = f"{self._path} has format {fresh.format}, written by a newer version"
                return
            try:
                self._current = InForce(fresh, self._tokens)
            except NotUnderstood as error:  # a condition of a rule
                self.problem = f"{self._path} holds a rule that cannot be read: {error}"
                return
            self.problem = ""

    def close(self) -> None:
        self._ended.set()
        self._tokens.close()
        self._thread.join(2)

    def _follow(self) -> None:
        while not self._ended.wait(EVERY):
            self.look()
