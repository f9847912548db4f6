"""What the repository promises about itself."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import penstock

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock_holds_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--hash=sha256:" in text
    unhashed = [line for line in re.sub(r"\\\n\s*", " ", text).splitlines() if line.strip() and "--hash=" not in line]
    assert unhashed == []


def test_base_has_at_most_25_dependencies_besides_grammars():
    grammars = [d for d in PROJECT["dependencies"] if d.startswith("tree-sitter-")]
    assert len(PROJECT["dependencies"]) - len(grammars) <= 25


def test_every_dependency_is_in_the_lock():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").lower()
    for dependency in PROJECT["dependencies"]:
        name = re.match(r"[A-Za-z0-9_.-]+", dependency).group().lower().replace("_", "-")
        assert re.search(rf"^{re.escape(name)}==", lock, re.MULTILINE), f"{name} is missing: make lock"


def test_version_is_answered_without_heavy_imports():
    code = (
        "import sys; sys.argv = ['penstock', '--version']; from penstock.cli import main; main();"
        "heavy = {'click', 'rich', 'numpy', 'sqlalchemy', 'yaml', 'aiohttp'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, f"penstock {penstock.__version__}\n"), done.stderr


def test_console_package_lock_holds_no_address():
    lock = ROOT / "console" / "package-lock.json"
    assert '"resolved"' not in lock.read_text(encoding="utf-8")
