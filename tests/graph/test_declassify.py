"""Who may take a label away, for what and how long."""

from __future__ import annotations

import pytest

from penstock.errors import WrongUse
from penstock.graph.declassify import DAY, confirmation, proposals
from penstock.graph.graph import Graph
from penstock.graph.labels import propagate
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Observation, Relation
from tests.graph.worlds import of, seen, thing

NOW = 1_790_000_000.0
SUMS = of("dataset:sums")


def homes(*more: Observation, claim: dict[str, object] | None = None, at: float = NOW) -> Graph:
    claim = {"method": "sums over 150 homes"} if claim is None else claim
    return merge(
        [
            seen(thing("dataset", "homes", labels=["pii"])),
            seen(thing("dataset", "sums", props={"declassified": claim}), by="declaration", confidence="declared"),
            seen(thing("model", "m")),
            seen(Relation(SUMS, "derived_from", of("dataset:homes"))),
            seen(Relation(of("model:m"), "trained_on", SUMS)),
            *more,
        ],
        at=at,
    )


def confirmed(graph: Graph, **how: object) -> Observation:
    said = {"who": "dana", "why": "I read the code", "now": NOW} | how
    return confirmation(graph, SUMS, propagate(graph).arriving(SUMS), **said)  # type: ignore[arg-type]


def test_a_proposal_waits_until_an_approver_confirms_it():
    graph = homes()
    assert [claim.asset for claim in proposals(graph)] == [SUMS]
    assert propagate(graph).contains(of("model:m")) == {"pii"}
    assert propagate(graph).leakage(of("model:m"), "pii") == "inferable"
    after = homes(confirmed(graph))
    assert list(proposals(after)) == []
    labels = propagate(after, after=propagate(graph))
    assert labels.contains(of("model:m")) == set()
    (note,) = labels.notes(SUMS)
    assert note.kind == "declassified"
    assert note.text == ("sums over 150 homes, accepted by dana on 2026-09-21, for personal data, until 2027-09-21")


def test_a_category_that_comes_later_is_not_covered():
    word = confirmed(homes())
    assert propagate(homes(word, seen(thing("dataset", "homes", labels=["phi"])))).contains(SUMS) == {"phi"}


def test_a_source_that_comes_later_is_not_covered():
    word = confirmed(homes())
    joined = (
        seen(thing("dataset", "names", labels=["pii"])),
        seen(Relation(SUMS, "derived_from", of("dataset:names"))),
    )
    labels = propagate(homes(word, *joined))
    assert labels.contains(SUMS) == {"pii"}
    assert [step.asset for step in labels.proof(SUMS, "pii")] == [of("dataset:names"), SUMS]


def test_it_ends():
    word = confirmed(homes(), until=NOW + 10 * DAY)
    assert propagate(homes(word, at=NOW + 9 * DAY)).contains(SUMS) == set()
    assert propagate(homes(word, at=NOW + 11 * DAY)).contains(SUMS) == {"pii"}


def test_a_judgement_alone_lasts_ninety_days():
    graph = homes(claim={"method": "downgrade"})
    with pytest.raises(WrongUse, match="1 to 90 days"):
        confirmed(graph, until=NOW + 91 * DAY)
    assert propagate(homes(confirmed(graph), claim={"method": "downgrade"})).contains(SUMS) == set()
    forever = {"method": "downgrade", "approved_by": "dpo", "date": "2026-01-01"}
    kept = seen(thing("dataset", "sums", props={"declassified": forever}), scope="aws:1")
    assert propagate(homes(kept)).contains(SUMS) == {"pii"}


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ({"who": " "}, "name and a reason"),
        ({"why": ""}, "name and a reason"),
        ({"until": NOW - 1}, "1 to 365 days"),
        ({"until": NOW + 400 * DAY}, "1 to 365 days"),
    ],
)
def test_it_needs_a_name_a_reason_and_an_end(how, complaint):
    with pytest.raises(WrongUse, match=complaint):
        confirmed(homes(), **how)


def test_nobody_accepts_what_they_proposed_themselves():
    proposal = {"method": "names dropped"}
    word = seen(thing("dataset", "sums", props={"declassified": proposal}), by="person:Dana", scope="words")
    with pytest.raises(WrongUse, match="cannot accept it"):
        confirmed(homes(word))
    assert confirmed(homes(word), who="eve")


def test_who_accepted_it_may_do_so_again():
    assert confirmed(homes(confirmed(homes())), now=NOW + DAY)


def test_there_must_be_something_to_accept_and_something_to_remove():
    with pytest.raises(WrongUse, match="how labels are removed"):
        confirmation(homes(), of("model:m"), {}, who="dana", why="x", now=NOW)
    with pytest.raises(WrongUse, match="nothing to remove"):
        confirmation(homes(), SUMS, {}, who="dana", why="x", now=NOW)
