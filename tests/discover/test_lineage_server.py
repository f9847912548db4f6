"""An MLflow server on loopback that speaks the tracking API: pages, refusals, redirects, endless answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from penstock.discover.data.lineage import mlflow_server
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Asset, Observation, Unseen

Answer = tuple[int, dict[str, str], bytes]

RUN = {
    "info": {"run_id": "r1", "run_name": "first", "experiment_id": "1", "artifact_uri": "mlflow-artifacts:/1/r1/a"},
    "data": {
        "params": [{"key": "base_model", "value": "acme/base"}],
        "tags": [{"key": "mlflow.source.name", "value": "t.py"}],
    },
    "inputs": {
        "dataset_inputs": [
            {"dataset": {"name": "people", "digest": "1", "source_type": "s3", "source": '{"uri": "s3://acme/people.csv"}',
                         "schema": '{"mlflow_colspec": [{"name": "email", "type": "string"}]}'},
             "tags": [{"key": "mlflow.data.context", "value": "training"}]}
        ]
    },
}  # fmt: skip
REGISTERED = {"name": "churn", "aliases": [{"alias": "live", "version": "3"}]}
VERSION = {
    "name": "churn",
    "version": "3",
    "source": "models:/m-1",
    "run_id": "r1",
    "aliases": ["live"],
    "current_stage": "None",
}
LOGGED = {
    "info": {
        "model_id": "m-1",
        "name": "model",
        "experiment_id": "1",
        "source_run_id": "r1",
        "artifact_uri": "s3://acme/m-1",
    }
}


class Fake:
    """A server whose answers a test decides; it keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any, str]] = []
        self.answers: dict[str, Callable[[Any], Answer]] = {
            "experiments/search": lambda _: ok({"experiments": [{"experiment_id": "1"}]}),
            "runs/search": self.runs,
            "registered-models/search": lambda _: ok({"registered_models": [REGISTERED]}),
            "model-versions/search": lambda _: ok({"model_versions": [VERSION]}),
            "logged-models/search": lambda _: ok({"models": [LOGGED]}),
        }
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def do_GET(self) -> None:
                self.answer(None)

            def answer(self, body: Any) -> None:
                path = self.path.partition("?")[0].removeprefix("/api/2.0/mlflow/")
                fake.asked.append((self.command, self.path, body, self.headers.get("Authorization", "")))
                status, headers, data = fake.answers.get(path, lambda _: (404, {}, b"{}"))(body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    @staticmethod
    def runs(body: Any) -> Answer:
        """Two pages: the first holds a run without data."""
        if not body.get("page_token"):
            return ok({"runs": [{"info": {"run_id": "r0"}}], "next_page_token": "two"})
        return ok({"runs": [RUN]})


def ok(value: Any) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


@pytest.fixture
def fake() -> Iterator[Fake]:
    made = Fake()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def triples(found: list[Any]) -> set[tuple[str, str, str]]:
    graph = merge(item for item in found if isinstance(item, Observation))
    return {(graph.assets[r.source].name, r.verb, graph.assets[r.target].name) for r in graph.relations}


def gaps(found: list[Any]) -> list[Unseen]:
    return [item for item in found if isinstance(item, Unseen)]


def test_runs_versions_and_logged_models_of_a_server(fake: Fake) -> None:
    found = list(mlflow_server.read(fake.url, token="t0ken"))
    assert not gaps(found)
    assert {
        ("first", "loads", "s3://acme/people.csv"),
        ("models:/m-1", "trained_on", "s3://acme/people.csv"),
        ("models:/m-1", "fine_tuned_from", "acme/base"),
        ("models:/churn/3", "derived_from", "models:/m-1"),
        ("models:/churn@live", "derived_from", "models:/churn/3"),
        ("m-1", "derived_from", "models:/m-1"),
    } <= triples(found)
    assert {authorization for *_, authorization in fake.asked} == {"Bearer t0ken"}
    first = next(item for item in found if isinstance(item.subject, Asset) and item.subject.name == "first")
    assert first.evidence.where == f"{fake.url}/#/experiments/1/runs/r1"


def test_a_redirect_is_not_followed(fake: Fake) -> None:
    other = Fake()
    fake.answers["experiments/search"] = lambda _: (307, {"Location": f"{other.url}/api"}, b"")
    found = list(mlflow_server.read(fake.url, token="t0ken"))
    other.server.server_close()
    assert other.asked == []
    assert "which is not followed" in gaps(found)[0].why
    assert ("models:/churn@live", "derived_from", "models:/churn/3") in triples(found)


def test_an_older_server_knows_no_logged_models(fake: Fake) -> None:
    del fake.answers["logged-models/search"]
    found = list(mlflow_server.read(fake.url))
    assert [gap.skipped for gap in gaps(found)] == [True]
    assert ("first", "loads", "s3://acme/people.csv") in triples(found)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((401, {}, b""), "refuses the token"),
        ((500, {}, b"oops"), "status 500"),
        ((200, {}, b"<html>"), "does not parse"),
        ((200, {}, b'{"experiments": 7}'), ""),
        ((200, {}, b'[{"experiment_id": "1"}]'), ""),
        ((200, {"Content-Length": "100"}, b"{"), "does not parse"),
    ],
)
def test_answers_that_are_none(fake: Fake, answer: Answer, why: str) -> None:
    fake.answers["experiments/search"] = lambda _: answer
    seen = [gap.why for gap in gaps(list(mlflow_server.read(fake.url))) if not gap.skipped]
    assert len(seen) == bool(why)
    assert all(why in said for said in seen)


def test_pages_that_never_end_do(fake: Fake) -> None:
    count = iter(range(10_000))
    fake.answers["model-versions/search"] = lambda _: ok(
        {"model_versions": [VERSION], "next_page_token": str(next(count))}
    )
    assert ("models:/churn@live", "derived_from", "models:/churn/3") in triples(list(mlflow_server.read(fake.url)))
    assert next(count) <= 200


def test_an_answer_larger_than_the_bound_is_left(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_server, "_MOST_BYTES", 100_000)
    fake.answers["runs/search"] = lambda _: (200, {}, b'{"runs": [' + b" " * 1_000_000 + b"]}")
    assert "too long" in gaps(list(mlflow_server.read(fake.url)))[0].why


def test_nobody_there_is_a_row() -> None:
    found = list(mlflow_server.read("http://127.0.0.1:9/"))
    assert {gap.what for gap in gaps(found)} >= {"runs", "registered models"}
    assert "hunter2" not in repr(list(mlflow_server.read("http://me:hunter2@127.0.0.1:9/mlflow")))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1:5000", ""])
def test_only_http_is_asked(url: str) -> None:
    assert next(gap.why for gap in gaps(list(mlflow_server.read(url)))) == "The address is no http or https address"
