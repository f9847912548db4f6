"""Runs the listings: in parallel, page by page, each item with what more is asked about it, and never without an end.

What cannot be listed is a gap, and its place is not among those that were seen whole: nothing there is forgotten.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from penstock.discover.cloud.aws.calls import Call, Listing, filled, listings, permission
from penstock.discover.cloud.aws.journal import Journal, Page
from penstock.discover.cloud.aws.kept import kept
from penstock.discover.cloud.aws.session import HOME, PARALLEL, Account, Trouble

#: Pages of one listing, and items of one account, after which it is enough: an API may never come to an end.
MOST_PAGES, MOST_ITEMS = 1_000, 500_000
#: Listings that are read at the same time.
_LISTINGS = 8
#: Fields of tokens in answers, and the parameter that takes each.
_TOKENS = (
    ("nextToken", "nextToken"), ("NextToken", "NextToken"), ("NextMarker", "Marker"), ("Marker", "Marker"),
    ("ContinuationToken", "ContinuationToken"), ("PaginationToken", "PaginationToken"), ("position", "position"),
)  # fmt: skip

#: (listings done, listings in all, items found, what is being listed)
OnProgress = Callable[[int, int, int, str], None]


@dataclass(slots=True)
class Item:
    """One resource: what was kept of the answers, and what it is asked for with (``fields``)."""

    listing: Listing
    region: str
    body: dict[str, Any]
    fields: Mapping[str, Any]
    arn: str

    @property
    def place(self) -> tuple[str, str]:
        return self.region, self.listing.id


@dataclass(frozen=True, slots=True)
class Gap:
    """What was not listed, where, and why; ``skipped``: on purpose, or because there is nothing to list."""

    region: str
    listing: Listing
    why: str
    permission: str = ""
    skipped: bool = False


@dataclass(slots=True)
class Listed:
    """All that was found. ``whole``: places (region, listing) that were seen from the first item to the last."""

    items: dict[str, Item] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    whole: set[tuple[str, str]] = field(default_factory=set)
    places: set[tuple[str, str]] = field(default_factory=set)
    #: Why the credentials were no longer taken; empty while they are.
    ended: str = ""

    def of(self, listing: str) -> list[Item]:
        return [item for item in list(self.items.values()) if item.listing.id == listing]


class Lister:
    """One run over one account."""

    def __init__(
        self, account: Account, regions: Iterable[str], journal: Journal, on_progress: OnProgress | None = None
    ) -> None:
        self.account = account
        self.listed = Listed()
        self._regions = tuple(regions)
        self._journal = journal
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._broken: set[tuple[str, str]] = set()
        self._told: set[tuple[str, str, str]] = set()
        self._done = 0

    def run(self) -> Listed:
        """Every listing once: those that stand alone first, then those that are asked for each item of another."""
        waiting = [(row, region) for row in listings() for region in ((HOME,) if row.once else self._regions)]
        self.listed.places = {(region, row.id) for row, region in waiting}
        total = len(waiting)
        with ThreadPoolExecutor(_LISTINGS) as outer, ThreadPoolExecutor(PARALLEL) as inner:
            while waiting:
                open_ = {(row.id, region) for row, region in waiting}
                ready = [(row, region) for row, region in waiting if (row.of, region) not in open_]
                waiting = [each for each in waiting if each not in ready]
                for task in [outer.submit(self._place, row, region, inner, total) for row, region in ready]:
                    task.result()
        self.listed.whole = self.listed.places - self._broken
        return self.listed

    def details(self, wanted: Collection[str]) -> None:
        """Ask the rest about items that something of AI refers to, by their ARNs; what was asked before is not."""
        items = [self.listed.items[arn] for arn in sorted(wanted) if arn in self.listed.items]
        with ThreadPoolExecutor(PARALLEL) as pool:
            for _ in pool.map(self._detail, [item for item in items if item.listing.details]):
                pass
        self.listed.whole -= self._broken

    # ── one listing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _place(self, row: Listing, region: str, pool: ThreadPoolExecutor, total: int) -> None:
        if not row.once and not self.account.offers(row.service, region):
            with self._lock:  # nothing can be there
                self.listed.gaps.append(Gap(region, row, "the service is not offered in this region", skipped=True))
        elif not row.of:
            self._keep(row, region, self._all(row, region, None, pool.map))
        else:
            if (region, row.of) in self._broken:
                self._broken.add((region, row.id))  # of those whose owners were not seen
            owners = [item for item in self.listed.of(row.of) if item.region == region]
            each = partial(self._of_owner, row, region)
            for owner, found in zip(owners, pool.map(each, owners), strict=True):
                self._attach(row, region, owner, found)
        with self._lock:
            self._done += 1
            if self._on_progress:
                self._on_progress(self._done, total, len(self.listed.items), f"{row.id} in {region}")

    def _of_owner(self, row: Listing, region: str, owner: Item) -> list[Item]:
        return list(self._all(row, region, owner, map))

    def _attach(self, row: Listing, region: str, owner: Item, found: list[Item]) -> None:
        if row.into:
            owner.body = {**owner.body, row.into: [item.body for item in found]}
        else:
            self._keep(row, region, found)

    def _keep(self, row: Listing, region: str, found: Iterable[Item]) -> None:
        for item in found:
            with self._lock:
                if len(self.listed.items) >= MOST_ITEMS:
                    self._broken.add((region, row.id))
                    self.listed.gaps.append(Gap(region, row, f"the account has more than {MOST_ITEMS:,} resources"))
                    return
                self.listed.items[item.arn] = item

    def _all(self, row: Listing, region: str, owner: Item | None, over: Callable[..., Iterable[Any]]) -> Iterator[Item]:
        """Every item of one listing; those that an earlier run wrote down are not asked for again."""
        of = owner.arn if owner else ""
        earlier = self._journal.pages(region, row.id, of)
        for page in earlier:
            yield from filter(None, (self._item(row, region, owner, body) for body in page.items))
        if earlier and earlier[-1].next is None:
            return
        token = earlier[-1].next if earlier else ""
        seen = {token}
        for number in range(MOST_PAGES):
            if self._stopped():
                self._broken.add((region, row.id))
                return
            try:
                bodies, following = self._page(row, region, owner, token or "")
            except Trouble as trouble:
                if trouble.kind == "token" and number == 0 and token:  # too old to go on with: from the start
                    token = ""
                    continue
                self._trouble(row, row.list, region, trouble)
                return
            full = [body for body in over(partial(self._asked, row, region, owner), bodies) if body is not None]
            if self._stopped():
                self._broken.add((region, row.id))
            elif (region, row.id) not in self._broken:  # what is told as a gap is asked for again
                self._journal.add(Page(region, row.id, of, tuple(full), following or None))
            yield from filter(None, (self._item(row, region, owner, body) for body in full))
            if not following:
                return
            if following in seen:
                break
            seen.add(following)
            token = following
        self._gap(row, region, "it never comes to an end: the same page again, or too many")

    def _page(
        self, row: Listing, region: str, owner: Item | None, token: str
    ) -> tuple[list[dict[str, Any]], str | None]:
        ambient = self._ambient(region, owner)
        parameters = {key: filled(text, ambient) for key, text in row.list.with_.items()}
        if token:
            name, _, value = token.partition("=")
            parameters[name] = value
        answer = self.account.ask(row.service, region, row.list.op, parameters)
        found = _at(answer, row.list.at)
        if row.alone:
            return ([kept(found, row.drop)] if found else []), None
        bodies = [
            kept(each, row.drop) if isinstance(each, Mapping) else {"value": str(each)}
            for each in (found if isinstance(found, list) else ())
        ]
        if answer.get("IsTruncated") is False:
            return bodies, None
        return bodies, next((f"{taken}={answer[given]}" for given, taken in _TOKENS if answer.get(given)), None)

    def _asked(self, row: Listing, region: str, owner: Item | None, body: dict[str, Any]) -> dict[str, Any] | None:
        """An item with what more is asked about it; None when it is gone by now."""
        for number, call in enumerate(row.get):
            if self._stopped():
                return body
            try:
                body = self._more(row, call, region, {**self._ambient(region, owner), **body}, body)
            except Trouble as trouble:
                if trouble.kind == "gone":
                    if number == 0:
                        return None
                    continue
                self._trouble(row, call, region, trouble)
        for name in row.keep:
            if owner and name not in body:
                body = {**body, name: owner.body.get(name)}
        return body

    def _more(
        self, row: Listing, call: Call, region: str, fields: Mapping[str, Any], body: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            parameters = {key: filled(text, fields) for key, text in call.with_.items()}
        except KeyError as missing:
            raise Trouble("broken", f"its answer has no {missing}") from None
        answer = kept(_at(self.account.ask(row.service, region, call.op, parameters), call.at), row.drop)
        if call.as_:
            return {**body, call.as_: answer}
        return {**body, **answer} if isinstance(answer, dict) else body

    def _detail(self, item: Item) -> None:
        row = item.listing
        if earlier := self._journal.pages(item.region, f"{row.id}+", item.arn):
            item.body = {**item.body, **earlier[-1].items[0]}
            return
        before = dict(item.body)
        for call in row.details:
            if self._stopped():
                self._broken.add(item.place)
                return
            try:
                region = str(item.body.get("BucketRegion") or item.region)
                item.body = self._more(row, call, region, {**item.fields, **item.body}, item.body)
            except Trouble as trouble:
                if trouble.kind != "gone":
                    self._trouble(row, call, item.region, trouble)
        added = {key: value for key, value in item.body.items() if key not in before or before[key] != value}
        if item.place not in self._broken:
            self._journal.add(Page(item.region, f"{row.id}+", item.arn, (added,), None))

    def _stopped(self) -> bool:
        return bool(self.listed.ended)

    # ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────

    def _trouble(self, row: Listing, call: Call, region: str, trouble: Trouble) -> None:
        if trouble.kind == "ended":
            with self._lock:
                self.listed.ended = self.listed.ended or trouble.why
                self._broken.add((region, row.id))
            return
        if trouble.kind == "gone" and call is row.list:
            return  # whose parts these would be is gone, or there is no organisation
        self._gap(row, region, trouble.why, permission(row, call) if trouble.kind == "refused" else "")

    def _gap(self, row: Listing, region: str, why: str, needed: str = "") -> None:
        with self._lock:
            self._broken.add((region, row.id))
            if (region, row.id, needed or why) not in self._told:
                self._told.add((region, row.id, needed or why))
                self.listed.gaps.append(Gap(region, row, why, needed))

    # ── items ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _item(self, row: Listing, region: str, owner: Item | None, body: dict[str, Any]) -> Item | None:
        fields = {**self._ambient(region, owner), **body}
        try:
            arn = str(filled(row.arn, fields))
        except KeyError:
            self._gap(row, region, "an item without what identifies it")
            return None
        return Item(row, region, body, fields, arn)

    def _ambient(self, region: str, owner: Item | None) -> dict[str, Any]:
        about: dict[str, Any] = {
            "region": region, "account": self.account.id, "partition": self.account.partition or "aws"
        }  # fmt: skip
        if owner:
            about |= owner.body
            about |= {f"of.{key}": value for key, value in owner.body.items()}
        return about


def _at(answer: Any, path: str) -> Any:
    """The part of an answer under a path such as ``services.0``; None where it has none."""
    for step in filter(None, path.split(".")):
        if step.isdigit():
            answer = answer[int(step)] if isinstance(answer, list) and len(answer) > int(step) else None
        else:
            answer = answer.get(step) if isinstance(answer, Mapping) else None
    return answer
