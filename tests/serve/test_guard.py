"""Who may speak to the server, and what it says to everybody else."""

from __future__ import annotations

import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import NotAllowed, NotReachable, NotUnderstood, WrongUse
from penstock.graph.vocabulary import Event
from penstock.protect.sink import Spool
from penstock.serve.guard import COOKIE, MOST_BODY, Guard, choose, is_loopback
from penstock.serve.headers import CONTENT_SECURITY_POLICY
from penstock.serve.oidc import Oidc
from penstock.serve.roles import User
from penstock.serve.state import Live
from penstock.serve.tokens import MOST_WRONG, Tokens, make_token, sha256, stored_hash
from tests.serve.conftest import serving

TOKEN = "correct-horse-battery-staple"
JSON = {"Content-Type": "application/json"}


class Answer:
    def __init__(self, got: http.client.HTTPResponse) -> None:
        self.status = got.status
        self.headers = got.headers
        self.body = got.read()

    @property
    def message(self) -> str:
        return str(json.loads(self.body)["message"])


def ask(base: str, method: str, path: str, headers: dict[str, str] | None = None, body: str | None = None) -> Answer:
    """A request exactly as given: the headers a browser or an attacker would send."""
    address = urlsplit(base)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def token_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    guard = Guard(tokens=Tokens(sha256(TOKEN)))
    with serving(tmp_path_factory.mktemp("state"), guard) as (base, _):
        yield base


# ── on loopback ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "", "[::2]:80", "192.0.2.7"]
)
def test_a_foreign_host_is_refused_so_that_dns_rebinding_fails(served: tuple[str, Live], host: str) -> None:
    for path in ("/", "/api/v1/today", "/healthz"):
        assert ask(served[0], "GET", path, {"Host": host}).status == 421


@pytest.mark.parametrize("host", ["localhost", "localhost:9000", "127.0.0.1:8420", "[::1]:8420", "LOCALHOST"])
def test_loopback_names_are_answered_on_any_port_so_that_forwarding_works(served: tuple[str, Live], host: str) -> None:
    assert ask(served[0], "GET", "/healthz", {"Host": host}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_change_from_another_origin_is_refused(served: tuple[str, Live], headers: dict[str, str]) -> None:
    answer = ask(served[0], "POST", "/api/v1/today/seen", {**JSON, **headers}, "{}")
    assert answer.status == 403


def test_a_change_from_the_console_or_a_program_is_taken(served: tuple[str, Live]) -> None:
    base = served[0]
    own = {**JSON, "Origin": base, "Sec-Fetch-Site": "same-origin"}
    assert ask(base, "POST", "/api/v1/today/seen", own, "{}").status == 200
    assert ask(base, "POST", "/api/v1/today/seen", JSON, "{}").status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_cannot_change_anything(served: tuple[str, Live], kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    assert ask(served[0], "POST", "/api/v1/today/seen", headers, "{}").status == 415


def test_another_sites_page_may_not_read_the_api_either(served: tuple[str, Live]) -> None:
    assert ask(served[0], "GET", "/api/v1/today", {"Sec-Fetch-Site": "cross-site"}).status == 403


def test_a_body_too_large_is_refused_by_its_length_and_by_its_bytes(served: tuple[str, Live]) -> None:
    base, large = served[0], '"' + "x" * (MOST_BODY + 10) + '"'
    assert ask(base, "POST", "/api/v1/today/seen", JSON, large).status == 413
    address = urlsplit(base)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    pieces = iter([large.encode()[:40_000], large.encode()[40_000:]])
    connection.request("POST", "/api/v1/assets/x/correct", body=pieces, headers=JSON, encode_chunked=True)
    assert connection.getresponse().status in {400, 413}
    connection.close()


@pytest.mark.parametrize("path", ["/", "/inventory", "/api/v1/today", "/api/nothing", "/_static/none.js", "/healthz"])
def test_every_answer_carries_the_strict_headers(served: tuple[str, Live], path: str) -> None:
    headers = ask(served[0], "GET", path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_a_refusal_carries_them_too(served: tuple[str, Live]) -> None:
    assert (
        "default-src 'none'" in ask(served[0], "GET", "/", {"Host": "evil.example"}).headers["content-security-policy"]
    )


def test_the_policy_allows_nothing_inline_and_nobody_else() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "//" not in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    "path", ["/_static/../app.py", "/_static/%2e%2e/app.py", "/_static/..%2f..%2fguard.py", "/_static//etc/passwd"]
)
def test_no_file_outside_the_build_is_served(served: tuple[str, Live], path: str) -> None:
    answer = ask(served[0], "GET", path)
    assert answer.status == 404 or answer.headers["content-type"].startswith("text/html")
    assert b"root:" not in answer.body


# ── elsewhere ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "penstock.example"])
def test_an_address_others_can_reach_demands_a_token_or_oidc_and_says_so(host: str) -> None:
    with pytest.raises(WrongUse) as refused:
        choose(host, tokens=None, oidc=None)
    assert refused.value.where == "--host"
    assert "token" in (refused.value.hint or "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_loopback_needs_none(host: str) -> None:
    assert is_loopback(host)
    assert choose(host, tokens=None, oidc=None).open


def test_with_a_token_any_ip_address_is_answered_but_no_foreign_name() -> None:
    guard = choose("0.0.0.0", tokens=Tokens(sha256(TOKEN)), oidc=None)
    assert guard.answers_to("10.1.2.3:8420")
    assert not guard.answers_to("evil.example")
    named = choose("0.0.0.0", tokens=Tokens(sha256(TOKEN)), oidc=None, allowed=["penstock.example"])
    assert named.answers_to("penstock.example:443")
    assert not named.answers_to("10.1.2.3:8420")


def test_without_the_token_nothing_is_told(token_server: str) -> None:
    for path in ("/api/v1/today", "/api/v1/assets", "/api/openapi.json", "/api/v1/nothing"):
        assert ask(token_server, "GET", path).status == 401
    assert ask(token_server, "GET", "/").status in {200, 503}
    assert json.loads(ask(token_server, "GET", "/api/v1/session").body) == {"user": "", "asks": "token", "role": ""}


def test_the_token_opens_as_bearer_and_a_wrong_one_does_not(token_server: str) -> None:
    assert ask(token_server, "GET", "/api/v1/today", {"Authorization": f"Bearer {TOKEN}"}).status == 200
    assert ask(token_server, "GET", "/api/v1/today", {"Authorization": "Bearer wrong"}).status == 401


def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_cannot_use(token_server: str) -> None:
    body = json.dumps({"token": TOKEN, "name": "Ada"})
    answer = ask(token_server, "POST", "/api/v1/session", JSON, body)
    cookie = answer.headers["set-cookie"]
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert TOKEN not in cookie
    sent = {"Cookie": cookie.partition(";")[0]}
    assert json.loads(ask(token_server, "GET", "/api/v1/health", sent).body)["user"] == "Ada"
    assert ask(token_server, "DELETE", "/api/v1/session", sent).status == 200
    assert ask(token_server, "GET", "/api/v1/health", sent).status == 401
    assert ask(token_server, "GET", "/api/v1/health", {"Cookie": f"{COOKIE}=made-up"}).status == 401


def test_signing_in_from_another_site_is_refused(token_server: str) -> None:
    body = json.dumps({"token": TOKEN, "name": "Ada"})
    answer = ask(token_server, "POST", "/api/v1/session", {**JSON, "Origin": "https://evil.example"}, body)
    assert answer.status == 403


def test_guessing_is_stopped_even_with_the_right_token_in_the_end() -> None:
    tokens = Tokens(sha256(TOKEN))
    assert not any(tokens.is_right(f"guess {n}") for n in range(MOST_WRONG))
    assert not tokens.is_right(TOKEN)


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_made_token_is_stored_only_as_its_hash_readable_by_its_owner(tmp_path: Path) -> None:
    token = make_token(tmp_path)
    kept = tmp_path / "token"
    assert token not in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stored_hash(tmp_path) == sha256(token)
    assert stored_hash(tmp_path / "elsewhere") is None


def test_a_short_a_missing_and_a_damaged_token_are_each_said(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_text("secret\n")
    with pytest.raises(NotUnderstood):
        stored_hash(tmp_path, short)
    with pytest.raises(NotReachable):
        stored_hash(tmp_path, tmp_path / "none")
    (tmp_path / "token").write_text("in the clear")
    with pytest.raises(NotUnderstood):
        stored_hash(tmp_path)


@given(st.text())
def test_no_other_text_is_the_token(text: str) -> None:
    assert Tokens(sha256(TOKEN)).is_right(text) == (text == TOKEN)


# ── OIDC ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, rsa.RSAPrivateKey]]:
    """A real issuer on loopback: its discovery document and its keys as files behind an HTTP server."""
    import functools
    import http.server
    import threading

    folder = tmp_path_factory.mktemp("issuer")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    base = f"http://127.0.0.1:{server.server_address[1]}"
    key = rsa.generate_private_key(65537, 2048)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    (folder / ".well-known").mkdir()
    (folder / ".well-known" / "openid-configuration").write_text(json.dumps({"jwks_uri": f"{base}/keys"}))
    (folder / "keys").write_text(json.dumps({"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield base, key
    server.shutdown()


def signed(key: rsa.RSAPrivateKey, issuer: str, **changes: object) -> str:
    claims = {"iss": issuer, "aud": "penstock", "sub": "u1", "email": "ada@shop.example", "exp": time.time() + 60}
    kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(kept, key, algorithm="RS256", headers={"kid": "k1"})


def test_a_token_of_the_issuer_for_us_names_the_person(provider: tuple[str, rsa.RSAPrivateKey]) -> None:
    base, key = provider
    assert Oidc(base, "penstock").user_of(signed(key, base)) == User("ada@shop.example", "viewer")


@pytest.mark.parametrize(
    "changes",
    [{"aud": "another"}, {"iss": "https://evil.example"}, {"exp": 1}, {"exp": None}, {"sub": None}, {"aud": None}],
)
def test_any_other_token_is_refused(provider: tuple[str, rsa.RSAPrivateKey], changes: dict[str, object]) -> None:
    base, key = provider
    with pytest.raises(NotAllowed):
        Oidc(base, "penstock").user_of(signed(key, base, **changes))


def test_a_token_signed_by_another_key_or_not_at_all_is_refused(provider: tuple[str, rsa.RSAPrivateKey]) -> None:
    base, _ = provider
    claims = {"iss": base, "aud": "penstock", "sub": "u1", "exp": time.time() + 60}
    unsigned = jwt.encode(claims, None, algorithm="none", headers={"kid": "k1"})
    other = signed(rsa.generate_private_key(65537, 2048), base)
    shared = jwt.encode(claims, "0" * 64, algorithm="HS256", headers={"kid": "k1"})
    for token in (unsigned, other, shared, "not.a.token", ""):
        with pytest.raises(NotAllowed):
            Oidc(base, "penstock").user_of(token)


def test_oidc_opens_the_api_of_a_running_server(provider: tuple[str, rsa.RSAPrivateKey], tmp_path: Path) -> None:
    issuer, key = provider
    with serving(tmp_path, Guard(oidc=Oidc(issuer, "penstock"))) as (base, _):
        bearer = {"Authorization": f"Bearer {signed(key, issuer)}"}
        assert json.loads(ask(base, "GET", "/api/v1/health", bearer).body)["user"] == "ada@shop.example"
        assert ask(base, "GET", "/api/v1/health").status == 401
        assert ask(base, "GET", "/api/v1/health", {"Authorization": "Bearer x"}).status == 401


def test_keys_over_plain_http_from_elsewhere_are_not_trusted() -> None:
    with pytest.raises(WrongUse):
        Oidc("http://login.example", "penstock")
    with pytest.raises(WrongUse):
        Oidc("https://login.example", "")


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def command(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "penstock.serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def test_the_command_refuses_to_be_open_to_all_in_three_parts(tmp_path: Path) -> None:
    running = command("--state", str(tmp_path), "--host", "0.0.0.0", "--port", "0")
    _, said = running.communicate(timeout=60)
    assert running.returncode == 2
    assert said.startswith("error: Others could reach 0.0.0.0")
    assert "--> --host" in said
    assert "help: " in said


@pytest.mark.slow
def test_the_command_serves_says_where_and_stops_when_told(tmp_path: Path) -> None:
    running = command("--state", str(tmp_path), "--port", "0")
    assert running.stdout
    line = running.stdout.readline()
    assert "http://127.0.0.1:" in line
    base = line.split(" on ")[1].split()[0]
    assert json.loads(ask(base, "GET", "/healthz").body)["status"] in {"ok", "degraded"}
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert running.returncode == 0


@pytest.mark.slow
def test_nobody_else_on_the_machine_can_read_what_the_servers_write(tmp_path: Path) -> None:
    state = tmp_path / "new" / "state"
    command("--state", str(state), "--make-token").communicate(timeout=60)
    (state / "penstock.yaml").write_text("webhooks:\n  - {url: 'http://127.0.0.1:9/', secret_env: HOOK_SECRET}\n")
    (state / "penstock.yaml").chmod(0o600)
    running = command("--state", str(state), "--port", "0")
    assert running.stdout
    running.stdout.readline()
    spool = Spool(state / "spool")
    spool.emit(Event("e1", time.time(), "call", ""))
    spool.close()
    made = [path for path in state.rglob("*") if path.exists()]
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert {"penstock.db", "snapshot.json", "token", "jobs.db", "spool"} <= {path.name for path in made}
    assert {oct(stat.S_IMODE(path.stat().st_mode)) for path in made if path.is_file()} == {"0o600"}
    assert {oct(stat.S_IMODE(path.stat().st_mode)) for path in (state, *made) if path.is_dir()} == {"0o700"}
