"""Telling people: what waits for their answer and which cases are theirs, by whatever apprise reaches.

Addresses come from the environment, never from a scanned tree, and hold secrets, so they are neither stored nor shown.
A message is a durable job: it is tried again while the far side does not take it, and one that hangs is cut off.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from penstock.errors import NotAllowed, NotReachable, WrongUse
from penstock.graph.store.protocol import Approval, Store
from penstock.graph.vocabulary import Case
from penstock.respond.approvals import OPEN, clean
from penstock.respond.links import make_link
from penstock.respond.people import People
from penstock.respond.signing import Keyring
from penstock.respond.telling import mark
from penstock.respond.webhook import Queue
from penstock.settings import NotifySetting, Settings

JOB = "respond.message"
#: Longest a message may take to be handed over, in seconds.
DEADLINE = 15.0
#: Name under which the store keeps which state of each request was told of.
TOLD = "approvals.told"
#: Requests looked through for what was not told of yet, newest first.
LOOKED_AT = 1000

Send = Callable[[str, str, str], None]


class Messages:
    """Hands messages to the job queue, one for each address that reaches somebody concerned.

    Args:
        people: who people are now; asked anew for every batch of messages.
        keyring: signs the links; without a ``link_base`` in the settings messages hold none.
        send: address, title, body → sent, or raises; apprise unless told otherwise.
    """

    def __init__(
        self,
        jobs: Queue,
        settings: Settings,
        people: Callable[[], People],
        keyring: Keyring,
        *,
        send: Send | None = None,
    ) -> None:
        self._jobs = jobs
        self._settings = settings
        self._people = people
        self._keyring = keyring
        self._send = send or by_apprise
        self._targets = {target.url_env: target for target in settings.notify}
        jobs.handler(JOB)(self._deliver)

    def approvals(self, changed: Iterable[Approval]) -> None:
        """Tell who is to answer of what is asked, and security of what waited too long."""
        for approval in changed:
            if approval.state != OPEN:
                continue
            people = self._people()
            security = people.known_as(self._settings.security_team)
            late = approval.escalated_at is not None
            for party in dict.fromkeys([security] if late else [approval.approver or security]):
                title, body = self._asked(approval, party, people, late=late)
                self._put("approval", party, people, title, body, f"{approval.id} {late}")

    def cases(self, changed: Sequence[Case]) -> None:
        """Tell owners of their cases."""
        people = self._people() if changed else None
        for case in changed:
            if case.state != "open" or people is None:
                continue
            title = f"[{case.severity}] {clean(case.title, 200)}"
            last = case.history[-1].what if case.history else ""
            body = (
                f"{clean(last)}\nOwner: {people.name(case.owner) or 'nobody known'}\n{self._address('cases', case.id)}"
            )
            for party in dict.fromkeys((case.owner, *case.informed)):
                self._put("case", party, people, title, body, mark(case))

    def _asked(self, approval: Approval, party: str, people: People, *, late: bool) -> tuple[str, str]:
        name = clean(people.name(approval.about), 200)
        title = f"{'Nobody has answered yet: ' if late else ''}{name} asks: {clean(approval.subject, 200)}"
        lines = [
            f"What: {approval.subject}",
            f"Why it asks: {approval.why}",
            f"Asked by: {approval.requester or name}",
            f"You are asked because: {approval.approver_why}",
        ]
        if self._settings.approvals.link_base:
            lines.append(f"Answer: {make_link(self._keyring, approval, party, self._settings.approvals.link_base)}")
        lines.append(f"Or: penstock approvals grant {approval.id}")
        return title, "\n".join(line for line in lines if line)

    def _address(self, page: str, id: str) -> str:
        base = self._settings.approvals.link_base
        return f"{base.rstrip('/')}/{page}/{id}" if base else f"penstock {page} {id}"

    def _put(self, about: str, party: str, people: People, title: str, body: str, key: str) -> None:
        for target in self._settings.notify:
            if about in target.about and _reaches(target, party, people):
                message = {"to": target.url_env, "title": title, "body": body}
                self._jobs.put(JOB, message, key=f"{target.url_env} {party} {key}")

    def _deliver(self, payload: Mapping[str, Any]) -> None:
        target = self._targets.get(payload["to"])
        if target is None:  # the operator took the address away: nothing is sent there any more
            return
        address = os.environ.get(target.url_env, "")
        if not address:
            raise NotAllowed("A notification has no address", target.url_env, "Set this environment variable")
        _within(DEADLINE, lambda: self._send(address, str(payload["title"]), str(payload["body"])), target.url_env)


def tell(store: Store, notify: Callable[[Iterable[Approval]], None]) -> None:
    """Tell of requests that are not as they were last told of; after a crash in between, once more."""
    with store.exclusive("tell approvals"):
        told: dict[str, str] = store.get(TOLD) or {}
        known = store.approvals(limit=LOOKED_AT)
        now = {one.id: f"{one.state} {one.escalated_at is not None}" for one in known}
        news = [one for one in known if told.get(one.id) != now[one.id]]
        if news:
            notify(news)
            store.put(TOLD, now)


def by_apprise(address: str, title: str, body: str) -> None:
    """Send one message through apprise.

    Raises:
        WrongUse: apprise is not installed, or does not know the address's notation.
        NotReachable: the far side did not take it.
    """
    try:
        import apprise
    except ImportError as error:
        raise WrongUse("Telling people needs the extra 'notify'", "notify", "pip install 'penstock[notify]'") from error
    sender = apprise.Apprise()
    if not sender.add(address):
        raise WrongUse("This is no address that apprise knows", "notify", "See its list of services")
    if not sender.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT):
        raise NotReachable("A message was not taken", "notify", "It stays queued and is tried again")


def _reaches(target: NotifySetting, party: str, people: People) -> bool:
    if not target.to:
        return True
    return any(people.known_as(name) == party or people.speaks_for(name, party) for name in target.to)


def _within(seconds: float, act: Callable[[], None], where: str) -> None:
    """Act, but for no longer: the thread of one that hangs is left behind, and the job is tried again."""
    failed: list[BaseException] = []

    def acting() -> None:
        try:
            act()
        except Exception as error:  # whatever a far side makes of a message, the queue decides what comes next
            failed.append(error)

    thread = threading.Thread(target=acting, name="message", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise NotReachable("A message was not taken in time", where, "It stays queued and is tried again")
    if failed:
        raise failed[0]
