"""One AWS account as a scan: listed, looked into where AI leads to, and said in the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from penstock.discover.cloud.aws.callers import callers, may_guard
from penstock.discover.cloud.aws.calls import listings
from penstock.discover.cloud.aws.doors import Door, doors, facts
from penstock.discover.cloud.aws.grants import grants
from penstock.discover.cloud.aws.journal import Journal, journal_of
from penstock.discover.cloud.aws.listing import Gap, Item, Listed, Lister, OnProgress
from penstock.discover.cloud.aws.resources import meant, referred, thing, unlisted
from penstock.discover.cloud.aws.session import HOME, Account, Trouble
from penstock.discover.cloud.aws.tags import said_by_tags
from penstock.discover.cloud.things import Index, Thing, observations
from penstock.discover.infra.resources import row_of
from penstock.graph import identity
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import WORST_FIRST, Asset, Complete, Evidence, Observation, Unseen

COLLECTOR = "cloud.aws"
#: Rounds of looking into what AI leads to: what a role reaches may lead to more.
_ROUNDS = 3


def scan(
    account: Account,
    regions: Iterable[str] = (),
    *,
    state: Path,
    now: float,
    on_progress: OnProgress | None = None,
) -> tuple[Scan, Journal]:
    """What an account holds of AI, and the journal to be ended (``done``) once the scan is taken in.

    regions: all that are enabled when none is named.
    """
    journal = journal_of(state, account.id, now=now)
    early: list[Unseen] = []
    chosen = tuple(regions) or _regions(account, early)
    lister = Lister(account, chosen, journal, on_progress)
    listed = lister.run()
    told = Told(account, lister)
    found = tuple(told.observations())
    places = {place: f"{told.scope}:{place[0]}:{place[1]}" for place in sorted(listed.places)}
    finished = tuple(places[place] for place in sorted(_finished(listed)))
    unseen = (*early, *_unseen(listed, places, told.scope), *_other_accounts(listed, account.id, told.scope))
    complete = tuple(
        Complete(scope, "guarded_by", COLLECTOR) for scope in finished if told.guards_known or not _calling(scope)
    )
    return Scan(found, complete, unseen, tuple(places.values()), finished, now), journal


def _finished(listed: Listed) -> set[tuple[str, str]]:
    """Places that were seen whole. What is in the graph only because AI leads to it is, where all the rest was."""
    if listed.ended:
        return set()
    if listed.whole == listed.places:
        return listed.whole
    standing = {row.id for row in listings() if (of_type := row_of(row.type)) is not None and not of_type.linked}
    return {place for place in listed.whole if place[1] in standing}


def _openness(props: Mapping[str, Any]) -> tuple[int, int]:
    """Where a door stands from the most open to the least."""
    return tuple(  # type: ignore[return-value]
        WORST_FIRST[name].index(props[name]) if name in props else len(WORST_FIRST[name])
        for name in ("exposure", "auth")
    )


def _calling(scope: str) -> bool:
    return scope.endswith((":functions", ":container-services"))


class Told:
    """What the items of one account say in the graph."""

    def __init__(self, account: Account, lister: Lister) -> None:
        self.scope = f"cloud:aws:{account.id}"
        self._account = account
        self._lister = lister
        self._listed = lister.listed
        self._evidence: dict[str, Evidence] = {}
        #: False where code may ask a guardrail by itself, so that none in sight says nothing.
        self.guards_known = not may_guard(self._listed)

    def observations(self) -> Iterator[Observation]:
        things, described = self._things()
        numbered: list[Thing] = []
        for number, each in enumerate(things.values()):
            # status and evidence go by a file's path elsewhere; an ARN with "test" in it is no test
            place = f"aws{number}"
            self._evidence[place] = described[each.id]
            numbered.append(replace(each, place=place))
        assets: dict[str, Asset] = {}
        ids = {self._asset(each).id: each.id for each in things.values() if row_of(each.type)}
        for one in observations(numbered, self.scope, COLLECTOR):
            evidence = self._evidence.get(one.evidence.where.removesuffix(":0"), one.evidence)
            if isinstance(one.subject, Asset) and one.subject.id in ids:
                assets[ids[one.subject.id]] = one.subject
            yield Observation(one.subject, replace(evidence, chain=one.evidence.chain))
        yield from self._settings(things, assets)
        yield from said_by_tags(self._listed, assets, self._said)
        yield from grants(self._listed, assets, self._said, self._bucket)

    def _things(self) -> tuple[dict[str, Thing], dict[str, Evidence]]:
        """All things by ARN, after what AI leads to was looked into, and the evidence for each."""
        for _ in range(_ROUNDS):
            things = {item.arn: thing(item) for item in self._listed.items.values() if item.listing.type}
            index = Index.of(things.values())
            calling = callers(self._listed, things, index)
            things |= {each.id: each for each in calling}
            wanted = meant(things, referred(things.values(), index))
            # a function that AI refers to is a tool of its own, with the role it runs as
            things |= {
                arn: replace(things[arn], type="aws:runs-for-ai")
                for arn in wanted
                if arn in things and things[arn].type == "AWS::Lambda::Function"
            }
            known = {arn for arn in wanted if arn in self._listed.items}
            before = {arn: len(self._listed.items[arn].body) for arn in known}
            self._lister.details(known)
            if all(len(self._listed.items[arn].body) == size for arn, size in before.items()):
                break
        evidence = {arn: self._at(item) for arn, item in self._listed.items.items() if arn in things}
        for door in self._doors(things, wanted):
            things[door.id] = Thing(
                door.id, "aws:leads-to-ai", door.name, {"functions": sorted(door.functions & things.keys())}, door.id
            )
            evidence[door.id] = self._at(door.item)
        around = [things[arn] for arn in sorted(wanted) if arn in things]
        for missing, who in unlisted(around, index, self._account.id, self._account.partition):
            things[missing.id] = missing
            evidence[missing.id] = replace(evidence[who.id], confidence="resolved")
        return things, evidence

    def _doors(self, things: Mapping[str, Thing], wanted: set[str]) -> Iterator[Door]:
        for door in doors(self._listed):
            if any(arn in wanted for arn in door.functions):
                yield door

    def _settings(self, things: Mapping[str, Thing], assets: Mapping[str, Asset]) -> Iterator[Observation]:
        """Exposure and protection, each with its reason."""
        for fact in facts(self._listed):
            if (asset := assets.get(fact.arn)) is not None:
                yield self._with(asset, fact.props, self._listed.items[fact.arn], fact.why)
        for door in doors(self._listed):
            if (asset := assets.get(door.id)) is not None:
                yield self._with(asset, door.props, door.item, door.why)
        for arn, behind in sorted(self._callers(assets).items()):
            door = min(behind, key=lambda each: _openness(each.props))
            props = {key: value for key, value in door.props.items() if key in ("exposure", "auth")}
            yield self._with(assets[arn], props, door.item, f"{door.name}: {door.why}")

    def _callers(self, assets: Mapping[str, Asset]) -> dict[str, list[Door]]:
        """The applications that doors lead to, each with all of its doors."""
        found: dict[str, list[Door]] = {}
        for door in doors(self._listed):
            for arn in door.functions:
                if "exposure" in door.props and arn in assets and assets[arn].kind == "application":
                    found.setdefault(arn, []).append(door)
        return found

    def _with(self, asset: Asset, props: Mapping[str, Any], item: Item, why: str) -> Observation:
        known = {key: value for key, value in props.items() if value not in (None, "")}
        return Observation(replace(asset, props=known), replace(self._at(item), chain=(why,)))

    def _said(self, item: Item, chain: tuple[str, ...], confidence: str = "declared") -> Evidence:
        return replace(self._at(item), chain=chain, confidence=confidence)

    def _at(self, item: Item) -> Evidence:
        scope = f"{self.scope}:{item.region}:{item.listing.id}"
        return Evidence(COLLECTOR, item.arn, "declared", (), scope)

    def _asset(self, each: Thing) -> Asset:
        row = row_of(each.type)
        return identity.asset(
            row.kind if row else "infrastructure", each.name, scope=self.scope, key=f"{self.scope}/{each.id}"
        )

    def _bucket(self, item: Item) -> Asset:
        return self._asset(thing(item))


def _regions(account: Account, early: list[Unseen]) -> tuple[str, ...]:
    try:
        return account.regions()
    except Trouble as trouble:
        only = account.region or HOME
        early.append(
            Unseen(
                f"AWS account {account.id}", "the regions but one", f"they could not be listed: {trouble.why}",
                f"Allow ec2:DescribeRegions, or name them with --region; {only} was looked at",
                collector=COLLECTOR, scope=f"cloud:aws:{account.id}",
            )
        )  # fmt: skip
        return (only,)


def _unseen(listed: Listed, places: Mapping[tuple[str, str], str], scope: str) -> Iterator[Unseen]:
    for gap in listed.gaps:
        yield _gap(gap, places[gap.region, gap.listing.id])
    if listed.ended:
        rest = len(listed.places - listed.whole)
        yield Unseen(
            scope.replace("cloud:aws:", "AWS account "), f"{rest} of {len(listed.places)} listings",
            f"the credentials were no longer taken: {listed.ended}",
            "Sign in again and repeat the command: it goes on where it was", collector=COLLECTOR, scope=scope,
        )  # fmt: skip


def _gap(gap: Gap, scope: str) -> Unseen:
    hint = f"Allow {gap.permission}" if gap.permission else ("" if gap.skipped else "Try again")
    where = f"AWS {gap.region}" if not gap.listing.once else "AWS"
    what = gap.listing.id.replace("-", " ")
    return Unseen(where, what, gap.why, hint, collector=COLLECTOR, scope=scope, skipped=gap.skipped)


def _other_accounts(listed: Listed, own: str, scope: str) -> Iterator[Unseen]:
    """The accounts of the organisation that these credentials do not lead into."""
    for item in listed.of("accounts"):
        if str(item.body.get("Id")) != own and item.body.get("Status", "ACTIVE") == "ACTIVE":
            yield Unseen(
                f"AWS account {item.body.get('Id')}", str(item.body.get("Name", "")),
                "it is another account of the organisation", "Scan it with a profile of its own: --profile NAME",
                collector=COLLECTOR, scope=scope, skipped=True,
            )  # fmt: skip


def all_types() -> tuple[str, ...]:
    """The types of resources that are looked for."""
    return tuple(dict.fromkeys(row.type for row in listings() if row.type))
