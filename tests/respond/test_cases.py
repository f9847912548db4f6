"""What has one cause is one case, whose it is and what became of it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from respond_world import AGENT, APP, AT, DATA, LEAK, PROCESS, World, event, finding, shop, team

from penstock.errors import WrongUse
from penstock.graph.labels import propagate
from penstock.graph.store.protocol import Acceptance
from penstock.graph.vocabulary import SEVERITIES
from penstock.respond.cases import KEPT_EVENTS, KEPT_HISTORY, attach, reopen, resolve, snooze, update
from penstock.respond.people import People
from penstock.settings import Settings

GRAPH = shop().graph()
LABELS = propagate(GRAPH)
PEOPLE = People(GRAPH, Settings(security_team="security", data_protection_officer="dpo"))


def look(cases, findings, events=(), now=AT, acceptances=()):
    return update(cases, findings, events, PEOPLE, GRAPH, now=now, acceptances=acceptances, labelling=LABELS)


def lines(case):
    return [line.what for line in case.history]


def test_case_says_whose_it_is_who_decides_who_must_know_and_who_is_affected():
    (case,) = look((), [LEAK])
    assert case.owner == team("support").id
    assert "CODEOWNERS:1" in case.owner_why
    assert case.approver == team("customer-data").id
    assert [PEOPLE.name(i) for i in case.informed] == ["security", "dpo"]
    assert case.affected == (PROCESS.id, APP.id)
    assert lines(case) == ["opened: Customer data can leave: support-agent"]


def test_contradicting_owners_are_named_on_the_case():
    world = shop().owned(APP, team("other"), "organisation.backstage", "catalog-info.yaml:9")
    graph = world.graph()
    (case,) = update((), [LEAK], (), People(graph, Settings()), graph, now=AT)
    assert case.owner == team("other").id
    assert "but support: the code owners file says so (CODEOWNERS:1)" in case.owner_why


def test_findings_of_one_root_are_one_case_and_others_are_not():
    cases = look((), [finding("a"), finding("b", severity="critical"), finding("c", root="another cause")])
    assert [case.findings for case in cases] == [("a", "b"), ("c",)]
    assert cases[0].severity == "critical"


def test_thousand_events_of_one_cause_are_one_case():
    events = [event(n) for n in range(1000)]
    (case,) = look((), [LEAK], events)
    assert case.event_count == 1000
    assert len(case.events) <= KEPT_EVENTS
    assert look([case], [LEAK], events) == (case,)
    for start in range(1000, 5000, 1000):
        (case,) = attach([case], [event(n) for n in range(start, start + 1000)], PEOPLE, now=AT)
    assert (case.event_count, len(case.events)) == (5000, KEPT_EVENTS)


def test_case_whose_cause_is_gone_is_resolved_and_reopens_under_its_id():
    (case,) = look((), [LEAK])
    (gone,) = look([case], [], now=AT + 1)
    assert gone.state == "resolved"
    assert lines(gone)[-1] == "resolved: its cause is gone"
    (back,) = look([gone], [LEAK], now=AT + 2)
    assert (back.id, back.state, back.opened_at) == (case.id, "open", AT)
    assert lines(back) == ["opened: Customer data can leave: support-agent", "resolved: its cause is gone",
                           "re-opened: its cause is there again"]  # fmt: skip


def test_case_is_accepted_while_all_its_findings_are():
    one, other = finding("a"), finding("b")
    yes = [Acceptance("a", "ada", "test data only", AT + 100, AT), Acceptance("b", "ada", "same", AT + 50, AT)]
    (case,) = look((), [one, other], acceptances=yes[:1])
    assert case.state == "open"
    (case,) = look([case], [one, other], acceptances=yes)
    assert (case.state, case.until) == ("accepted", AT + 50)
    assert case.history[-1].who == "ada"
    (case,) = look([case], [one, other], now=AT + 60, acceptances=yes)
    assert (case.state, lines(case)[-1]) == ("open", "re-opened: the acceptance has ended")


def test_snoozed_case_sleeps_until_its_date_or_until_it_gets_worse():
    (case,) = look((), [LEAK])
    asleep = snooze(case, who="ada", why="fix is merged", until=AT + 100, now=AT)
    assert look([asleep], [LEAK], now=AT + 50)[0].state == "snoozed"
    assert look([asleep], [LEAK], now=AT + 100)[0].state == "open"
    (woken,) = look([asleep], [finding("f-leak", severity="critical")], now=AT + 50)
    assert woken.state == "open"
    assert "severity high → critical" in lines(woken)


@pytest.mark.parametrize("bad", [{"who": " "}, {"why": ""}, {"until": AT}, {"until": AT + 91 * 86400}])
def test_snooze_needs_a_name_a_reason_and_a_near_end(bad):
    (case,) = look((), [LEAK])
    with pytest.raises(WrongUse):
        snooze(case, **({"who": "ada", "why": "later", "until": AT + 9, "now": AT} | bad))


def test_case_a_person_closed_comes_back_while_its_cause_is_there():
    (case,) = look((), [LEAK])
    (back,) = look([resolve(case, who="ada", why="done", now=AT)], [LEAK], now=AT + 1)
    assert (back.state, back.id) == ("open", case.id)


@pytest.mark.parametrize("closed", [
    lambda case: snooze(case, who="ada", why="later", until=AT + 9, now=AT),
    lambda case: resolve(case, who="ada", why="done", now=AT),
])  # fmt: skip
def test_person_reopens_what_a_person_closed(closed):
    (case,) = look((), [LEAK])
    back = reopen(closed(case), who="bo", why="not so", now=AT + 1)
    assert (back.state, back.until) == ("open", None)
    assert (back.history[-1].who, lines(back)[-1]) == ("bo", "re-opened: not so")
    (seen,) = look([back], [LEAK], now=AT + 2)
    assert replace(seen, due=back.due) == back  # its time begins anew, nothing else changes
    with pytest.raises(WrongUse):
        reopen(back, who="bo", why="again", now=AT + 2)


def test_change_of_owner_is_history():
    (case,) = look((), [LEAK])
    world = shop().owned(APP, team("new-team"), "person:ada")
    graph = world.graph()
    (case,) = update([case], [LEAK], (), People(graph, Settings()), graph, now=AT + 1)
    assert "owner support → new-team" in lines(case)


def test_leak_that_no_finding_foresaw_opens_a_case_by_itself():
    events = [event(n, finding_ids=(), seen={"out.credentials": 2, "in.pii": 1}) for n in range(3)]
    (case,) = look((), [], events)
    assert (case.title, case.severity, case.event_count) == ("Answers to helpdesk carry passwords and keys", "high", 3)
    assert case.owner == team("support").id
    (still,) = look([case], [], now=AT + 9)
    assert still == case
    closed = resolve(case, who="ada", why="key rotated", now=AT + 10)
    assert look([closed], [], [event(9, finding_ids=(), seen={"out.credentials": 1})])[0].state == "open"


def test_what_is_only_sent_in_opens_no_case():
    assert look((), [], [event(1, finding_ids=(), seen={"in.pii": 1}), event(2, finding_ids=(), seen={})]) == ()


def test_history_is_bounded_and_keeps_its_beginning():
    (case,) = look((), [LEAK])
    for n in range(300):
        (case,) = look([case], [] if n % 2 == 0 else [LEAK], now=AT + n)
    assert len(case.history) == KEPT_HISTORY
    assert lines(case)[0] == "opened: Customer data can leave: support-agent"


def test_case_without_anybody_says_so():
    world = World()
    world.thing(AGENT)
    graph = world.graph()
    (case,) = update((), [LEAK], (), People(graph, Settings()), graph, now=AT)
    assert (case.owner, case.owner_why, case.approver) == ("", "nobody is named as its owner", "")


FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from("abcdef"),
        root=st.sampled_from(["one", "two", ""]),
        severity=st.sampled_from(SEVERITIES),
        subject=st.sampled_from([AGENT.id, APP.id, DATA.id]),
        score=st.sampled_from([10.0, 50.0]),
    ),
    max_size=8,
    unique_by=lambda f: f.id,
)
EVENTS = st.lists(
    st.builds(event, st.integers(0, 20), finding_ids=st.sampled_from([("a",), ("a", "b"), (), ("zz",)])),
    max_size=8,
    unique_by=lambda e: e.id,
)


@settings(max_examples=60, deadline=None)
@given(FINDINGS, FINDINGS, EVENTS)
def test_looking_twice_changes_nothing(before, after, events):
    cases = look(look((), before), after, events, now=AT + 1)
    assert look(cases, after, events, now=AT + 2) == cases


@settings(max_examples=60, deadline=None)
@given(FINDINGS, EVENTS, st.randoms(use_true_random=False))
def test_order_does_not_matter(findings, events, random):
    cases = look(look((), findings), findings, events)
    for some in (findings, events, shuffled := list(cases)):
        random.shuffle(some)
    assert look(look((), findings), findings, events) == cases
    assert look(shuffled, findings, events) == cases


@settings(max_examples=60, deadline=None)
@given(FINDINGS)
def test_every_finding_is_in_exactly_one_case(findings):
    cases = look((), findings)
    assert sorted(id for case in cases for id in case.findings) == sorted(f.id for f in findings)
    assert all(case.approver != case.owner or not case.owner for case in cases)
