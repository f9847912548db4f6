"""Weeks of made-up traffic: what is usual raises nothing, what is not raises one incident."""

import random
from dataclasses import replace

import pytest

from penstock.graph.vocabulary import Event
from penstock.protect.behaviour.firsts import MOST
from penstock.protect.behaviour.watch import APPLICATIONS, Watch, context_of
from penstock.protect.sink import MemorySink
from penstock.protect.snapshot_source import FixedSnapshot
from tests.protect.gateway_world import rule, snapshot

#: Monday, 5 January 2026, 00:00 UTC.
MONDAY, DAY = 1_767_571_200.0, 86_400.0


def call(at, application="a", tokens=(800, 200), session="s", seen=None, model="gpt", rules=(), **props):
    usage = {"in": tokens[0], "out": tokens[1]}
    told = {"usage": usage, "cost": sum(tokens) * 2e-6, "upstream": "https://p.example", "session": session, **props}
    return Event(
        id="e", at=at, kind="call", application=application, model=model, seen=seen or {}, props=told, rules=rules
    )


class World:
    def __init__(self, *context):
        self.sink = MemorySink()
        self.watch = Watch(self.sink, lambda application: context)

    def see(self, *events):
        for event in events:
            self.watch.emit(event)

    @property
    def alerts(self):
        return [event for event in self.sink.events if event.kind == "alert"]

    def weeks(self, days, chance, per_hour=40):
        """Office hours of an application: many calls by day, few at night, hardly any at weekends, all by chance."""
        for hour in range(24 * days):
            at = MONDAY + 3600 * hour
            day, clock = hour // 24 % 7, hour % 24
            busy = per_hour if day < 5 and 8 <= clock < 18 else per_hour / 10
            count = sum(chance.random() < busy / 100 for _ in range(100))
            for _ in range(count):
                tokens = int(chance.lognormvariate(6.5, 0.7)), int(chance.lognormvariate(5, 0.7))
                session = f"s{chance.randrange(50)}"
                tools = chance.choice([(), (), ("search",), ("search", "mail")])
                seen = {"in.attack": 1} if chance.random() < 0.002 else None
                self.see(call(at + chance.random() * 3600, tokens=tokens, session=session, tool_calls=tools, seen=seen))
        return MONDAY + DAY * days


@pytest.mark.parametrize("seed", range(3))
def test_three_quiet_weeks_raise_nothing_even_where_everything_is_sensitive(seed):
    world = World("it reaches pii")
    world.weeks(21, random.Random(seed))
    assert world.alerts == []


def test_a_night_like_a_busy_day_is_told_once_and_only_with_context():
    for context, told in (("it reaches pii",), 1), ((), 0):
        world = World(*context)
        end = world.weeks(14, random.Random(1))
        world.see(*(call(end + 3 * 3600 + n, session=f"n{n}") for n in range(150)))
        incidents = {alert.props["incident"] for alert in world.alerts}
        assert len(incidents) == told, world.alerts
        if told:
            alert = world.alerts[0]
            assert alert.rules == ("behaviour-requests",) and alert.props["context"] == ["it reaches pii"]


def test_many_signals_of_one_application_are_one_incident_with_one_cause():
    world = World("nobody owns it")
    end = world.weeks(8, random.Random(2))
    world.see(*(call(end + n, tokens=(90_000, 9_000), model="new", session=f"n{n}", tool_calls=("wipe",))
                for n in range(400)))  # fmt: skip
    kinds = [alert.rules[0] for alert in world.alerts]
    assert {"behaviour-tokens", "behaviour-cost", "behaviour-first-model", "behaviour-first-tool"} <= set(kinds)
    assert len(kinds) == len(set(kinds))
    assert len({alert.props["incident"] for alert in world.alerts}) == 1
    assert {alert.props["cause"] for alert in world.alerts} == {"behaviour"}


def test_a_storm_of_attacks_is_told_whoever_it_is_and_two_tries_are_not():
    world = World()
    world.see(*(call(MONDAY + 300 * n, seen={"in.attack": 1}) for n in range(20)))
    assert world.alerts == []
    world.see(*(call(MONDAY + DAY + n, seen={"in.attack": 1}) for n in range(20)))
    assert [alert.rules for alert in world.alerts] == [("behaviour-storm",)]


def test_an_agent_that_turns_in_a_circle_is_told():
    world = World()
    for n in range(60):
        tools = ("search",) if n % 3 else ("search", "mail")
        world.see(
            call(MONDAY + n, session="varied", tool_calls=tools), call(MONDAY + n, session="x", tool_calls=("a",))
        )
    assert [alert.rules for alert in world.alerts] == [("behaviour-loop",)]


def test_answers_that_give_instructions_away_again_and_again_are_probing():
    world = World()
    for n in range(4):
        world.see(call(MONDAY + 60 * n, rules=("answer-instructions",), seen={"out.answer-instructions": 1}))
    assert [alert.rules for alert in world.alerts] == [("behaviour-probing",)]


def test_thousands_of_short_questions_with_long_answers_look_like_copying():
    world = World("it reaches trade_secret")
    world.see(*(call(MONDAY + n, tokens=(30, 600), session=f"q{n}") for n in range(2_500)))
    assert "behaviour-extraction" in [alert.rules[0] for alert in world.alerts]
    chat = World("it reaches trade_secret")
    chat.see(*(call(MONDAY + n, tokens=(30, 600), session=f"q{n // 20}") for n in range(2_500)))
    assert chat.alerts == []


def test_cost_is_told_at_once_where_nothing_is_usual_yet():
    world = World()
    world.see(*(replace(call(MONDAY + n), props={"cost": 0.5}) for n in range(120)))
    assert [alert.rules for alert in world.alerts] == [("behaviour-cost",)]


def test_a_tool_that_rests_for_a_weekend_is_not_new():
    world = World("nobody owns it")
    world.see(*(call(MONDAY + DAY * day, tool_calls=("report",) if day % 7 == 0 else ("search",)) for day in range(60)))
    assert world.alerts == []


def test_state_is_bounded_whatever_callers_do():
    world = World("nobody owns it")
    for n in range(APPLICATIONS + 50):
        world.watch.emit(call(MONDAY + n, application=f"a{n}", session=f"s{n}"))
    for n in range(MOST + 500):
        world.watch.emit(call(MONDAY + n, tool_calls=(f"t{n}",), session=f"l{n}"))
    assert len(world.watch._applications) == APPLICATIONS
    assert len(world.watch._applications["a"].firsts._last) <= MOST


def test_events_out_of_order_and_of_the_past_do_no_harm():
    world = World("nobody owns it")
    world.see(call(MONDAY + 5000), call(MONDAY), call(0.0), call(MONDAY + 10 * DAY))
    assert world.alerts == [] or all(alert.rules[0].startswith("behaviour-first") for alert in world.alerts)


def test_context_comes_from_the_policy_in_force():
    context = context_of(FixedSnapshot(snapshot(rule("redact", "pii"), owner="")))
    assert context("actor-1") == ("it reaches pii", "nobody owns it")
    assert context("somebody") == ("an unknown caller",)
