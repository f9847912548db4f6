"""A small company in a real store, and the real server over it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import uvicorn

from penstock.graph.identity import application, asset, file_dataset, relation
from penstock.graph.store import open_store
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import VERBS, Asset, Complete, Evidence, Observation, Unseen
from penstock.serve.app import build
from penstock.serve.guard import Guard
from penstock.serve.state import Live
from penstock.settings import Settings

SCOPE = "repo:shop/assistant"
#: A name as a hostile repository would choose it.
HOSTILE = "<img src=x onerror=alert(1)>"


def small_company(now: float) -> Scan:
    """A public agent that reads an index of customers' tickets, its people, and what could not be read."""
    agent = asset(
        "agent",
        "support-agent",
        scope=SCOPE,
        key="app/agent.py::support",
        props={"exposure": "internet", "auth": "none", "audience": "customers", "purpose": "Answers customers"},
    )
    app = application(SCOPE, "assistant")
    index = asset("vector_store", "tickets-index", scope=SCOPE)
    tickets = file_dataset("data/tickets.jsonl", SCOPE, labels=["pii"])
    model = asset("model", "gpt-4o", props={"provider": "openai"})
    tool = asset("tool", HOSTILE, scope=SCOPE, key="app/tools.py::refund", props={"effects": ("money",)})
    team = asset("team", "care")
    process = asset("process", "Order handling", props={"criticality": 3})
    log = asset("log_store", "chat-log", scope=SCOPE)

    def seen(subject: Asset, where: str, *chain: str) -> Observation:
        return Observation(subject, Evidence("python.agents", where, "resolved", chain, SCOPE))

    def related(source: Asset, verb: str, target: Asset, where: str, *chain: str) -> Observation:
        return Observation(relation(source, verb, target), Evidence("python.agents", where, "resolved", chain, SCOPE))

    return Scan(
        observations=(
            seen(app, "app/__init__.py:1"),
            seen(agent, "app/agent.py:12", "Agent(...) is assigned to support", "served by app/web.py:30"),
            seen(index, "app/index.py:8"),
            seen(tickets, "data/tickets.jsonl:1", "column email holds e-mail addresses"),
            seen(model, "app/agent.py:14"),
            seen(tool, "app/tools.py:3"),
            seen(team, "CODEOWNERS:1"),
            seen(process, "ai-system.yaml:4"),
            seen(log, "app/log.py:2"),
            related(app, "invokes", agent, "app/web.py:30"),
            related(agent, "uses_model", model, "app/agent.py:14", "model=MODEL", 'MODEL = "gpt-4o"'),
            related(agent, "uses_tool", tool, "app/agent.py:15"),
            related(agent, "retrieves_from", index, "app/agent.py:20"),
            related(index, "indexes", tickets, "app/index.py:9"),
            related(agent, "logs_to", log, "app/agent.py:31"),
            related(app, "owned_by", team, "CODEOWNERS:1"),
            related(agent, "owned_by", team, "CODEOWNERS:1"),
            related(app, "supports", process, "ai-system.yaml:4"),
            related(agent, "supports", process, "ai-system.yaml:4"),
        ),
        complete=tuple(Complete(SCOPE, verb, "python.agents") for verb in VERBS),
        unseen=(
            Unseen("data/huge.csv", "a table", "larger than 5 MB", "Raise the limit, or sample it", "data", SCOPE),
            Unseen("node_modules", "a folder", "left out by default", "", "walk", SCOPE, skipped=True),
        ),
        scopes=(SCOPE,),
        finished=(SCOPE,),
        at=now - 3600,
    )


def many_open_agents(count: int, now: float) -> Scan:
    """As many public agents, each over an index of its own that holds customers' data."""
    made: list[Observation] = []
    for n in range(count):
        agent = asset(
            "agent", f"agent-{n}", scope=SCOPE, key=f"a{n}.py::a", props={"exposure": "internet", "auth": "none"}
        )
        index = asset("vector_store", f"index-{n}", scope=SCOPE)
        tickets = file_dataset(f"data/{n}.jsonl", SCOPE, labels=["pii"])
        evidence = Evidence("python.agents", f"a{n}.py:1", "resolved", (), SCOPE)
        links = (relation(agent, "retrieves_from", index), relation(index, "indexes", tickets))
        made += (Observation(subject, evidence) for subject in (agent, index, tickets, *links))
    complete = tuple(Complete(SCOPE, verb, "python.agents") for verb in VERBS)
    return Scan(tuple(made), complete, scopes=(SCOPE,), finished=(SCOPE,), at=now - 3600)


@contextmanager
def serving(state: Path, guard: Guard | None = None, *, scan: Scan | None = None) -> Iterator[tuple[str, Live]]:
    """The server in a thread, on a free port of loopback."""
    store = open_store(state / "penstock.db")
    if scan:
        store.ingest(scan)
    live = Live(store, Settings(security_team="security"), state)
    server = uvicorn.Server(uvicorn.Config(build(live, guard or Guard()), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    live.start()
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", live
    finally:
        server.should_exit = True
        thread.join()
        live.stop()
        store.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Live]]:
    """The small company, served without sign-in; shared by a module that only reads."""
    with serving(tmp_path_factory.mktemp("state"), scan=small_company(time.time())) as running:
        yield running


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[tuple[str, Live]]:
    """The same for one test that changes something."""
    with serving(tmp_path, scan=small_company(time.time())) as running:
        yield running


@dataclass(frozen=True)
class Reply:
    status: int
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Api:
    """A program that speaks to the API below /api/v1."""

    base: str

    def get(self, path: str, query: Mapping[str, Any] | Sequence[tuple[str, Any]] = ()) -> Reply:
        return self._ask("GET", path + (f"?{urlencode(query)}" if query else ""))

    def post(self, path: str, body: Any = None) -> Reply:
        return self._ask("POST", path, json.dumps(body if body is not None else {}))

    def _ask(self, method: str, path: str, body: str | None = None) -> Reply:
        connection = http.client.HTTPConnection(self.base.removeprefix("http://"), timeout=20)
        try:
            connection.request(method, f"/api/v1{path}", body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return Reply(answer.status, answer.read().decode())
        finally:
            connection.close()

    def asset(self, name: str) -> dict[str, Any]:
        """The inventory's row of the asset with this name."""
        found = self.get("/assets", {"q": name}).json()["assets"]
        return next(row for row in found if row["name"] == name)


@pytest.fixture(scope="module")
def api(served: tuple[str, Live]) -> Api:
    return Api(served[0])
