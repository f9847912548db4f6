"""Where the work is done: answering requests, deciding about many cases, walking through the traffic."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from penstock.graph.identity import application
from penstock.graph.vocabulary import Event
from penstock.protect.asking import Ask, key_of_ask
from penstock.respond.quarantine import set_aside
from penstock.serve.state import Live
from tests.serve.conftest import HOSTILE, SCOPE, Api, many_open_agents, serving, small_company

pytestmark = pytest.mark.slow

APP = application(SCOPE, "assistant").id


def events(now: float) -> Iterator[Event]:
    """A day of an application: mostly harmless, some of it masked, stopped, asked for."""
    for n in range(120):
        verdict = "redact" if n % 7 == 0 else "stop" if n % 31 == 0 else "allow"
        seen = {"out.pii": 1 + n % 3} if verdict != "allow" else {}
        props = {"ms": 400.0 + n, "added_ms": 0.4 + n / 100, "usage": {"in": 200 + n, "out": 90}, "cost": 0.0004 * n,
                 "session": f"s{n // 10}", "status": 200, "mode": "enforce"}  # fmt: skip
        yield Event(f"ev-{n:04}", now - 60 * n, "call", APP, "openai.chat", "openai", "gpt-4o", verdict,
                    ("out-pii",) if seen else (), seen, (), props)  # fmt: skip
    for n, (subject, why) in enumerate(
        [("send_money(to=DE89…, amount=1,200 EUR)", "it moves money"), (f"refund({HOSTILE})", HOSTILE),
         ("a text that reads like an attack, in a tool's result", "somebody may be steering the agent")]
    ):  # fmt: skip
        wish = Ask(key=key_of_ask(APP, f"rule-{n}", subject), rule=f"rule-{n}", subject=subject, why=why,
                   requester="eve@shop.example", session="s1" if n == 2 else "", single=n == 0)  # fmt: skip
        asks = [{name: getattr(wish, name) for name in wish.__struct_fields__}]
        yield Event(f"ask-{n}", now - 30 * n, "call", APP, "openai.chat", "openai", "gpt-4o", "ask", (f"rule-{n}",),
                    {}, (), {"asks": asks, "session": "s1", "status": 200})  # fmt: skip


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[tuple[str, Live]]:
    now = time.time()
    spool = tmp_path / "spool"
    spool.mkdir()
    lines = b"".join(msgspec.json.encode(event) + b"\n" for event in events(now))
    with serving(tmp_path, scan=small_company(now)) as (base, live):
        live.store.ingest(replace(many_open_agents(12, now), scopes=(), finished=()))  # beside what is there
        (spool / "00000000000000000001-1.jsonl").write_bytes(lines)
        set_aside(live.store, "model", "gpt-3.5-turbo", who="ada", why="it leaked twice", until=now + 86_400, now=now)
        live.refresh()
        while not live.store.approvals():
            live.turn()
        yield base, live


@pytest.fixture
def page(chromium_browser: Browser) -> Iterator[Page]:
    opened = chromium_browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    try:
        made = opened.new_page()
        complaints: list[str] = []
        made.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        made.on("pageerror", lambda error: complaints.append(str(error)))
        made.on("dialog", lambda dialog: complaints.append(dialog.message))
        yield made
        assert complaints == []
    finally:
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_working_pages_are_accessible_and_fit_in_both_palettes(
    busy: tuple[str, Live], page: Page, scheme: str, tmp_path: Path
) -> None:
    base, live = busy
    shots = Path(os.environ.get("PENSTOCK_SHOTS") or tmp_path)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    case = live.world.cases[0].id
    pages = {"approvals": "/approvals", "live": "/live", "call": "/live/ev-0014", "work-cases": "/cases",
             "work-case": f"/cases/{case}"}  # fmt: skip
    for width in (1440, 900, 420):
        page.set_viewport_size({"width": width, "height": 900})
        for name, path in pages.items():
            page.goto(base + path)
            page.wait_for_load_state("networkidle")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            if name == "work-cases":
                page.get_by_label("Choose all that are shown").check()
            page.screenshot(path=shots / f"{name}-{width}-{scheme}.png", full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{name} is {wide} px too wide at {width}"
            if width != 900:
                found = Axe().run(page)
                assert found.violations_count == 0, f"{name} at {width}, {scheme}:\n{found.generate_report()}"


def test_an_approver_answers_and_takes_back_without_leaving_the_page(busy: tuple[str, Live], page: Page) -> None:
    base, live = busy
    page.goto(f"{base}/approvals")
    request = page.get_by_role("article", name=re.compile("send_money"))
    expect(request).to_contain_text("it moves money")
    request.get_by_label("Why?").fill("I called them")
    request.get_by_role("button", name="Allow").click()
    expect(request).to_have_count(0)
    row = page.get_by_role("row", name=re.compile("send_money"))
    expect(row).to_contain_text("granted")
    row.get_by_role("button", name=re.compile("Take back")).click()
    expect(row).to_contain_text("withdrawn")
    hostile = page.get_by_role("article", name=re.compile("onerror"))
    expect(hostile.get_by_role("button", name="Refuse")).to_be_disabled()
    hostile.get_by_label("Why?").fill("no")
    hostile.get_by_label("Why?").fill("not without a ticket")
    hostile.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("row", name=re.compile("onerror"))).to_contain_text("refused")
    assert {one.state for one in live.store.approvals()} == {"withdrawn", "refused", "asked"}


def test_calls_are_walked_inside_the_filter_with_keys(busy: tuple[str, Live], page: Page) -> None:
    base, _ = busy
    page.goto(f"{base}/live?verdict=redact")
    rows = page.get_by_role("region", name="Calls").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("redacted")
    rows.nth(1).get_by_role("link").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/live/ev-\d+\?verdict=redact"))
    first = page.url
    expect(page.get_by_role("region", name="Calls of the conversation")).to_be_visible()
    page.keyboard.press("j")
    expect(page).not_to_have_url(first)
    expect(page.get_by_text("redacted").first).to_be_visible()
    page.keyboard.press("k")
    expect(page).to_have_url(first)


def test_many_cases_are_decided_at_once_and_merged(busy: tuple[str, Live], page: Page) -> None:
    base, live = busy
    api = Api(base)
    before = api.get("/cases", {"state": "open"}).json()["total"]
    page.goto(f"{base}/cases")
    boxes = page.get_by_role("row").get_by_role("checkbox")
    boxes.nth(1).check()
    boxes.nth(2).check()
    boxes.nth(3).check()
    form = page.get_by_role("form", name="Decide about what is chosen")
    form.get_by_label("Decision").select_option("merge")
    form.get_by_label("Why?").fill("one team, one change")
    form.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("form", name="Decide about what is chosen")).to_have_count(0)
    assert api.get("/cases", {"state": "open"}).json()["total"] == before - 2
    boxes.nth(1).check()
    form.get_by_label("Decision").select_option("snooze")
    form.get_by_label("Why?").fill("after the holidays")
    form.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("form", name="Decide about what is chosen")).to_have_count(0)
    assert api.get("/cases", {"state": "snoozed"}).json()["total"] == 1
    assert live.store.verify_audit_trail()
