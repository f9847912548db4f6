"""A scan finds what there is, survives what is hostile, and costs little the second time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from penstock.discover import collect, registry
from penstock.discover.cache import Cache
from penstock.discover.collector import COLLECTORS, JOINERS, Fact, File, Source, Yielded, collector, joiner
from penstock.discover.progress import Progress
from penstock.discover.scan import scan
from penstock.errors import NotReachable
from penstock.graph.identity import application, asset, relation
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Asset, Complete, Observation, Unseen
from penstock.settings import Settings
from penstock.work.workers import Workers

RAN: list[str] = []


@pytest.fixture(autouse=True)
def own_collectors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A small world: lines of ``*.say`` files say what happens."""
    assert registry.load() == ()
    kept = dict(COLLECTORS), dict(JOINERS)
    COLLECTORS.clear()
    JOINERS.clear()

    @collector("say.models", reads="*.say", sees="models", version=1)
    def models(file: File) -> Iterator[Yielded]:
        for number, line in enumerate(file.text.splitlines(), 1):
            word, _, rest = line.partition(" ")
            match word:
                case "model":
                    model = asset("model", rest, props={"provider": "openai"})
                    yield Observation(model, file.evidence("say.models", number))
                    yield Fact("model", file.path, rest)
                case "raise":
                    raise ValueError("odd content")
                case "loop":
                    while True:
                        pass
                case "hog":
                    kept = []
                    while True:
                        kept.append(bytearray(16 << 20))
                case "die":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "deaf":
                    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})  # as a loop in C is
                    while True:
                        pass
                case "deep":
                    json.loads("[" * 100_000)
                case "broken":
                    yield Unseen(file.path, "content", "not understood", collector="say.models", scope=file.scope)
                case "wrong":
                    yield "a string"  # type: ignore[misc]

    @collector("say.other", reads="*.say", sees="that a file is there")
    def other(file: File) -> Iterator[Yielded]:
        yield Observation(asset("tool", file.path, scope=file.scope), file.evidence("say.other"))

    @joiner("say.application", sees="the application of a source")
    def joined(source: Source) -> Iterator[Yielded]:
        own = application(source.scope)
        for fact in source.facts.get("model", ()):
            if fact.value == "joiner-fails":
                raise RuntimeError("no way to join")
            at = source.evidence("say.application", fact.path)
            yield Observation(own, at)
            model = asset("model", fact.value, props={"provider": "openai"})
            yield Observation(relation(own, "uses_model", model), at)
        yield Complete(source.scope, "uses_model", "say.application")

    yield
    COLLECTORS.clear()
    JOINERS.clear()
    COLLECTORS.update(kept[0])
    JOINERS.update(kept[1])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "acme" / "shop"
    place.mkdir(parents=True)
    (place / "a.say").write_text("model gpt-4o\n")
    (place / "b.say").write_text("model gpt-5\n")
    for path in place.iterdir():  # long enough ago for the file system's clock
        os.utime(path, (1_700_000_000, 1_700_000_000))
    time.sleep(0.06)
    return place


def look(*targets: Path, cache: Path | None = None, settings: Settings | None = None) -> Scan:
    with Workers(1, memory_mb=128, seconds=20.0) as workers:
        return scan(targets, settings=settings or Settings(), cache=cache, workers=workers, now=1.0)


def found(result: Scan, kind: str) -> set[str]:
    return {
        seen.subject.name
        for seen in result.observations
        if isinstance(seen.subject, Asset) and seen.subject.kind == kind
    }


def failures(result: Scan) -> list[tuple[str, str]]:
    return [(row.where, row.why) for row in result.unseen if not row.skipped]


def test_files_and_what_joins_them_are_found(root: Path) -> None:
    result = look(root)
    assert found(result, "model") == {"gpt-4o", "gpt-5"}
    assert found(result, "application") == {"shop"}
    assert found(result, "repository") == {"acme/shop"}
    assert result.scopes == result.finished == ("repo:acme/shop",)
    assert [row.verb for row in result.complete] == ["uses_model"]
    assert failures(result) == []
    assert result.at == 1.0


def test_the_repository_of_a_source_without_ai_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "x.txt").write_text("hello")
    result = look(tmp_path / "plain")
    assert result.observations == ()
    assert result.finished == (f"repo:{tmp_path.name}/plain",)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("raise", "ValueError: odd content"),
        ("loop", "longer than 0.3 s"),
        ("hog", "memory"),
        ("die", "SIGKILL"),
        ("deaf", "CPU time"),
        ("deep", "nested too deeply"),
        ("wrong", "yielded a str"),
    ],
)
def test_a_hostile_file_costs_one_row(root: Path, line: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "FILE_SECONDS", 0.3 if line in ("loop", "deaf") else 10.0)
    monkeypatch.setattr(collect, "GRACE", 0.1)
    (root / "hostile.say").write_text(f"model before\n{line}\nmodel after\n")
    result = look(root)
    ((where, said),) = failures(result)
    assert where == "hostile.say"
    assert why in said
    assert found(result, "model") >= {"gpt-4o", "gpt-5"}
    assert "after" not in found(result, "model")
    assert result.finished == ()
    assert result.complete == ()
    if line not in ("die", "deaf"):  # what came before stays, and so does what other collectors find
        assert "before" in found(result, "model")
        assert "hostile.say" in found(result, "tool")


def test_content_that_is_not_understood_does_not_leave_the_scope_unfinished(root: Path) -> None:
    (root / "c.say").write_text("broken\n")
    result = look(root)
    assert failures(result) == [("c.say", "not understood")]
    assert result.finished == ("repo:acme/shop",)
    assert result.complete == ()


def test_a_joiner_that_fails_costs_its_row(root: Path) -> None:
    (root / "z.say").write_text("model joiner-fails\n")
    result = look(root)
    assert [why for _, why in failures(result)] == ["the collector failed: RuntimeError: no way to join"]
    assert found(result, "model") == {"gpt-4o", "gpt-5", "joiner-fails"}
    assert result.finished == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_a_row(root: Path) -> None:
    (root / "b.say").chmod(0)
    result = look(root)
    assert [where for where, _ in failures(result)] == ["b.say"]
    assert result.finished == ()


def test_a_huge_file_is_noted_and_not_read(root: Path) -> None:
    with (root / "big.say").open("wb") as file:
        file.truncate(6 * 1024 * 1024)
    result = look(root)
    assert failures(result) == []
    assert [(row.where, row.why) for row in result.unseen] == [("big.say", "6 MB, larger than 5 MB")]


def test_broken_encoding_is_read_as_far_as_it_goes(root: Path) -> None:
    (root / "c.say").write_bytes(b"\xff\xfe model\nmodel \x80gpt-x\nmodel gpt-y\n")
    result = look(root)
    assert "gpt-y" in found(result, "model")
    assert failures(result) == []


def test_no_such_path_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotReachable):
        look(tmp_path / "nowhere")


def test_one_file_is_a_source_that_never_finishes(root: Path) -> None:
    result = look(root / "a.say")
    assert found(result, "model") == {"gpt-4o"}
    assert result.scopes == ("repo:acme/shop",)
    assert result.finished == ()


def test_a_second_scan_of_the_same_tree_runs_no_collector(root: Path, tmp_path: Path) -> None:
    first = look(root, cache=tmp_path / "cache")

    def refuse(_file: File) -> Iterator[Yielded]:
        raise AssertionError("the file was read again")
        yield

    for name in list(COLLECTORS):
        COLLECTORS[name] = replace(COLLECTORS[name], run=refuse)
    second = look(root, cache=tmp_path / "cache")
    assert set(map(repr, second.observations)) == set(map(repr, first.observations))
    assert second.finished == first.finished
    assert second.complete == first.complete


def test_only_a_changed_file_is_read_again(root: Path, tmp_path: Path) -> None:
    look(root, cache=tmp_path / "cache")
    (root / "b.say").write_text("model o3\n")
    COLLECTORS["say.other"] = replace(COLLECTORS["say.other"], run=lambda file: iter(
        [Observation(asset("tool", f"again {file.path}", scope=file.scope), file.evidence("say.other"))]))  # fmt: skip
    result = look(root, cache=tmp_path / "cache")
    assert found(result, "model") == {"gpt-4o", "o3"}
    assert found(result, "tool") == {"a.say", "again b.say"}


def test_a_change_that_keeps_size_and_time_is_seen(root: Path, tmp_path: Path) -> None:
    look(root, cache=tmp_path / "cache")
    (root / "b.say").write_text("model gpt-6\n")
    os.utime(root / "b.say", (1_700_000_000, 1_700_000_000))
    assert found(look(root, cache=tmp_path / "cache"), "model") == {"gpt-4o", "gpt-6"}


def test_a_removed_file_is_forgotten(root: Path, tmp_path: Path) -> None:
    look(root, cache=tmp_path / "cache")
    (root / "b.say").unlink()
    result = look(root, cache=tmp_path / "cache")
    assert found(result, "model") == {"gpt-4o"}
    assert result.finished == ("repo:acme/shop",)


def test_a_new_version_of_a_collector_drops_what_the_old_one_found(root: Path, tmp_path: Path) -> None:
    look(root, cache=tmp_path / "cache")
    COLLECTORS["say.models"] = replace(COLLECTORS["say.models"], version=2, run=lambda _file: iter(()))
    assert found(look(root, cache=tmp_path / "cache"), "model") == set()


def test_a_failure_is_tried_again(root: Path, tmp_path: Path) -> None:
    (root / "c.say").write_text("raise\n")
    assert failures(look(root, cache=tmp_path / "cache"))
    COLLECTORS["say.models"] = replace(COLLECTORS["say.models"], run=lambda _file: iter(()))
    assert failures(look(root, cache=tmp_path / "cache")) == []


@pytest.mark.parametrize("damage", [b"no database", b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_cache_costs_time_and_nothing_else(root: Path, tmp_path: Path, damage: bytes) -> None:
    look(root, cache=tmp_path / "cache")
    for path in (tmp_path / "cache").iterdir():
        path.write_bytes(damage)
    assert found(look(root, cache=tmp_path / "cache"), "model") == {"gpt-4o", "gpt-5"}


def test_a_cache_that_cannot_be_written_is_a_note(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = look(root, cache=tmp_path / "file" / "cache")
    assert found(result, "model") == {"gpt-4o", "gpt-5"}
    assert [(row.what, row.skipped) for row in result.unseen] == [("what earlier scans found", True)]


def test_the_state_directory_in_a_tree_is_left_out(root: Path) -> None:
    state = root / "state"
    (state / "cache").mkdir(parents=True)
    (state / "penstock.db").touch()
    (state / "x.say").write_text("model hidden\n")
    result = look(root, cache=state / "cache")
    assert "hidden" not in found(result, "model")


def test_the_operator_excludes_paths(root: Path) -> None:
    (root / "old").mkdir()
    (root / "old" / "c.say").write_text("model ancient\n")
    for glob in ("old", "old/", "old/**", "old/*.say"):
        result = look(root, settings=Settings(exclude=(glob,)))
        assert found(result, "model") == {"gpt-4o", "gpt-5"}, glob


def test_a_tree_cannot_exclude_itself(root: Path) -> None:
    (root / "penstock.yaml").write_text("exclude: ['**']\n")
    (root / ".gitignore").write_text("*\n")
    assert found(look(root), "model") == {"gpt-4o", "gpt-5"}


def test_progress_is_told_up_to_the_end(root: Path) -> None:
    told: list[Progress] = []
    scan([root], settings=Settings(), cache=None, progress=told.append, now=1.0)
    assert told[0].phase == "finding files"
    assert told[-1].phase == "done"
    reading = [value for value in told if value.phase == "reading" and value.source]
    assert [(value.done, value.total) for value in reading] == [(1, 2), (2, 2)]
    assert reading[-1].found >= 4


def test_a_collector_module_that_does_not_load_is_loud(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Unseen("penstock.discover.code.python", "everything", "the collector does not load: ImportError: no wheel")
    monkeypatch.setattr(registry, "load", lambda: (row,))
    result = look(root, cache=tmp_path / "cache")
    assert row in result.unseen
    assert result.finished == ()
    assert Cache(tmp_path / "cache").files("repo:acme/shop") == {}


def test_the_cache_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from penstock.discover import cache as module

    monkeypatch.setattr(module, "LARGEST", 200_000)
    cache = Cache(tmp_path, "code")
    cache.adopt("s", b"r")
    for number in range(10):
        cache.keep_files(f"repo:{number}", [module.Row("x", "1", b"d", "", b"", b"c" * 50_000, b"")])
        time.sleep(0.002)
    cache.close()
    left = Cache(tmp_path, "code")
    assert left.files("repo:0") == {}
    assert left.files("repo:9")


INTERRUPTED = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from penstock.discover import registry
    from penstock.discover.collector import COLLECTORS, JOINERS, collector
    from penstock.discover.scan import scan
    from penstock.graph.identity import asset
    from penstock.graph.vocabulary import Observation
    from penstock.settings import Settings

    registry.load()
    COLLECTORS.clear(); JOINERS.clear()

    @collector("slow", reads="*.say", sees="x")
    def slow(file):
        yield Observation(asset("tool", file.path, scope=file.scope), file.evidence("slow"))
        if file.path > "060":
            time.sleep(4)

    def told(progress):
        if progress.done: print("done", progress.done, flush=True)

    result = scan([sys.argv[1]], settings=Settings(), cache=Path(sys.argv[2]), progress=told, now=1.0)
    print("kept", len(result.observations), result.finished, [row.why for row in result.unseen], flush=True)
    """
)


def test_ctrl_c_keeps_what_was_found_and_leaves_no_process(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    for number in range(200):
        (root / f"{number:03}.say").write_text("x")
    (tmp_path / "script.py").write_text(INTERRUPTED)
    scanner = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), str(root), str(tmp_path / "cache")],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert scanner.stdout is not None
    while scanner.stdout.readline().strip() != "done 50":
        pass
    os.killpg(scanner.pid, signal.SIGINT)
    last = scanner.stdout.read().splitlines()[-1]
    scanner.wait()
    assert last == "kept 51 () ['the scan was interrupted']"
    with pytest.raises(ProcessLookupError):  # nobody is left in its group
        os.killpg(scanner.pid, 0)
