"""What waits for a person's yes: who is asked, who may answer, what an answer is worth, and for how long."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from respond_world import AGENT, APP, AT, DATA, event, person, shop, team

from penstock.errors import NotAllowed, NotUnderstood, WrongUse
from penstock.graph import identity
from penstock.graph.store import open_store
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Evidence, Observation
from penstock.protect.asking import Ask, key_of_ask
from penstock.protect.snapshot import Caller, PolicySnapshot
from penstock.respond import answers, approvals
from penstock.respond.approvals import MOST_WAITING, Decider, expire, grants, may_answer, take_asks
from penstock.respond.in_force import put_in_force
from penstock.respond.people import People
from penstock.respond.signing import FILE, open_keyring, rotate
from penstock.respond.snapshot import read_snapshot, write_snapshot
from penstock.settings import ApprovalSetting, Settings

SETTINGS = Settings(security_team="security")
HOLDING = SETTINGS.approvals
BOSS = Decider("ada@shop.example")


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path / "penstock.db")
    world = shop()
    for who in ("ada@shop.example", "eve@shop.example"):
        world.link(person(who), "member_of", team("support"))
    opened.ingest(Scan(tuple(world.observations), at=AT))
    write_snapshot(tmp_path / "snapshot.json", PolicySnapshot(version=1, made_at=AT, callers={"k": Caller(
        application=APP.id, name="helpdesk")}))  # fmt: skip
    yield opened
    opened.close()


def people(store):
    return People(store.graph(), SETTINGS)


def ask(subject="send_money(to=DE89…)", *, requester="eve@shop.example", session="", single=False, rule="money"):
    key = key_of_ask(APP.id, rule, subject)
    return Ask(key=key, rule=rule, subject=subject, why="it moves money", session=session,
               requester=requester, single=single)  # fmt: skip


def asking(number, *asks):
    carried = [{name: getattr(one, name) for name in one.__struct_fields__} for one in asks]
    return event(number, seen={}, verdict="ask", props={"asks": carried})


def put(store, *asks, number=1, now=AT):
    return take_asks(store, [asking(number, *asks)], people(store), HOLDING, now=now)


def grant(store, state, id, *, by=BOSS, now=AT + 1, **more):
    return answers.grant(store, SETTINGS, state, id, by=by, now=now, **more).approval


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_that_was_held_back_waits_for_the_team_that_answers_for_the_application(store):
    (asked,) = put(store, ask())
    assert asked.state == "asked" and asked.subject == "send_money(to=DE89…)"
    assert asked.approver == team("support").id and asked.approver_why == "the owner's team"


def test_the_same_wish_made_again_counts_on_the_one_that_waits(store):
    for number in range(1000):
        put(store, ask(), number=number)
    (only,) = store.approvals()
    assert only.times == 1000


def test_an_event_that_is_delivered_twice_counts_once(store):
    put(store, ask())
    assert put(store, ask()) == [] and store.approvals()[0].times == 1


def test_another_wish_and_another_conversation_are_asked_by_themselves(store):
    put(store, ask("a"), ask("b"), ask("a", session="s1"), ask("a", session="s2"))
    assert len(store.approvals()) == 4


def test_an_application_that_asks_for_hundreds_of_things_wears_nobody_down(store):
    for number in range(MOST_WAITING + 50):
        put(store, ask(f"wish {number}"), number=number)
    assert len(store.approvals(limit=10_000)) == MOST_WAITING


@pytest.mark.parametrize("carried", [None, 7, "x", [None], [{"key": 1}], [{"rule": "r"}], {"key": "k"}])
def test_an_event_that_carries_no_ask_worth_the_name_asks_nothing(store, carried):
    assert take_asks(store, [event(1, props={"asks": carried})], people(store), HOLDING, now=AT) == ()


def test_words_of_others_lose_what_hides_reorders_or_steers(store):
    (asked,) = put(store, ask("pay\x1b[2J\u202e\u200b<b>\nnow" + "x" * 5000))
    assert asked.subject.startswith("pay [2J<b> now") and len(asked.subject) == approvals.LONGEST


def test_a_clock_that_runs_ahead_at_the_gateway_moves_nothing_far(store):
    late = replace(asking(1, ask()), at=AT + 10**7)
    (asked,) = take_asks(store, [late], people(store), HOLDING, now=AT)
    assert asked.last_at == AT + approvals.SKEW and asked.answer_by == AT + 24 * 3600


# ── who may answer ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_asks_never_grants_whatever_their_role_and_however_their_name_is_written(store, tmp_path):
    (asked,) = put(store, ask())
    for name in ("eve@shop.example", "EVE@shop.example", person("eve@shop.example").id, " eve@shop.example "):
        for role in ("approver", "admin"):
            with pytest.raises(NotAllowed, match="Who asks"):
                grant(store, tmp_path, asked.id, by=Decider(name, role))
    assert store.approvals()[0].state == "asked"


def test_only_who_was_asked_their_team_security_and_admins_answer(store):
    (asked,) = put(store, ask())
    who = people(store)
    assert may_answer(asked, BOSS, who) == ""
    assert may_answer(asked, Decider("root", "admin"), who) == ""
    assert "answers this" in may_answer(asked, Decider("mallory@else.example"), who)
    assert "may not answer" in may_answer(asked, Decider("ada@shop.example", "developer"), who)
    assert "may not answer" in may_answer(asked, Decider("ada@shop.example", "viewer"), who)


def test_who_has_left_is_neither_asked_nor_answers(store, tmp_path):
    gone = person("bob@shop.example")
    left = replace(gone, props={**gone.props, "left": True})
    said = Evidence("organisation.directory", "people.ldif:4", "declared", (), "directory", AT)
    store.ingest(Scan((Observation(left, said), Observation(identity.relation(APP, "approved_by", left), said)), at=AT))
    (asked,) = put(store, ask())
    assert asked.approver == team("support").id and "bob@shop.example has left" in asked.approver_why
    with pytest.raises(NotAllowed, match="no longer"):
        grant(store, tmp_path, asked.id, by=Decider("bob@shop.example", "admin"))


def test_a_requester_who_is_the_only_approver_leaves_it_to_security(store):
    said = Evidence("organisation.declaration", "ai-system.yaml:1", "declared", (), "words", AT)
    eve = person("eve@shop.example")
    store.ingest(Scan((Observation(eve, said), Observation(identity.relation(DATA, "approved_by", eve), said)), at=AT))
    approver, why = people(store).approval(DATA.id, "eve@shop.example", data=[])
    assert approver and approver != eve.id and "eve@shop.example asks" in why


# ── what an answer is worth ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_grant_reaches_the_gateways_file_at_once_and_no_longer_than_it_lasts(store, tmp_path):
    (asked,) = put(store, ask(session="s1", single=True))
    done = grant(store, tmp_path, asked.id, seconds=600)
    (given,) = read_snapshot(tmp_path / "snapshot.json").grants
    assert (given.application, given.key, given.session, given.single) == (APP.id, ask().key, "s1", True)
    assert given.until == done.until == AT + 601
    expire(store, HOLDING, now=AT + 602)
    put_in_force(store, tmp_path, now=AT + 602)
    assert read_snapshot(tmp_path / "snapshot.json").grants == ()
    assert store.approval(asked.id).state == "expired"


def test_after_its_end_the_same_wish_is_asked_anew(store, tmp_path):
    (asked,) = put(store, ask())
    grant(store, tmp_path, asked.id, seconds=60)
    put(store, ask(), number=2, now=AT + 30)
    assert len(store.approvals()) == 1
    (again,) = put(store, ask(), number=3, now=AT + 62)
    assert again.id != asked.id and again.state == "asked"


def test_a_single_grant_is_used_up_by_one_call(store, tmp_path):
    (asked,) = put(store, ask(single=True))
    grant(store, tmp_path, asked.id)
    passed = event(2, seen={}, props={"grants": [asked.id]})
    take_asks(store, [passed], people(store), HOLDING, now=AT + 5)
    put_in_force(store, tmp_path, now=AT + 5)
    assert read_snapshot(tmp_path / "snapshot.json").grants == ()
    assert (
        approvals.said(store.approval(asked.id), people(store)) == "ada@shop.example allowed it once, and it was used"
    )


def test_a_refusal_answers_the_same_wish_for_a_while(store):
    (asked,) = put(store, ask())
    answers.refuse(store, SETTINGS, asked.id, by=BOSS, why="never without a call", now=AT + 1)
    put(store, ask(), number=2, now=AT + 60)
    (only,) = store.approvals()
    assert only.state == "refused" and only.times == 2
    (again,) = put(store, ask(), number=3, now=AT + 1 + 3601)
    assert again.state == "asked"


def test_silence_is_a_no_and_security_hears_of_it_before(store, tmp_path):
    (asked,) = put(store, ask())
    (late,) = expire(store, HOLDING, now=AT + 3600)
    assert late.escalated_at == AT + 3600 and late.state == "asked"
    (ended,) = expire(store, HOLDING, now=AT + 24 * 3600)
    assert ended.state == "expired" and grants(store, open_keyring(tmp_path), now=AT + 24 * 3600) == ()
    with pytest.raises(WrongUse, match="expired already"):
        grant(store, tmp_path, asked.id, now=AT + 24 * 3600 + 1)


def test_an_answer_that_comes_too_late_is_none_even_before_anybody_noticed_the_end(store, tmp_path):
    (asked,) = put(store, ask())
    with pytest.raises(WrongUse, match="not answered in time"):
        grant(store, tmp_path, asked.id, now=AT + 24 * 3600)


def test_a_withdrawn_grant_stops_at_once(store, tmp_path):
    (asked,) = put(store, ask())
    grant(store, tmp_path, asked.id)
    answers.withdraw(store, SETTINGS, tmp_path, asked.id, by=BOSS, now=AT + 2)
    assert read_snapshot(tmp_path / "snapshot.json").grants == ()


def test_a_request_is_taken_back_by_who_made_it_and_by_nobody_else(store, tmp_path):
    (asked,) = put(store, ask())
    with pytest.raises(NotAllowed, match="Only who asked"):
        answers.withdraw(store, SETTINGS, tmp_path, asked.id, by=BOSS, now=AT + 2)
    done = answers.withdraw(
        store, SETTINGS, tmp_path, asked.id, by=Decider("eve@shop.example", "developer"), now=AT + 2
    )
    assert done.approval.state == "withdrawn"


def test_no_grant_lasts_longer_than_the_operator_lets_it(store, tmp_path):
    (asked,) = put(store, ask())
    with pytest.raises(WrongUse, match="24 hours at most"):
        grant(store, tmp_path, asked.id, seconds=25 * 3600)


def test_of_two_who_answer_at_once_one_wins_and_the_other_is_told(store, tmp_path):
    (asked,) = put(store, ask())
    outcomes = []

    def answer(yes):
        try:
            if yes:
                grant(store, tmp_path, asked.id, by=Decider("root", "admin"))
            else:
                answers.refuse(store, SETTINGS, asked.id, by=BOSS, why="I say no", now=AT + 1)
            outcomes.append("done")
        except WrongUse as told:
            outcomes.append(str(told))

    racing = [threading.Thread(target=answer, args=(n % 2 == 0,)) for n in range(8)]
    for one in racing:
        one.start()
    for one in racing:
        one.join()
    decided = store.approval(asked.id)
    assert outcomes.count("done") == 1 and decided.state in ("granted", "refused")
    assert sum(decided.decided_by in told for told in outcomes) == 7
    assert len(read_snapshot(tmp_path / "snapshot.json").grants) == (decided.state == "granted")


# ── signatures ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "forged",
    [
        {"until": AT + 10**6}, {"about": AGENT.id}, {"session": ""}, {"single": False}, {"decided_by": "ada"},
        {"detail": {"key": "0" * 32}}, {"signature": ""}, {"signature": "k0.00"}, {"key": "x"},
    ],
)  # fmt: skip
def test_a_row_that_was_changed_in_the_database_allows_nothing(store, tmp_path, forged):
    (asked,) = put(store, ask(session="s1", single=True))
    grant(store, tmp_path, asked.id)
    store.change_approvals(lambda known: [replace(known[0], **forged)], ids=[asked.id])
    assert grants(store, open_keyring(tmp_path), now=AT + 2) == ()


def test_a_grant_of_one_tenant_is_none_for_another(store, tmp_path):
    (asked,) = put(store, ask())
    done = grant(store, tmp_path, asked.id)
    keys = open_keyring(tmp_path)
    assert approvals.is_signed(done, keys, "default") and not approvals.is_signed(done, keys, "acme")


def test_a_new_key_signs_and_the_old_ones_still_verify(store, tmp_path):
    (asked,) = put(store, ask())
    grant(store, tmp_path, asked.id)
    keys = rotate(tmp_path)
    assert len(grants(store, keys, now=AT + 2)) == 1
    assert keys.sign("p", b"m").partition(".")[0] == list(keys.keys)[-1]


def test_damaged_signing_keys_are_said_and_not_overwritten(tmp_path):
    (tmp_path / FILE).write_text("{")
    with pytest.raises(NotUnderstood, match="damaged"):
        open_keyring(tmp_path)
    assert (tmp_path / FILE).read_text() == "{"


def test_processes_that_start_at_once_make_one_key(tmp_path):
    made = []
    racing = [threading.Thread(target=lambda: made.append(open_keyring(tmp_path))) for _ in range(8)]
    for one in racing:
        one.start()
    for one in racing:
        one.join()
    assert len({tuple(keys.keys) for keys in made}) == 1
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_everything_that_was_decided_stands_in_the_audit_trail(store, tmp_path):
    (asked,) = put(store, ask())
    grant(store, tmp_path, asked.id, why="I called them")
    assert ("ada@shop.example", "granted ask: send_money(to=DE89…): I called them") in [
        (who, what) for _, who, what, _, _ in store.audit_trail()
    ]
    assert store.verify_audit_trail()


# ── what people ask for ──────────────────────────────────────────────────────────────────────────────────────────────


def wish(store, **more):
    given = {"kind": "model", "about": DATA.id, "subject": "use it", "why": "for the demo",
             "requester": "eve@shop.example", "now": AT} | more  # fmt: skip
    return approvals.request(store, people(store), HOLDING, **given)


def test_a_new_model_that_is_granted_is_sanctioned_until_the_end(store, tmp_path):
    asked = wish(store)
    assert wish(store).id == asked.id
    grant(store, tmp_path, asked.id, why="approved for the demo", by=Decider("root", "admin"))
    assert store.graph().assets[DATA.id].prop("sanction") == "sanctioned"


def test_what_cannot_be_carried_out_is_not_granted(store, tmp_path):
    asked = wish(store, kind="acceptance", detail={"finding": "f-none"})
    with pytest.raises(WrongUse, match="no such open finding"):
        grant(store, tmp_path, asked.id, why="we live with it", by=Decider("root", "admin"))
    assert store.approval(asked.id).state == "refused"


@pytest.mark.parametrize(
    "wrong", [{"kind": "ask"}, {"kind": "lunch"}, {"requester": " "}, {"why": "x"}, {"subject": ""}]
)
def test_a_request_says_what_and_why_and_who(store, wrong):
    with pytest.raises(WrongUse):
        wish(store, **wrong)


def test_settings_with_a_length_of_nothing_do_not_load():
    from penstock.settings import parse_settings

    with pytest.raises(NotUnderstood, match="grant_minutes"):
        parse_settings({"approvals": {"grant_minutes": 0}}, "penstock.yaml")
    assert parse_settings({"approvals": {"grant_minutes": 5}}, "p").approvals == ApprovalSetting(grant_minutes=5)
