"""Agents that CrewAI reads from YAML beside its code: what each is told, and which model it uses."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.discover.code.ir import sha256
from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.discover.infra.marked import Map, as_map, as_text, line_of
from penstock.discover.infra.yaml_docs import read_documents

#: Larger files are data; agents looked at in one.
_LARGEST, _MOST = 400_000, 200
#: What an agent is told.
_TOLD = ("role", "goal", "backstory")


@collector(
    "code.crew_files",
    reads=("agents.yaml", "agents.yml", "*_agents.yaml", "*_agents.yml"),
    sees="agents that CrewAI reads from YAML",
    unseen="agents made from YAML that is written at run time",
)
def crew_file(file: File) -> Iterator[Yielded]:
    """Each agent's name with its line, its model, and how long its words are: [name, line, model, length, hash]."""
    if len(file.data) > _LARGEST:
        return
    rows: list[list[object]] = []
    for document in read_documents(file, "code.crew_files"):
        for name, value in list(as_map(document).items())[:_MOST] if isinstance(document, Map) else ():
            fields = as_map(value)
            told = [as_text(fields.get(key)).strip() for key in _TOLD]
            if not told[0] or not told[2]:
                continue
            text = "\n".join(told)
            rows.append([name, line_of(document, name), as_text(fields.get("llm")), len(text), sha256(text)])
    if rows:
        yield Fact("crew_agents", file.path, rows)
