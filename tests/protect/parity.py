"""The same words in every protocol, whole and in pieces, without sockets: what the client gets and what is recorded."""

import json
import random
from dataclasses import dataclass

from examples.protocols import Protocol
from penstock.inspect.sensitive.rows import written_out
from penstock.protect.exchange import Asked
from penstock.protect.inspection import Inspection
from penstock.protect.judging import judged
from penstock.protect.policy import Policy, Record
from penstock.protect.stream_guard import StreamGuard
from penstock.protect.surfaces.registry import Registry
from tests.protect.gateway_world import caller, rule

INSPECTION = Inspection()
SURFACES = Registry()

#: What must be caught: a sentence, and what of it may not be seen again.
PLANTED = {
    "card": ("Charge 4111 1111 1111 1111 before Friday", "1111 1111"),
    "address": ("Write to ada.lovelace@analytical.co.uk, she knows.", "analytical"),
    "account": ("Debit DE89 3704 0044 0532 0130 00 then call", "0532"),
    "key": ("The key is " + (KEY := written_out("sk-proj-{url:48}")) + " indeed", KEY[20:40]),
    "several": ("Both: grace@navy.mil and 5500005555555559.", "navy"),
    "between other letters": ('名前 ada@analytical.co.uk 👩‍🔬 \\ "quoted"\n', "analytical"),
}
#: Their twins, which look alike and are nothing: all must arrive byte for byte.
BENIGN = {
    "order number": "Order 4111 1111 1111 1112 leaves before Friday",
    "no address": "Meet @ noon at example, she knows. See user at domain",
    "no account": "Debit DE00 0000 then call 12 items",
    "no key": "The key is under the mat indeed, sk- is a prefix",
    "dates and money": 'On 2026-03-04 at 11:02 1,234.56, see https://shop.example/a?b=c&d=1 … 名前 👩‍🔬 \\ "q"\n',
}


@dataclass(frozen=True)
class Outcome:
    """What a client understood, what was recorded, and whether the bytes are those that were sent."""

    text: str
    verdict: str
    seen: tuple
    untouched: bool


def policy(action="redact", mode="enforce", **more):
    rules = [rule(action, direction=direction, id=f"{direction}-{action}") for direction in ("in", "out")]
    return Policy(caller(*rules, mode=mode, **more))


def surface_of(protocol: Protocol, stream: bool):
    path, _, query = (protocol.stream_path if stream else protocol.path).partition("?")
    headers = {name.encode(): value.encode() for name, value in protocol.headers.items()}
    surface, fields = SURFACES.find("POST", path.replace("%3A", ":"), headers)
    body = json.dumps(protocol.ask("Hello", stream)).encode()
    return surface, surface.request(Asked("POST", path, headers, body, query.encode(), fields))


def asked(protocol: Protocol, prompt: str, stream: bool, using: Policy):
    """What the provider gets of a prompt, and the decision."""
    surface, _ = surface_of(protocol, stream)
    path, _, query = (protocol.stream_path if stream else protocol.path).partition("?")
    headers = {name.encode(): value.encode() for name, value in protocol.headers.items()}
    fields = SURFACES.find("POST", path.replace("%3A", ":"), headers)[1]
    body = json.dumps(protocol.ask(prompt, stream), ensure_ascii=False).encode()
    exchange = surface.request(Asked("POST", path, headers, body, query.encode(), fields))
    record = Record()
    sent, decision = judged(INSPECTION, using, record, "in", body, exchange.parts)
    return body, sent, decision, record


def whole(protocol: Protocol, tree, using: Policy) -> Outcome:
    surface, exchange = surface_of(protocol, False)
    body = json.dumps(tree, ensure_ascii=False).encode()
    record = Record()
    out, decision = judged(INSPECTION, using, record, "out", body, surface.reply(body).parts)
    if decision.action == "stop":
        out = surface.refusal(exchange, "STOPPED", body)
    return Outcome(protocol.said(json.loads(out)), record.verdict, tuple(sorted(record.counts.items())), out is body)


def streamed(protocol: Protocol, pieces: list[bytes], using: Policy) -> Outcome:
    surface, exchange = surface_of(protocol, True)
    record = Record()
    streaming = surface.streaming(exchange, protocol.stream_type)
    guard = StreamGuard(using, INSPECTION, record, streaming, lambda _: "STOPPED")
    out = b"".join([guard.feed(piece) for piece in pieces]) + guard.finish()
    assert not guard.unread
    sent = b"".join(pieces)
    return Outcome(protocol.heard(out), record.verdict, tuple(sorted(record.counts.items())), out == sent)


def in_two(text: str):
    """Every way to cut a text in two."""
    return [[text[:cut], text[cut:]] for cut in range(1, len(text))]


def in_tokens(text: str, chance: random.Random) -> list[str]:
    pieces = []
    while text:
        size = chance.randrange(1, 9)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def recut(pieces: list[bytes], chance: random.Random) -> list[bytes]:
    """The same bytes in other pieces."""
    data = b"".join(pieces)
    cuts = sorted(chance.sample(range(1, len(data)), min(8, len(data) - 1)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def arguments(text: str) -> str:
    return json.dumps({"note": text, "n": 1}, ensure_ascii=False)
