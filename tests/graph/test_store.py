"""What every store promises, on both engines."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from penstock.errors import NotUnderstood
from penstock.graph.diff import diff
from penstock.graph.graph import Graph
from penstock.graph.identity import asset, relation
from penstock.graph.store import open_store
from penstock.graph.store.protocol import Acceptance, AccessKey, Scan, Store
from penstock.graph.vocabulary import (
    Case,
    CaseChange,
    Complete,
    Event,
    Finding,
    Observation,
    Question,
    Relation,
    Step,
    Unseen,
)
from tests.graph.worlds import SHOP, observations, of, seen, thing

HELPER, ORDERS, SQL = thing("agent", "helper"), thing("dataset", "orders", labels=["pii"]), thing("tool", "sql")


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path) -> str | Path:
    return request.getfixturevalue("postgres_database") if request.param == "postgresql" else tmp_path / "penstock.db"


@pytest.fixture
def store(address) -> Iterator[Store]:
    opened = open_store(address)
    yield opened
    opened.close()


def scan(*observed: Observation, at: float, scopes: tuple[str, ...] = (SHOP,), finished=None, **more) -> Scan:
    return Scan(tuple(observed), scopes=scopes, finished=scopes if finished is None else finished, at=at, **more)


WORLD = (seen(HELPER, "app.py:1"), seen(ORDERS, "data/orders.csv"), seen(relation(HELPER, "reads", ORDERS), "app.py:2"))


# ── ingest and graph ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_store_is_empty(store):
    assert not store.graph().assets and not store.findings() and not store.scans() and store.verify_audit_trail()


def test_a_scan_comes_back_as_the_graph(store):
    changes = store.ingest(
        scan(
            *WORLD,
            at=1.0,
            complete=(Complete(SHOP, "reads", "code"),),
            unseen=(Unseen("x.bin", "a model file", "too big", scope=SHOP),),
        )
    )
    assert {a.name for a in changes.added} == {"helper", "orders"} and len(changes.relations_added) == 1
    graph = store.graph()
    assert graph.assets[ORDERS.id].labels == {"pii"}
    assert [r.key for r in graph.relations] == [(HELPER.id, "reads", ORDERS.id)]
    assert graph.evidence[HELPER.id][0].where == "app.py:1" and graph.evidence[HELPER.id][0].seen_at == 1.0
    assert graph.knows_all(HELPER.id, "reads") and not graph.knows_all(HELPER.id, "uses_tool")
    assert [gap.where for gap in graph.unseen] == ["x.bin"]
    assert (graph.assets[HELPER.id].first_seen, graph.assets[HELPER.id].last_seen) == (1.0, 1.0)


def test_the_same_scan_again_changes_nothing_but_when_it_was_last_seen(store):
    store.ingest(scan(*WORLD, at=1.0))
    before = store.graph()
    assert not store.ingest(scan(*reversed(WORLD), at=5.0))
    after = store.graph()
    assert not diff(before, after)
    assert (after.assets[HELPER.id].first_seen, after.assets[HELPER.id].last_seen) == (1.0, 5.0)
    assert len(store.asset_history(HELPER.id)) == 1


def test_another_store_object_sees_what_was_written(store, address):
    store.graph()
    other = open_store(address)
    other.ingest(scan(*WORLD, at=1.0))
    assert store.graph().assets.keys() == {HELPER.id, ORDERS.id}
    other.close()


def test_what_changed_since_a_time_is_what_differs_between_the_graphs(store):
    store.ingest(scan(*WORLD, at=1.0))
    store.ingest(scan(WORLD[0], seen(SQL), at=2.0))
    store.ingest(scan(WORLD[0], seen(replace(SQL, props={"version": "2"})), at=3.0))
    for then in (0.5, 1.0, 2.0, 3.0):
        assert store.changed_since(then) == _timeless(diff(store.graph(at=then), store.graph()))
    assert not store.changed_since(3.0)


def _timeless(changes):
    """The changes without when the assets were seen."""
    added, removed = (
        tuple(replace(asset, first_seen=0.0, last_seen=0.0) for asset in assets)
        for assets in (changes.added, changes.removed)
    )
    return replace(changes, added=added, removed=removed)


def test_only_a_finished_scan_retires(store):
    store.ingest(scan(*WORLD, at=1.0))
    changes = store.ingest(scan(WORLD[0], at=2.0, finished=()))
    assert not changes.removed and store.graph().assets[ORDERS.id].lifecycle == "stale"
    assert store.graph().assets[HELPER.id].lifecycle == "current"
    changes = store.ingest(scan(WORLD[0], at=3.0))
    assert [a.name for a in changes.removed] == ["orders"] and len(changes.relations_removed) == 1
    assert store.graph().assets.keys() == {HELPER.id} and not store.graph().relations


def test_a_stale_asset_that_is_seen_again_is_current(store):
    store.ingest(scan(*WORLD, at=1.0))
    store.ingest(scan(at=2.0, finished=()))
    assert {a.lifecycle for a in store.graph().assets.values()} == {"stale"}
    changes = store.ingest(scan(*WORLD, at=3.0))
    assert changes.changed[HELPER.id] == {"lifecycle": ("stale", "current")}


def test_an_asset_stands_as_long_as_one_source_still_sees_it(store):
    model = asset("model", "gpt-4o", props={"provider": "openai"})
    store.ingest(scan(seen(model, "a.py:1"), at=1.0))
    store.ingest(scan(seen(model, "b.py:1", scope="repo:bank"), at=2.0, scopes=("repo:bank",)))
    assert not store.ingest(scan(at=3.0)).removed
    assert store.graph().scopes_of(model.id) == {"repo:bank"}
    assert store.ingest(scan(at=4.0, scopes=("repo:bank",))).removed


def test_a_retired_asset_returns_under_its_old_id_and_first_sight(store):
    store.ingest(scan(*WORLD, at=1.0))
    store.ingest(scan(at=2.0))
    assert not store.graph().assets
    changes = store.ingest(scan(*WORLD, at=3.0))
    assert {a.id for a in changes.added} == {HELPER.id, ORDERS.id}
    assert store.graph().assets[HELPER.id].first_seen == 1.0
    assert [(v.valid_from, v.valid_to) for v in store.asset_history(HELPER.id)] == [(1.0, 2.0), (3.0, None)]


def test_a_change_of_kind_keeps_the_id(store):
    store.ingest(scan(seen(thing("application", "helper")), at=1.0))
    changes = store.ingest(scan(seen(HELPER), at=2.0))
    assert changes.changed == {HELPER.id: {"kind": ("application", "agent")}} and not changes.added
    assert [v.asset.kind for v in store.asset_history(HELPER.id)] == ["application", "agent"]


def test_a_rename_in_the_tree_keeps_the_old_id_and_its_history(store):
    store.ingest(scan(*WORLD, at=1.0))
    renamed = thing("agent", "assistant", formerly=["helper"])
    changes = store.ingest(scan(seen(renamed), WORLD[1], seen(relation(renamed, "reads", ORDERS)), at=2.0))
    assert not changes.added and not changes.removed and changes.changed[HELPER.id]["name"] == ("helper", "assistant")
    assert [r.source for r in store.graph().relations] == [HELPER.id]
    store.ingest(scan(at=3.0))
    assert HELPER.id in {a.id for a in store.ingest(scan(seen(thing("agent", "assistant")), at=4.0)).added}


def test_a_tree_cannot_take_over_what_others_still_see(store):
    model = asset("model", "gpt-4o", props={"provider": "openai"})
    store.ingest(scan(seen(model, scope="repo:bank"), at=1.0, scopes=("repo:bank",)))
    thief = replace(asset("model", "mine", props={"provider": "openai"}), formerly=(model.id,))
    store.ingest(scan(seen(thief), at=2.0))
    assert {model.id, thief.id} == store.graph().assets.keys()


def test_a_person_renames(store):
    store.ingest(scan(*WORLD, at=1.0))
    new = thing("agent", "desk")
    store.rename(HELPER.id, to=new)
    store.ingest(scan(seen(new), WORLD[1], at=2.0))
    assert store.graph().assets[HELPER.id].name == "desk" and new.id not in store.graph().assets


def test_renaming_to_something_known_makes_them_one(store):
    other = thing("agent", "desk")
    store.ingest(scan(*WORLD, seen(other), at=1.0))
    store.rename(HELPER.id, to=other)
    assert store.graph().assets.keys() == {HELPER.id, ORDERS.id}


def test_the_graph_can_be_read_as_it_was(store):
    store.ingest(scan(WORLD[0], at=1.0, complete=(Complete(SHOP, "reads", "code"),)))
    store.ingest(scan(*WORLD, at=5.0))
    assert store.graph(at=0.5).assets == {}
    assert store.graph(at=1.0).assets.keys() == {HELPER.id} and store.graph(at=4.9).knows_all(HELPER.id, "reads")
    assert len(store.graph(at=5.0).relations) == 1 and not store.graph(at=5.0).knows_all(HELPER.id, "reads")


def test_history_never_runs_backwards(store):
    store.ingest(scan(*WORLD, at=10.0))
    store.ingest(scan(WORLD[0], at=3.0))
    assert [(v.valid_from, v.valid_to) for v in store.asset_history(HELPER.id)] == [(10.0, None)]
    assert ORDERS.id not in store.graph().assets


def test_what_is_complete_or_unseen_is_replaced_with_its_scope(store):
    gap = Unseen("x.bin", "a model file", "too big", scope=SHOP)
    store.ingest(scan(*WORLD, at=1.0, complete=(Complete(SHOP, "reads", "code"),), unseen=(gap,)))
    store.ingest(scan(at=2.0, scopes=("repo:bank",)))
    assert store.graph().unseen == (gap,) and store.graph().complete == {(SHOP, "reads")}
    store.ingest(scan(*WORLD, at=3.0, finished=(), complete=(Complete(SHOP, "reads", "code"),)))
    assert store.graph().unseen == () and store.graph().complete == frozenset()


def test_a_relation_waits_for_its_end(store):
    link = seen(relation(HELPER, "uses_tool", SQL), "app.py:3")
    changes = store.ingest(scan(WORLD[0], link, at=1.0))
    assert not changes.relations_added and [gap.where for gap in store.graph().unseen] == ["app.py:3"]
    changes = store.ingest(scan(seen(SQL, scope="repo:tools"), at=2.0, scopes=("repo:tools",)))
    assert [r.verb for r in changes.relations_added] == ["uses_tool"] and not store.graph().unseen
    changes = store.ingest(scan(at=3.0, scopes=("repo:tools",)))
    assert [r.verb for r in changes.relations_removed] == ["uses_tool"]


def test_an_undeclared_word_stores_nothing(store):
    store.ingest(scan(*WORLD, at=1.0))
    with pytest.raises(NotUnderstood):
        store.ingest(scan(seen(thing("tool", "x", props={"colour": "red"})), at=2.0))
    assert store.graph().assets.keys() == {HELPER.id, ORDERS.id} and len(store.scans()) == 1


def test_names_with_any_characters_are_kept(store):
    odd = thing("dataset", "caf\udce9\0🦜.csv", key="file:caf\udce9\0" + "x" * 5000)
    scope = "repo:\udce9\0" + "y" * 5000
    store.ingest(scan(seen(odd, "caf\udce9:1", scope=scope), at=1.0, scopes=(scope,)))
    assert store.graph().assets[odd.id].name.endswith("🦜.csv")
    assert not store.ingest(scan(seen(odd, "caf\udce9:1", scope=scope), at=2.0, scopes=(scope,)))


# ── persons ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def say(subject, *, by="person:ana", until=None):
    return seen(subject, "cli", by=by, confidence="declared", scope="", until=until)


def test_a_persons_word_outlives_scans_until_its_end(store):
    store.ingest(scan(*WORLD, at=1.0))
    word = say(replace(HELPER, props={"purpose": "support"}), until=50.0)
    store.ingest(Scan((word,), at=2.0))
    store.ingest(scan(*WORLD, at=3.0))
    assert store.graph(at=3.0).assets[HELPER.id].prop("purpose") == "support"
    assert store.graph().assets[HELPER.id].prop("purpose") is None
    changes = store.ingest(scan(*WORLD, at=60.0))
    assert changes.changed[HELPER.id] == {"props.purpose": ("support", None)}


def test_the_current_graph_forgets_a_word_the_moment_it_ends(store):
    store.ingest(scan(*WORLD, at=1.0))
    end = time.time() + 3.0  # long enough for a busy machine to look before it
    store.ingest(Scan((say(replace(HELPER, props={"purpose": "support"}), until=end),), at=2.0))
    assert store.graph().assets[HELPER.id].prop("purpose") == "support"
    time.sleep(max(0.0, end - time.time()) + 0.05)
    assert store.graph().assets[HELPER.id].prop("purpose") is None


def test_a_later_word_of_the_same_person_takes_the_place_of_the_earlier(store):
    store.ingest(scan(*WORLD, at=1.0))
    store.ingest(Scan((say(replace(HELPER, props={"purpose": "a"})),), at=2.0))
    store.ingest(Scan((say(replace(HELPER, props={"purpose": "b"})),), at=3.0))
    assert store.graph().conflicts(HELPER.id, "purpose") == ()
    store.ingest(Scan((say(replace(HELPER, props={"purpose": "c"}), by="person:bo"),), at=4.0))
    assert store.graph().assets[HELPER.id].prop("purpose") == "c"
    assert [value for value, _ in store.graph().conflicts(HELPER.id, "purpose")] == ["c", "b"]


def test_words_said_together_do_not_replace_one_another(store):
    store.ingest(scan(*WORLD, at=1.0))
    one, other = say(replace(HELPER, props={"purpose": "a"})), say(replace(HELPER, props={"purpose": "b"}))
    store.ingest(Scan((one,), at=2.0))
    store.ingest(Scan((one, other), at=3.0))
    assert not store.ingest(Scan((one, other), at=4.0))


def test_what_a_person_says_keeps_no_retired_asset_alive(store):
    team = asset("team", "risk")
    store.ingest(scan(*WORLD, at=1.0))
    store.ingest(Scan((say(HELPER), say(team), say(relation(HELPER, "owned_by", team))), at=2.0))
    assert [r.verb for r in store.graph().out(HELPER.id, "owned_by")] == ["owned_by"]
    changes = store.ingest(scan(WORLD[1], at=3.0))
    assert [a.name for a in changes.removed] == ["helper"] and not store.graph().unseen
    store.ingest(scan(*WORLD, at=4.0))
    assert [r.verb for r in store.graph().out(HELPER.id, "owned_by")] == ["owned_by"]


# ── what is judged, what happens ─────────────────────────────────────────────────────────────────────────────────────


def finding(id: str, **more: object) -> Finding:
    return Finding(id, "PS1", HELPER.id, "t", "high", "e", "f", path=(Step("a"), Step("b", "reads", False)),
                   terms={"reach": [4, "internet"]}, tags=({"atlas": "T1"},), score_range=(1.0, 2.0), **more)  # type: ignore[arg-type] # fmt: skip


def test_an_assessment_is_replaced_and_remembers_when_a_finding_was_first_open(store):
    store.save_assessment([finding("b"), finding("a")], [Question(HELPER.id, "who?", prop="audience")], 1.0)
    assert [f.id for f in store.findings()] == ["b", "a"] and store.findings()[0] == finding("b")
    store.save_assessment([finding("a", score=7.0)], [], 2.0)
    assert store.findings() == [finding("a", score=7.0)] and not store.questions()
    assert store.finding_seen("a") == (1.0, 2.0) and store.finding_seen("b") == (1.0, 1.0)
    store.save_assessment([finding("b")], [Question("x", "y")], 3.0)
    assert store.finding_seen("b") == (1.0, 3.0) and store.finding_seen("never") is None
    assert store.questions() == [Question("x", "y")]


def test_a_later_acceptance_of_the_same_person_replaces_the_earlier(store):
    first = Acceptance("f", "ana", "known", 100.0, 1.0)
    store.accept(first)
    store.accept(Acceptance("f", "bo", "mine too", 90.0, 2.0))
    store.accept(replace(first, until=200.0, at=3.0))
    assert [(a.who, a.until) for a in store.acceptances()] == [("bo", 90.0), ("ana", 200.0)]


def test_events_are_stored_once_and_read_newest_first(store):
    given = [Event(f"e{n}", float(n), "call", "app" if n % 2 else "", seen={"in.pii": n}) for n in range(1, 1200)]
    assert store.add_events(given) == 1199 and store.add_events([*given[:5], Event("new", 0.5, "call", "app")]) == 1
    assert [e.id for e in store.events(limit=2)] == ["e1199", "e1198"]
    assert store.events(since=1199.0) == [given[-1]]
    assert {e.application for e in store.events(application="app")} == {"app"}
    assert store.add_events([]) == 0


def test_an_acceptance_is_taken_back_whoever_made_it(store):
    for who in ("ana", "bo"):
        store.accept(Acceptance("f", who, "known", 100.0, 1.0))
    store.accept(Acceptance("other", "ana", "known", 100.0, 1.0))
    assert (store.revoke_acceptance("f"), store.revoke_acceptance("f"), store.revoke_acceptance("nothing")) == (2, 0, 0)
    assert [a.finding for a in store.acceptances()] == ["other"]


def _counting(cases, events):
    """One case that counts events."""
    (case,) = cases or (Case("c", "fp", "t", "low"),)
    return [replace(case, event_count=case.event_count + len(events))]


def test_an_event_is_counted_once_however_often_it_is_delivered(store):
    given = [Event(f"e{n}", float(n), "call", "app") for n in range(1500)]
    assert store.change_cases(_counting, events=given[:1000], keep={"read": 1000}).events == 1000
    again = store.change_cases(_counting, events=given, keep={"read": 1500})
    assert (again.events, again.changed[0].event_count, store.get("read")) == (500, 1500, 1500)
    idle = store.change_cases(_counting, events=given)
    assert (idle.events, idle.changed, idle.cases) == (0, (), tuple(store.cases()))


def test_a_change_of_cases_that_fails_keeps_nothing_of_it(store):
    def fails(cases, events):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.change_cases(fails, events=[Event("e", 1.0, "call", "app")], keep={"read": 1})
    assert not store.events() and store.get("read") is None


def test_cases_that_a_change_leaves_out_stay_as_they_are(store):
    store.save_cases([Case("a", "fa", "t", "low"), Case("b", "fb", "t", "low")])
    done = store.change_cases(lambda cases, _: [replace(c, state="resolved") for c in cases if c.id == "a"])
    assert [c.id for c in done.changed] == ["a"]
    assert {(c.id, c.state) for c in store.cases()} == {("a", "resolved"), ("b", "open")}


def test_the_version_stands_still_while_nobody_writes(store, address):
    other = open_store(address)
    versions = [store.version()]
    for write in (
        lambda: other.ingest(scan(*WORLD, at=1.0)),
        lambda: store.save_cases([Case("a", "fa", "t", "low")]),
        lambda: other.put("x", 1),
        lambda: store.add_events([Event("e", 1.0, "call", "app")]),
    ):
        write()
        versions.append(store.version())
        store.cases(), store.graph(), other.findings()
        assert store.version() == other.version() == versions[-1]
    assert versions == sorted(set(versions))
    other.close()


def test_only_one_at_a_time_holds_a_name(store, address):
    other, order = open_store(address), []

    def second() -> None:
        with other.exclusive("refresh"):
            order.append("second")

    waiting = threading.Thread(target=second)
    with store.exclusive("refresh"):
        waiting.start()
        with other.exclusive("another name"):
            order.append("first")
        store.put("x", 1)  # whoever asks for no name is not held off
        waiting.join(timeout=0.2)
        order.append("still first")
    waiting.join()
    assert order == ["first", "still first", "second"]
    other.close()


def test_cases_keys_and_small_values_are_kept(store):
    case = Case("c1", "fp", "t", "high", findings=("a",), changed_at=1.0, history=(CaseChange(1.0, "ana", "opened"),))
    store.save_cases([case, replace(case, id="c2", changed_at=2.0)])
    store.save_cases([replace(case, state="resolved", changed_at=3.0)])
    assert [(c.id, c.state) for c in store.cases()] == [("c1", "resolved"), ("c2", "open")]
    assert store.cases()[0].history == case.history
    key = AccessKey("k", "n", "0" * 64, HELPER.id, 1.0)
    store.save_key(key)
    store.save_key(replace(key, revoked_at=2.0))
    assert store.keys() == [replace(key, revoked_at=2.0)]
    store.put("visit", {"at": 1.5, "who": None})
    store.put("visit", [1])
    assert store.get("visit") == [1] and store.get("nothing", 7) == 7


def test_the_audit_trail_shows_tampering(store):
    for n in range(5):
        store.audit("ana", f"did {n}", HELPER.id, float(n))
    assert [what for _, _, what, _, _ in store.audit_trail(limit=2)] == ["did 4", "did 3"]
    assert store.verify_audit_trail()
    _change(store, "UPDATE audit SET who = 'bo' WHERE seq = 2")
    assert not store.verify_audit_trail()
    _change(store, "UPDATE audit SET who = 'ana' WHERE seq = 2")
    assert store.verify_audit_trail()
    _change(store, "DELETE FROM audit WHERE seq = 3")
    assert not store.verify_audit_trail()


def _change(store, statement: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text(statement))


def test_the_outbox_tells_what_changed_in_order(store):
    store.ingest(scan(*WORLD, at=1.0))
    store.ingest(scan(WORLD[0], at=2.0))
    first, second = store.changes_since(0)
    assert set(first[2]["added"]) == {HELPER.id, ORDERS.id} and second[2]["removed"] == [ORDERS.id]
    assert store.changes_since(first[0]) == [second]


def test_scans_are_listed_newest_first(store):
    store.ingest(scan(at=1.0))
    store.ingest(scan(at=2.0, scopes=("repo:a", "repo:b"), finished=("repo:a",)))
    assert store.scans() == [(2.0, ("repo:a", "repo:b"), ("repo:a",)), (1.0, (SHOP,), (SHOP,))]


# ── tenants, threads, consistency ────────────────────────────────────────────────────────────────────────────────────


def test_two_tenants_never_see_one_another(store, address):
    other = open_store(address, tenant="other")
    store.ingest(scan(*WORLD, at=1.0, complete=(Complete(SHOP, "reads", "c"),), unseen=(Unseen("a", "b", "c"),)))
    store.save_assessment([finding("a")], [Question("x", "y")], 1.0)
    store.accept(Acceptance("a", "ana", "w", 2.0, 1.0))
    store.add_events([Event("e", 1.0, "call", "app")])
    store.save_cases([Case("c", "f", "t", "low")])
    store.save_key(AccessKey("k", "n", "s", "a", 1.0))
    store.audit("ana", "did", "x", 1.0)
    store.put("name", 1)
    store.rename(HELPER.id, to=SQL)
    graph = other.graph()
    assert not graph.assets and not graph.unseen and not graph.complete and not other.graph(at=2.0).assets
    for nothing in (other.findings(), other.questions(), other.acceptances(), other.events(), other.cases(),
                    other.keys(), other.audit_trail(), other.scans(), other.changes_since(0),
                    other.asset_history(HELPER.id)):  # fmt: skip
        assert not nothing
    assert other.get("name") is None and other.finding_seen("a") is None
    assert other.add_events([Event("e", 1.0, "call", "app")]) == 1
    other.ingest(scan(at=2.0))
    other.save_assessment([], [], 2.0)
    assert store.graph().assets and store.findings() and store.verify_audit_trail() and other.verify_audit_trail()
    other.close()


def test_threads_write_and_read_at_the_same_time(store):
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                scope = f"repo:{number}"
                subject = asset("agent", f"a{number}-{turn}", scope=scope)
                store.ingest(scan(seen(subject, scope=scope), at=float(turn), scopes=(scope,)))
                store.audit(f"t{number}", "ingest", scope, float(turn))
                store.add_events([Event(f"{number}-{turn}", float(turn), "call", "")])
                assert all(a.kind == "agent" for a in store.graph().assets.values())
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert {a.name for a in store.graph().assets.values()} == {f"a{number}-4" for number in range(6)}
    assert store.verify_audit_trail() and len(store.events()) == 30


def test_the_tables_are_what_the_schema_says(store):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from penstock.graph.store.schema import VERSION_TABLE, metadata

    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []


_scopes = st.sampled_from([SHOP, "repo:bank", "aws:1"])


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(observations, st.sets(_scopes), st.sets(_scopes)), min_size=1, max_size=5))
def test_after_any_scans_the_tables_agree_with_the_merged_claims(address, scans):
    tenant = uuid.uuid4()  # a world of its own for every example
    store = open_store(address, tenant=str(tenant))
    remembered = {29.5: Graph()}
    try:
        for number, (observed, scopes, finished) in enumerate(scans, start=30):
            before = store.graph(at=float(number) - 0.5)
            changes = store.ingest(
                Scan(tuple(observed), scopes=tuple(scopes), finished=tuple(finished), at=float(number))
            )
            after = store.graph(at=float(number))
            told = diff(before, after)
            assert {a.id for a in told.added} == {a.id for a in changes.added}
            assert {a.id for a in told.removed} == {a.id for a in changes.removed}
            assert told.relations_added == changes.relations_added
            for then, graph in remembered.items():
                assert store.changed_since(then) == _timeless(diff(graph, after))
            remembered[float(number)] = after
            with store.engine.connect() as connection:
                rows = connection.execute(
                    sa.text("SELECT id, kind FROM assets WHERE tenant = :t AND valid_to IS NULL"), {"t": str(tenant)}
                ).all()
                links = connection.execute(
                    sa.text("SELECT source, verb, target FROM relations WHERE tenant = :t AND valid_to IS NULL"),
                    {"t": str(tenant)},
                ).all()
            assert {tuple(row) for row in rows} == {(a.id, a.kind) for a in after.assets.values()}
            assert {tuple(link) for link in links} == {r.key for r in after.relations}
            assert not store.ingest(
                Scan(tuple(observed), scopes=tuple(scopes), finished=tuple(finished), at=float(number))
            )
    finally:
        store.close()


def test_a_small_scan_in_a_large_store_settles_only_what_it_touched(store):
    many = [asset("agent", f"a{n}", scope="repo:many") for n in range(300)]
    store.ingest(scan(*(seen(one, scope="repo:many") for one in many), at=1.0, scopes=("repo:many",)))
    link = Relation(many[0].id, "delegates_to", many[1].id)
    changes = store.ingest(scan(seen(link, scope=SHOP), at=2.0))
    assert changes.relations_added == (link,) and not changes.changed and not changes.removed
    assert of("agent:helper") == HELPER.id and len(store.graph().assets) == 300
