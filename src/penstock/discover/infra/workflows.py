"""Workflows of build services (GitHub Actions, GitLab CI): the variables that their steps get."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.discover.infra.commands import fetched
from penstock.discover.infra.environment import env_fact
from penstock.discover.infra.images import split_command
from penstock.discover.infra.marked import Map, as_map, as_text, line_of, maps
from penstock.discover.infra.yaml_docs import read_documents
from penstock.graph.vocabulary import Unseen

NAME = "infra.workflows"
#: Jobs of one file, steps of one job and variables of one mapping that are looked at.
MOST = 1_000


@collector(
    NAME,
    reads=[".github/workflows/*.yml", ".github/workflows/*.yaml", "**/.github/workflows/*.yml", ".gitlab-ci.yml",
           "*.gitlab-ci.yml", "action.yml"],
    sees="variables of workflows, jobs and steps, models that steps fetch",
    unseen="variables that the service keeps (secrets, vars); what called workflows set",
)  # fmt: skip
def workflows(file: File) -> Iterator[Yielded]:
    """A fact for each variable with a value of its own."""
    for document in read_documents(file, NAME):
        if isinstance(document, Unseen):
            yield document
            continue
        root = as_map(document)
        yield from _set(file, root.get("env"))
        yield from _set(file, root.get("variables"))
        jobs = as_map(root.get("jobs")) or root
        for name in list(jobs)[:MOST]:
            job = as_map(jobs[name])
            yield from _set(file, job.get("env"))
            yield from _set(file, job.get("variables"))
            for step in maps(job.get("steps"))[:MOST]:
                yield from _set(file, step.get("env"))
                yield from _run(file, step)
        for step in maps(as_map(root.get("runs")).get("steps"))[:MOST]:
            yield from _set(file, step.get("env"))


def _run(file: File, step: Map) -> Iterator[Yielded]:
    """Models that the commands of a step fetch."""
    line = line_of(step, "run")
    for number, text in enumerate(as_text(step.get("run")).splitlines()[:MOST]):
        yield from fetched(file, split_command(text), line + number + 1, NAME)


def _set(file: File, given: Any) -> Iterator[Fact]:
    mapping = as_map(given)
    for name in list(mapping)[:MOST]:
        value: Any = mapping[name]
        if isinstance(value, Map):  # GitLab: {value, description}
            value = value.get("value")
        text = as_text(value)
        if text and "${{" not in text and not text.startswith("$"):
            yield from env_fact(file, name, text, line_of(mapping, name))
