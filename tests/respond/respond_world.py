"""A small organisation to ask about: who owns what, and which data goes where."""

from __future__ import annotations

import time
from dataclasses import replace

from penstock.graph import identity
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Event, Evidence, Finding, Observation, Step

#: The beginning of this hour: a store reads the clock itself, and what depends on the hour stays the same in a test.
AT = time.time() // 3600 * 3600
HELPDESK, TRAINING = "repo:shop/helpdesk", "repo:shop/training"


def team(name):
    return identity.asset("team", name)


def person(name):
    return identity.asset("person", name, props={"email": name} if "@" in name else {})


class World:
    """Observations gathered by short sentences, merged when asked."""

    def __init__(self):
        self.observations = []

    def thing(self, asset, *, scope=HELPDESK, collector="test", where="a.py:1"):
        self.observations.append(Observation(asset, Evidence(collector, where, "resolved", (), scope, AT)))
        return asset

    def link(self, source, verb, target, *, collector="test", where="a.py:1", scope=HELPDESK, at=AT, until=None):
        evidence = Evidence(collector, where, "declared", (), scope, at, until)
        for end in (source, target):
            self.observations.append(Observation(end, evidence))
        self.observations.append(Observation(identity.relation(source, verb, target), evidence))
        return self

    def owned(self, asset, owner, source, where="somewhere:1", **more):
        return self.link(asset, "owned_by", owner, collector=source, where=where, **more)

    def graph(self, at=AT):
        return merge(self.observations, at=at)


APP = identity.application(HELPDESK)
AGENT = identity.asset("agent", "support-agent", scope=HELPDESK, key="agent.py::a", props={"exposure": "internet"})
OTHER = identity.asset("agent", "search-agent", scope=HELPDESK, key="agent.py::b")
ENDPOINT = identity.endpoint("http://llm.shop.example:8000", HELPDESK)
MODEL = identity.asset("model", "support-7b", scope=TRAINING, key="file:support-7b", props={"provider": "self-hosted"})
DATA = identity.file_dataset("customers.csv", TRAINING, labels={"pii"})
PROCESS = identity.asset("process", "Customer support", key="customer-support", props={"criticality": 3})


def shop():
    """Customer data → model → endpoint → public agent of an application that supports a process."""
    world = World()
    world.thing(DATA, scope=TRAINING)
    world.link(MODEL, "trained_on", DATA, scope=TRAINING).link(ENDPOINT, "serves", MODEL)
    world.link(AGENT, "invokes", ENDPOINT).link(APP, "invokes", AGENT).link(APP, "supports", PROCESS)
    world.thing(OTHER)
    world.owned(APP, team("support"), "organisation.codeowners", "CODEOWNERS:1")
    world.owned(DATA, team("customer-data"), "organisation.declaration", "ai-system.yaml:3", scope=TRAINING)
    return world


LEAK = Finding(
    "f-leak", "x-leak", AGENT.id, "Customer data can leave", "high", "It can.", "Redact it.",
    (Step(AGENT.id), Step(ENDPOINT.id, "invokes"), Step(MODEL.id, "serves"), Step(DATA.id, "trained_on")),
    80.0, fix_at=AGENT.id, root="cause-leak",
)  # fmt: skip


def finding(id, *, root="cause-leak", **more):
    return replace(LEAK, id=id, root=root, **more)


def event(number, *, finding_ids=("f-leak",), **more):
    given = {"application": APP.id, "provider": "self-hosted", "model": "support-7b", "seen": {"out.pii": 1}} | more
    return Event(f"e{number}", AT + number, "call", surface="openai.chat", finding_ids=finding_ids, **given)
