"""Another company with the same structure: every owner, model, folder and data file of an estate gets a new name.

Names are taken from the estate itself: folders, file stems, catalogue names, teams, people, models and the company.
Words that tools give a meaning to (file names they look for, keys, SDK names) stay, everything else goes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

#: File names that tools look for by name.
MEANT_BY_TOOLS = re.compile(
    r"^(catalog-info\.ya?ml|CODEOWNERS|ai-system\.ya?ml|(docker-)?compose\.ya?ml|Dockerfile|requirements\.txt|"
    r"package\.json|"
    r"pyproject\.toml|values\.ya?ml|Chart\.ya?ml|\.?mcp\.json|settings\.json|CLAUDE\.md|AGENTS\.md|README\.md|"
    r"__init__\.py|route\.ts)$"
)
#: Folders that tools look into by name, or that are the plain word for what is inside.
TOOL_FOLDERS = {".github", ".claude", ".cursor", "charts", "templates", "app", "api", "lib", "docs", "notebooks"}
#: Single words that are also words of code, data, tools or our own vocabulary: another name would be another meaning.
PLAIN_WORDS = frozenset(
    "data training deploy indexing hooks scripts k8s platform growth security org src customers people chat qdrant "
    "rerank organisation technology analytics finance public partners employees".split()
)
SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo yu za bri clo dra fle gri plo sta tru".split()


def rename(estate: Path, target: Path, seed: int) -> dict[str, str]:
    """Write the renamed estate; returns old → new, both in kebab case."""
    rng = random.Random(seed)
    words = {old: invent(old, rng) for old in sorted({fold(n) for n in names_of(estate)}, key=lambda n: (-len(n), n))}
    pattern = re.compile(
        r"(?<![A-Za-z0-9])(?:" + "|".join(alternatives(old) for old in words) + r")(?![A-Za-z0-9])", re.IGNORECASE
    )

    def swap(text: str) -> str:
        return pattern.sub(lambda found: in_style_of(found.group(), words[fold(found.group())]), text)

    files = [path for path in estate.rglob("*") if path.is_file()]
    rng.shuffle(files)
    for path in files:
        place = target / swap_path(path.relative_to(estate), swap)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8")
        if path.suffix in (".yaml", ".yml"):
            text = shuffled_documents(text, rng)
        place.write_text(swap(text), encoding="utf-8")
    return words


def names_of(estate: Path) -> set[str]:
    """What this company calls things: compound names of folders and files, and every name its catalogue gives."""
    found: set[str] = set()
    for path in estate.rglob("*"):
        stem = path.name if path.is_dir() else path.stem
        if (path.is_dir() and path.name not in TOOL_FOLDERS and not path.name.startswith(".")) or (
            path.is_file() and not MEANT_BY_TOOLS.match(path.name) and re.search(r"[-_]", stem)
        ):
            found.add(stem)
    for path in estate.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if "backstage.io" in text:
            found |= set(re.findall(r"^  name: ([\w.-]+)$", text, re.MULTILINE))
    for path in estate.rglob("CODEOWNERS"):
        found |= {part for owner in re.findall(r"@([\w./-]+)", path.read_text()) for part in owner.split("/")}
    found |= {"fennel & rye", "fennelrye"}
    return {name for name in found if len(name) > 3 and name.casefold() not in PLAIN_WORDS}


def invent(old: str, rng: random.Random) -> str:
    """A new name with as many words."""
    parts = re.split(r"[-_. &]+", old)
    return "-".join("".join(rng.choice(SYLLABLES) for _ in range(3)) for _ in parts)


def fold(text: str) -> str:
    return re.sub(r"[-_. &]+", "-", text).casefold()


def alternatives(old: str) -> str:
    return r"(?:[-_. ]|\ &\ )".join(re.escape(part) for part in re.split(r"[-_. &]+", old))


def in_style_of(found: str, new: str) -> str:
    """The new name, written as the old one was: snake, kebab, spaced, upper or title case."""
    separator = next((c for c in "_- ." if c in found), "-")
    if "&" in found:
        separator = " & "
    new = new.replace("-", separator)
    if found.isupper():
        return new.upper()
    return new[0].upper() + new[1:] if found[0].isupper() else new


def swap_path(path: Path, swap: Callable[[str], str]) -> Path:
    return Path(*(part if MEANT_BY_TOOLS.match(part) or part in TOOL_FOLDERS else swap(part) for part in path.parts))


def shuffled_documents(text: str, rng: random.Random) -> str:
    """The documents of a YAML stream in another order."""
    documents = re.split(r"^---\n", text, flags=re.MULTILINE)
    if len(documents) < 2 or "{{" in text:
        return text
    documents = [d if d.endswith("\n") else d + "\n" for d in documents if d.strip()]
    rng.shuffle(documents)
    return "---\n".join(documents)
