"""The spool is read once, whatever is torn, broken or cut short in it."""

import msgspec
import pytest
from respond_world import event

from penstock.graph.store import open_store
from penstock.respond.cases import KEPT_EVENTS
from penstock.respond.spool import LONGEST_LINE, drain


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
    return [e.id for batch in drain(store, spool) for e in batch.events]


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
    assert [e.id for b in batches for e in b.events] == ["e1", "e2"]
    assert sum(b.broken for b in batches) == 1
    assert ids(store, spool) == []


def test_batch_whose_handling_fails_is_handed_out_again(store, spool):
    (spool / "a.jsonl").write_bytes(b"".join(map(line, range(2 * KEPT_EVENTS + 1))))

    def stumble():
        for number, _ in enumerate(drain(store, spool)):
            if number == 1:
                raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        stumble()
    assert ids(store, spool)[0] == f"e{KEPT_EVENTS}"


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
