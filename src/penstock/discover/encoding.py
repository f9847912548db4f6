"""What a file gave, as bytes: between processes and in the cache. msgpack, not pickle: reading it runs nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from penstock.discover.collector import Fact, Yielded
from penstock.graph.vocabulary import Asset, Complete, Evidence, Observation, Relation, Unseen


class Claims(msgspec.Struct, array_like=True, frozen=True):
    """Everything but facts, by type."""

    assets: list[tuple[Asset, Evidence]] = []
    relations: list[tuple[Relation, Evidence]] = []
    complete: list[Complete] = []
    unseen: list[Unseen] = []

    def observations(self) -> Iterable[Observation]:
        for asset, evidence in self.assets:
            yield Observation(asset, evidence)
        for relation, evidence in self.relations:
            yield Observation(relation, evidence)


_encoder = msgspec.msgpack.Encoder()
_claims = msgspec.msgpack.Decoder(Claims)


class Sorter:
    """Takes what collectors yield and sorts it by type; only what encodes is taken."""

    def __init__(self) -> None:
        self.claims = Claims([], [], [], [])
        self.facts: list[Fact] = []

    def take(self, yielded: Iterable[Yielded]) -> None:
        """Raises: TypeError: something was yielded that no collector may yield."""
        for value in yielded:
            match value:
                case Observation(Asset() as asset, evidence):
                    self.claims.assets.append((asset, evidence))
                case Observation(Relation() as relation, evidence):
                    self.claims.relations.append((relation, evidence))
                case Fact():
                    self.facts.append(value)
                case Unseen():
                    self.claims.unseen.append(value)
                case Complete():
                    self.claims.complete.append(value)
                case _:
                    raise TypeError(f"a collector yielded a {type(value).__name__}")

    def add(self, other: Sorter) -> None:
        self.claims.assets.extend(other.claims.assets)
        self.claims.relations.extend(other.claims.relations)
        self.claims.complete.extend(other.claims.complete)
        self.claims.unseen.extend(other.claims.unseen)
        self.facts.extend(other.facts)

    def encoded(self) -> tuple[bytes, bytes]:
        """Claims and facts; empty bytes where there are none."""
        claims = self.claims
        some = claims.assets or claims.relations or claims.complete or claims.unseen
        return (_encoder.encode(claims) if some else b"", _encoder.encode(self.facts) if self.facts else b"")


def encode(value: Any) -> bytes:
    """Raises: TypeError, OverflowError: it holds what msgpack cannot."""
    return _encoder.encode(value)


def claims_of(data: bytes) -> Claims:
    """Raises: msgspec.DecodeError (ValueError): the bytes are not claims."""
    return _claims.decode(data) if data else Claims()
