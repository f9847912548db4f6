"""Callers without a key: tokens of an issuer, service accounts, certificates, and strangers."""

import base64
import http.server
import json
import threading
import time

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from msgspec.structs import replace

from penstock.errors import NotUnderstood
from penstock.graph.graph import Graph
from penstock.graph.identity import asset
from penstock.graph.labels import propagate
from penstock.protect.gateway import build
from penstock.protect.identities import Tokens
from penstock.protect.sink import MemorySink
from penstock.protect.snapshot import Caller, Identity, Issuer
from penstock.protect.snapshot_source import FixedSnapshot, InForce
from penstock.respond.snapshot import compile_snapshot
from penstock.respond.traffic import is_use, roll_up
from penstock.settings import parse_settings
from tests.protect.gateway_world import rule, served, snapshot
from tests.protect.test_operations import HI
from tests.protect.test_process import eventually

WHERE = "https://kubernetes.default.svc"
KEYS = {kid: rsa.generate_private_key(public_exponent=65537, key_size=2048) for kid in ("one", "two")}
SUPPORT = "system:serviceaccount:prod:support"


def key_set(*names):
    rows = [json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEYS[name].public_key())) | {"kid": name} for name in names]
    return json.dumps({"keys": rows}).encode()


def token(kid="one", key=None, algorithm="RS256", **claims):
    said = {"iss": WHERE, "aud": "penstock", "sub": SUPPORT, "exp": time.time() + 60, **claims}
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(said, key or KEYS[kid], algorithm, headers={"kid": kid})


@pytest.fixture
def issuer(tmp_path):
    file = tmp_path / "keys.json"
    file.write_bytes(key_set("one"))
    return Issuer(issuer=WHERE, audience="penstock", jwks=str(file), algorithms=("RS256",))


@pytest.fixture
def tokens(issuer):
    made = Tokens()
    made.trust([issuer])
    yield made
    made.close()


def test_a_token_of_a_trusted_issuer_says_who_calls(tokens):
    found = tokens.subject(token())
    assert (found.by, found.name, found.issuer) == ("token", SUPPORT, WHERE)
    assert tokens.subject(token(aud=["other", "penstock"])).name == SUPPORT


def unsigned():
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"iss": WHERE, "aud": "penstock", "sub": SUPPORT, "exp": time.time() + 60}
    return f"{part({'alg': 'none', 'kid': 'one'})}.{part(claims)}."


def by_public_key():
    """Signed with the public key as if it were a secret that both share."""
    from cryptography.hazmat.primitives import serialization

    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    pem = KEYS["one"].public_key().public_bytes(*form)
    import hashlib
    import hmac

    head, body, _ = unsigned().split(".")
    head = base64.urlsafe_b64encode(b'{"alg": "HS256", "kid": "one"}').rstrip(b"=").decode()
    mac = hmac.new(pem, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    "made",
    [
        lambda: token(aud="another"),
        lambda: token(aud=None),
        lambda: token(iss="https://elsewhere.example"),
        lambda: token(exp=time.time() - 120),
        lambda: token(exp=None),
        lambda: token(sub=None),
        lambda: token(nbf=time.time() + 600),
        lambda: token("one", KEYS["two"]),
        lambda: token("two"),
        lambda: token("one", KEYS["one"], "PS256"),
        lambda: token("one", ec.generate_private_key(ec.SECP256R1()), "ES256"),
        unsigned,
        by_public_key,
        lambda: token()[:-4] + "AAAA",
        lambda: "ey.ey.ey",
        lambda: "ey" + "a" * 20_000 + ".b.c",
    ],
)
def test_any_other_token_says_nothing(tokens, made):
    assert tokens.subject(made()) is None


def test_keys_that_change_are_fetched_and_old_ones_vouch_for_nothing(monkeypatch):
    served_keys = [key_set("one")]

    class Keys(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(served_keys[0])

        def log_message(self, *_):
            pass

    monkeypatch.setattr("penstock.protect.identities.SOONEST", 0.0)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tokens = Tokens()
    address = f"http://127.0.0.1:{server.server_address[1]}/keys"
    tokens.trust([Issuer(issuer=WHERE, audience="penstock", jwks=address, algorithms=("RS256",))])

    def soon(wanted):
        until = time.monotonic() + 5
        while not wanted() and time.monotonic() < until:
            time.sleep(0.02)
            tokens._verified.clear()  # a refusal is remembered for a second
        return wanted()

    assert soon(lambda: tokens.subject(token("one")))
    served_keys[0] = key_set("two")
    assert soon(lambda: tokens.subject(token("two")))
    assert tokens.subject(token("one")) is None
    tokens.close()
    server.shutdown()


def test_the_application_behind_a_service_account_gets_its_own_policy(provider, issuer):
    support = Caller(application="a-1", name="support", mode="enforce", rules=(rule("redact", "pci"),))
    plain = snapshot(upstream=provider.url, key_env="")
    known = replace(plain, issuers=(issuer,), identities=(Identity(caller=support, issuer=WHERE, subject=SUPPORT),))
    provider.completes("Card 4111 1111 1111 1111")
    sink, source = MemorySink(), FixedSnapshot(known)

    def ask(key):
        before = len(sink.events)
        answer = httpx.post(f"{url}/v1/chat/completions", json=HI, headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == 401 or eventually(lambda: len(sink.events) > before)
        return answer

    with served(build(source, sink)) as url:
        assert "[CREDIT_CARD]" in ask(token()).text and sink.events[-1].application == "a-1"
        assert token()[:20] not in str(provider.asked[-1][0]["headers"])
        assert ask(token(sub="system:serviceaccount:prod:other")).status_code == 401
        source.put(replace(known, unknown=Caller(application="", name="unknown")))
        assert ask(token(sub="system:serviceaccount:prod:other")).status_code == 200
        assert ask("sk-anything").status_code == 200
    named, unnamed = sink.events[-2:]
    assert named.props["caller"] == {"by": "token", "name": "system:serviceaccount:prod:other", "issuer": WHERE}
    assert unnamed.props["caller"]["by"] == "key" and "anything" not in str(unnamed)


def test_a_certificate_stands_for_an_application_and_makes_up_for_no_bad_token(issuer):
    shop = Caller(application="a-2", name="shop")
    identity = Identity(caller=shop, certificate="CN=*.shop,O=Shop")
    source = InForce(replace(snapshot(), issuers=(issuer,), identities=(identity,)))
    assert source.policy_of("", "CN=web.shop,O=Shop").caller is shop
    assert source.policy_of("sk-none", "CN=web.shop,O=Shop").caller is shop
    assert source.policy_of("", "CN=web.shop,O=Other") is None
    assert source.policy_of(token(aud="another"), "CN=web.shop,O=Shop") is None
    assert source.policy_of(token()) is None


def test_claims_must_all_hold(issuer):
    team = Caller(application="a-3", name="team")
    identity = Identity(caller=team, issuer=WHERE, claims={"groups": "ml-*", "azp": "notebook"})
    source = InForce(replace(snapshot(), issuers=(issuer,), identities=(identity,)))
    assert source.policy_of(token(groups=["x", "ml-1"], azp="notebook")).caller is team
    assert source.policy_of(token(groups=["ml-1"])) is None
    assert source.policy_of(token(groups=["x"], azp="notebook")) is None


SETTINGS = {
    "issuers": [{"issuer": WHERE, "audience": "penstock", "jwks": f"{WHERE}/openid/v1/jwks"}],
    "identities": [
        {"application": "support-agent", "issuer": WHERE, "service_account": "prod/support"},
        {"application": "support-agent", "certificate": "CN=support,O=Shop"},
        {"application": "nobody-knows-it", "certificate": "CN=other"},
    ],
    "gateway": {"unknown_callers": "observe"},
}


def compiled(settings):
    known = asset("application", "support-agent", scope="repo:shop/support-agent")
    graph = Graph(assets={known.id: known})
    said = parse_settings(settings, "penstock.yaml")
    return known, compile_snapshot(graph, propagate(graph), (), (), (), said, version=1, now=0.0)


def test_the_operator_says_who_stands_for_which_application():
    known, made = compiled(SETTINGS)
    assert [(one.caller.application, one.subject, one.certificate) for one in made.identities] == [
        (known.id, SUPPORT, ""), (known.id, "", "CN=support,O=Shop"),
    ]  # fmt: skip
    assert made.unknown.application == "" and made.unknown.mode == "observe"
    assert compiled({})[1].unknown is None


@pytest.mark.parametrize(
    ("section", "change", "said"),
    [
        ("issuers", {"jwks": "http://keys.example/jwks"}, "safely"),
        ("issuers", {"jwks": "keys.json"}, "safely"),
        ("issuers", {"algorithms": ["HS256"]}, "'HS256' is no algorithm"),
        ("issuers", {"audience": ""}, "audience"),
        ("identities", {"issuer": "https://other.example"}, "no issuer"),
        ("identities", {"service_account": ""}, "Every token"),
        ("identities", {"service_account": "support"}, "namespace and a name"),
        ("identities", {"certificate": "CN=a"}, "two identities"),
    ],
)
def test_what_cannot_be_trusted_is_refused_in_words(section, change, said):
    rows = [SETTINGS[section][0] | change, *SETTINGS[section][1:]]
    with pytest.raises(NotUnderstood, match=said):
        compiled(SETTINGS | {section: rows})


def test_a_stranger_becomes_a_shadow_asset_and_made_up_keys_become_one(provider, issuer):
    plain = snapshot(upstream=provider.url, key_env="", unknown=Caller(application="", name="unknown"))
    provider.completes("ok")
    sink = MemorySink()
    with served(build(FixedSnapshot(replace(plain, issuers=(issuer,))), sink)) as url:
        for key in (token(sub="spiffe://shop/notebook"), "sk-1", "sk-2"):
            httpx.post(f"{url}/v1/chat/completions", json=HI, headers={"authorization": f"Bearer {key}"})
        assert eventually(lambda: len(sink.events) == 3)
    events = [event for event in sink.events if is_use(event)]
    assert len(events) == 3
    seen = [one.subject for one in roll_up(events)]
    shadows = [one for one in seen if getattr(one, "kind", "") == "application"]
    assert {one.name for one in shadows} == {"spiffe://shop/notebook", "callers without a known key"}
    assert all(one.prop("sanction") == "unknown" for one in shadows)
