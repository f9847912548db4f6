"""A finding that turns into a question must not close its case: not knowing is no proof that the cause is gone."""

import dataclasses
import time

from penstock.graph import identity
from penstock.graph.store import open_store
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Complete, Evidence, Observation
from penstock.respond.refresh import refresh
from penstock.settings import Settings

SCOPE = "repo:shop/helper"
SEEN = Evidence("code", "app.py:1", scope=SCOPE)


def chain(*, guards_known: bool) -> Scan:
    """A public application in front of a model trained on personal data."""
    app = dataclasses.replace(identity.application(SCOPE, "helper"), props={"exposure": "internet"})
    place = identity.endpoint("http://llm.shop.example:8000", SCOPE)
    model = identity.asset("model", "shop/llm", props={"provider": "huggingface"})
    table = identity.file_dataset("customers.csv", SCOPE, labels=["pii"])
    relations = [(app, "invokes", place), (place, "serves", model), (model, "trained_on", table)]
    things = [app, place, model, table, *(identity.relation(*r) for r in relations)]
    complete = (Complete(SCOPE, "guarded_by", "code"),) if guards_known else ()
    return Scan(tuple(Observation(t, SEEN) for t in things), complete, (), (SCOPE,), (SCOPE,), time.time())


def test_a_case_in_doubt_stays_open_until_it_is_certain_again(tmp_path):
    store = open_store(tmp_path / "penstock.db")
    settings = Settings()

    def after(scan: Scan):
        store.ingest(dataclasses.replace(scan, at=time.time()))
        refresh(store, settings, tmp_path, now=time.time())
        return next(case for case in refresh(store, settings, tmp_path, now=time.time()).cases if case.findings)

    assert after(chain(guards_known=True)).state == "open"
    doubted = after(chain(guards_known=False))
    assert not store.findings()
    assert doubted.state == "open"
    assert [line.what for line in doubted.history if line.what.startswith("in doubt")] == [doubted.history[-1].what]
    certain = after(chain(guards_known=True))
    assert certain.id == doubted.id
    assert certain.state == "open"


def test_a_case_whose_cause_is_gone_is_resolved(tmp_path):
    store = open_store(tmp_path / "penstock.db")
    store.ingest(chain(guards_known=True))
    assert refresh(store, Settings(), tmp_path, now=time.time()).cases[0].state == "open"
    store.ingest(Scan((), (), (), (SCOPE,), (SCOPE,), time.time()))
    assert {case.state for case in refresh(store, Settings(), tmp_path, now=time.time()).cases} == {"resolved"}
