"""What only a file can suffer: newer and foreign files, a full disk, a process killed in the middle of a write."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from penstock.errors import NotReachable, NotUnderstood, WrongUse
from penstock.graph.identity import asset
from penstock.graph.store import engine, open_store, schema
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Evidence, Observation


def scan(count: int, at: float) -> Scan:
    agents = [asset("agent", f"a{n}", scope="repo:x") for n in range(count)]
    seen = tuple(Observation(agent, Evidence("code", f"{at}:{n}", scope="repo:x")) for n, agent in enumerate(agents))
    return Scan(seen, scopes=("repo:x",), finished=("repo:x",), at=at)


def test_the_file_is_private_and_its_folder_is_made(tmp_path):
    path = tmp_path / "new" / "penstock.db"
    before = os.umask(0o022)
    try:
        store = open_store(path)
        with store.exclusive("refresh"):
            store.ingest(scan(3, 1.0))
            modes = {file.name: file.stat().st_mode & 0o777 for file in (path.parent, *path.parent.iterdir())}
        store.close()
    finally:
        os.umask(before)
    assert len(modes) >= 5  # the write-ahead log and the lock among them
    assert modes.pop("new") == 0o700 and set(modes.values()) == {0o600}


def test_a_store_from_a_newer_version_is_refused_and_not_touched(tmp_path):
    path = tmp_path / "penstock.db"
    store = open_store(path)
    store.ingest(scan(3, 1.0))
    with store.engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))
    store.close()
    before = path.read_bytes()
    with pytest.raises(NotUnderstood) as error:
        open_store(path)
    assert error.value.where == str(path) and "Upgrade Penstock" in (error.value.hint or "")
    assert "9999" in error.value.message and path.read_bytes() == before


@pytest.mark.parametrize("content", [b"hello, I am no database\n" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_store_is_refused_and_not_touched(tmp_path, content):
    path = tmp_path / "penstock.db"
    path.write_bytes(content)
    with pytest.raises((NotUnderstood, NotReachable)):
        open_store(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    with pytest.raises(NotUnderstood, match="not a Penstock store"):
        open_store(path)


def test_a_folder_or_a_strange_address_is_wrong_use(tmp_path):
    with pytest.raises(WrongUse):
        open_store(tmp_path)
    with pytest.raises(WrongUse):
        open_store("mysql://host/db")
    with pytest.raises(WrongUse):
        open_store(tmp_path / "x.db", tenant="")


def test_a_server_that_does_not_answer_is_named_without_its_password():
    with pytest.raises(NotReachable) as error:
        open_store("postgresql://ana:topsecret@127.0.0.1:1/none")
    assert "127.0.0.1" in str(error.value) and "topsecret" not in str(error.value)


def test_a_missing_driver_names_the_line_that_installs_it(monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    with pytest.raises(NotReachable) as error:
        open_store("postgresql://127.0.0.1/x")
    assert 'pip install "penstock[postgres]"' in (error.value.hint or "")


def test_a_full_disk_is_said_in_three_parts_and_loses_nothing(tmp_path):
    path = tmp_path / "penstock.db"
    store = open_store(path)
    store.ingest(scan(50, 1.0))

    def small_disk(connection, _):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 5}")

    store.engine.dispose()
    sa.event.listen(store.engine, "connect", small_disk)
    with pytest.raises(NotReachable) as error:
        store.ingest(scan(5000, 2.0))
    assert "disk is full" in error.value.message and error.value.where and "Free space" in (error.value.hint or "")
    assert len(store.graph().assets) == 50
    store.close()
    again = open_store(path)
    assert len(again.ingest(scan(5000, 3.0)).added) == 4950
    again.close()


def test_the_known_versions_are_the_migrations():
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(engine.__file__).parent / "migrations"))
    assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == schema.VERSIONS


def test_a_second_open_loads_no_migrations(tmp_path):
    path = tmp_path / "penstock.db"
    open_store(path).close()
    program = f"import sys; from penstock.graph.store import open_store; open_store({str(path)!r}).graph(); "
    program += "assert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_importing_the_room_loads_nothing_heavy():
    program = "import sys, penstock.graph.store; assert not {'sqlalchemy', 'numpy', 'alembic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_two_processes_may_open_a_new_store_at_once(tmp_path):
    program = "import sys; from penstock.graph.store import open_store; open_store(sys.argv[1]).put(sys.argv[2], 1)"
    path = tmp_path / "penstock.db"
    running = [subprocess.Popen([sys.executable, "-c", program, str(path), f"p{n}"]) for n in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    store = open_store(path)
    assert [store.get(f"p{n}") for n in range(3)] == [1, 1, 1]
    store.close()


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(4))
def test_a_process_killed_in_the_middle_of_a_write_leaves_the_store_whole(tmp_path, turn):
    path = tmp_path / "penstock.db"
    open_store(path).close()
    program = textwrap.dedent(
        """
        import sys
        from penstock.graph.store import open_store
        from tests.graph.test_store_file import scan
        store = open_store(sys.argv[1])
        for turn in range(1, 1000):
            store.ingest(scan(400, float(turn)))
            store.audit("me", "ingest", str(turn), float(turn))
            print(turn, flush=True)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    assert process.stdout is not None
    for _ in range(2):
        last = int(process.stdout.readline())
    time.sleep(0.03 * turn)
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    last = int(rest[-1]) if rest and rest[-1].isdigit() else last

    store = open_store(path)
    with store.engine.connect() as connection:  # type: ignore[attr-defined]
        assert connection.execute(sa.text("PRAGMA integrity_check")).scalar() == "ok"
    times = [at for at, _, _ in store.scans()]
    assert times[0] in (last, last + 1) and len(times) == times[0]
    graph = store.graph()
    assert len(graph.assets) == 400
    assert {e.where.partition(":")[0] for some in graph.evidence.values() for e in some} == {str(times[0])}
    assert store.verify_audit_trail() and len(store.audit_trail()) in (last, last + 1)
    assert not store.ingest(scan(400, times[0]))
    store.close()
