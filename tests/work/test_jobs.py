"""Jobs survive what processes do not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import WrongUse
from penstock.work.jobs import Jobs


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(tmp_path: Path, clock: Clock) -> Iterator[Jobs]:
    opened = Jobs(tmp_path / "jobs.db", clock=clock, retries=2, pause=0.0)
    yield opened
    opened.close()


def run_until(jobs: Jobs, done: Callable[[], bool]) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=jobs.run, args=(stop,))
    thread.start()
    for _ in range(500):
        if done():
            break
        time.sleep(0.01)
    stop.set()
    thread.join()
    assert done()


def drain(jobs: Jobs) -> None:
    while jobs._one():
        pass


def test_a_job_reaches_its_handler_with_its_payload(jobs: Jobs) -> None:
    seen: list[Any] = []
    jobs.handler("note")(seen.append)
    jobs.put("note", {"who": "ada", "n": 1})
    jobs.put("note", b"\x00raw")
    run_until(jobs, lambda: jobs.waiting() == 0)
    assert seen == [{"who": "ada", "n": 1}, b"\x00raw"]


def test_a_delayed_job_waits_for_its_time(jobs: Jobs, clock: Clock) -> None:
    seen: list[Any] = []
    jobs.handler("note")(seen.append)
    jobs.put("note", {}, delay=60)
    drain(jobs)
    assert seen == []
    clock.now += 61
    drain(jobs)
    assert seen == [{}]


def test_a_clock_that_is_set_back_delays_nothing_for_days(jobs: Jobs, clock: Clock) -> None:
    seen: list[Any] = []
    jobs.handler("note")(seen.append)
    jobs.put("note", {}, delay=60)
    clock.now -= 5 * 86_400
    drain(jobs)
    assert seen == [{}]


def test_one_job_for_a_key_until_it_is_done(jobs: Jobs) -> None:
    seen: list[Any] = []
    jobs.handler("note")(seen.append)
    assert jobs.put("note", {"n": 1}, key="k")
    assert not jobs.put("note", {"n": 2}, key="k")
    drain(jobs)
    assert jobs.put("note", {"n": 3}, key="k")
    drain(jobs)
    assert seen == [{"n": 1}, {"n": 3}]


def test_a_failing_job_is_tried_again_then_reported(tmp_path: Path) -> None:
    tries: list[Any] = []
    dead: list[tuple[str, Any, str]] = []
    jobs = Jobs(tmp_path / "jobs.db", on_dead=lambda *row: dead.append(row), retries=2, pause=0.0)

    @jobs.handler("fail")
    def fail(payload: Any) -> None:
        tries.append(payload)
        raise OSError("no route")

    jobs.put("fail", {"n": 1})
    drain(jobs)
    assert len(tries) == 3
    assert dead == [("fail", {"n": 1}, "OSError: no route")]
    assert jobs.waiting() == 0
    jobs.close()


def test_the_pause_between_tries_grows(tmp_path: Path, clock: Clock) -> None:
    tries: list[float] = []
    jobs = Jobs(tmp_path / "jobs.db", on_dead=lambda *row: None, retries=2, pause=2.0, clock=time.time)

    @jobs.handler("fail")
    def fail(payload: Any) -> None:
        raise OSError

    def pause() -> float:
        drain(jobs)
        return float(jobs._storage.sql("select due - since from job", results=True)[0][0])

    jobs.put("fail")
    assert 1.5 < pause() <= 2.0
    jobs._storage.sql("update job set due = 0", commit=True)
    assert 7.5 < pause() <= 8.0
    assert tries == []
    jobs.close()


def test_a_job_without_handler_is_refused(jobs: Jobs) -> None:
    with pytest.raises(WrongUse, match="no handler"):
        jobs.put("nobody", {})


def test_two_schedulers_run_a_periodic_job_once(tmp_path: Path, clock: Clock) -> None:
    seen: list[str] = []
    both = [Jobs(tmp_path / "jobs.db", clock=clock) for _ in range(2)]
    for jobs in both:
        jobs.handler("tick")(lambda _payload: seen.append(f"{clock.now}"))
        jobs.every(60, "tick")

    def fire(jobs: Jobs) -> None:
        jobs._storage.fire("tick", 60, jobs._message("tick", b""), "every tick")

    for _ in range(5):
        threads = [threading.Thread(target=fire, args=(jobs,)) for jobs in both for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for jobs in both:
            drain(jobs)
        clock.now += 60
    assert len(seen) == len(set(seen)) == 5
    for jobs in both:
        jobs.close()


def test_a_slow_periodic_job_does_not_pile_up(jobs: Jobs, clock: Clock) -> None:
    jobs.handler("tick")(lambda _payload: None)
    for _ in range(3):
        jobs._storage.fire("tick", 60, jobs._message("tick", b""), "every tick")
        clock.now += 60
    assert jobs.waiting() == 1


def test_a_periodic_job_survives_a_clock_that_is_set_back(jobs: Jobs, clock: Clock) -> None:
    jobs.handler("tick")(lambda _payload: None)
    jobs._storage.fire("tick", 60, jobs._message("tick", b""), "every tick")
    drain(jobs)
    clock.now -= 86_400
    jobs._storage.fire("tick", 60, jobs._message("tick", b""), "every tick")
    assert jobs.waiting() == 1


RUNNER = textwrap.dedent(
    """
    import pathlib, sys, threading, time
    from penstock.work.jobs import Jobs
    def dead(*row): print("dead", row[0], row[2], flush=True)
    jobs = Jobs("jobs.db", on_dead=dead)
    @jobs.handler("slow")
    def slow(payload):
        print("start", flush=True)
        time.sleep(payload["seconds"])
        print("end", flush=True)
    if sys.argv[1] == "put":
        jobs.put("slow", {"seconds": float(sys.argv[2])}, key="k")
    stop = threading.Event()
    threading.Thread(target=jobs.run, args=(stop,), daemon=True).start()
    while jobs.waiting():
        time.sleep(0.02)
    stop.set()
    """
)


def runner(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    (folder / "runner.py").write_text(RUNNER)
    return subprocess.Popen(
        [sys.executable, "runner.py", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_a_job_whose_process_is_killed_runs_again(tmp_path: Path) -> None:
    first = runner(tmp_path, "put", "30")
    assert first.stdout is not None
    assert first.stdout.readline() == "start\n"
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = Jobs(tmp_path / "jobs.db")
    seen: list[Any] = []
    second.handler("slow")(seen.append)
    assert second.waiting() == 1
    drain(second)
    assert seen == [{"seconds": 30.0}]
    assert second.waiting() == 0
    second.close()
    assert sorted(path.name for path in tmp_path.glob("jobs.db.*")) == []


def test_a_job_that_runs_elsewhere_is_not_taken_away(tmp_path: Path) -> None:
    first = runner(tmp_path, "put", "0.6")
    assert first.stdout is not None
    assert first.stdout.readline() == "start\n"
    second = Jobs(tmp_path / "jobs.db")
    seen: list[Any] = []
    second.handler("slow")(seen.append)
    drain(second)
    assert seen == []
    assert first.stdout.read() == "end\n"
    first.wait()
    drain(second)
    assert seen == []
    second.close()


def test_a_job_that_kills_its_process_each_time_is_given_up(tmp_path: Path) -> None:
    dead: list[tuple[str, Any, str]] = []
    for attempt in range(3):
        victim = runner(tmp_path, "put" if attempt == 0 else "run", "30")
        assert victim.stdout is not None
        assert victim.stdout.readline() == "start\n"
        victim.kill()
        victim.wait()
    last = Jobs(tmp_path / "jobs.db", on_dead=lambda *row: dead.append(row))
    last.handler("slow")(lambda _payload: pytest.fail("it was handed out again"))
    drain(last)
    assert [(name, why) for name, _payload, why in dead] == [("slow", "its process died 3 times while handling it")]
    assert last.waiting() == 0
    last.close()
