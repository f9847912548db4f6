"""A text of a dataset, where it stands, and the class that the data give it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """place: where a reader finds it (``line 17``, ``page 3``); label: its class, where the data have one."""

    place: str
    text: str
    label: str = ""
