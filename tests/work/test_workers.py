"""Workers: a hostile item costs one item."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.work.workers import Done, Failed, Workers

Numbers = tuple[int, ...]


def double(batch: Numbers) -> list[int]:
    return [2 * number for number in batch]


def where(batch: Numbers) -> int:
    return os.getpid()


def misbehave(batch: tuple[str, ...]) -> list[str]:
    for item in batch:
        match item:
            case "raise":
                raise ValueError("no good")
            case "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(7)
            case "memory":
                kept = []
                while True:
                    kept.append(bytearray(16 << 20))
            case "loop":
                while True:
                    with contextlib.suppress(Exception):
                        time.sleep(0.01)
            case "stuck":
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})  # as deaf as a loop in C
                time.sleep(60)
            case "unpicklable":
                return [lambda: None]  # type: ignore[list-item]
    return [item.upper() for item in batch]


def split(outcomes: Iterator[Done | Failed]) -> tuple[list[str], dict[str, str]]:
    good: list[str] = []
    bad: dict[str, str] = {}
    for outcome in outcomes:
        if isinstance(outcome, Done):
            good += outcome.result
        else:
            bad[outcome.item] = outcome.why
    return sorted(good), bad


@pytest.mark.parametrize("processes", [0, 1, 3])
def test_every_batch_is_worked_on_once(processes: int) -> None:
    batches = [tuple(range(start, start + 7)) for start in range(0, 70, 7)]
    with Workers(processes) as workers:
        seen = sorted(n for done in workers.map(double, batches) if isinstance(done, Done) for n in done.result)
    assert seen == [2 * n for n in range(70)]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ("raise", "ValueError: no good"),
        ("crash", "SIGKILL"),
        ("exit", "exit code 7"),
        ("memory", "memory"),
        ("loop", "longer than 0.5 s"),
        ("stuck", "did not stop"),
        ("unpicklable", "pickle"),
    ],
)
def test_a_hostile_item_costs_one_item(item: str, why: str) -> None:
    with Workers(2, memory_mb=128, seconds=0.5) as workers:
        good, bad = split(workers.map(misbehave, [("a", item, "b"), ("c", "d")]))
        assert good == ["A", "B", "C", "D"]
        assert list(bad) == [item]
        assert why in bad[item]
        assert split(workers.map(misbehave, [("e",)])) == (["E"], {})  # and the pool goes on


@pytest.mark.parametrize("item", ["raise", "loop"])
def test_the_same_holds_without_processes(item: str) -> None:
    good, bad = split(Workers(0, seconds=0.2).map(misbehave, [("a", item, "b")]))
    assert good == ["A", "B"]
    assert list(bad) == [item]


def test_no_more_processes_start_than_there_are_batches() -> None:
    with Workers(8) as workers:
        assert len({done.result for done in workers.map(where, [(1,)]) if isinstance(done, Done)}) == 1
        assert len(workers._workers) == 1


def test_batches_are_drawn_only_as_fast_as_they_are_worked_on() -> None:
    drawn = 0

    def endless() -> Iterator[Numbers]:
        nonlocal drawn
        while True:
            drawn += 1
            yield (drawn,)

    with Workers(2) as workers:
        results = workers.map(double, endless())
        for _ in range(5):
            next(results)
        results.close()  # type: ignore[attr-defined]
    assert drawn <= 10


def test_settled_items_are_counted() -> None:
    counts: list[int] = []
    with Workers(1, seconds=0.5) as workers:
        list(workers.map(misbehave, [("a", "raise"), ("b", "c", "d")], on_done=counts.append))
    assert sorted(counts) == [1, 1, 3]


def test_it_works_beside_other_threads() -> None:
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait)
    thread.start()
    try:
        with Workers(1, seconds=5) as workers:
            assert split(workers.map(misbehave, [("a", "raise")])) == (["A"], {"raise": "ValueError: no good"})
    finally:
        gate.set()
        thread.join()


def test_a_worker_that_dies_while_idle_is_replaced() -> None:
    with Workers(1) as workers:
        (first,) = [done.result for done in workers.map(where, [(1,)]) if isinstance(done, Done)]
        os.kill(first, signal.SIGKILL)
        workers._workers[0].process.join()
        outcomes = list(workers.map(double, [(1,), (2,)]))
    assert [type(outcome) for outcome in outcomes] == [Done, Done]


SCRIPT = textwrap.dedent(
    """
    import sys, time
    from tests_work_slow import slow
    from penstock.work.workers import Workers
    with Workers(2, seconds=60) as workers:
        try:
            for done in workers.map(slow, [(i,) for i in range(100)]):
                print(done.result, flush=True)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """
)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_its_caller(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "tests_work_slow.py").write_text(
        "import os, time\ndef slow(batch):\n    time.sleep(0.05 if batch[0] < 2 else 2)\n    return os.getpid()\n"
    )
    (tmp_path / "script.py").write_text(SCRIPT)
    caller = subprocess.Popen(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert caller.stdout is not None
    pids = {int(caller.stdout.readline()) for _ in range(2)}
    os.killpg(caller.pid, how) if how == signal.SIGINT else os.kill(caller.pid, how)
    said = caller.stdout.read()
    caller.wait()
    if how == signal.SIGINT:
        assert said.splitlines()[-1] == "interrupted"
        assert caller.returncode == 0
    for _ in range(400):
        if not any(alive(pid) for pid in pids):
            break
        time.sleep(0.02)
    assert not any(alive(pid) for pid in pids)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
