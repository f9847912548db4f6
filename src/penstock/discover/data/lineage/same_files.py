"""Paths of the machine that ran a job, recognised as files of the source: ``/home/ada/shop/data/train.csv``."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.discover.collector import Source, Yielded, joiner
from penstock.discover.data.lineage.reading import text
from penstock.discover.data.lineage.saying import Saying
from penstock.graph import identity

NAME = "lineage.same-files"
#: A fact whose value is an absolute path that a document names as data.
FACT = "lineage.path"
#: Parts of a path that must agree: two of "data/train.csv" are a place, one of "train.csv" is a common name.
_FEWEST = 2


@joiner(NAME, sees="files of the source that lineage documents name by their path on another machine")
def same_files(source: Source) -> Iterator[Yielded]:
    """Tie an absolute path to the one file of the source whose whole path it ends with."""
    paths = set(source.paths)
    folders = {path.rsplit("/", 1)[0] for path in paths if "/" in path}
    for fact in source.facts.get(FACT, ()):
        absolute = text(fact.value)
        parts = absolute.strip("/").split("/")
        ends = ["/".join(parts[start:]) for start in range(1, len(parts))]
        match = next((end for end in ends if end in paths or end in folders), "")
        # a path that lies directly in the source's own folder needs no second part
        named = parts[-match.count("/") - 2] if match else ""
        if match and (match.count("/") + 1 >= _FEWEST or named == source.scope.rpartition("/")[2]):
            saying = Saying(NAME, source.scope, fact.path, "inferred")
            here, there = identity.file_dataset(match, source.scope), identity.file_dataset(absolute, source.scope)
            saying.same(there, here, saying.at("", f"{absolute} ends as {match} of this source does"))
            yield from saying
