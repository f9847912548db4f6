"""A real Chromium for tests: Debian's, driven by Playwright; nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

#: Nothing but the page under test may speak to the network.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--metrics-recording-only",
    "--disable-dev-shm-usage",
]


class ChromiumMissing(Exception):
    """There is no Chromium on this machine; the message says how to get one."""


def binary() -> str:
    """Path of the system's Chromium.

    Raises:
        ChromiumMissing: none is installed.
    """
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        raise ChromiumMissing("Chromium is not installed: apt-get install chromium, or set CHROMIUM to its path")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless browser for the time of the block."""
    executable = binary()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, headless=True, args=ARGUMENTS)
        try:
            yield running
        finally:
            running.close()
