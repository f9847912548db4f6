"""The tokens that let people in, and the sessions made from them: only hashes are kept, compared in constant time.

The state's own token is an admin's. Others are made for a person, with a role and an end; they stand in a file that is
read again when it changes, so that taking one away takes effect at once.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from penstock.errors import NotReachable, NotUnderstood, WrongUse
from penstock.serve.roles import User
from penstock.settings import ROLES

#: A session ends after a working day.
SESSION_SECONDS = 12 * 3600
#: Sessions kept at once; the oldest ends when one more begins.
MOST_SESSIONS = 1000
#: A token given by a file has at least this many characters: 128 bits in URL-safe base64 are 22.
SHORTEST = 22
#: Wrong tokens in a minute, over all callers, after which no more are tried in that minute.
MOST_WRONG = 20


#: The file of the tokens that were made for somebody.
NAMED = "tokens.json"
#: A token made for somebody ends after so many days unless told otherwise, and at most.
DAYS, MOST_DAYS = 90, 366


class Holder(msgspec.Struct, frozen=True):
    """A token made for somebody: its SHA-256 (hex), whose it is, what they may do, until when, for which tenant."""

    sha256: str
    name: str
    role: str
    until: float
    tenant: str = "default"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def make_token(state: Path) -> str:
    """A new random token (256 bits); its hash replaces the one in ``<state>/token``. Shown once, stored never."""
    token = secrets.token_urlsafe(32)
    path = state / "token"
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"sha256:{sha256(token)}\n")
    draft.replace(path)
    return token


def make_named_token(state: Path, name: str, role: str, *, days: int = DAYS, tenant: str = "default") -> str:
    """A new token for a person, beside those there are; one made for them before no longer works.

    Raises:
        WrongUse: no name, no such role, or for too long.
    """
    if not name.strip() or len(name) > 100:
        raise WrongUse("A token is made for somebody", "--for", "Give the person's name or address")
    if role not in ROLES:
        raise WrongUse(f"There is no role {role!r}", "--role", f"One of: {', '.join(ROLES)}")
    if not 1 <= days <= MOST_DAYS:
        raise WrongUse(f"A token lasts 1 to {MOST_DAYS} days", "--days")
    token = secrets.token_urlsafe(32)
    made = Holder(sha256(token), name.strip(), role, time.time() + days * 86_400, tenant)
    _write_named(state / NAMED, [*(one for one in named_tokens(state) if one.name != made.name), made])
    return token


def revoke_named_token(state: Path, name: str) -> bool:
    """Take away what was made for a person; whether there was anything."""
    known = named_tokens(state)
    kept = [one for one in known if one.name != name]
    if len(kept) < len(known):
        _write_named(state / NAMED, kept)
    return len(kept) < len(known)


def named_tokens(state: Path) -> list[Holder]:
    """The tokens made for somebody, those that have ended, too.

    Raises:
        NotUnderstood: the file is damaged.
    """
    path = state / NAMED
    try:
        found = msgspec.json.decode(path.read_bytes(), type=list[Holder])
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NotReachable("The tokens cannot be read", str(path), str(error)) from error
    except msgspec.DecodeError as error:
        raise NotUnderstood("The tokens are damaged", str(path), "Make them anew with --make-token --for") from error
    if wrong := [one.role for one in found if one.role not in ROLES]:
        raise NotUnderstood(f"There is no role {wrong[0]!r}", str(path), f"One of: {', '.join(ROLES)}")
    return found


def _write_named(path: Path, holders: list[Holder]) -> None:
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(holders))
    draft.replace(path)


def stored_hash(state: Path, token_file: Path | None = None) -> str | None:
    """SHA-256 (hex) of the token that is demanded, from a file that holds the token or from the state directory.

    Raises:
        NotReachable: the named file cannot be read.
        NotUnderstood: it holds no token long enough, or the state's ``token`` file is damaged.
    """
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NotReachable("The token file cannot be read", str(token_file), str(error)) from error
        if len(token) < SHORTEST:
            raise NotUnderstood(
                f"The token is shorter than {SHORTEST} characters",
                str(token_file),
                "Make one: python -m penstock.serve --state DIR --make-token",
            )
        return sha256(token)
    path = state / "token"
    try:
        kept = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise NotReachable("The token's hash cannot be read", str(path), str(error)) from error
    scheme, _, digest = kept.partition(":")
    if scheme != "sha256" or len(digest) != 64:
        raise NotUnderstood(
            "The token's hash is damaged", str(path), "Make a new token: python -m penstock.serve --make-token"
        )
    return digest


@dataclass(frozen=True, slots=True)
class Session:
    """``holder`` is the hash of the token it was opened with: when that is taken away or ends, so does the session."""

    user: User
    ends: float
    holder: str = ""


class Tokens:
    """Checks tokens and keeps the sessions, in memory and hashed: a restart signs everybody out.

    Args:
        digest: SHA-256 (hex) of the admin's token; "" for none.
        state: where tokens made for somebody are; None for none.
        tenant: the tenant that is served here; tokens for another one are none.
    """

    def __init__(self, digest: str, state: Path | None = None, *, tenant: str = "default") -> None:
        self._digest = digest
        self._state = state
        self._tenant = tenant
        self._mark: tuple[int, int] | None = None
        self._holders: dict[str, Holder] = {}
        self._sessions: dict[str, Session] = {}
        self._wrong: list[float] = []

    def is_right(self, token: str) -> bool:
        """Whether it lets anybody in."""
        return self.holder(token) is not None

    def holder(self, token: str, name: str = "") -> User | None:
        """Whose token it is, None for a wrong one; always None for the rest of a minute in which too many wrong came.

        Args:
            name: what the holder of the admin's token goes by; others go by the name theirs was made for.
        """
        now = time.monotonic()
        self._wrong = [at for at in self._wrong if now - at < 60]
        if len(self._wrong) >= MOST_WRONG:
            return None
        digest = sha256(token)
        if self._digest and hmac.compare_digest(digest, self._digest):
            return User(name or "token")
        named = self._named(digest)
        if named is not None:
            return User(named.name, named.role)
        self._wrong.append(now)
        return None

    def open_session(self, user: User | str, token: str = "") -> str:
        """The cookie value of a new session."""
        now = time.time()
        self._sessions = {key: s for key, s in self._sessions.items() if s.ends > now}
        while len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        cookie = secrets.token_urlsafe(32)
        who = User(user) if isinstance(user, str) else user
        digest = sha256(token) if token else ""
        holder = digest if digest != self._digest else ""
        self._sessions[sha256(cookie)] = Session(who, now + SESSION_SECONDS, holder)
        return cookie

    def user_of(self, cookie: str) -> User | None:
        """Who the session belongs to, or None when there is none (any more)."""
        session = self._sessions.get(sha256(cookie))
        if session is None or session.ends <= time.time():
            return None
        return session.user if not session.holder or self._named(session.holder) else None

    def close_session(self, cookie: str) -> None:
        self._sessions.pop(sha256(cookie), None)

    def _named(self, digest: str) -> Holder | None:
        """The holder of a token made for somebody, as the file has it now. A damaged file lets nobody in."""
        if self._state is None:
            return None
        try:
            found = (self._state / NAMED).stat()
            mark = (found.st_mtime_ns, found.st_ino)
        except OSError:
            mark = None
        if mark != self._mark:
            try:
                self._holders = {one.sha256: one for one in named_tokens(self._state)}
            except (NotReachable, NotUnderstood):
                self._holders = {}
            self._mark = mark
        holder = self._holders.get(digest)
        return holder if holder and holder.until > time.time() and holder.tenant == self._tenant else None
