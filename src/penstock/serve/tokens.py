"""The console's token and the sessions made from it: only hashes are kept, and comparing takes constant time."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import NotReachable, NotUnderstood

#: A session ends after a working day.
SESSION_SECONDS = 12 * 3600
#: Sessions kept at once; the oldest ends when one more begins.
MOST_SESSIONS = 1000
#: A token given by a file has at least this many characters: 128 bits in URL-safe base64 are 22.
SHORTEST = 22
#: Wrong tokens in a minute, over all callers, after which no more are tried in that minute.
MOST_WRONG = 20


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
    user: str
    ends: float


class Tokens:
    """Checks the token and keeps the sessions, in memory and hashed: a restart signs everybody out."""

    def __init__(self, digest: str) -> None:
        self._digest = digest
        self._sessions: dict[str, Session] = {}
        self._wrong: list[float] = []

    def is_right(self, token: str) -> bool:
        """Whether it is the token; always False for the rest of a minute in which too many wrong ones came."""
        now = time.monotonic()
        self._wrong = [at for at in self._wrong if now - at < 60]
        if len(self._wrong) >= MOST_WRONG:
            return False
        if hmac.compare_digest(sha256(token), self._digest):
            return True
        self._wrong.append(now)
        return False

    def open_session(self, user: str) -> str:
        """The cookie value of a new session."""
        now = time.time()
        self._sessions = {key: s for key, s in self._sessions.items() if s.ends > now}
        while len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        cookie = secrets.token_urlsafe(32)
        self._sessions[sha256(cookie)] = Session(user, now + SESSION_SECONDS)
        return cookie

    def user_of(self, cookie: str) -> str | None:
        """Who the session belongs to, or None when there is none (any more)."""
        session = self._sessions.get(sha256(cookie))
        return session.user if session and session.ends > time.time() else None

    def close_session(self, cookie: str) -> None:
        self._sessions.pop(sha256(cookie), None)
