"""What each role may do, on every route there is; and tokens that end, are taken away, or are for somebody else."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.errors import NotAllowed, NotUnderstood, WrongUse
from penstock.serve.api.endpoint import ENDPOINTS, PREFIX
from penstock.serve.guard import Guard
from penstock.serve.roles import NEEDS, User, needed
from penstock.serve.state import Live
from penstock.serve.tokens import NAMED, Tokens, make_named_token, named_tokens, revoke_named_token
from penstock.settings import ROLES, parse_settings
from tests.serve.conftest import serving, small_company
from tests.serve.test_guard import ask

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Live, dict[str, str], Path]]:
    state = tmp_path_factory.mktemp("state")
    tokens = {role: make_named_token(state, f"{role}@shop.example", role) for role in ROLES}
    guard = Guard(tokens=Tokens("", state))
    with serving(state, guard, scan=small_company(time.time())) as (base, live):
        yield base, live, tokens, state


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **JSON}


@pytest.mark.parametrize("role", ROLES)
def test_every_route_is_open_to_those_it_is_for_and_to_nobody_else(
    server: tuple[str, Live, dict[str, str], Path], role: str
) -> None:
    base, _, tokens, _ = server
    tried = 0
    for e in ENDPOINTS:
        path = e.path.replace("{id}", "no-such-thing")
        body = json.dumps({}) if e.method != "GET" else None
        answer = ask(base, e.method, path, bearer(tokens[role]), body)
        least = needed(e.method, e.path.removeprefix(PREFIX))
        if User(role, role).may(least):
            assert answer.status != 403, f"{role} may {e.method} {e.path}: {answer.body}"
        else:
            assert answer.status == 403, f"{role} may not {e.method} {e.path}"
            assert least in answer.body.decode()
        assert ask(base, e.method, path, JSON, body).status == 401
        tried += 1
    assert tried == len(ENDPOINTS) > 25


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("line", [line for line in NEEDS if line.count(" ") == 2])
def test_what_a_body_asks_for_is_held_to_the_table_too(
    server: tuple[str, Live, dict[str, str], Path], role: str, line: str
) -> None:
    base, _, tokens, _ = server
    method, path, action = line.split(" ")
    body = {"action": action, "why": "because of a test"} | ({"cases": ["none", "other"]} if path == "/cases" else {})
    answer = ask(base, method, PREFIX + path.replace("{id}", "none"), bearer(tokens[role]), json.dumps(body))
    assert (answer.status == 403) == (not User(role, role).may(NEEDS[line]))


def test_every_line_of_the_table_is_a_route_and_every_change_stands_in_it() -> None:
    routes = {f"{e.method} {e.path.removeprefix(PREFIX)}" for e in ENDPOINTS}
    assert {" ".join(line.split(" ")[:2]) for line in NEEDS} <= routes
    assert {line for line in routes if not line.startswith("GET ")} <= set(NEEDS)
    assert set(NEEDS.values()) <= set(ROLES)


def test_a_token_made_for_somebody_names_them_and_what_they_may_do(
    server: tuple[str, Live, dict[str, str], Path],
) -> None:
    base, _, tokens, _ = server
    signed = ask(base, "POST", f"{PREFIX}/session", JSON, json.dumps({"token": tokens["viewer"], "name": "Root"}))
    assert json.loads(signed.body) == {"user": "viewer@shop.example", "asks": "token", "role": "viewer"}
    cookie = {"Cookie": signed.headers["set-cookie"].partition(";")[0]}
    assert json.loads(ask(base, "GET", f"{PREFIX}/session", cookie).body)["role"] == "viewer"
    refused = ask(base, "POST", f"{PREFIX}/quarantine", {**cookie, **JSON}, "{}")
    assert refused.status == 403


def test_a_token_that_is_taken_away_ends_its_sessions_at_once(
    server: tuple[str, Live, dict[str, str], Path],
) -> None:
    base, _, _, state = server
    token = make_named_token(state, "leaver@shop.example", "approver")
    signed = ask(base, "POST", f"{PREFIX}/session", JSON, json.dumps({"token": token, "name": "x"}))
    cookie = {"Cookie": signed.headers["set-cookie"].partition(";")[0]}
    assert ask(base, "GET", f"{PREFIX}/today", cookie).status == 200
    assert revoke_named_token(state, "leaver@shop.example")
    assert ask(base, "GET", f"{PREFIX}/today", cookie).status == 401
    assert ask(base, "GET", f"{PREFIX}/today", bearer(token)).status == 401


def test_a_token_that_has_ended_or_is_for_another_tenant_lets_nobody_in(tmp_path: Path) -> None:
    ended, other = make_named_token(tmp_path, "a", "admin"), make_named_token(tmp_path, "b", "admin", tenant="acme")
    holders = [
        msgspec.structs.replace(h, until=time.time() - 1) if h.name == "a" else h for h in named_tokens(tmp_path)
    ]
    (tmp_path / NAMED).write_bytes(msgspec.json.encode(holders))
    assert Tokens("", tmp_path).holder(ended) is None and Tokens("", tmp_path).holder(other) is None
    assert Tokens("", tmp_path, tenant="acme").holder(other) == User("b", "admin")


def test_damaged_tokens_let_nobody_in_and_are_said(tmp_path: Path) -> None:
    token = make_named_token(tmp_path, "a", "admin")
    (tmp_path / NAMED).write_text("[{]")
    assert Tokens("", tmp_path).holder(token) is None
    with pytest.raises(NotUnderstood, match="damaged"):
        named_tokens(tmp_path)


@pytest.mark.parametrize(
    ("name", "role", "days"), [("", "admin", 1), ("a", "root", 1), ("a", "admin", 0), ("a", "admin", 999)]
)
def test_tokens_without_a_name_a_role_or_an_end_are_not_made(tmp_path: Path, name: str, role: str, days: int) -> None:
    with pytest.raises(WrongUse):
        make_named_token(tmp_path, name, role, days=days)


def test_groups_of_the_identity_provider_give_the_highest_of_their_roles() -> None:
    from penstock.serve.oidc import Oidc

    given = {"roles": {"groups": {"ai-sec": "approver", "staff": "viewer"}, "otherwise": ""}}
    oidc = Oidc("https://id.example", "penstock", roles=parse_settings(given, "penstock.yaml").roles)
    assert oidc._role_of({"groups": ["staff", "ai-sec", "chess"]}, "ada") == "approver"
    assert oidc._role_of({"groups": "staff"}, "ada") == "viewer"
    with pytest.raises(NotAllowed, match="in no group"):
        oidc._role_of({"groups": ["chess"]}, "ada")
    with pytest.raises(NotUnderstood, match="Unknown role"):
        parse_settings({"roles": {"groups": {"a": "emperor"}}}, "penstock.yaml")


def test_routes_are_written_as_they_are_matched() -> None:
    assert all(re.fullmatch(r"/api/v1(/[a-z-]+|/{id})+", e.path) for e in ENDPOINTS)
