"""Erasing a source cleans nothing that was built from it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.graph.erased import erasures
from penstock.graph.labels import Labelling, propagate
from penstock.graph.store import open_store
from penstock.graph.store.protocol import Scan, Store
from penstock.graph.vocabulary import Asset, Observation, Relation
from tests.graph.worlds import SHOP, of, seen, thing

DAY = 86_400.0
TABLE = of("dataset:customers")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with contextlib.closing(open_store(tmp_path / "penstock.db")) as opened:
        yield opened


def scanned(store: Store, day: int, *, file: bool, labels: str = "pii", code: bool = True) -> Labelling:
    """Scan the repository on a day: its training code, and the table with what is found in it, if it is there."""
    observed: list[Observation] = []

    def see(subject: Asset | Relation, by: str) -> None:
        observed.append(seen(subject, by=by))

    if code:
        see(thing("model", "churn"), "code.training")
        see(thing("dataset", "customers"), "code.training")
        see(Relation(of("model:churn"), "trained_on", TABLE), "code.training")
    if file:
        see(thing("dataset", "customers", labels=labels.split()), "data.tables")
    before = store.graph()
    store.ingest(Scan(tuple(observed), scopes=(SHOP,), finished=(SHOP,), at=1e9 + day * DAY))
    if (erased := erasures(before, store.graph(), at=1e9 + day * DAY)) is not None:
        store.ingest(erased)
    return propagate(store.graph())


def test_a_model_keeps_the_labels_of_a_table_that_was_deleted_and_is_flagged(store: Store) -> None:
    assert scanned(store, 0, file=True).contains(of("model:churn")) == {"pii"}
    labels = scanned(store, 1, file=False)
    assert labels.contains(of("model:churn")) == {"pii"}
    (note,) = labels.notes(of("model:churn"))
    assert (note.kind, note.about) == ("stale", TABLE) and "erased on 2001-09-10" in note.text


def test_it_stays_so_over_later_scans_and_says_the_same_day(store: Store) -> None:
    scanned(store, 0, file=True)
    scanned(store, 1, file=False)
    before = store.graph_version()
    labels = scanned(store, 5, file=False)
    assert "erased on 2001-09-10" in labels.notes(of("model:churn"))[0].text
    assert store.graph_version() == before + 1  # the scan itself: nothing is written again that stands


def test_a_table_that_is_back_is_no_longer_erased(store: Store) -> None:
    scanned(store, 0, file=True)
    scanned(store, 1, file=False)
    labels = scanned(store, 2, file=True, labels="phi")
    assert labels.contains(of("model:churn")) == {"phi"} and labels.notes(of("model:churn")) == ()


def test_a_detector_that_corrects_itself_erases_nothing(store: Store) -> None:
    scanned(store, 0, file=True)
    labels = scanned(store, 1, file=True, labels="")
    assert labels.contains(of("model:churn")) == set() and labels.notes(of("model:churn")) == ()


def test_what_nothing_was_built_from_just_goes(store: Store) -> None:
    scanned(store, 0, file=True, code=False)
    scanned(store, 1, file=False, code=False)
    assert TABLE not in store.graph().assets
    scanned(store, 2, file=True)
    scanned(store, 3, file=False)
    labels = scanned(store, 4, file=False, code=False)
    assert labels.touches(TABLE) == set()


def test_it_puts_no_absence_in_doubt(store: Store) -> None:
    scanned(store, 0, file=True)
    scanned(store, 1, file=False)
    assert ("erased", "trained_on") in store.graph().complete
