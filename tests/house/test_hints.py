"""What Penstock tells people to type, read and open exists."""

import re
from pathlib import Path

import pytest

from penstock.cli.app import COMMANDS

ROOT = Path(__file__).parents[2]
#: Files whose words people read: ours, not the console's build or the example company.
READ = sorted(
    path
    for pattern in ("src/penstock/**/*.py", "src/penstock/**/*.yaml", "docs/*.md", "*.md", "examples/*.py")
    for path in ROOT.glob(pattern)
    if "examples/estate" not in path.as_posix()
)
#: ``penstock WORD`` as a command: after a backtick, a colon with a space, or an opening quote.
TYPED = re.compile(r"(?:`|: |\"|^|\n)penstock ([a-z]+)\b(?! [a-z]+ed\b)")
#: Words that follow the name in running text and in import lines.
NO_COMMAND = {"import", "on", "and"}


def test_every_command_that_is_named_exists():
    wrong = {
        f"{path.relative_to(ROOT)}: penstock {word}"
        for path in READ
        for word in TYPED.findall(path.read_text(encoding="utf-8"))
        if word not in COMMANDS and word not in NO_COMMAND
    }
    assert wrong == set()


def test_every_page_that_is_named_exists():
    wrong = {
        f"{path.relative_to(ROOT)}: {page}"
        for path in READ
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8"))
        if not (ROOT / page).is_file()
    }
    assert wrong == set()


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_links_in_the_documentation_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), f"{page.name} links to {target}"
