"""The whole product on one real estate: from a table on disk to a redacted answer and the case it lands on."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest

from penstock.graph.store.protocol import AccessKey
from penstock.respond.loop import turn
from penstock.respond.refresh import refresh
from penstock.settings import Settings, UpstreamSetting
from tests.join.chain import Look, chains, look
from tests.join.renamed import rename

ROOT = Path(__file__).parents[2]
ESTATE = ROOT / "examples" / "estate"
QUESTION = "Please tell me the e-mail address and the IBAN of customer {customer}."


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(*command: str, port: int, path: str) -> Iterator[str]:
    """A server as its own process, as a user runs it; yields its address."""
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            assert process.poll() is None, f"{command} ended"
            try:
                urllib.request.urlopen(address + path, timeout=2).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail(f"{command} does not answer")
        yield address
    finally:
        process.terminate()
        process.wait(20)


def key_for(seen: Look, application: str, at: float) -> str:
    key = f"psk_test_{application}"
    digest = hashlib.sha256(key.encode()).hexdigest()
    seen.store.save_key(AccessKey(digest[:12], application, digest, application, at))
    return key


def answer(address: str, key: str, question: str, *, stream: bool) -> str:
    """What a real client is told."""
    client = openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)
    messages = [{"role": "user", "content": question}]
    if not stream:
        done = client.chat.completions.create(model="support-llm", messages=messages)
        return done.choices[0].message.content or ""
    chunks = client.chat.completions.create(model="support-llm", messages=messages, stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


@pytest.mark.timeout(300)
def test_a_table_on_disk_becomes_a_redacted_answer_on_its_case(tmp_path):
    upstream_port, gateway_port = free_port(), free_port()
    upstream = UpstreamSetting("scripted", f"http://127.0.0.1:{upstream_port}/v1")
    settings = Settings(upstreams=(upstream,), modes={"support-agent": "enforce", "recipe-finder": "enforce"})
    seen = look(ESTATE, tmp_path, settings)
    graph, labelling = seen.fresh.graph, seen.fresh.labelling

    # the label comes from the data's content, and travels by training and serving to the public agent
    found = [chain for chain in chains(seen.fresh) if graph.assets[chain.application].name == "support-agent"]
    assert found, "the chain does not show"
    chain = found[0]
    assert graph.assets[chain.table].labels >= {"pii"}
    assert "pii" in labelling.contains(chain.model)
    assert "pii" in labelling.touches(chain.application)

    # the finding is a case, and the case has the team that answers for the agent
    case = next(case for case in seen.fresh.cases if chain.finding.id in case.findings)
    assert graph.assets[case.owner].name == "care-engineering"
    assert case.approver and case.approver != case.owner

    # the gateway enforces the policy made from that finding: for this agent, and not for one without the data
    other = next(a for a in graph.of_kind("application") if a.name == "recipe-finder")
    assert "pii" not in labelling.touches(other.id)
    keys = {id: key_for(seen, id, time.time()) for id in (chain.application, other.id)}
    refresh(seen.store, settings, tmp_path, now=time.time())
    customer = (ESTATE / "support-llm/data/customer_conversations.csv").read_text(encoding="utf-8").splitlines()[1]
    email = next(cell for cell in customer.split(",") if "@" in cell)
    question = QUESTION.format(customer=customer.split(",")[0])
    with (
        started("examples/upstream.py", "--port", str(upstream_port), port=upstream_port, path="/v1/models"),
        started("-m", "penstock.protect", "--state", str(tmp_path), "--port", str(gateway_port),
                port=gateway_port, path="/healthz") as gateway,
    ):  # fmt: skip
        guarded = [answer(gateway, keys[chain.application], question, stream=stream) for stream in (True, False)]
        unguarded = [answer(gateway, keys[other.id], question, stream=stream) for stream in (True, False)]
    assert all(email in text for text in unguarded)
    assert not any(email in text for text in guarded)
    assert guarded[0] == guarded[1]

    # what the gateway did lands on the same case, and what it saw is in the inventory
    done = turn(seen.store, settings, tmp_path, now=time.time())
    assert done is not None
    after = next(c for c in seen.store.cases() if c.id == case.id)
    assert after.event_count == 2
    assert after.state == "open", "traffic that shows the leak must not close its case"
    assert chain.finding.id in {finding.id for finding in seen.store.findings()}
    events = [event for event in seen.store.events() if event.application == chain.application]
    assert {event.verdict for event in events} == {"redact"}
    assert email not in repr(seen.store.events())
    gateway_evidence = [e for r, es in seen.store.graph().evidence.items() for e in es if e.collector == "gateway"]
    assert gateway_evidence


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_chain_shows_in_a_company_nobody_has_seen(tmp_path, seed):
    words = rename(ESTATE, tmp_path / "estate", seed)
    seen = look(tmp_path / "estate", tmp_path)
    names = {seen.fresh.graph.assets[chain.application].name for chain in chains(seen.fresh)}
    assert words["support-agent"] in names


@dataclasses.dataclass(frozen=True)
class Cut:
    """One link of the chain taken out: in each file ``old`` becomes ``new`` (no ``old``: the file goes).

    ``said`` is what coverage or a question must then name.
    """

    link: str
    edits: tuple[tuple[str, str, str], ...]
    said: str


ADDRESS = "http://support-llm.ml.svc.cluster.local:8000/v1"
CUTS = [
    Cut(
        "data",
        (("support-llm/data/customer_conversations.csv", "", ""),),
        "Which data does data/customer_conversations.csv hold?",
    ),
    Cut(
        "training",
        (("support-llm/training/finetune.py", "        train_dataset=conversations,\n", ""),),
        "What was fennelrye/support-llm fine-tuned on?",
    ),
    Cut(
        "publishing",
        (("support-llm/training/finetune.py", "    merged.push_to_hub(HUB_MODEL, private=True)\n", ""),),
        "What was fennelrye/support-llm",
    ),
    Cut(
        "serving",
        (("ml-serving/k8s/support-llm.yaml", "fennelrye/support-llm", "/models/current"),),
        "current trained on? support-llm serves it",
    ),
    Cut(
        "calling",
        (
            ("support-agent/support_agent/settings.py", f'llm_base_url: str = "{ADDRESS}"', "llm_base_url: str"),
            ("support-agent/deploy/support-agent.yaml", f"  LLM_BASE_URL: {ADDRESS}\n", ""),
            ("support-agent/docker-compose.yml", "      LLM_BASE_URL: http://ollama:11434/v1\n", ""),
        ),
        "LLM_BASE_URL",
    ),
    Cut(
        "exposure",
        (("support-agent/deploy/support-agent.yaml", "kind: Ingress", "kind: Nothing"),),
        "Who can reach support-agent: the internet",
    ),
]


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.link)
def test_without_a_link_the_chain_is_gone_and_the_gap_is_named(tmp_path, cut):
    estate = tmp_path / "estate"
    shutil.copytree(ESTATE, estate)
    for file, old, new in cut.edits:
        take_out(estate / file, old, new)
    seen = look(estate, tmp_path)
    graph = seen.fresh.graph
    assert "support-agent" not in {graph.assets[chain.application].name for chain in chains(seen.fresh)}
    questions = [(graph.assets[q.asset].name, q.about) for q in seen.fresh.assessment.questions]
    said = [f"{name}: {about}" for name, about in questions]
    said += [f"{u.where} {u.what} {u.why}" for u in graph.unseen]
    assert [text for text in said if cut.said.casefold() in text.casefold()], "\n".join(said)


def take_out(path: Path, old: str, new: str) -> None:
    if not old:
        path.unlink()
        return
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
