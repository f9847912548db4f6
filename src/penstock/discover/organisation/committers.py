"""Who committed most: the weakest guess at an owner, for where nobody said more."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from penstock.discover.collector import Source, Yielded, joiner
from penstock.discover.organisation.parties import person
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Observation

NAME = "organisation.committers"
#: Automatic committers as they sign themselves.
_BOT = re.compile(
    r"\[bot\]|(?:^|[^a-z])(?:bot|renovate|dependabot|github-actions|jenkins|ci)(?:$|[^a-z])", re.IGNORECASE
)
#: Somebody with less than a fifth of the commits does not stand for a repository.
SHARE = 0.2
MOST = 2


@joiner(NAME, sees="the people who committed most", unseen="who left since, and who only reviews")
def committers(source: Source) -> Iterator[Yielded]:
    """At most two people with a fifth of the commits each, as owners that are guessed."""
    commits: Counter[str] = Counter()
    people: dict[str, Asset] = {}
    names: dict[str, str] = {}
    for name, email, count in source.about.get("committers") or ():
        if _BOT.search(str(name)) or _BOT.search(str(email).partition("@")[0]) or "@" not in str(email):
            continue
        someone = person(str(email))
        commits[someone.id] += int(count)
        people[someone.id] = someone
        names.setdefault(someone.id, str(name))
    total = sum(commits.values())
    application = identity.application(source.scope)
    for id, count in sorted(commits.items(), key=lambda row: (-row[1], row[0]))[:MOST]:
        if count < SHARE * total:
            continue
        why = f"{names[id]} made {count} of {total} commits"
        at = source.evidence(NAME, "git log", confidence="guessed", chain=(why,))
        yield Observation(people[id], at)
        yield Observation(application, at)
        yield Observation(identity.relation(application, "owned_by", people[id]), at)
