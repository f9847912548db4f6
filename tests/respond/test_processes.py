"""Several processes on one state at the same time, and processes that are killed: nothing is lost, nothing twice."""

import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from respond_world import AGENT, AT, HELPDESK, TRAINING, event, shop

from penstock.graph.store import open_store
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import VERBS, Complete
from penstock.protect.sink import Spool
from penstock.respond.loop import turn
from penstock.respond.refresh import refresh
from penstock.respond.spool import ASIDE, IDLE
from penstock.settings import Settings

pytestmark = pytest.mark.slow

SETTINGS = Settings(security_team="security")
SCOPES = (HELPDESK, TRAINING)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_database")
    return str(tmp_path / "penstock.db")


def whole_shop(at, *, without=""):
    """The shop looked through in full, or with one relation gone from it."""
    seen = tuple(o for o in shop().observations if not without or getattr(o.subject, "verb", "") != without)
    complete = tuple(Complete(scope, verb, "test") for scope in SCOPES for verb in VERBS)
    return Scan(seen, complete, scopes=SCOPES, finished=SCOPES, at=at)


PRELUDE = """
import sys, time
from pathlib import Path
sys.path[:0] = {path!r}
from respond_world import *
from test_processes import *
store, state = open_store({address!r}), Path({state!r})
"""


def process(code, address, state):
    """A Python process of its own with the store open."""
    path = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    prelude = PRELUDE.format(path=path, address=str(address), state=str(state))
    return subprocess.Popen([sys.executable, "-c", prelude + textwrap.dedent(code)], stderr=subprocess.PIPE)


def ended_well(*processes):
    for one in processes:
        _, complaints = one.communicate(timeout=120)
        assert one.returncode == 0, complaints.decode()


def leak(store, state):
    """The finding that customer data leaves, with its case."""
    made = refresh(store, SETTINGS, state, now=AT)
    found = next(f for f in made.assessment.findings if AGENT.id in {step.asset for step in f.path})
    return found, next(c for c in made.cases if found.id in c.findings)


def test_two_processes_change_the_same_cases_and_lose_and_double_nothing(address, tmp_path):
    store = open_store(address)
    store.ingest(whole_shop(AT))
    found, case = leak(store, tmp_path)
    flips = """
        for n in range(1, 13):
            store.ingest(whole_shop(AT + n, without="serves" if n % 2 else ""))
            refresh(store, SETTINGS, state, now=AT + n)
    """
    turns = """
        for n in range(200):
            turn(store, SETTINGS, state, now=AT + 100 + n)
            time.sleep(0.01)
    """
    racing = [process(flips, address, tmp_path), process(turns, address, tmp_path), process(turns, address, tmp_path)]
    gateway = Spool(tmp_path / "spool")
    for n in range(3000):
        gateway.emit(event(n, finding_ids=(found.id,)))
        time.sleep(0.0005)
    gateway.close()
    ended_well(*racing)
    turn(store, SETTINGS, tmp_path, now=AT + 400)
    (kept,) = [c for c in store.cases() if c.id == case.id]
    assert len(store.events(limit=10_000)) == kept.event_count == 3000
    states = [line.what for line in kept.history if line.what.startswith(("resolved", "re-opened"))]
    assert states == [("resolved: its cause is gone", "re-opened: its cause is there again")[n % 2]
                      for n in range(len(states))]  # fmt: skip
    assert [line.what for line in kept.history].count("seen in traffic for the first time") == 1
    assert kept.state == "open" and store.verify_audit_trail()
    store.close()


def test_processes_killed_at_any_moment_lose_no_event_count_none_twice_and_clear_the_spool(address, tmp_path):
    store = open_store(address)
    store.ingest(whole_shop(AT))
    found, case = leak(store, tmp_path)
    # Its clock runs three hundred times as fast, so that files are set aside and removed while the test lasts.
    turns = """
        while True:
            turn(store, SETTINGS, state, now=time.time() + 300 * (time.time() % 3600))
    """
    chance, sent = random.Random(7), 0
    gateways = [Spool(tmp_path / "spool"), Spool(tmp_path / "spool")]
    for _ in range(12):
        reader = process(turns, address, tmp_path)
        end = time.monotonic() + chance.uniform(0.8, 1.6)
        while time.monotonic() < end:
            for gateway in gateways:
                gateway.emit(event(sent, finding_ids=(found.id,)))
                sent += 1
            time.sleep(0.001)
        reader.send_signal(signal.SIGKILL)
        reader.communicate()
    for gateway in gateways:
        gateway.close()
    assert store.events()  # some were taken in between two kills
    later = time.time() + 300 * 3600  # past any time the killed readers thought it was
    for step in range(4):
        turn(store, SETTINGS, tmp_path, now=later + step * max(IDLE, ASIDE))
    (kept,) = [c for c in store.cases() if c.id == case.id]
    assert kept.event_count == len(store.events(limit=10 * sent)) == sent
    assert len(list((tmp_path / "spool").iterdir())) == 1
    store.close()
