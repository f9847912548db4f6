"""Answering from a message: the page behind a link, and everything that must not answer."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, expect

from penstock.errors import NotReachable
from penstock.graph.identity import application, asset
from penstock.graph.store.protocol import Approval, Scan
from penstock.graph.vocabulary import Event, Evidence, Observation
from penstock.protect.asking import Ask, key_of_ask
from penstock.protect.snapshot import Caller, PolicySnapshot
from penstock.respond.approvals import take_asks
from penstock.respond.links import Link, make_link, make_token, read_token
from penstock.respond.messages import Messages, _within, tell
from penstock.respond.people import People
from penstock.respond.signing import Keyring, open_keyring
from penstock.respond.snapshot import read_snapshot, write_snapshot
from penstock.serve.state import Live
from penstock.settings import ApprovalSetting, NotifySetting, Settings
from penstock.work.jobs import Jobs
from tests.serve.conftest import HOSTILE, SCOPE, Api
from tests.serve.test_guard import ask as ask_raw

APP = application(SCOPE, "assistant").id
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Page:
    status: int
    headers: Mapping[str, str]
    body: str


def ask(base: str, method: str, path: str, headers: Mapping[str, str] | None = None, body: str | None = None) -> Page:
    found = ask_raw(base, method, path, headers or {}, body)
    return Page(found.status, found.headers, found.body.decode())


@pytest.fixture
def asked(fresh: tuple[str, Live]) -> Iterator[tuple[str, Live, Approval, Keyring]]:
    """A hostile request that waits for the care team."""
    base, live = fresh
    caller = Caller(application=APP, name="assistant")
    write_snapshot(live.state / "snapshot.compiled.json", PolicySnapshot(version=1, made_at=1.0, callers={"k": caller}))
    wish = Ask(
        key=key_of_ask(APP, HOSTILE, HOSTILE), rule=HOSTILE, subject=f"refund({HOSTILE})", why=HOSTILE,
        requester=f'eve"><script>{HOSTILE}',
    )  # fmt: skip
    props = {"asks": [{name: getattr(wish, name) for name in wish.__struct_fields__}]}
    event = Event("e1", time.time(), "call", APP, verdict="ask", props=props)
    people = People(live.store.graph(), live.settings)
    (approval,) = take_asks(live.store, [event], people, live.settings.approvals, now=time.time())
    yield base, live, approval, open_keyring(live.state)


def link_of(base: str, keys: Keyring, approval: Approval) -> str:
    return make_link(keys, approval, approval.approver, base).removeprefix(base)


def form_of(page: str) -> str:
    found = re.search(r'name="form" value="([^"]+)"', page)
    assert found
    return found[1]


def test_opening_the_link_a_hundred_times_as_scanners_do_answers_nothing(
    asked: tuple[str, Live, Approval, Keyring],
) -> None:
    base, live, approval, keys = asked
    for _ in range(100):
        page = ask(base, "GET", link_of(base, keys, approval))
        assert page.status == 200
    assert ask(base, "HEAD", link_of(base, keys, approval)).status in (200, 405)
    assert live.store.approval(approval.id).state == "asked"  # type: ignore[union-attr]
    assert "<script" not in page.body and "<img" not in page.body and "&lt;img" in page.body


def answer(base: str, path: str, cookie: str, **given: str) -> Page:
    headers = {**FORM, "Origin": base, **({"Cookie": cookie} if cookie else {})}
    return ask(base, "POST", path, headers, urlencode(given))


def opened(base: str, path: str) -> tuple[str, str]:
    page = ask(base, "GET", path)
    return page.headers["set-cookie"].partition(";")[0], form_of(page.body)


def test_the_form_answers_once_and_is_in_force_at_once(asked: tuple[str, Live, Approval, Keyring]) -> None:
    base, live, approval, keys = asked
    path = link_of(base, keys, approval)
    cookie, form = opened(base, path)
    done = answer(base, path, cookie, form=form, answer="grant", name="Ada", why="it is fine", minutes="15")
    assert done.status == 200 and "passes at the next try" in done.body
    snapshot = read_snapshot(live.state / "snapshot.json")
    assert snapshot is not None and [grant.id for grant in snapshot.grants] == [approval.id]
    again = answer(base, path, cookie, form=form, answer="refuse", name="Bo", why="no no no")
    assert again.status == 403 and "answered already" in again.body and "Ada (by link)" in again.body
    assert ask(base, "GET", path).status == 403


@pytest.mark.parametrize("missing", ["cookie", "form", "both", "swapped", "get"])
def test_an_answer_that_was_not_sent_from_the_page_is_none(
    asked: tuple[str, Live, Approval, Keyring], missing: str
) -> None:
    base, live, approval, keys = asked
    path = link_of(base, keys, approval)
    cookie, form = opened(base, path)
    if missing == "get":
        query = urlencode({"form": form, "answer": "grant", "name": "Ada"})
        assert ask(base, "GET", f"{path}?{query}", {"Cookie": cookie}).status == 200
    else:
        if missing in ("cookie", "both"):
            cookie = ""
        if missing in ("form", "both"):
            form = ""
        if missing == "swapped":  # a form of one opening with the cookie of another
            cookie, _ = opened(base, path)
        assert answer(base, path, cookie, form=form, answer="grant", name="Ada").status == 403
    assert live.store.approval(approval.id).state == "asked"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_another_sites_page_cannot_send_the_form(
    asked: tuple[str, Live, Approval, Keyring], headers: dict[str, str]
) -> None:
    base, live, approval, keys = asked
    path = link_of(base, keys, approval)
    cookie, form = opened(base, path)
    given = urlencode({"form": form, "answer": "grant", "name": "Ada"})
    assert ask(base, "POST", path, {**FORM, "Cookie": cookie, **headers}, given).status == 403
    assert live.store.approval(approval.id).state == "asked"  # type: ignore[union-attr]


def test_forged_changed_and_ended_links_open_nothing(asked: tuple[str, Live, Approval, Keyring]) -> None:
    base, _, approval, keys = asked
    good = make_token(keys, Link(approval.id, approval.approver, time.time() + 60))
    body, _, signature = good.partition(".")
    other = make_token(keys, Link("ap-other", approval.approver, time.time() + 60)).partition(".")[0]
    strangers = Keyring({"k1": b"0" * 32})
    wrong = [
        f"{other}.{signature}", f"{body}x.{signature}", f"{body}.{signature[:-1]}0x", body, ".", "x" * 5000, "%00.k.0",
        make_token(strangers, Link(approval.id, approval.approver, time.time() + 60)),
        make_token(keys, Link(approval.id, approval.approver, time.time() - 1)),
        f"{body}.{keys.sign('grant/1', body.encode())}",
    ]  # fmt: skip
    assert ask(base, "GET", f"/answer/{good}").status == 200
    for token in wrong:
        page = ask(base, "GET", f"/answer/{token}")
        assert page.status in (403, 404), token
        assert "refund" not in page.body


def test_a_link_to_somebody_who_left_since_answers_nothing(asked: tuple[str, Live, Approval, Keyring]) -> None:
    base, live, approval, keys = asked
    gone = asset("person", "bob@shop.example", props={"left": True})
    said = Evidence("organisation.directory", "people.ldif:4", "declared", (), "directory")
    live.store.ingest(Scan((Observation(gone, said),), at=time.time()))
    live.refresh()
    token = make_token(keys, Link(approval.id, gone.id, time.time() + 60))
    assert "has left" in ask(base, "GET", f"/answer/{token}").body


def test_the_name_of_who_asked_does_not_answer_through_the_link_either(
    asked: tuple[str, Live, Approval, Keyring],
) -> None:
    base, _, approval, keys = asked
    path = link_of(base, keys, approval)
    cookie, form = opened(base, path)
    refused = answer(base, path, cookie, form=form, answer="grant", name=approval.requester)
    assert refused.status == 403 and "Who asks" in refused.body


@pytest.mark.slow
def test_a_person_answers_in_the_browser(asked: tuple[str, Live, Approval, Keyring], chromium_browser: Browser) -> None:
    base, live, approval, keys = asked
    page = chromium_browser.new_page(viewport={"width": 900, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.goto(make_link(keys, approval, approval.approver, base))
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Why?").fill("I called them")
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Allowed")
    assert live.store.approval(approval.id).state == "granted"  # type: ignore[union-attr]
    assert complaints == []
    page.close()


# ── the API ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_api_lists_answers_and_puts_in_force(asked: tuple[str, Live, Approval, Keyring]) -> None:
    base, live, approval, _ = asked
    api = Api(base)
    listed = api.get("/approvals").json()
    assert listed["states"] == {"asked": 1} and listed["approvals"][0]["objection"] == ""
    assert api.post(f"/approvals/{approval.id}", {"action": "grant", "minutes": 5}).status == 200
    snapshot = read_snapshot(live.state / "snapshot.json")
    assert snapshot is not None and len(snapshot.grants) == 1
    twice = api.post(f"/approvals/{approval.id}", {"action": "refuse", "why": "too late"})
    assert twice.status == 400 and "granted already" in twice.json()["message"]
    assert api.post("/approvals/none", {"action": "grant"}).status == 404
    assert api.post(f"/approvals/{approval.id}", {"action": "withdraw"}).status == 200
    assert api.get(f"/approvals/{approval.id}").json()["state"] == "withdrawn"


def test_what_is_set_aside_is_stopped_also_where_the_rest_is_only_noted(
    asked: tuple[str, Live, Approval, Keyring],
) -> None:
    base, live, _, _ = asked
    api = Api(base)
    wish = {"kind": "model", "name": "gpt-[4]*", "why": "it leaks"}
    assert api.post("/quarantine", wish).status == 200
    snapshot = read_snapshot(live.state / "snapshot.json")
    assert snapshot is not None
    (caller,) = snapshot.callers.values()
    assert caller.mode == "enforce" and caller.rules[0].action == "stop" and caller.rules[0].models == ("gpt-[[]4][*]",)
    assert {rule.action for rule in caller.rules[1:]} <= {"observe"}
    (row,) = api.get("/quarantine").json()["quarantines"]
    assert api.post(f"/quarantine/{row['id']}/release", {"why": "fixed"}).status == 200
    assert read_snapshot(live.state / "snapshot.json").callers["k"].mode == "observe"  # type: ignore[union-attr]


# ── telling people ───────────────────────────────────────────────────────────────────────────────────────────────────


class Inbox(HTTPServer):
    """A far side on loopback that takes messages, or hangs."""

    def __init__(self, hangs: float = 0.0) -> None:
        self.taken: list[str] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                time.sleep(hangs)
                inbox.taken.append(self.rfile.read(int(self.headers["content-length"])).decode())
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def test_who_is_to_answer_gets_a_message_with_a_link_once(
    asked: tuple[str, Live, Approval, Keyring], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, live, approval, keys = asked
    inbox = Inbox()
    monkeypatch.setenv("CARE_CHANNEL", f"json://127.0.0.1:{inbox.server_address[1]}/")
    settings = Settings(
        security_team="security",
        approvals=ApprovalSetting(link_base=base),
        notify=(NotifySetting("CARE_CHANNEL", to=("care",)), NotifySetting("CARE_CHANNEL", to=("others",))),
    )
    jobs = Jobs(tmp_path / "jobs.db", pause=0.05)
    messages = Messages(jobs, settings, lambda: People(live.store.graph(), settings), keys)
    for _ in range(3):
        tell(live.store, messages.approvals)
    stop = threading.Event()
    running = threading.Thread(target=jobs.run, args=(stop,))
    running.start()
    while jobs.waiting():
        time.sleep(0.01)
    stop.set()
    running.join()
    inbox.shutdown()
    (message,) = inbox.taken
    token = re.search(r"/answer/([\w.-]+)", message)
    assert token and read_token(keys, token[1], now=time.time()) == Link(
        approval.id, approval.approver, approval.answer_by
    )


def test_a_far_side_that_hangs_is_cut_off_and_tried_again() -> None:
    with pytest.raises(NotReachable, match="not taken in time"):
        _within(0.05, lambda: time.sleep(5), "CHANNEL")


def test_a_request_that_waited_too_long_is_told_to_security(
    asked: tuple[str, Live, Approval, Keyring], tmp_path: Path
) -> None:
    _, live, approval, keys = asked
    settings = Settings(security_team="security", notify=(NotifySetting("X", to=("security",)),))
    put: list[str] = []

    class Queue:
        def put(self, name: str, payload: dict[str, str], *, delay: float = 0.0, key: str | None = None) -> None:
            put.append(payload["title"])

        def handler(self, name: str) -> object:
            return lambda handle: handle

    messages = Messages(Queue(), settings, lambda: People(live.store.graph(), settings), keys)
    messages.approvals([approval])
    messages.approvals([replace(approval, escalated_at=time.time())])
    assert len(put) == 1 and put[0].startswith("Nobody has answered yet")
