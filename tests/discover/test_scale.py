"""What a scan finds depends neither on how much it may hold at a time, nor on what earlier scans left behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from penstock.discover import scan as scanning
from penstock.discover import spool
from penstock.discover.cache import Cache
from penstock.discover.code.resolve import resolver
from penstock.discover.collector import Fact
from penstock.discover.encoding import encode
from penstock.discover.generated import why_generated
from penstock.discover.progress import Progress
from penstock.discover.scan import scan
from penstock.discover.spool import Facts, Spool
from penstock.settings import Settings
from penstock.work.workers import Workers

MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-5", "o3")


def files_of(number: int, model: str) -> dict[str, str]:
    """A service in each of five languages that names its model in one file and uses it in another."""
    at = f"services/s{number}"
    return {
        f"{at}/py/settings.py": f'import os\nMODEL = os.getenv("MODEL", "{model}")\n',
        f"{at}/py/tools.py": "from agents import function_tool\n\n@function_tool\ndef look_up(q: str): return q\n",
        f"{at}/py/app.py": "from agents import Agent\nfrom .settings import MODEL\nfrom .tools import look_up\n"
        f"a = Agent(name='clerk {number}', model=MODEL, tools=[look_up])\n",
        f"{at}/ts/settings.ts": f"export const MODEL = '{model}';\n",
        f"{at}/ts/app.ts": "import OpenAI from 'openai';\nimport { MODEL } from './settings';\n"
        "new OpenAI().chat.completions.create({ model: MODEL, messages: [] });\n",
        f"{at}/go/settings.go": f'package s{number}\n\nconst Model = "{model}"\n',
        f"{at}/go/app.go": f'package s{number}\n\nimport "github.com/openai/openai-go"\n\nfunc Ask() {{\n'
        "\tclient := openai.NewClient()\n"
        "\tclient.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{Model: Model})\n}\n",
        f"{at}/java/Names.java": f'package s{number};\nclass Names {{ static final String MODEL = "{model}"; }}\n',
        f"{at}/java/App.java": f"package s{number};\nimport dev.langchain4j.model.openai.OpenAiChatModel;\n"
        "class App { OpenAiChatModel m = OpenAiChatModel.builder().modelName(Names.MODEL).build(); }\n",
        f"{at}/cs/Usings.cs": "global using OpenAI.Chat;\n",
        f"{at}/cs/App.csproj": "<Project><ItemGroup /></Project>\n",
        f"{at}/cs/Ask.cs": f'class Ask {{ ChatClient c = new ChatClient("{model}", key); }}\n',
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for number in range(4):
        for path, text in files_of(number, MODELS[number]).items():
            write(root / path, text)
    return root


def write(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def found(root: Path, cache: Path | None = None) -> list[str]:
    with Workers(0, memory_mb=2048) as here:
        result = scan([root], settings=Settings(), cache=cache, workers=here, key=b"k" * 32, now=1.0)
    assert [row for row in result.unseen if not row.skipped] == []
    return sorted(map(repr, (*result.observations, *result.complete, *result.unseen, result.finished)))


def test_what_is_found_does_not_depend_on_what_may_be_held(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = found(project)
    assert all(any(model in row for row in free) for model in MODELS)
    monkeypatch.setattr(spool, "_IN_MEMORY", 1)
    monkeypatch.setattr(spool, "_DECODED_AT_ONCE", 1)
    monkeypatch.setattr(spool, "_BLOCK", 16)
    monkeypatch.setattr(resolver, "_MOST_HELD", 1)  # one module at a time
    monkeypatch.setattr(scanning, "_GLANCED", 0)
    assert found(project) == free


def test_any_change_is_found_as_by_a_first_look(project: Path, tmp_path: Path) -> None:
    chance = random.Random(7)
    cache = tmp_path / "cache"
    assert found(project, cache) == found(project)
    for _ in range(6):
        number = chance.randrange(4)
        files = files_of(number, chance.choice(MODELS))
        for path in chance.sample(sorted(files), chance.randrange(1, 4)):
            place = project / path
            match chance.choice(("write", "touch", "remove", "comment")):
                case "write":
                    write(place, files[path])
                case "touch":
                    write(place, place.read_text() if place.exists() else files[path])
                case "remove":
                    place.unlink(missing_ok=True)
                case _:
                    write(place, files[path] + "\n")
        assert found(project, cache) == found(project)


def test_facts_come_back_by_path_from_memory_and_from_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Fact("code", f"f{number:02}", {"n": [number, "x" * number]}) for number in (5, 3, 9, 1)]
    for in_memory in (1_000_000, 20):
        monkeypatch.setattr(spool, "_IN_MEMORY", in_memory)
        monkeypatch.setattr(spool, "_DECODED_AT_ONCE", 10)
        kept = Spool()
        for row in rows:
            kept.add(encode([row, Fact("env", "", row.path)]))
        there = kept.kept()
        code, env = there.facts()["code"], there.facts()["env"]
        assert isinstance(code, Facts)
        assert list(code) == sorted(rows, key=lambda row: row.path)
        assert code[1] == rows[1]
        assert code[-1:] == [rows[2]]
        assert {fact.value for fact in env} == {row.path for row in rows}
        assert bool(there.place) == (in_memory == 20)
        kept.close()
        assert not there.place or not Path(there.place).exists()


def test_a_spool_leaves_nothing_behind(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_IN_MEMORY", 1)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    found(project)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_looking_over_many_files_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "_TOLD_EVERY", 10)
    told: list[Progress] = []
    with Workers(0, memory_mb=2048) as here:
        scan([project], settings=Settings(), cache=None, workers=here, progress=told.append, now=1.0)
    over = [(each.done, each.total) for each in told if each.phase == "looking over"]
    assert over == [(10, 48), (20, 48), (30, 48), (40, 48)]


DEFINITION = (
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: x\nspec:\n"
    + "  # a schema\n" * 3000
)
DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: y\n"


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        (f"# written by a tool\n---\n{DEFINITION}---\n{DEFINITION}", True),
        (f"{DEFINITION}---\n{DEPLOYMENT}", False),
        (f"{DEPLOYMENT}---\n{DEFINITION}", False),
        (f"{DEFINITION}kind: Deployment\n", False),
        (f'{DEFINITION}"k\\u0069nd": Deployment\n', False),
        (f"x: '\n{DEFINITION}'\n", False),
        (DEFINITION[:300], False),
    ],
)
def test_schemas_of_kubernetes_are_left_out_and_hide_nothing(text: str, left_out: bool) -> None:
    assert bool(why_generated("config/crd.yaml", text.encode())) == left_out


def test_what_is_left_out_is_listed_each_time(project: Path, tmp_path: Path) -> None:
    write(project / "config" / "crd.yaml", DEFINITION)
    listed = "generated: schemas of Kubernetes resources"
    for _ in range(2):
        assert any(listed in row and "skipped=True" in row for row in found(project, tmp_path / "cache"))
        (project / "config" / "crd.yaml").touch()


KILLED = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from penstock.discover import registry
    from penstock.discover import scan as scanning
    from penstock.settings import Settings

    registry.load()
    scanning._REMEMBERED_AT = 100

    def told(progress):
        if progress.phase == "reading" and progress.done > 30:
            print("far enough", flush=True)
            time.sleep(60)

    scanning.scan([sys.argv[1]], settings=Settings(), cache=Path(sys.argv[2]), progress=told, key=b"k" * 32, now=1.0)
    """
)


def test_a_scan_that_is_killed_leaves_what_it_knew(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (tmp_path / "script.py").write_text(KILLED)
    scanner = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), str(project), str(cache)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert scanner.stdout is not None
    assert scanner.stdout.readline() == "far enough\n"
    os.killpg(scanner.pid, signal.SIGKILL)
    scanner.wait()
    left = Cache(cache)
    assert len(left.files(f"repo:{tmp_path.name}/project")) >= 20
    left.close()
    assert found(project, cache) == found(project)
