"""A scripted provider, and the gateway in front of it."""

import time

import pytest

from penstock.protect.gateway import build
from penstock.protect.sink import MemorySink
from penstock.protect.snapshot_source import FixedSnapshot
from tests.protect.gateway_world import Provider, served, snapshot


@pytest.fixture
def provider():
    script = Provider()
    with served(script) as url:
        script.url = f"{url}/v1"
        yield script


@pytest.fixture
def gateway(provider, monkeypatch):
    """A running gateway: ``.url``, ``.sink.events``, and ``.allow(*rules, mode=…)`` to change what is in force."""
    monkeypatch.setenv("PENSTOCK_TEST_UPSTREAM_KEY", "upstream-credential")

    class Running:
        source = FixedSnapshot(snapshot(upstream=provider.url))
        sink = MemorySink()
        url = ""

        def rules(self, *rules, **more):
            self.source.put(snapshot(*rules, upstream=provider.url, **more))

        @property
        def event(self):
            until = time.monotonic() + 5
            while not self.sink.events and time.monotonic() < until:
                time.sleep(0.01)
            return self.sink.events[-1]

    running = Running()
    with served(build(running.source, running.sink)) as url:
        running.url = f"{url}/v1"
        yield running
