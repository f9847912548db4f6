"""The whole wheel on a real store: what is known becomes risk, case and policy; what happens joins them."""

import msgspec
import pytest
from respond_world import AGENT, APP, AT, HELPDESK, TRAINING, event, shop

from penstock.errors import WrongUse
from penstock.graph import identity
from penstock.graph.store import open_store
from penstock.graph.store.protocol import AccessKey, Scan
from penstock.graph.vocabulary import Complete
from penstock.protect.sink import Spool
from penstock.protect.snapshot import decode
from penstock.respond.accept import DAY, accept, matching, revoke
from penstock.respond.cases import decide, reopen
from penstock.respond.loop import turn
from penstock.respond.refresh import refresh
from penstock.respond.spool import BATCH, POSITIONS
from penstock.respond.telling import TOLD, begin
from penstock.respond.words import say
from penstock.settings import Settings

SETTINGS = Settings(security_team="security", modes={"support-agent": "enforce"})


@pytest.fixture
def state(tmp_path):
    return tmp_path


@pytest.fixture
def store(state):
    opened = open_store(state / "penstock.db")
    scopes = (HELPDESK, TRAINING)
    complete = tuple(Complete(scope, "guarded_by", "test") for scope in scopes)
    opened.ingest(Scan(tuple(shop().observations), complete, scopes=scopes, finished=scopes, at=AT))
    opened.save_key(AccessKey("k1", "agent", "sha-1", AGENT.id, AT))
    yield opened
    opened.close()


def spooled(state, *events):
    (state / "spool").mkdir(exist_ok=True)
    with (state / "spool" / "1.jsonl").open("ab") as file:
        file.write(b"".join(msgspec.json.encode(e) + b"\n" for e in events))


def leak_in(made):
    """The finding that customer data can leave through the agent."""
    return next(f for f in made.assessment.findings if AGENT.id in {step.asset for step in f.path})


def in_force(state):
    return decode((state / "snapshot.json").read_bytes())


def test_refresh_turns_the_graph_into_risks_cases_and_policy(store, state):
    made = refresh(store, SETTINGS, state, now=AT)
    leak = leak_in(made)
    case = next(c for c in made.cases if leak.id in c.findings)
    assert store.cases() and store.findings()
    assert made.graph.assets[case.owner].name == "support"
    assert made.graph.assets[case.informed[0]].name == "security"
    caller = in_force(state).callers["sha-1"]
    assert caller.mode == "enforce"
    assert leak.id in next(r for r in caller.rules if r.id == "out-pii").findings


def test_second_refresh_changes_nothing_and_keeps_the_version(store, state):
    first = refresh(store, SETTINGS, state, now=AT)
    second = refresh(store, SETTINGS, state, now=AT + 1)
    assert second.changed == ()
    assert second.cases == first.cases
    assert in_force(state).version == first.snapshot.version == 1
    store.save_key(AccessKey("k2", "second", "sha-2", APP.id, AT))
    assert refresh(store, SETTINGS, state, now=AT + 2).snapshot.version == 2


def test_event_lands_on_the_case_of_its_finding_and_in_the_inventory(store, state):
    leak = leak_in(refresh(store, SETTINGS, state, now=AT))
    spooled(state, *(event(n, application=AGENT.id, provider="openai", model="gpt-x", finding_ids=(leak.id,))
                     for n in range(5)))  # fmt: skip
    told = []
    turned = turn(store, SETTINGS, state, now=AT + 10, notify=told.extend)
    assert (turned.events, turned.broken) == (5, 0)
    (case,) = [c for c in store.cases() if leak.id in c.findings]
    assert case.event_count == 5
    assert case.id in {c.id for c in told}
    models = {store.graph().assets[r.target].name for r in store.graph().out(AGENT.id, "uses_model")}
    assert "gpt-x" in models
    assert turn(store, SETTINGS, state, now=AT + 11).events == 0


def test_what_the_gateway_wrote_is_what_is_read(store, state):
    leak = leak_in(refresh(store, SETTINGS, state, now=AT))
    written = Spool(state / "spool")
    for n in range(20):
        written.emit(event(n, finding_ids=(leak.id,)))
    written.close()
    assert turn(store, SETTINGS, state, now=AT + 1).events == 20
    assert next(c for c in store.cases() if leak.id in c.findings).event_count == 20


def test_leak_in_traffic_that_no_rule_foresaw_is_a_case_with_an_owner(store, state):
    refresh(store, SETTINGS, state, now=AT)
    spooled(state, *(event(n, finding_ids=(), seen={"out.credentials": 1}) for n in range(3)))
    (case,) = turn(store, SETTINGS, state, now=AT + 1).changed
    assert (case.event_count, store.graph().assets[case.owner].name) == (3, "support")
    refresh(store, SETTINGS, state, now=AT + 2)
    assert next(c for c in store.cases() if c.id == case.id).state == "open"


def test_events_delivered_again_count_once_however_many_they_are(store, state):
    leak = leak_in(refresh(store, SETTINGS, state, now=AT))
    many = 2 * BATCH + 50
    spooled(state, *(event(n, finding_ids=(leak.id,)) for n in range(many)))
    assert turn(store, SETTINGS, state, now=AT + 1).events == many
    store.put(POSITIONS, {})  # the position was lost, all else was kept
    assert turn(store, SETTINGS, state, now=AT + 2).events == 0
    (case,) = [c for c in store.cases() if leak.id in c.findings]
    assert case.event_count == many == len(store.events(limit=10 * BATCH))


def test_idle_turn_derives_nothing_and_a_new_key_derives_all(store, state):
    assert turn(store, SETTINGS, state, now=AT).refreshed is not None
    assert turn(store, SETTINGS, state, now=AT + 1).refreshed is None
    store.save_key(AccessKey("k2", "second", "sha-2", APP.id, AT))
    assert turn(store, SETTINGS, state, now=AT + 2).refreshed is not None
    assert "sha-2" in in_force(state).callers
    assert turn(store, Settings(), state, now=AT + 3).refreshed is not None


def test_broken_lines_are_counted_not_swallowed(store, state):
    (state / "spool").mkdir()
    (state / "spool" / "1.jsonl").write_bytes(b"?\n")
    assert turn(store, SETTINGS, state, now=AT).broken == 1


def test_accepted_finding_accepts_its_case_until_the_day_it_ends(store, state):
    leak = leak_in(refresh(store, SETTINGS, state, now=AT))
    decided = accept(store, leak.id, who="ada", why="pilot with staff only", now=AT)
    assert decided.until == AT + 90 * DAY
    made = turn(store, SETTINGS, state, now=AT + 1).refreshed
    assert leak.id in {f.id for f in made.assessment.accepted}
    assert store.audit_trail()[0][1] == "ada"
    assert store.verify_audit_trail()
    later = turn(store, SETTINGS, state, now=decided.until + 1).refreshed
    assert leak.id in {f.id for f in later.assessment.findings}


def test_acceptance_is_taken_back_and_its_case_counts_again(store, state):
    leak = leak_in(refresh(store, SETTINGS, state, now=AT))
    accept(store, leak.id, who="ada", why="pilot with staff only", now=AT)
    case = next(c for c in turn(store, SETTINGS, state, now=AT + 1).cases if leak.id in c.findings)
    for finding in case.findings:
        accept(store, finding, who="bo", why="same", now=AT + 1) if finding != leak.id else None
    assert next(c for c in refresh(store, SETTINGS, state, now=AT + 2).cases if c.id == case.id).state == "accepted"
    assert sum(revoke(store, f, who="cleo", why="customers use it now", now=AT + 3) for f in case.findings) >= 1
    decide(store, case.id, lambda known: reopen(known, who="cleo", why="customers use it now", now=AT + 3))
    made = refresh(store, SETTINGS, state, now=AT + 4)
    back = next(c for c in made.cases if c.id == case.id)
    assert (back.state, back.history[-1].what) == ("open", "re-opened: customers use it now")
    assert leak.id in {f.id for f in made.assessment.findings}
    assert store.audit_trail()[0][1:3] == ("cleo", "took back the acceptance: customers use it now")


def test_decision_about_no_case_is_refused_and_one_that_fails_changes_nothing(store, state):
    case = refresh(store, SETTINGS, state, now=AT).cases[0]
    with pytest.raises(WrongUse, match="no such case"):
        decide(store, "case-none", lambda known: known)
    with pytest.raises(WrongUse, match="open already"):
        decide(store, case.id, lambda known: reopen(known, who="ada", why="hm", now=AT))
    assert case in store.cases()


def test_each_change_of_a_case_is_told_once_whoever_made_it(store, state):
    told = []
    refresh(store, SETTINGS, state, now=AT)  # another process, which tells nobody
    turn(store, SETTINGS, state, now=AT + 1, notify=told.extend)
    assert {c.id for c in told} == {c.id for c in store.cases()}
    told.clear()
    leak = store.findings()[0]
    for n in range(3):
        spooled(state, event(n, finding_ids=(leak.id,)))
        turn(store, SETTINGS, state, now=AT + 2 + n, notify=told.extend)
    assert [c.history[-1].what for c in told] == ["seen in traffic for the first time"]


def test_change_is_told_again_when_telling_was_cut_short(store, state):
    def killed(_):
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        turn(store, SETTINGS, state, now=AT, notify=killed)
    told = []
    turn(store, SETTINGS, state, now=AT + 1, notify=told.extend)
    assert {c.id for c in told} == {c.id for c in store.cases()}


def test_who_listens_anew_hears_only_what_comes(store, state):
    refresh(store, SETTINGS, state, now=AT)
    begin(store)
    told = []
    turn(store, SETTINGS, state, now=AT + 1, notify=told.extend)
    assert told == [] and store.get(TOLD)


@pytest.mark.parametrize(
    "wrong",
    [{"finding": "nothing"}, {"who": " "}, {"why": ""}, {"until": AT - 1}, {"until": AT + 366 * DAY}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_acceptance_needs_a_finding_a_name_a_reason_and_an_end_within_a_year(store, state, wrong):
    leak = refresh(store, SETTINGS, state, now=AT).assessment.findings[0]
    given = {"finding": leak.id, "who": "ada", "why": "pilot", "until": None} | wrong
    with pytest.raises(WrongUse):
        accept(store, given.pop("finding"), now=AT, **given)
    assert store.acceptances() == []


def test_findings_are_meant_by_rule_and_place(store, state):
    made = refresh(store, SETTINGS, state, now=AT)
    leak = leak_in(made)
    assert leak in matching(made.assessment.findings, made.graph, leak.rule.lower())
    assert leak in matching(made.assessment.findings, made.graph, leak.rule, made.graph.assets[leak.subject].name)
    assert matching(made.assessment.findings, made.graph, leak.rule, "elsewhere") == ()
    assert matching(made.assessment.findings, made.graph, leak.id[:8]) == (leak,)


def test_a_persons_word_names_the_owner_and_shows_what_it_contradicts(store, state):
    refresh(store, SETTINGS, state, now=AT)
    say(store, "Ada", APP.id, props={"audience": "employees"}, owner="@shop/agents", until=AT + DAY, now=AT + 1)
    made = turn(store, SETTINGS, state, now=AT + 2).refreshed
    assert made.graph.assets[APP.id].prop("audience") == "employees"
    case = next(c for c in made.cases if leak_in(made).id in c.findings)
    assert case.owner == identity.asset("team", "agents").id
    assert "Ada said so" in case.owner_why
    assert "but support: the code owners file says so" in case.owner_why


@pytest.mark.parametrize(
    "wrong",
    [{"who": ""}, {"asset": "no-such"}, {"props": {"nonsense": 1}}, {"props": None}, {"until": AT - 1}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_word_that_says_nothing_usable_is_refused(store, wrong):
    given = {"who": "ada", "asset": AGENT.id, "props": {"audience": "employees"}, "until": None} | wrong
    with pytest.raises(WrongUse):
        say(store, given.pop("who"), given.pop("asset"), now=AT, **given)
