"""``penstock model guard``: a real Python started under it, and what it may load."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from penstock.protect.loads.command import Given, environment
from tests.inspect.pickles import name, stream, system

BAD = stream(system())
OWN = stream(name("acme", "Net") + b")\x81")


def run(folder: Path, program: str, given: Given | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """A program under the guard, in a folder of models."""
    (folder / "good.pkl").write_bytes(pickle.dumps({"a": [1, 2]}))
    (folder / "bad.pkl").write_bytes(BAD)
    (folder / "own.pkl").write_bytes(OWN)
    (folder / "bad.pkl.gz").write_bytes(gzip.compress(BAD))
    (folder / "program.py").write_text(textwrap.dedent(program), encoding="utf-8")
    around = {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part), **more}
    return subprocess.run(
        [sys.executable, "program.py"], cwd=folder, env=environment(given or Given(), around),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    "load",
    [
        "pickle.load(open('bad.pkl', 'rb'))",
        "pickle.load(file=open('bad.pkl', 'rb'))",
        "pickle.loads(open('bad.pkl', 'rb').read())",
        "pickle.Unpickler(open('bad.pkl', 'rb')).load()",
        "pickle._Unpickler(open('bad.pkl', 'rb')).load()",
        "Own(io.BytesIO(open('bad.pkl', 'rb').read())).load()",
        "pickle.load(gzip.open('bad.pkl.gz'))",
        "numpy.load('bad.pkl', allow_pickle=True)",
    ],
)
def test_harm_is_not_loaded_however_it_is_asked_for(tmp_path, load):
    done = run(
        tmp_path,
        f"""
        import gzip, io, numpy, pickle
        class Own(pickle.Unpickler): pass
        try: {load}
        except PermissionError: raise
        except Exception as error: print(type(error).__name__, "os.system" in str(error))
        """,
    )
    assert done.stdout == "UnsafeModel True\n", done.stderr
    assert "penstock-inert" not in done.stdout


def test_what_is_harmless_loads_as_ever(tmp_path):
    done = run(
        tmp_path,
        """
        import io, multiprocessing, numpy, pickle
        def more(value): return value + 1
        if __name__ == "__main__":
            print(pickle.load(open("good.pkl", "rb")), pickle.loads(pickle.dumps(3)))
            numpy.save("a.npy", numpy.arange(3)); print(numpy.load("a.npy").sum())
            with multiprocessing.get_context("spawn").Pool(1) as pool: print(pool.map(more, [1]))
            file = io.BytesIO(pickle.dumps(1) + pickle.dumps(2))
            print(pickle.load(file), pickle.load(file))
        """,
    )
    assert done.stdout.splitlines() == ["{'a': [1, 2]} 3", "3", "[2]", "1 2"], done.stderr
    assert not done.stderr


def test_a_milder_verdict_warns_unless_it_is_to_be_refused(tmp_path):
    program = """
        import pickle
        try: pickle.load(open("own.pkl", "rb"))
        except Exception as error: print(type(error).__name__)
        """
    warned = run(tmp_path, program)
    assert warned.stdout == "ModuleNotFoundError\n"  # Python's own: it was let through, and there is no such module
    assert "it is review" in warned.stderr
    assert run(tmp_path, program, Given(refuse="review")).stdout == "UnsafeModel\n"


def test_lists_of_contents_decide_first(tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    good = pickle.dumps({"a": [1, 2]})
    (lists / "deny").write_text(f"# seen in the wild\n{hashlib.sha256(good).hexdigest()}  good.pkl\n")
    (lists / "allow").write_text(f"{hashlib.sha256(OWN).hexdigest().upper()}  ours\n")
    given = Given(refuse="review", deny=(str(lists / "deny"),), allow=(str(lists / "allow"),))
    done = run(
        tmp_path,
        """
        import pickle
        for name in ("good.pkl", "own.pkl"):
            try: pickle.load(open(name, "rb"))
            except Exception as error: print(name, type(error).__name__)
        """,
        given,
    )
    assert done.stdout.splitlines() == ["good.pkl UnsafeModel", "own.pkl ModuleNotFoundError"]


def test_modules_are_guarded_when_they_are_imported_class_methods_too(tmp_path):
    package = tmp_path / "transformers"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "modeling_utils.py").write_text(
        "class PreTrainedModel:\n"
        "    @classmethod\n"
        "    def from_pretrained(cls, pretrained_model_name_or_path, **more):\n"
        "        return cls.__name__, pretrained_model_name_or_path\n"
    )
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "pytorch_model.bin").write_bytes(BAD)
    done = run(
        tmp_path,
        """
        from transformers.modeling_utils import PreTrainedModel
        class Net(PreTrainedModel): pass
        print(Net.from_pretrained("org/at-the-hub"))
        try: Net.from_pretrained("weights")
        except Exception as error: print(type(error).__name__)
        import transformers.modeling_utils as module
        print(type(module.__spec__.loader).__name__)
        """,
    )
    assert done.stdout.splitlines() == ["('Net', 'org/at-the-hub')", "UnsafeModel", "SourceFileLoader"], done.stderr


def test_each_judged_load_is_logged(tmp_path):
    log = tmp_path / "loads.jsonl"
    run(
        tmp_path,
        "import pickle\npickle.load(open('good.pkl', 'rb'))\npickle.load(open('bad.pkl', 'rb'))\n",
        Given(log=str(log)),
    )
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["verdict"], line["refused"]) for line in lines] == [("clean", False), ("malicious", True)]


def test_a_file_that_changes_is_judged_again(tmp_path):
    done = run(
        tmp_path,
        """
        import os, pickle
        harm, before = open("bad.pkl", "rb").read(), os.stat("good.pkl")
        print(pickle.load(open("good.pkl", "rb")))
        open("good.pkl", "wb").write(harm)
        os.utime("good.pkl", ns=(before.st_atime_ns, before.st_mtime_ns))
        try: pickle.load(open("good.pkl", "rb"))
        except Exception as error: print(type(error).__name__)
        """,
    )
    assert done.stdout.splitlines() == ["{'a': [1, 2]}", "UnsafeModel"]


def test_the_program_does_not_start_without_its_guard(tmp_path):
    around = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
    broken = {**environment(Given(), around), "PENSTOCK_MODEL_GUARD": "{"}
    done = subprocess.run([sys.executable, "-c", "print('ran')"], env=broken, capture_output=True, text=True)
    assert done.returncode == 2
    assert "ran" not in done.stdout
    assert "help:" in done.stderr


def test_the_environment_keeps_its_own_sitecustomize(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("print('own')\n")
    path = os.pathsep.join([str(own), *(part for part in sys.path if part)])
    done = run(tmp_path, "print('ran')", PYTHONPATH=path)
    assert done.stdout.splitlines() == ["own", "ran"]
