"""The page behind a link in a message: it shows what is asked, and a form answers. Plain HTML, no script, no sign-in.

Opening the page changes nothing. The form carries a token that is tied to a cookie which only this page sets, so that
neither a link scanner nor another site's page can answer.
"""

from __future__ import annotations

import html
import secrets
import time
from collections.abc import Sequence
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from penstock.errors import NotAllowed, PenstockError
from penstock.graph.store.protocol import Approval
from penstock.respond import answers, approvals
from penstock.respond.approvals import Decider
from penstock.respond.links import Link, read_token
from penstock.respond.people import People
from penstock.respond.signing import Keyring, open_keyring
from penstock.serve.state import Live

COOKIE = "penstock_answer"
PURPOSE = "answer-form/1"
#: Lengths of a yes that are offered, in minutes; those beyond the settings' most are left out.
LENGTHS = (15, 60, 240, 480, 1440)


async def answer_page(request: Request, live: Live) -> Response:
    """GET shows the request, POST answers it."""
    token: str = request.path_params["token"]
    try:
        keyring = open_keyring(live.state)
        link = read_token(keyring, token, now=time.time())
        people = People(live.world.graph, live.settings)
        if request.method != "POST":
            return await run_in_threadpool(_shown, live, keyring, link, people, token)
        given = {
            name: values[0] for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()
        }
        cookie = request.cookies.get(COOKIE, "")
        if not cookie or not keyring.verifies(given.get("form", ""), PURPOSE, f"{cookie} {token}".encode()):
            raise NotAllowed(
                "This answer was not sent from the page itself", None, "Open the link again, and answer there"
            )
        return await run_in_threadpool(_answered, live, link, people, given)
    except NotAllowed as error:
        return _page(error.message, [_p(error.hint or "")], status=403)
    except PenstockError as error:
        return _page(error.message, [_p(error.where or ""), _p(error.hint or "")], status=409)


def _shown(live: Live, keyring: Keyring, link: Link, people: People, token: str) -> Response:
    approval = _of(live, link, people)
    nonce = secrets.token_urlsafe(24)
    setting = live.settings.approvals
    minutes = [m for m in LENGTHS if m <= setting.most_grant_hours * 60]
    usual = min(minutes, key=lambda m: abs(m - setting.grant_minutes), default=0)
    chosen = {usual: " selected"}
    options = "".join(f'<option value="{m}"{chosen.get(m, "")}>{_length(m)}</option>' for m in minutes)
    length = (
        f'<label>For <select name="minutes">{options}</select></label>' if approval.kind == "ask" and minutes else ""
    )
    team = people.graph.assets.get(link.party)
    name = "" if team is not None and team.kind == "person" else (
        '<label>Your name <input name="name" required maxlength="100" autocomplete="name"></label>'
    )  # fmt: skip
    form = (
        f'<form method="post"><input type="hidden" name="form" value="'
        f'{html.escape(keyring.sign(PURPOSE, f"{nonce} {token}".encode()))}">{name}{length}'
        f'<label>Why? <textarea name="why" rows="3" maxlength="2000"></textarea></label>'
        f'<div class="buttons"><button name="answer" value="grant" class="yes">Allow</button>'
        f'<button name="answer" value="refuse" class="no">Refuse</button></div></form>'
    )
    page = _page(f"{people.name(approval.about)} asks", [*_facts(approval, people, live), form])
    page.set_cookie(COOKIE, nonce, max_age=3600, path="/answer/", httponly=True, samesite="strict")
    return page


def _answered(live: Live, link: Link, people: People, given: dict[str, str]) -> Response:
    approval = _of(live, link, people)
    party = people.graph.assets.get(link.party)
    person = party is not None and party.kind == "person"
    name = people.name(link.party) if person else given.get("name", "").strip()[:100]
    by = Decider(name, "approver", link.party)
    why, now = given.get("why", ""), time.time()
    if given.get("answer") == "grant":
        minutes = given.get("minutes", "")
        seconds = float(minutes) * 60 if minutes.isdecimal() and approval.kind == "ask" else None
        done = answers.grant(
            live.store,
            live.settings,
            live.state,
            approval.id,
            by=by,
            why=why,
            seconds=seconds,
            people=people,
            now=now,
        )
    elif given.get("answer") == "refuse":
        done = answers.refuse(live.store, live.settings, approval.id, by=by, why=why, people=people, now=now)
    else:
        raise NotAllowed("This is no answer", None, "Open the link again, and choose one")
    return _page(done.note, [_p(approvals.said(done.approval, people)), _p("You can close this page.")])


def _of(live: Live, link: Link, people: People) -> Approval:
    """The request of a link, as long as this link may answer it."""
    approval = live.store.approval(link.approval)
    if approval is None:
        raise NotAllowed("There is no such request any more", None, "Open the console")
    if approval.state != approvals.OPEN:
        raise NotAllowed("This was answered already", None, approvals.said(approval, people))
    if people.has_left(link.party):
        raise NotAllowed("Whom this link was sent to has left", None, "Somebody else answers this by now")
    return approval


def _facts(approval: Approval, people: People, live: Live) -> Sequence[str]:
    affected = [people.name(id) for id in people.affected(approval.about)[:8]]
    rows = [
        ("What", approval.subject),
        ("Why it asks", approval.why),
        ("Asked by", approval.requester or people.name(approval.about)),
        ("Asked", f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime(approval.asked_at))} UTC, {approval.times} times"),
        ("Who answers", f"{people.name(approval.approver)} ({approval.approver_why})"),
        ("Who is affected", ", ".join(affected) or "nobody known"),
        ("How long", "one call" if approval.single else "every such call until the end you choose"),
    ]
    if approval.session:
        rows.append(("Where", "in this one conversation"))
    return ["<dl>", *(f"<dt>{html.escape(a)}</dt><dd>{html.escape(b)}</dd>" for a, b in rows if b), "</dl>"]


def _page(title: str, parts: Sequence[str], status: int = 200) -> Response:
    shown = html.escape(approvals.clean(title, 300))
    body = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{shown} · Penstock</title>'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f'<link rel="stylesheet" href="/answer/style.css"></head><body><main><p class="brand">Penstock</p>'
        f"<h1>{shown}</h1>{''.join(parts)}</main></body></html>"
    )
    # The referrer stays on this site: without any, browsers send no origin with the form either.
    headers = {"cache-control": "no-store", "referrer-policy": "same-origin"}
    return Response(body, status, media_type="text/html; charset=utf-8", headers=headers)


async def style(request: Request) -> Response:
    return Response(STYLE, media_type="text/css", headers={"cache-control": "public, max-age=3600"})


def _p(text: str) -> str:
    return f"<p>{html.escape(text)}</p>" if text else ""


def _length(minutes: int) -> str:
    return f"{minutes} minutes" if minutes < 60 else f"{minutes // 60} hour{'s' if minutes >= 120 else ''}"


STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #566071; --line: #d7dce3; --paper: #fff; --yes: #0b6b4f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --soft: #a4adba; --line: #39414d; --paper: #161b22; --yes: #4cc79d; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
.brand { color: var(--soft); font-weight: 600; margin: 0; }
h1 { font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: 9rem 1fr; gap: .5rem 1rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
form { display: grid; gap: 1rem; border-top: 1px solid var(--line); padding-top: 1.25rem; }
label { display: grid; gap: .25rem; color: var(--soft); }
input, select, textarea { font: inherit; color: var(--ink); background: none; border: 1px solid var(--soft);
  border-radius: 6px; padding: .5rem; }
select option { color: #1c2430; background: #fff; }
.buttons { display: flex; gap: .75rem; }
button { font: inherit; font-weight: 600; padding: .6rem 1.5rem; border-radius: 6px; cursor: pointer; }
.yes { background: var(--yes); color: var(--paper); border: 1px solid var(--yes); }
.no { background: none; color: var(--ink); border: 1px solid var(--soft); }
:focus-visible { outline: 3px solid var(--yes); outline-offset: 2px; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
"""
