"""What a change would close is judged on the graph as it would be."""

from __future__ import annotations

import pytest

from penstock.assess.whatif import WhatIf, what_if
from penstock.errors import WrongUse
from penstock.graph.vocabulary import Asset
from tests.assess.test_assessing import leak
from tests.world import World


def tried(world: World, *changes: str) -> WhatIf:
    graph = world.graph()

    def find(typed: str) -> Asset:
        return next(asset for asset in graph.assets.values() if asset.name == typed)

    return what_if(graph, world.organisation, changes, find, now=0.0)


@pytest.mark.parametrize(
    "change",
    [
        "guard shop",
        "set shop exposure=private",
        "remove helper invokes serving",
        "remove risk",
        "unlabel customers pii",
    ],
)
def test_any_cut_of_the_chain_closes_its_path(world: World, change: str) -> None:
    told = tried(leak(world), change)
    assert {path.target for path in told.paths_closed} == {world.assets["customers"].id}
    assert "PS101" in {finding.rule for finding in told.closed}
    assert "closes 1 of 1 attack paths" in told.sentence


def test_a_change_beside_the_chain_closes_nothing(world: World) -> None:
    leak(world).dataset("elsewhere", contains="pci")
    told = tried(world, "remove elsewhere")
    assert (told.paths_closed, told.closed) == ((), ())


def test_a_change_can_open_a_path_too(world: World) -> None:
    told = tried(leak(world, exposure="private"), "set shop exposure=internet")
    assert [path.entry for path in told.paths_opened] == ["internet"]
    assert "opens" in told.sentence


def test_several_changes_are_tried_together(world: World) -> None:
    told = tried(leak(world), "set shop exposure=private", "set helper exposure=private")
    assert len(told.done) == 2


@pytest.mark.parametrize(
    "change",
    ["", "paint shop", "set shop exposure", "remove shop serves risk", "unlabel risk pii", "unlabel risk nonsense"],
)
def test_what_is_no_change_is_said_to_be_none(world: World, change: str) -> None:
    with pytest.raises(WrongUse):
        tried(leak(world), change)
