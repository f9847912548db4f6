"""Skills: folders of instructions, and scripts beside them, that an assistant takes up when it sees fit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.discover.assistants.rules_files import described
from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.graph.identity import asset
from penstock.graph.vocabulary import Observation
from penstock.inspect.commands import dangers

NAME = "assistants.skills"
_NAME = re.compile(r"\A---\s*\n(?:.{0,500}\n){0,20}?name:\s*['\"]?([\w .-]{1,100}?)['\"]?\s*\n")
#: Characters of a script that are looked at.
_LONGEST = 200_000


@collector(
    NAME,
    reads=["SKILL.md", "**/skills/**/*.sh", "**/skills/**/*.bash", "**/skills/**/*.ps1", "**/skills/**/*.py",
           "**/skills/**/*.js", "**/skills/**/*.mjs", "**/skills/**/*.rb"],
    sees="skills, hidden characters in them, signs that they or a script beside them work against the user",
    unseen="what a script does beyond known signs",
)  # fmt: skip
def skills(file: File) -> Iterator[Yielded]:
    """The skill under the name its front matter gives, else its folder's; a script for the skill that it lies in."""
    if not file.path.endswith("SKILL.md"):
        for sign in dangers(file.text[:_LONGEST]):
            line = file.text.count("\n", 0, sign.start) + 1
            yield Fact("skill_danger", file.path, {"line": line, "danger": sign.type, "why": sign.reason})
        return
    named = _NAME.match(file.text[:20_000])
    folder = file.path.rpartition("/")[0].rpartition("/")[2]
    skill, evidence = described(file, "skill", named[1] if named else folder or file.path, NAME)
    yield Observation(skill, evidence)
    yield Fact("defined", file.path, {"id": skill.id, "line": 1})
    yield Fact("skill", file.path, {"name": skill.name})


@joiner(NAME, sees="scripts of skills that work against the user")
def scripts(source: Source) -> Iterator[Yielded]:
    """What a script does, the skill does that it lies in."""
    by_folder = {fact.path.rpartition("/")[0]: fact for fact in source.facts.get("skill", ())}
    for fact in source.facts.get("skill_danger", ()):
        folder = fact.path.rpartition("/")[0]
        while folder and folder not in by_folder:
            folder = folder.rpartition("/")[0]
        if (skill := by_folder.get(folder)) is None:
            continue
        found = asset(
            "skill", str(skill.value["name"]), scope=source.scope, key=skill.path,
            props={"dangers": [str(fact.value["danger"])]},
        )  # fmt: skip
        where = f"{fact.path}:{fact.value['line']}"
        yield Observation(found, source.evidence(NAME, where, chain=(str(fact.value["why"]),)))
