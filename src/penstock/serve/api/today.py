"""Today: what changed since this person last looked, what matters most, and what cannot be seen."""

from __future__ import annotations

import msgspec

from penstock.graph.vocabulary import ADDING_SCOPES, Asset
from penstock.serve.api.cases import CaseRow, case_row
from penstock.serve.api.endpoint import Call, endpoint
from penstock.serve.api.shapes import Done, QuestionGroup, Ref, Risk, Trouble
from penstock.serve.api.shaping import question_groups, ref, risk
from penstock.serve.world import PEOPLE_KINDS, World

#: A pause after which a person counts as having come back: "since you last looked" then means before the pause.
VISIT_SECONDS = 30 * 60
#: Rows in each list of the page; the rest is one click away.
MOST_ROWS = 12
TOP_RISKS = 3
#: Assets whose questions are sent.
MOST_ASKED = 4


class ChangedAsset(msgspec.Struct, frozen=True):
    """``what`` is new, gone or changed; ``fields`` names what differs."""

    asset: Ref
    what: str
    fields: tuple[str, ...] = ()


class SinceLastLook(msgspec.Struct, frozen=True):
    """``since`` is None on a first look, when everything is new and listing it would say nothing."""

    since: float | None
    added: int
    removed: int
    changed: int
    new_risks: int
    assets: tuple[ChangedAsset, ...]


class Blind(msgspec.Struct, frozen=True):
    """What cannot be seen: ``failed`` places that should have been read, and ``skipped`` ones left out on purpose."""

    failed: int
    skipped: int


class Today(msgspec.Struct, frozen=True):
    """The first page."""

    organisation: str
    user: str
    now: float
    last_scan: float | None
    kinds: dict[str, int]
    changes: SinceLastLook
    open_risks: dict[str, int]
    top: tuple[Risk, ...]
    blind: Blind
    question_count: int
    questions: tuple[QuestionGroup, ...]
    case_count: int
    cases: tuple[CaseRow, ...]
    troubles: tuple[Trouble, ...]


@endpoint("GET", "/today")
def today(call: Call) -> Today:
    """What changed since you last looked, the risks that matter most, what cannot be seen, questions and cases."""
    live, world = call.live, call.live.world
    scans = [at for at, scopes, _ in live.store.scans() if not ADDING_SCOPES.issuperset(scopes)]
    kinds: dict[str, int] = {}
    for asset in world.inventory:
        kinds[asset.kind] = kinds.get(asset.kind, 0) + 1
    severities: dict[str, int] = {}
    for finding in world.assessment.findings:
        severities[finding.severity] = severities.get(finding.severity, 0) + 1
    open_cases = [case for case in world.cases if case.state == "open"]
    skipped = sum(unseen.skipped for unseen in world.graph.unseen)
    return Today(
        live.settings.organisation.name,
        call.user,
        call.now,
        scans[0] if scans else None,
        dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0]))),
        _changes(call, world),
        severities,
        tuple(risk(world, f) for f in world.assessment.findings[:TOP_RISKS]),
        Blind(len(world.graph.unseen) - skipped, skipped),
        len(world.assessment.questions),
        question_groups(world, MOST_ASKED),
        len(open_cases),
        tuple(case_row(world, case) for case in open_cases[:MOST_ROWS]),
        tuple(Trouble(f.what, f.why, f.since, f.times) for f in live.failures.values()),
    )


@endpoint("POST", "/today/seen")
def mark_seen(call: Call) -> Done:
    """Start "since you last looked" anew from now."""
    call.live.store.put(_key(call.user), {"since": call.now, "last": call.now})
    return Done("From now on, changes count from this moment")


def _changes(call: Call, world: World) -> SinceLastLook:
    since = _last_look(call)
    if since is None:
        return SinceLastLook(None, len(world.inventory), 0, 0, len(world.assessment.findings), ())
    changes = call.live.looks.since(since, world.graph)
    listed = {asset.id for asset in world.inventory}
    new = [a for a in changes.added if a.id in listed]
    gone = [a for a in changes.removed if a.kind not in PEOPLE_KINDS]
    other = {a: f for a, f in changes.changed.items() if a in listed and set(f) - {"last_seen", "first_seen"}}
    rows = [ChangedAsset(_ref(a), "new") for a in new]
    rows += [ChangedAsset(_ref(a), "gone") for a in gone]
    rows += [ChangedAsset(ref(world, a), "changed", tuple(sorted(fields))) for a, fields in other.items()]
    fresh = sum(first > since for first in world.first_seen.values())
    return SinceLastLook(since, len(new), len(gone), len(other), fresh, tuple(rows[:MOST_ROWS]))


def _last_look(call: Call) -> float | None:
    """The end of this person's visit before this one; looking is what moves it."""
    store, key = call.live.store, _key(call.user)
    kept = store.get(key)
    if not isinstance(kept, dict):
        store.put(key, {"since": None, "last": call.now})
        return None
    since, last = kept.get("since"), float(kept.get("last") or call.now)
    if call.now - last > VISIT_SECONDS:
        since = last
    if call.now - last > 60:
        store.put(key, {"since": since, "last": call.now})
    return float(since) if since is not None else None


def _key(user: str) -> str:
    return f"visit:{user}"


def _ref(asset: Asset) -> Ref:
    return Ref(asset.id, asset.kind, asset.name)
