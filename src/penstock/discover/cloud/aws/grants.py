"""Which data the roles can read that AI runs as: ``identity can_read data_store``, as surely as the policies say it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from penstock.discover.cloud.aws import reach
from penstock.discover.cloud.aws.doors import readers
from penstock.discover.cloud.aws.listing import Item, Listed
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Evidence, Observation

#: Buckets that are named one by one for a role that can read more; beyond, the role says so in words.
MOST_BUCKETS = 50

Said = Callable[[Item, tuple[str, ...], str], Evidence]


def grants(
    listed: Listed, assets: Mapping[str, Asset], said: Said, bucket: Callable[[Item], Asset]
) -> Iterator[Observation]:
    """Reach of the roles in the graph: buckets that a policy names, and those in the graph that any policy covers.

    A bucket that only a pattern over all buckets covers is not drawn into the graph for that.
    """
    policies = {item.arn: item.body for item in listed.of("policies")}
    buckets = listed.of("buckets")
    for item in listed.of("identities"):
        if (asset := assets.get(item.arn)) is None:
            continue
        who = reach.role(item.body, policies)
        if who.unread:
            yield Observation(
                replace(asset, props={"scope": f"{len(who.unread)} of its policies could not be read"}),
                said(item, tuple(f"policy {arn}" for arn in who.unread[:5]), "inferred"),
            )
        yield from _buckets(item, asset, who, buckets, assets, said, bucket)
    for principal, collection, policy in readers(listed):
        who_asset, store = assets.get(principal), assets.get(collection.arn)
        if who_asset is not None and store is not None:
            why = (f"the data access policy {policy} allows it",)
            yield Observation(identity.relation(who_asset, "can_read", store), said(collection, why, "resolved"))


def _buckets(
    item: Item, asset: Asset, who: reach.Role, buckets: list[Item], assets: Mapping[str, Asset], said: Said,
    bucket: Callable[[Item], Asset],
) -> Iterator[Observation]:  # fmt: skip
    reached: list[tuple[Item, reach.Answer, str]] = []
    for each in buckets:
        attached = tuple(reach.statements(each.body.get("policy"), f"bucket policy of {each.body.get('Name')}"))
        answer, policy = reach.may(who, "s3:GetObject", f"{each.arn}/*", attached)
        if answer != "denied":
            reached.append((each, answer, policy))
    narrow = [found for found in reached if found[0].arn in assets or _by_name(who, found[0].arn)]
    for each, answer, policy in narrow[:MOST_BUCKETS]:
        store = assets.get(each.arn) or bucket(each)
        sure = "resolved" if answer == "allowed" else "inferred"
        why = f"{policy} allows s3:GetObject" + (" under conditions" if answer == "conditional" else "")
        evidence = said(item, (why,), sure)
        if each.arn not in assets:
            yield Observation(store, evidence)
        yield Observation(identity.relation(asset, "can_read", store), evidence)
    if len(reached) > len(narrow[:MOST_BUCKETS]):
        words = f"can read {len(reached)} of {len(buckets)} buckets of the account"
        yield Observation(replace(asset, props={"scope": words}), said(item, (words,), "resolved"))


def _by_name(who: reach.Role, arn: str) -> bool:
    """Whether a policy of the role names the bucket itself, not only a pattern that covers it."""
    return any(
        one.allows and any(resource.startswith(f"{arn}/") or resource == arn for resource in one.resources)
        for one in who.statements
    )
