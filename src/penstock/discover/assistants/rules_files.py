"""Instructions that coding assistants follow: what they are, and whether they hide something from a reader."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from penstock.discover.assistants.files import ANY, assistant, readers_of_rules, rules_patterns
from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Evidence, Observation
from penstock.inspect.hidden import find
from penstock.inspect.instructions import poison

NAME = "assistants.rules-files"
#: What a hidden run is called in the vocabulary.
_WORDS = {"INVISIBLE": "invisible", "TAGS": "tags", "BIDI": "bidi"}


@collector(
    NAME,
    reads=rules_patterns(),
    sees="files of instructions, hidden characters in them, and signs that they work against the user",
    unseen="what the instructions mean beyond known signs; files that they include",
)
def rules_files(file: File) -> Iterator[Yielded]:
    """The file as an asset, and the assistants that follow it."""
    rules, evidence = described(file, "rules_file", file.path, NAME)
    yield Observation(rules, evidence)
    yield Fact("defined", file.path, {"id": rules.id, "line": 1})
    for row in readers_of_rules(file.path):
        if row.id == ANY:
            yield Fact("rules_for_any", file.path, {"id": rules.id})
            continue
        reader = assistant(row, file.scope)
        at = file.evidence(NAME, 1, chain=(f"{row.name} follows {file.path}",))
        yield Observation(reader, at)
        yield Observation(identity.relation(reader, "instructed_by", rules), at)
        yield Fact("assistant", file.path, {"id": reader.id, "name": reader.name})


@joiner(NAME, sees="assistants of a source that follow a file written for any of them")
def shared_rules(source: Source) -> Iterator[Yielded]:
    """AGENTS.md instructs every assistant that the source is set up for."""
    readers = {str(fact.value["id"]): str(fact.value["name"]) for fact in source.facts.get("assistant", ())}
    for fact in source.facts.get("rules_for_any", ()):
        for reader, name in sorted(readers.items()):
            at = source.evidence(NAME, f"{fact.path}:1", confidence="inferred", chain=(f"{name} is set up here",))
            yield Observation(identity.relation(reader, "instructed_by", str(fact.value["id"])), at)


def described(file: File, kind: str, name: str, collector_name: str) -> tuple[Asset, Evidence]:
    """A text that a model will read, as an asset: its hash, its length, and what is hidden. The text is not kept."""
    text = file.text
    spans = find(text)
    props: dict[str, object] = {
        "text_hash": hashlib.sha256(file.data).hexdigest(),
        "text_length": len(text),
    }
    line, chain = 1, []
    if spans:
        props["hidden"] = sorted({_WORDS[span.type] for span in spans if span.type in _WORDS})
        line = text.count("\n", 0, spans[0].start) + 1
        chain = [f"line {text.count(chr(10), 0, span.start) + 1}: {span.reason}" for span in spans[:10]]
    if signs := poison(text, "rules"):
        props["dangers"] = ["poisoned"]
        line = line if spans else text.count("\n", 0, signs[0].start) + 1
        chain += [f"line {text.count(chr(10), 0, sign.start) + 1}: {sign.reason}" for sign in signs[:10]]
    asset = identity.asset(kind, name, scope=file.scope, key=file.path, props=props)
    return asset, file.evidence(collector_name, line, chain=chain)
