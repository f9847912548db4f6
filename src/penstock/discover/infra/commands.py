"""What a command line fetches or starts: weights by ``ollama pull`` and the like, servers with what they serve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from penstock.discover.collector import File, Yielded
from penstock.discover.infra.images import ImageRow, pulled, row_of, row_of_command, served, weights
from penstock.discover.infra.offer import chained
from penstock.graph import identity
from penstock.graph.vocabulary import Observation, Relation

#: Commands that fetch weights, and where a bare name lives.
FETCHES = (
    ("ollama pull", "ollama"),
    ("ollama run", "ollama"),
    ("huggingface-cli download", "huggingface"),
    ("hf download", "huggingface"),
    ("modelscope download", "modelscope"),
)


def fetched(file: File, words: Sequence[str], line: int, collector: str) -> Iterator[Yielded]:
    """Models that a command downloads: they are part of what the source does."""
    for fetch, hub in FETCHES:
        for value in pulled(fetch, words):
            model = weights(value, hub, file.scope)
            if model is not None:
                at = file.evidence(collector, line, chain=(f"{fetch} {value}",))
                application = identity.application(file.scope)
                yield Observation(model, at)
                yield Observation(application, at)
                yield Observation(Relation(application.id, "uses_model", model.id), at)


def started(
    file: File,
    image: str,
    words: Sequence[str],
    env: Mapping[str, str],
    line: int,
    collector: str,
    *,
    key: str,
    how: str,
) -> Iterator[Yielded]:
    """The server of models that a command starts. Where it will be reached is not known here.

    Args:
        image: of the container that runs it, or "".
        key: of the endpoint within its source; how: who starts it, such as ``the image``.
    """
    row: ImageRow | None = row_of_command(words) or (row_of(image) if image else None)
    if row is None or row.role != "inference":
        return
    servings = served(row, image, list(words), env, file.scope)
    if not servings:
        return
    at = file.evidence(collector, line, chain=(f"{how} starts {row.name}",))
    place = identity.asset("endpoint", f"{row.name} in {file.path}", scope=file.scope, key=key)
    framework = identity.asset("framework", row.name)
    yield Observation(place, at)
    yield Observation(framework, at)
    yield Observation(identity.relation(place, "built_with", framework), at)
    for serving in servings:
        here = chained(at, serving.why)
        yield Observation(serving.model, here)
        yield Observation(Relation(place.id, "serves", serving.model.id), here)
