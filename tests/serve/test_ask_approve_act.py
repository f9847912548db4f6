"""A client asks, a person answers in the browser, the client goes on: all parts real, and killed in between."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.serve.ask_world import House, eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_a_client_asks_an_approver_answers_in_the_browser_the_retry_passes_and_after_the_end_it_asks_again(
    house: House, chromium_browser: Browser
) -> None:
    answer, decision = house.say()
    assert decision == "ask" and house.provider.calls == 0
    assert "personal data leaves the house" in answer.lower() or "Personal data leaves the house" in answer
    (asked,) = eventually(house.store.approvals)

    page = chromium_browser.new_page()
    page.goto(f"{house.server}/approvals")
    request = page.get_by_role("article").first
    expect(request).to_contain_text("personal data leaves the house")
    request.get_by_label("Why?").fill("She asked us to")
    request.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("row", name=re.compile("granted"))).to_be_visible()
    page.close()

    eventually(lambda: house.say()[1] != "ask")
    assert house.say()[0] == "It is done." and house.provider.calls >= 1
    granted = house.store.approval(asked.id)
    assert granted and granted.state == "granted" and granted.reason == "She asked us to"

    command = [sys.executable, "-m", "penstock", "approvals", "withdraw", asked.id, "--state", str(house.state)]
    subprocess.run(command, check=True, capture_output=True)
    eventually(lambda: house.say()[1] == "ask")
    (again,) = eventually(lambda: house.store.approvals(states=("asked",)))
    grant = [sys.executable, "-m", "penstock", "approvals", "grant", again.id, "--minutes", "0.1", "--by", "ada"]
    subprocess.run([*grant, "--state", str(house.state)], check=True, capture_output=True)
    eventually(lambda: house.say()[1] != "ask")
    eventually(lambda: house.say()[1] == "ask")  # the grant has run out
    third = eventually(lambda: [a for a in house.store.approvals(states=("asked",)) if a.id != again.id])
    assert third[0].id not in (asked.id, again.id)
    assert house.store.verify_audit_trail()


def test_nothing_is_lost_when_server_and_gateway_are_killed_in_between(house: House) -> None:
    house.kill("serve")
    house.say()  # asked while nobody listens
    time.sleep(0.5)  # the gateway's spool is written behind the call, twice a second at least
    house.kill("protect")
    house.server, house.gateway = house.start("serve"), house.start("protect")
    (asked,) = eventually(house.store.approvals)
    assert asked.state == "asked"

    command = [sys.executable, "-m", "penstock", "approvals", "grant", asked.id, "--by", "ada", "--state"]
    house.kill("serve")
    house.kill("protect")
    subprocess.run([*command, str(house.state)], check=True, capture_output=True)
    house.gateway = house.start("protect")
    assert house.say()[1] != "ask"  # the grant stands in the snapshot, with no server at all
    house.server = house.start("serve")
    assert eventually(lambda: house.say()[1] != "ask")
    granted = house.store.approval(asked.id)
    assert granted is not None and granted.state == "granted"
