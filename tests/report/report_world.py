"""A small company: customer data trained into a model that answers the public, and some dirt around it."""

from __future__ import annotations

from dataclasses import replace

from penstock.assess.assessment import Answer, Answers, Assessment, AttackPath
from penstock.graph import identity
from penstock.graph.diff import Changes
from penstock.graph.labels import propagate
from penstock.graph.merge import merge
from penstock.graph.vocabulary import (
    Case,
    CaseChange,
    Complete,
    Evidence,
    Finding,
    Observation,
    Question,
    Step,
    Unseen,
)
from penstock.report.view import Report

AT = 1_795_000_000.0
HELPDESK, TRAINING = "repo:shop/helpdesk", "repo:shop/training"


def seen(thing, where, scope=HELPDESK, collector="python.models", confidence="resolved"):
    return Observation(thing, Evidence(collector, where, confidence, ("a constant in the same file",), scope, AT))


ASSETS = {
    "app": identity.application(HELPDESK),
    "agent": identity.asset(
        "agent", "support-agent", scope=HELPDESK, key="agent.py::support", props={"exposure": "internet"}
    ),
    "model": identity.asset("model", "support-7b", scope=TRAINING, key="file:out/support-7b", props={"role": "chat"}),
    "base": identity.asset("model", "mistralai/Mistral-7B-v0.3", props={"provider": "huggingface"}),
    "endpoint": identity.endpoint("http://llm.shop.example:8000/v1", HELPDESK),
    "data": identity.file_dataset("data/customers.csv", TRAINING, labels={"pii"}),
    "pipeline": identity.asset("pipeline", "train.py", scope=TRAINING),
    "store": identity.asset("vector_store", "chroma", scope=HELPDESK),
    "prompt": identity.asset("prompt", "system prompt", scope=HELPDESK, key="agent.py::PROMPT"),
    "tool": identity.asset("tool", "refund", scope=HELPDESK, key="tools.py::refund", props={"effects": ["money"]}),
    "remote": identity.asset(
        "mcp_server", "crm", scope=HELPDESK, props={"url": "https://crm.shop.example/mcp", "auth": "none"}
    ),
    "bucket": identity.asset("data_store", "s3://nobody/uses-this"),
    "team": identity.asset("team", "ml-platform"),
}
PLACES = {
    "app": "pyproject.toml:1", "agent": "agent.py:12", "model": "train.py:40", "base": "train.py:8",
    "endpoint": "agent.py:9", "data": "data/customers.csv", "pipeline": "train.py:1", "store": "rag.py:5",
    "prompt": "agent.py:3", "tool": "tools.py:7", "remote": ".mcp.json:4", "bucket": "main.tf:3",
    "team": "CODEOWNERS:1",
}  # fmt: skip
RELATIONS = [
    ("app", "invokes", "agent", "agent.py:12"), ("agent", "invokes", "endpoint", "agent.py:14"),
    ("agent", "uses_tool", "tool", "agent.py:15"), ("agent", "instructed_by", "prompt", "agent.py:13"),
    ("agent", "uses_tool", "remote", "agent.py:16"), ("agent", "retrieves_from", "store", "agent.py:17"),
    ("endpoint", "serves", "model", "deploy.yaml:4"), ("model", "trained_on", "data", "train.py:21"),
    ("model", "fine_tuned_from", "base", "train.py:8"), ("pipeline", "loads", "data", "train.py:21"),
    ("pipeline", "produces", "model", "train.py:40"), ("model", "owned_by", "team", "CODEOWNERS:1"),
]  # fmt: skip


def id_of(name):
    return ASSETS[name].id


def all_observations():
    made = [
        seen(asset, PLACES[name], asset.scope or TRAINING, "infra.files" if name == "bucket" else "python.models")
        for name, asset in ASSETS.items()
    ]
    made += [
        seen(identity.relation(ASSETS[a], verb, ASSETS[b]), where, ASSETS[a].scope or HELPDESK)
        for a, verb, b, where in RELATIONS
    ]
    return made


def report_of(observations):
    graph = merge(
        observations,
        complete=[Complete(HELPDESK, "uses_model", "python.models")],
        unseen=[
            Unseen("a/bomb.ipynb", "a notebook", "it is larger than 5 MB", "Raise the limit", "notebooks", HELPDESK),
            Unseen("b/broken.py", "a Python file", "it does not parse", "", "python.models", HELPDESK),
            Unseen("node_modules", "a folder", "vendored", "", "", HELPDESK, skipped=True),
        ],
        at=AT,
    )
    path = (
        Step(id_of("agent")),
        Step(id_of("endpoint"), "invokes"),
        Step(id_of("model"), "serves"),
        Step(id_of("data"), "trained_on"),
    )
    leak = Finding(
        "f-0001", "x-leak", id_of("agent"), "Customer data can leave through a public agent", "critical",
        "support-agent answers the internet with a model that was trained on customers.csv",
        "Train on a copy without personal data, or redact what the agent answers", path, 91.0, (88.0, 94.0),
        {"impact": 4, "reach": "internet"}, ({"owasp-llm-2026": "LLM02", "why": "data leaves by the answer"},),
        (id_of("base"),), id_of("data"), "cause-of-leak",
    )  # fmt: skip
    money = replace(
        leak, id="f-0002", rule="x-money", subject=id_of("tool"), title="An agent can move money unasked",
        severity="high", explanation="refund needs no approval", fix="Require approval", path=(Step(id_of("tool")),),
        score=70.0, root="cause-of-money", fix_at=id_of("tool"), related=(),
    )  # fmt: skip
    lived = replace(money, id="f-0003", rule="s-pin", title="Revision floats", severity="low", root="", score=20.0)
    answer = Answer("pii", "resolved", "it was trained on customers.csv", graph.evidence[id_of("data")])
    assessment = Assessment(
        (money, leak), (lived,), (Question(id_of("app"), "Who uses it?", "q-audience", prop="audience"),),
        (AttackPath("internet", path, id_of("data"), "critical", (id_of("endpoint"),), ("f-0001",)),),
        {id_of("agent"): Answers(answer, answer, answer, Answer(None), answer, answer)},
    )  # fmt: skip
    case = Case(
        "case-1", "root cause-of-leak", leak.title, "critical", owner=id_of("team"), owner_why="CODEOWNERS:1",
        affected=(id_of("agent"), id_of("app")), findings=("f-0001",), events=("e1",), event_count=1,
        opened_at=AT, changed_at=AT, history=(CaseChange(AT, "penstock", "opened: it leaks"),),
    )  # fmt: skip
    known = Case(
        "case-2", "root x", lived.title, "low", "accepted", findings=("f-0003",), opened_at=AT, changed_at=AT,
        until=AT + 86_400, history=(CaseChange(AT, "ada", "accepted: a test model"),),
    )  # fmt: skip
    changes = Changes(added=(graph.assets[id_of("tool")],), changed={id_of("agent"): {"exposure": (None, "internet")}})
    return Report(graph, propagate(graph), assessment, (case, known), changes, (HELPDESK, TRAINING), AT, "0.1.0")
