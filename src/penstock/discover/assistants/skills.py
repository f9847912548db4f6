"""Skills: folders of instructions that an assistant takes up when it sees fit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.discover.assistants.rules_files import described
from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.graph.vocabulary import Observation

NAME = "assistants.skills"
_NAME = re.compile(r"\A---\s*\n(?:.{0,500}\n){0,20}?name:\s*['\"]?([\w .-]{1,100}?)['\"]?\s*\n")


@collector(NAME, reads=["SKILL.md"], sees="skills, and hidden characters in them", unseen="scripts beside a skill")
def skills(file: File) -> Iterator[Yielded]:
    """The skill under the name its front matter gives, else its folder's."""
    named = _NAME.match(file.text[:20_000])
    folder = file.path.rpartition("/")[0].rpartition("/")[2]
    skill, evidence = described(file, "skill", named[1] if named else folder or file.path, NAME)
    yield Observation(skill, evidence)
    yield Fact("defined", file.path, {"id": skill.id, "line": 1})
