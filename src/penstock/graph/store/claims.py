"""Observations as rows and back: canonical JSON, a digest that knows the same claim again, clean text for columns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from penstock.graph.merge import check
from penstock.graph.vocabulary import Asset, Evidence, Observation, Relation

#: Longest text in an indexed column: PostgreSQL refuses index rows beyond 2,704 bytes, and a character may take four.
_LONGEST = 400

_encoder = msgspec.json.Encoder(order="deterministic")
_decode_asset = msgspec.json.Decoder(tuple[Asset, Evidence]).decode
_decode_relation = msgspec.json.Decoder(tuple[Relation, Evidence]).decode
_decode_assets = msgspec.json.Decoder(list[tuple[Asset, Evidence]]).decode
_decode_relations = msgspec.json.Decoder(list[tuple[Relation, Evidence]]).decode


@dataclass(frozen=True, slots=True)
class Row:
    """An observation as it is stored, without the times that the store adds."""

    what: str
    scope: str
    digest: str
    subject: str
    object: str
    person: bool
    body: str
    until: float | None

    @property
    def key(self) -> tuple[str, str]:
        return self.scope, self.digest


def rows(observations: Iterable[Observation]) -> dict[tuple[str, str], Row]:
    """The distinct claims, by scope and digest. Raises NotUnderstood for words outside the vocabulary."""
    made = (_row(observation) for observation in observations)
    return {row.key: row for row in made}


def _row(observation: Observation) -> Row:
    check(observation)
    subject, evidence = observation.subject, observation.evidence
    if evidence.seen_at:
        evidence = replace(evidence, seen_at=0.0)  # when is the store's to say; it is no part of the claim
    body = encode((subject, evidence))
    is_asset = isinstance(subject, Asset)
    return Row(
        what="asset" if is_asset else "relation",
        scope=key_text(evidence.scope),
        digest=hashlib.blake2b(body.encode(), digest_size=16).hexdigest(),
        subject=key_text(subject.id if isinstance(subject, Asset) else subject.source),
        object="" if isinstance(subject, Asset) else key_text(subject.target),
        person=evidence.collector.startswith("person:"),
        body=body,
        until=evidence.until,
    )


def observation(what: str, body: str, seen_at: float) -> Observation:
    """The observation that a row holds, last seen at a time."""
    subject, evidence = _decode_asset(body) if what == "asset" else _decode_relation(body)
    # Made on the line above, so nobody else holds it; replacing it would cost half of the loading time.
    object.__setattr__(evidence, "seen_at", seen_at)
    return Observation(subject, evidence)


def observations(what: str, bodies: Sequence[str], seen_at: Sequence[float]) -> list[Observation]:
    """Many at once, which takes a third less time than one by one."""
    decode_all: Callable[[str], list[tuple[Asset | Relation, Evidence]]]
    decode_all = _decode_assets if what == "asset" else _decode_relations  # type: ignore[assignment]
    found: list[Observation] = []
    for (subject, evidence), seen in zip(decode_all(f"[{','.join(bodies)}]"), seen_at, strict=True):
        object.__setattr__(evidence, "seen_at", seen)  # as above
        found.append(Observation(subject, evidence))
    return found


def person_said(what: str, body: str) -> tuple[object, ...]:
    """What a person's word is about: a later word of the same person about the same takes its place.

    Naming the owner is about the thing, whoever is named: who names another one no longer means the first.
    """
    said = observation(what, body, 0.0)
    subject = said.subject
    about: tuple[str, ...]
    if isinstance(subject, Asset):
        about = (subject.id, *sorted(subject.props), "labels" if subject.labels else "")
    else:
        about = subject.key[:2] if subject.verb == "owned_by" else subject.key
    return said.evidence.collector, what, *about


def encode(value: Any) -> str:
    """Canonical JSON. Text that is no valid Unicode (file names may hold such bytes) is escaped rather than refused."""
    try:
        return _encoder.encode(value).decode()
    except UnicodeEncodeError:
        return _encoder.encode(_clean(msgspec.to_builtins(value))).decode()


def decode(body: str, type: Any) -> Any:
    return msgspec.json.decode(body, type=type)


def key_text(text: str) -> str:
    """Text that any engine keeps and indexes: valid, without NUL, bounded; two different texts stay different."""
    clean = text.encode(errors="backslashreplace").decode().replace("\0", "\\0")
    if len(clean) <= _LONGEST:
        return clean
    return f"{clean[: _LONGEST - 33]}…{hashlib.blake2b(clean.encode(), digest_size=16).hexdigest()}"


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {_clean(name): _clean(held) for name, held in value.items()}
    return [_clean(held) for held in value] if isinstance(value, list | tuple) else value
