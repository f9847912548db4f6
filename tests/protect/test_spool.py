"""Events reach the disk in order, and never hold up a call."""

import errno
import os
import time

import msgspec
import pytest

from penstock.graph.vocabulary import Event
from penstock.protect import sink
from penstock.protect.sink import Spool, event_id


def event(number, **more):
    return Event(id=f"e{number}", at=1.0, kind="call", application="a", **more)


def written(folder):
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    return [msgspec.json.decode(line, type=Event) for line in lines]


def eventually(true, seconds=5.0):
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()


def test_events_are_on_disk_soon_and_in_order(tmp_path):
    spool = Spool(tmp_path / "spool")
    for number in range(500):
        spool.emit(event(number, seen={"in.pii": 1}))
    assert eventually(lambda: len(written(tmp_path / "spool")) == 500)
    assert [found.id for found in written(tmp_path / "spool")] == [f"e{number}" for number in range(500)]
    spool.close()


def test_closing_writes_what_is_held(tmp_path):
    spool = Spool(tmp_path)
    spool.emit(event(1))
    spool.close()
    assert [found.id for found in written(tmp_path)] == ["e1"] and spool.shed == 0


def test_a_file_taken_away_is_begun_anew(tmp_path):
    spool = Spool(tmp_path)
    spool.emit(event(1))
    assert eventually(lambda: len(written(tmp_path)) == 1)
    [path] = tmp_path.glob("*.jsonl")
    path.unlink()
    spool.emit(event(2))
    spool.close()
    assert [found.id for found in written(tmp_path)] == ["e2"]


def test_a_full_disk_is_counted_and_what_is_held_is_written_when_there_is_room(tmp_path, monkeypatch):
    spool = Spool(tmp_path)
    spool.emit(event(1))
    assert eventually(lambda: len(written(tmp_path)) == 1)
    real = os.write

    def full(file, data):
        real(file, bytes(data[:20]))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    spool.emit(event(2))
    assert eventually(lambda: spool.failures > 0) and "No space left" in spool.problem
    monkeypatch.setattr(os, "write", real)
    assert eventually(lambda: len(written(tmp_path)) == 2)
    assert [found.id for found in written(tmp_path)] == ["e1", "e2"]
    spool.close()


def test_detail_goes_before_events_and_harmless_events_before_others(tmp_path, monkeypatch):
    monkeypatch.setattr(sink, "RING", 10)
    spool = Spool(tmp_path)
    monkeypatch.setattr(spool, "_write", lambda: False)  # a disk that takes nothing
    for number in range(10):
        spool.emit(event(number, props={"ms": 1}))
    spool.emit(event("harmless"))
    spool.emit(event("stopped", verdict="stop"))
    held = list(spool._ring)
    assert len(held) == 10 and held[-1].id == "estopped" and held[0].props and not held[-1].props
    assert (spool.shed, spool.thinned) == (2, 5)
    spool.close()


def test_ids_sort_by_time():
    ids = []
    for _ in range(3):
        ids.append(event_id())
        time.sleep(0.002)
    assert ids == sorted(ids) and len(set(ids)) == 3


@pytest.mark.skipif(os.name != "posix", reason="permissions of files")
def test_only_the_owner_may_read_events(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.emit(event(1))
    spool.close()
    [path] = (tmp_path / "spool").glob("*.jsonl")
    assert path.stat().st_mode & 0o077 == 0
