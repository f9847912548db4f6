"""Judging is bounded, and says where it stopped."""

from __future__ import annotations

import pytest

from penstock.assess import match
from tests.world import World


@pytest.fixture
def hub(world: World) -> World:
    """An agent that reads ten tables of personal data."""
    world.agent("desk", exposure="internet", auth="none")
    for number in range(10):
        world.thing("agent", "desk").reads(f"table {number}", contains="pii")
    return world


def test_within_the_bounds_there_is_nothing_to_say(hub: World) -> None:
    assert hub.assessed().unseen == ()


def test_more_ways_than_are_looked_at_are_said(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "MAX_MATCHES", 5)
    notes = [note for note in hub.assessed().unseen if "PS111" in note.what]
    assert [(note.where, note.why) for note in notes] == [("desk", "more than 5 ways")]


def test_more_assets_than_are_visited_are_said(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "MAX_VISITED", 5)
    notes = {(note.where, note.why) for note in hub.assessed().unseen}
    assert ("desk", "more than 5 assets") in notes


def test_the_same_is_said_each_time(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "MAX_VISITED", 3)
    assert hub.assessed().unseen == hub.assessed(reverse=True).unseen
