"""The spool is read once, whatever is torn, broken or cut short in it, and cleared away when it is read."""

import os

import msgspec
import pytest
from respond_world import AT, event

from penstock.graph.store import open_store
from penstock.protect.sink import Spool
from penstock.respond.spool import ASIDE, BATCH, IDLE, LONGEST_LINE, POSITIONS, drain, sweep, waits


def line(number):
    return msgspec.json.encode(event(number)) + b"\n"


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path / "penstock.db")
    yield opened
    opened.close()


@pytest.fixture
def spool(tmp_path):
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


def ids(store, spool):
    found = []
    for batch in drain(store, spool):
        found += [e.id for e in batch.events]
        store.put(POSITIONS, dict(batch.positions))
    return found


def test_events_come_once_in_the_order_they_were_written(store, spool):
    (spool / "a.jsonl").write_bytes(line(1) + line(2))
    assert ids(store, spool) == ["e1", "e2"]
    assert ids(store, spool) == []
    with (spool / "a.jsonl").open("ab") as file:
        file.write(line(3))
    (spool / "b.jsonl").write_bytes(line(4))
    assert ids(store, spool) == ["e3", "e4"]


def test_torn_last_line_waits_for_its_end(store, spool):
    (spool / "a.jsonl").write_bytes(line(1) + line(2)[:20])
    assert ids(store, spool) == ["e1"]
    with (spool / "a.jsonl").open("ab") as file:
        file.write(line(2)[20:])
    assert ids(store, spool) == ["e2"]


@pytest.mark.parametrize(
    "junk",
    [b"{not json}\n", b'{"id": 5}\n', b"\xff\xfe\x00\n", b"[" * 5000 + b"\n", b"x" * (3 * LONGEST_LINE) + b"\n"],
    ids=["no json", "wrong shape", "no text", "deep", "endless"],
)
def test_broken_line_is_counted_and_skipped(store, spool, junk):
    (spool / "a.jsonl").write_bytes(line(1) + junk + b"\n" + line(2))
    batches = list(drain(store, spool))
    store.put(POSITIONS, dict(batches[-1].positions))
    assert [e.id for b in batches for e in b.events] == ["e1", "e2"]
    assert sum(b.broken for b in batches) == 1
    assert ids(store, spool) == []


def test_batch_that_was_not_taken_in_is_handed_out_again(store, spool):
    (spool / "a.jsonl").write_bytes(b"".join(map(line, range(2 * BATCH + 1))))
    batches = drain(store, spool)
    store.put(POSITIONS, dict(next(batches).positions))
    assert next(batches).events[0].id == f"e{BATCH}"  # and then the process was killed
    assert ids(store, spool)[0] == f"e{BATCH}"


def test_file_begun_anew_is_read_from_its_start(store, spool):
    (spool / "a.jsonl").write_bytes(line(1) + line(2))
    ids(store, spool)
    (spool / "a.jsonl").write_bytes(line(3))
    assert ids(store, spool) == ["e3"]


def test_position_of_a_file_that_is_gone_is_forgotten(store, spool):
    (spool / "a.jsonl").write_bytes(line(1))
    ids(store, spool)
    (spool / "a.jsonl").unlink()
    (spool / "b.jsonl").write_bytes(line(2))
    ids(store, spool)
    assert set(store.get("spool")) == {"b.jsonl"}


def test_no_spool_is_an_empty_one(store, tmp_path):
    assert ids(store, tmp_path / "nowhere") == []


# ── clearing away ────────────────────────────────────────────────────────────────────────────────────────────────────


def written(spool, name, *numbers, at=AT, tail=b""):
    (spool / name).write_bytes(b"".join(map(line, numbers)) + tail)
    os.utime(spool / name, (at, at))


def names(spool):
    return sorted(path.name for path in spool.iterdir())


def test_read_file_is_set_aside_and_then_removed_but_never_the_newest(store, spool):
    written(spool, "1.jsonl", 1)
    written(spool, "2.jsonl", 2)
    ids(store, spool)
    sweep(store, spool, now=AT + IDLE)
    assert names(spool) == [f"1.jsonl.{int(AT + IDLE)}.read", "2.jsonl"]
    sweep(store, spool, now=AT + IDLE + ASIDE - 1)
    assert len(names(spool)) == 2
    sweep(store, spool, now=AT + IDLE + ASIDE)
    assert names(spool) == ["2.jsonl"]
    assert not waits(store, spool)


def test_file_that_was_not_read_or_is_written_to_stays(store, spool):
    written(spool, "1.jsonl", 1)
    written(spool, "2.jsonl", 2, at=AT + 100)
    sweep(store, spool, now=AT + 100)
    ids(store, spool)
    written(spool, "1.jsonl", 1, 3, at=AT + 95)
    sweep(store, spool, now=AT + 100)
    assert names(spool) == ["1.jsonl", "2.jsonl"]
    assert waits(store, spool)


def test_line_written_while_its_file_was_set_aside_is_read_and_the_file_kept_meanwhile(store, spool):
    written(spool, "1.jsonl", 1)
    written(spool, "2.jsonl", 2)
    with (spool / "1.jsonl").open("ab") as held_open:
        ids(store, spool)
        sweep(store, spool, now=AT + IDLE)
        held_open.write(line(3))
    aside = spool / f"1.jsonl.{int(AT + IDLE)}.read"
    os.utime(aside, (AT + IDLE, AT + IDLE))
    assert waits(store, spool)
    assert ids(store, spool) == ["e3"]
    sweep(store, spool, now=AT + IDLE + ASIDE)
    assert names(spool) == ["2.jsonl"]


def test_half_a_line_of_a_gateway_that_was_killed_does_not_stay_for_ever(store, spool):
    written(spool, "1.jsonl", 1, tail=line(2)[:30])
    written(spool, "2.jsonl", 3)
    ids(store, spool)
    sweep(store, spool, now=AT + ASIDE)
    sweep(store, spool, now=AT + 2 * ASIDE)
    assert names(spool) == ["2.jsonl"]


def test_gateway_goes_on_in_a_new_file_when_its_own_is_set_aside(store, tmp_path):
    folder = tmp_path / "spool"
    gateway = Spool(folder)
    gateway.emit(event(1))
    while not ids(store, folder):
        pass
    (folder / "99999999999999999999.jsonl").touch()  # another gateway began a newer file
    sweep(store, folder, now=next(folder.glob("0*.jsonl")).stat().st_mtime + IDLE)
    gateway.emit(event(2))
    gateway.close()
    assert ids(store, folder) == ["e2"]
    assert len(names(folder)) == 3
