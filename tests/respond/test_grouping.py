"""Merging, taking apart, dates and storms: what a person puts together stays together."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from respond_world import APP, AT, LEAK, OTHER, PROCESS, event, finding, shop

from penstock.errors import WrongUse
from penstock.graph.labels import propagate
from penstock.graph.store import open_store
from penstock.graph.vocabulary import Case, CaseChange
from penstock.respond.cases import update
from penstock.respond.clocks import timed
from penstock.respond.grouping import merge, split
from penstock.respond.people import People
from penstock.respond.triage import summary
from penstock.settings import Settings

SETTINGS = Settings(security_team="security")
GRAPH = shop().graph()
PEOPLE = People(GRAPH, SETTINGS)
ONE, TWO = LEAK, finding("f-two", root="cause-two", subject=OTHER.id)
SAID = {"who": "ada", "why": "one team, one change", "now": AT + 10}


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path / "penstock.db")
    yield opened
    opened.close()


def look(store, findings, events=(), now=AT):
    """What a look at these findings and events makes of the store's cases."""
    return store.change_cases(lambda cases, _: update(cases, findings, events, PEOPLE, GRAPH, now=now)).cases


def test_merged_cases_are_one_and_what_comes_later_joins_it(store):
    first, second = look(store, [ONE, TWO])
    merge(store, first.id, [second.id], **SAID)
    cases = {c.id: c for c in look(store, [ONE, TWO, finding("f-new", root="cause-two")], now=AT + 20)}
    assert len(cases) == 2 and len(cases[first.id].findings) == 3
    assert (cases[second.id].state, cases[second.id].merged_into) == ("resolved", first.id)
    again = {c.id: c for c in look(store, [ONE, TWO], now=AT + 30)}
    assert again[first.id].state == "open" and set(again[first.id].findings) == {"f-leak", "f-two"}


def test_no_event_counts_twice_for_being_on_both(store):
    both = event(1, finding_ids=("f-leak", "f-two"))
    first, second = look(store, [ONE, TWO], [both, event(2), event(3, finding_ids=("f-two",))])
    assert {first.event_count, second.event_count} == {2}
    assert merge(store, first.id, [second.id], **SAID).event_count == 3
    (kept,) = [c for c in look(store, [ONE, TWO], [replace(both, id="e9")], now=AT + 20) if c.state == "open"]
    assert kept.event_count == 4


def test_findings_that_were_taken_out_stay_out(store):
    (whole,) = look(store, [finding("f-1"), finding("f-2"), finding("f-3")])
    made = split(store, whole.id, ["f-2"], **SAID)
    after = {c.id: c for c in look(store, [finding("f-1"), finding("f-2"), finding("f-3")], now=AT + 20)}
    assert after[whole.id].findings == ("f-1", "f-3") and after[made.id].findings == ("f-2",)
    assert all(c.state == "open" for c in after.values())
    back = merge(store, whole.id, [made.id], **SAID)
    assert back.findings == ("f-1", "f-2", "f-3")
    assert look(store, [finding("f-1"), finding("f-2"), finding("f-3")], now=AT + 30)[0].findings == back.findings


@pytest.mark.parametrize(
    "wrong",
    [
        lambda s, a, b: merge(s, a, [a], **SAID), lambda s, a, b: merge(s, a, [], **SAID),
        lambda s, a, b: merge(s, a, ["case-none"], **SAID), lambda s, a, b: merge(s, a, [b], **(SAID | {"why": ""})),
        lambda s, a, b: split(s, a, ["f-leak"], **SAID), lambda s, a, b: split(s, a, [], **SAID),
        lambda s, a, b: split(s, "case-none", ["f-leak"], **SAID), lambda s, a, b: split(s, a, ["f-none"], **SAID),
    ],
)  # fmt: skip
def test_what_makes_no_sense_changes_nothing(store, wrong):
    first, second = look(store, [ONE, TWO])
    before = store.cases()
    with pytest.raises(WrongUse):
        wrong(store, first.id, second.id)
    assert store.cases() == before


def test_a_case_that_was_merged_is_not_merged_again(store):
    first, second = look(store, [ONE, TWO])
    merge(store, first.id, [second.id], **SAID)
    with pytest.raises(WrongUse, match="merged already"):
        merge(store, second.id, [first.id], **SAID)


def test_a_thousand_alerts_of_one_cause_are_one_case_and_another_cause_is_another(store):
    def alert(number, cause):
        return replace(event(number, finding_ids=(), seen={}, props={"cause": cause}), kind="alert")

    storm = [alert(n, f"login failed for user {n}") for n in range(1000)]
    other = alert(5000, "disk full")
    cases = look(store, [], [*storm, other])
    assert sorted(case.event_count for case in cases) == [1, 1000]


def test_an_attack_that_was_seen_is_a_case_of_its_application(store):
    (case,) = look(
        store, [], [event(1, finding_ids=(), seen={"in.attack": 2}), event(2, finding_ids=(), seen={"in.attack": 1})]
    )
    assert case.event_count == 2 and "against its instructions" in case.title and case.owner


def test_a_closed_case_opens_again_and_is_not_made_anew(store):
    (case,) = look(store, [ONE])
    look(store, [], now=AT + 10)
    (back,) = look(store, [ONE], now=AT + 20)
    assert back.id == case.id and back.state == "open" and "re-opened" in back.history[-1].what


# ── dates ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def made(severity="high", **more):
    history = (CaseChange(AT, "penstock", "opened: it"),)
    return Case("case-1", "k", "it", severity, opened_at=AT, history=history, **more)


@pytest.mark.parametrize(("severity", "days"), [("critical", 1), ("high", 7), ("medium", 30), ("low", 90)])
def test_how_bad_it_is_says_when_it_is_due(severity, days):
    assert timed(made(severity), PEOPLE, {}, now=AT).due == AT + days * 86_400
    assert timed(made("info"), PEOPLE, {}, now=AT).due is None
    assert timed(made(severity), PEOPLE, {severity: 2}, now=AT).due == AT + 7200


def test_what_rests_on_an_important_process_is_due_sooner():
    assert timed(made(affected=(PROCESS.id,)), PEOPLE, {}, now=AT).due == AT + 3.5 * 86_400


def test_what_is_overdue_is_told_once_to_security_and_the_owners_of_the_process():
    late = timed(made(), PEOPLE, {}, now=AT + 8 * 86_400)
    assert late.escalated_at and PEOPLE.known_as("security") in late.informed and "overdue" in late.history[-1].what
    assert timed(late, PEOPLE, {}, now=AT + 9 * 86_400) == late
    assert timed(replace(late, state="resolved"), PEOPLE, {}, now=AT + 9 * 86_400).due is None


def test_the_clock_is_that_of_the_machine_that_looks_and_never_runs_backwards_into_an_alarm():
    assert timed(made(), PEOPLE, {}, now=AT - 10**6).escalated_at is None


# ── the first minute ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_summary_says_what_since_when_how_sure_how_far_and_the_first_step():
    seen = [event(n) for n in range(3)]
    (case,) = update((), [ONE], seen, PEOPLE, GRAPH, now=AT)
    lines = summary(case, {ONE.id: ONE}, seen, propagate(GRAPH), PEOPLE, now=AT + 3600)
    said = {line.question: line for line in lines}
    assert said["What is it?"].rests_on == ("f-leak",)
    assert "3 times" in said["Since when?"].answer and "It happened" in said["How sure?"].answer
    assert "personal data" in said["How far does it reach?"].answer
    assert "Customer support" in said["How far does it reach?"].answer
    assert said["What first?"].answer.startswith("support: Redact it.")
    assert summary(case, {ONE.id: ONE}, seen, propagate(GRAPH), PEOPLE, now=AT + 3600) == lines


def test_a_case_of_nobody_begins_with_finding_somebody():
    orphan = replace(made(), findings=(ONE.id,))
    assert "Name an owner" in summary(orphan, {ONE.id: ONE}, [], propagate(GRAPH), PEOPLE, now=AT)[-1].answer


# ── many ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_a_hundred_thousand_open_cases_still_take_an_event_in(store):
    many = [replace(made(), id=f"case-{n}", fingerprint=f"traffic app-{n} pii") for n in range(100_000)]
    store.save_cases(many)
    began = time.process_time()
    changed = store.change_cases(
        lambda cases, _: update(cases, [], [event(1, application=APP.id)], PEOPLE, GRAPH, now=AT)
    )
    assert len(changed.cases) == 100_001
    print(f"a look at 100,000 open cases: {time.process_time() - began:.1f} CPU s")
