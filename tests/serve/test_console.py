"""The console in a real browser, over the real server: the walk, the keyboard, both palettes, and hostile names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from penstock.serve.guard import Guard
from penstock.serve.state import Live
from penstock.serve.tokens import Tokens, sha256
from tests.serve.conftest import HOSTILE, Api, many_open_agents, serving

pytestmark = pytest.mark.slow

STATIC = Path(__file__).parents[2] / "src" / "penstock" / "serve" / "static"
CONSOLE = Path(__file__).parents[2] / "console"
#: First view at most, in bytes as gzip -9 makes them: what the design allows.
FIRST_VIEW = 250_000


class Watched:
    """A page whose complaints and requests are kept."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        page.on("request", self._note)

    def _note(self, request: object) -> None:
        address = str(request.url)  # type: ignore[attr-defined]
        if urlsplit(address).netloc != urlsplit(self.base).netloc and not address.startswith("data:"):
            self.strangers.append(address)

    def go(self, path: str) -> None:
        self.page.goto(self.base + path)
        self.page.wait_for_load_state("networkidle")

    def check(self) -> None:
        assert self.complaints == []
        assert self.strangers == []


def watched(browser: Browser, base: str, **context: object) -> Iterator[Watched]:
    opened = browser.new_context(viewport={"width": 1440, "height": 900}, **context)  # type: ignore[arg-type]
    try:
        yield Watched(opened.new_page(), base)
    finally:
        opened.close()


@pytest.fixture
def console(chromium_browser: Browser, served: tuple[str, Live]) -> Iterator[Watched]:
    yield from watched(chromium_browser, served[0])


def pages(base: str) -> dict[str, str]:
    """Every page of the console with an address that has something on it."""
    api = Api(base)
    risk = api.get("/findings").json()["findings"][0]["id"]
    case = api.get("/cases").json()["cases"][0]["id"]
    return {
        "today": "/",
        "inventory": "/inventory",
        "asset": f"/assets/{api.asset('support-agent')['id']}",
        "data": f"/assets/{api.asset('data/tickets.jsonl')['id']}",
        "risks": "/risks",
        "each risk": "/risks?view=each",
        "risk": f"/risks/{risk}",
        "cases": "/cases",
        "case": f"/cases/{case}",
        "coverage": "/coverage",
        "nowhere": "/no/such/page",
    }


def test_a_reader_walks_from_today_over_risk_and_path_to_the_evidence_of_an_asset(console: Watched) -> None:
    page = console.page
    console.go("/")
    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()
    expect(page.get_by_text("What we cannot see")).to_be_visible()
    first = page.get_by_role("article").first
    expect(first.get_by_role("list", name="Path")).to_contain_text("support-agent")
    first.get_by_role("link").first.click()

    expect(page.get_by_role("heading", name="Path")).to_be_visible()
    expect(page.locator(".picture .box").first).to_be_visible()
    steps = page.get_by_role("region", name="Steps of the path")
    steps.get_by_role("button", name="for support-agent").click()
    expect(steps.get_by_text("app/agent.py:12")).to_be_visible()
    expect(page.get_by_text("Looks for")).to_be_visible()
    steps.get_by_role("link", name="support-agent").click()

    expect(page.get_by_role("heading", name="support-agent", level=1)).to_be_visible()
    expect(page.get_by_text("What is it used for?")).to_be_visible()
    expect(page.get_by_text("Answers customers").first).to_be_visible()
    page.get_by_role("button", name="Evidence of each step").first.click()
    expect(page.get_by_text("column email holds e-mail addresses")).to_be_visible()
    console.check()


def test_the_same_walk_needs_no_mouse(console: Watched) -> None:
    page = console.page
    console.go("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("article").first.get_by_role("link").first)
    page.keyboard.press("Enter")
    evidence = page.get_by_role("button", name="for support-agent")
    expect(evidence).to_be_visible()
    tab_to(page, evidence)
    page.keyboard.press("Enter")
    expect(page.get_by_text("app/agent.py:12")).to_be_visible()
    tab_to(
        page, page.get_by_role("region", name="Steps of the path").get_by_role("link", name="support-agent"), back=True
    )
    page.keyboard.press("Enter")
    proof = page.get_by_role("button", name="Evidence of each step").first
    expect(proof).to_be_visible()
    tab_to(page, proof)
    page.keyboard.press("Enter")
    expect(page.get_by_text("column email holds e-mail addresses")).to_be_visible()
    console.check()


def tab_to(page: Page, target: object, *, back: bool = False) -> None:
    """Press Tab until the target has the focus; every stop on the way shows where the focus is."""
    for _ in range(80):
        if target.evaluate("e => e === document.activeElement"):  # type: ignore[attr-defined]
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
        shown = page.evaluate(
            "(e => e === document.body || getComputedStyle(e).outlineStyle !== 'none')(document.activeElement)"
        )
        assert shown, "the focus went where nobody can see it"
    raise AssertionError("the keyboard does not reach it")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits_in_both_palettes(
    chromium_browser: Browser, served: tuple[str, Live], scheme: str, tmp_path: Path
) -> None:
    shots = Path(os.environ.get("PENSTOCK_SHOTS") or tmp_path)
    for console in watched(chromium_browser, served[0], color_scheme=scheme, reduced_motion="reduce"):
        for width in (1440, 900, 420):
            console.page.set_viewport_size({"width": width, "height": 900})
            for name, path in pages(served[0]).items():
                console.go(path)
                expect(console.page.get_by_role("heading", level=1)).to_be_visible()
                console.page.screenshot(path=shots / f"{name}-{width}-{scheme}.png", full_page=True)
                wide = console.page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{name} is {wide} px too wide at {width}"
                if width != 900:
                    found = Axe().run(console.page)
                    assert found.violations_count == 0, f"{name} at {width}, {scheme}:\n{found.generate_report()}"
        console.check()


def test_filters_live_in_the_address_and_come_back_with_it(console: Watched) -> None:
    page = console.page
    console.go("/inventory")
    page.get_by_role("group", name="Kind").get_by_label("agent").check()
    expect(page).to_have_url(re.compile(r"kind=agent"))
    expect(page.get_by_role("status")).to_have_text("1 asset")
    page.reload()
    expect(page.get_by_role("status")).to_have_text("1 asset")
    expect(page.get_by_role("group", name="Kind").get_by_label("agent")).to_be_checked()
    page.get_by_role("button", name="Clear filters").click()
    page.keyboard.press("/")
    page.keyboard.type("tickets")
    expect(page).to_have_url(re.compile(r"q=tickets"))
    expect(page.get_by_role("status")).to_have_text("2 assets")
    page.locator("td.col-name a").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("td.col-name a").nth(1)).to_be_focused()
    console.check()


def test_a_name_from_a_hostile_repository_is_only_text(console: Watched) -> None:
    page = console.page
    console.go("/inventory?q=onerror")
    link = page.get_by_role("link", name=HOSTILE)
    expect(link).to_be_visible()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    assert page.locator("main img").count() == 0
    console.check()


def test_a_person_corrects_an_answer_and_sees_it_counted(chromium_browser: Browser, fresh: tuple[str, Live]) -> None:
    for console in watched(chromium_browser, fresh[0]):
        page = console.page
        console.go(f"/assets/{Api(fresh[0]).asset('support-agent')['id']}")
        page.get_by_role("button", name="Correct this: What is it used for?").click()
        page.get_by_label("What is support-agent used for?").fill("Tells customers where their parcel is")
        page.get_by_label("How do you know?").fill("I wrote it")
        page.get_by_role("button", name="Save as my word").click()
        expect(page.get_by_text("Tells customers where their parcel is").first).to_be_visible()
        expect(page.get_by_role("button", name="Save as my word")).to_have_count(0)
        console.check()


def test_a_question_is_answered_where_it_is_asked(chromium_browser: Browser, fresh: tuple[str, Live]) -> None:
    for console in watched(chromium_browser, fresh[0]):
        page, api = console.page, Api(fresh[0])
        groups = api.get("/questions").json()["groups"]
        question = next(q for g in groups for q in g["questions"] if q["answers"] == "trust")
        console.go("/coverage")
        page.get_by_role("button", name=f"Answer: {question['about']}").click()
        page.get_by_role("combobox", name=question["about"]).select_option("trusted")
        page.get_by_label("How do you know?").fill("It lies behind the login")
        page.get_by_role("button", name="Save as my word").click()
        expect(page.get_by_text(question["about"])).to_have_count(0)
        expect(page.get_by_role("heading", name="Only a person can say")).to_be_visible()
        console.check()


def test_risks_are_read_by_what_to_change_or_one_by_one_a_page_at_a_time(
    chromium_browser: Browser, tmp_path: Path
) -> None:
    with serving(tmp_path, scan=many_open_agents(45, time.time())) as (base, _):
        for console in watched(chromium_browser, base):
            page = console.page
            total = Api(base).get("/fixes").json()["total"]
            assert total >= 45
            console.go("/risks")
            groups = page.get_by_role("region", name=re.compile("^Change "))
            expect(groups).to_have_count(20)
            expect(groups.first).to_contain_text(re.compile(r"closes \d+ risk"))
            page.get_by_role("button", name="Show more").click()
            expect(groups).to_have_count(40)
            page.get_by_role("button", name="Show more").click()
            expect(groups).to_have_count(min(total, 60))
            page.get_by_role("button", name="each risk").click()
            expect(page).to_have_url(re.compile(r"view=each"))
            expect(page.get_by_role("article").first).to_be_visible()
            assert "pii" not in page.locator("main").inner_text()
            console.check()


def test_a_case_is_decided_with_a_reason(chromium_browser: Browser, fresh: tuple[str, Live]) -> None:
    for console in watched(chromium_browser, fresh[0]):
        page = console.page
        console.go(f"/cases/{Api(fresh[0]).get('/cases').json()['cases'][0]['id']}")
        page.get_by_label("Decision").select_option("snooze")
        page.get_by_label("Why?").fill("After the release")
        page.get_by_role("button", name="Save decision").click()
        expect(page.get_by_text("snoozed: After the release")).to_be_visible()
        console.check()


def test_the_chosen_palette_stays(console: Watched) -> None:
    page = console.page
    console.go("/")
    page.get_by_label("Colours").select_option("dark")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    console.check()


def test_with_a_token_the_console_asks_who_it_is(chromium_browser: Browser, tmp_path: Path) -> None:
    token = "correct-horse-battery-staple"
    with serving(tmp_path, Guard(tokens=Tokens(sha256(token)))) as (base, _):
        for console in watched(chromium_browser, base):
            page = console.page
            console.go("/")
            page.get_by_label("Your name").fill("Ada")
            page.get_by_label("Token", exact=False).first.fill(token)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()
            expect(page.get_by_text("penstock scan")).to_be_visible()
            page.get_by_role("button", name="Sign out Ada").click()
            expect(page.get_by_role("button", name="Sign in")).to_be_visible()
            console.check()


def test_the_first_view_is_small_and_brings_everything_itself() -> None:
    import gzip

    page = (STATIC / "index.html").read_text(encoding="utf-8")
    first = re.findall(r'(?:src|href)="/(_static/[^"]+)"', page)
    assert first
    size = sum(len(gzip.compress((STATIC / name).read_bytes(), 9)) for name in first)
    print(f"first view: {size / 1000:.0f} kB gzip of {FIRST_VIEW / 1000:.0f}")
    assert size <= FIRST_VIEW
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*src=)", page)


def test_the_committed_build_is_what_the_source_makes(tmp_path: Path) -> None:
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("Node is not installed: the build of the console is not compared")
    copy = tmp_path / "console"
    shutil.copytree(CONSOLE, copy, ignore=shutil.ignore_patterns("node_modules"))
    if (CONSOLE / "node_modules").is_dir():
        (copy / "node_modules").symlink_to(CONSOLE / "node_modules")
    else:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=copy, check=True, capture_output=True, timeout=170)
    made = tmp_path / "static"
    subprocess.run(
        ["npm", "run", "build", "--", "--outDir", str(made)], cwd=copy, check=True, capture_output=True, timeout=170
    )
    assert files(made) == files(STATIC), "run: npm run build in console/, and commit src/penstock/serve/static"


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_the_lock_of_the_console_names_no_place_to_download_from() -> None:
    lock = (CONSOLE / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
