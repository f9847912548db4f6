"""What a role may do, by its policies: allowed, allowed under conditions, or not; never surer than what was read.

Bounded on purpose: identity policies, the permissions boundary and bucket policies are weighed. Policies of the
organisation and of sessions are not read, so an "allowed" here can only be too much, never too little.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal
from urllib.parse import unquote

Answer = Literal["allowed", "conditional", "denied"]
#: Statements of one role that are weighed; AWS allows at most about 20 policies of some 6 KB for each.
_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy; ``turned_*``: everything but (NotAction, NotResource)."""

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditional: bool
    policy: str
    turned_actions: bool = False
    turned_resources: bool = False
    principals: tuple[str, ...] = ()

    def applies(self, action: str, resource: str) -> bool:
        about = any(fnmatchcase(action.casefold(), _pattern(each.casefold())) for each in self.actions)
        on = any(fnmatchcase(resource, _pattern(each)) for each in self.resources)
        return about is not self.turned_actions and on is not self.turned_resources


@dataclass(frozen=True, slots=True)
class Role:
    """A role's own statements, and those of its boundary (None: it has none)."""

    arn: str
    statements: tuple[Statement, ...]
    boundary: tuple[Statement, ...] | None = None
    #: Policies that are named and could not be read.
    unread: tuple[str, ...] = ()


def role(body: Mapping[str, Any], policies: Mapping[str, Mapping[str, Any]]) -> Role:
    """A role as ``GetAccountAuthorizationDetails`` tells it; ``policies``: managed ones by their ARN."""
    found: list[Statement] = []
    unread: list[str] = []
    for inline in body.get("RolePolicyList") or ():
        found += statements(inline.get("PolicyDocument"), str(inline.get("PolicyName", "")))
    for attached in body.get("AttachedManagedPolicies") or ():
        arn = str(attached.get("PolicyArn", ""))
        if (document := _default(policies.get(arn))) is None:
            unread.append(arn)
        else:
            found += statements(document, str(attached.get("PolicyName", arn)))
    limit = str((body.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", ""))
    boundary = None
    if limit and (document := _default(policies.get(limit))) is not None:
        boundary = tuple(statements(document, limit.rpartition("/")[2]))
    return Role(str(body.get("Arn", "")), tuple(found[:_MOST]), boundary, tuple(unread))


def statements(document: Any, policy: str) -> Iterator[Statement]:
    """The statements of a policy document, given as text (also URL-encoded) or as values."""
    if isinstance(document, str):
        try:
            document = json.loads(document if document.lstrip().startswith("{") else unquote(document))
        except (ValueError, RecursionError):
            return
    if not isinstance(document, Mapping):
        return
    listed = document.get("Statement")
    for said in listed if isinstance(listed, list) else [listed]:
        if isinstance(said, Mapping):
            yield Statement(
                allows=said.get("Effect") == "Allow",
                actions=_words(said.get("Action", said.get("NotAction"))),
                resources=_words(said.get("Resource", said.get("NotResource", "*"))),
                conditional=bool(said.get("Condition")) or "${" in str(said.get("Resource", "")),
                policy=policy,
                turned_actions="NotAction" in said,
                turned_resources="NotResource" in said,
                principals=_principals(said.get("Principal")),
            )


def may(who: Role, action: str, resource: str, attached: Iterable[Statement] = ()) -> tuple[Answer, str]:
    """Whether a role may do something, and by which policy.

    attached: statements of a policy on the resource itself; those for other principals do not count.
    """
    for_it = [one for one in attached if _concerns(one, who.arn)]
    said = [one for one in (*who.statements, *for_it) if one.applies(action, resource)]
    if any(not one.allows and not one.conditional for one in said):
        return "denied", ""
    granting = sorted((one for one in said if one.allows), key=lambda one: one.conditional)
    if not granting:
        return "denied", ""
    sure = not granting[0].conditional and not any(not one.allows for one in said)
    if who.boundary is not None:
        inside = [one for one in who.boundary if one.applies(action, resource)]
        if not any(one.allows for one in inside) or any(not one.allows and not one.conditional for one in inside):
            return "denied", ""
        sure = sure and any(one.allows and not one.conditional for one in inside)
    return ("allowed" if sure else "conditional"), granting[0].policy


def named(who: Role, actions: Iterable[str]) -> Iterator[tuple[str, Statement]]:
    """ARNs that statements allow some action on in so many words, each with its statement."""
    wanted = tuple(actions)
    for one in who.statements:
        explicit = one.allows and not one.turned_actions and not one.turned_resources
        if explicit and any(
            fnmatchcase(action.casefold(), _pattern(each.casefold())) and each != "*"
            for each in one.actions
            for action in wanted
        ):
            yield from ((resource, one) for resource in one.resources)


def _pattern(said: str) -> str:
    """A policy's pattern as one of ``fnmatch``: a bracket is a letter like any other."""
    return said.replace("[", "[[]")


def _concerns(one: Statement, arn: str) -> bool:
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""
    return any(
        principal in ("*", arn) or principal == account or principal.endswith(f"::{account}:root")
        for principal in one.principals
    )


def _principals(said: Any) -> tuple[str, ...]:
    return _words(said.get("AWS")) if isinstance(said, Mapping) else _words(said)


def _default(policy: Mapping[str, Any] | None) -> Any:
    versions = (policy or {}).get("PolicyVersionList") or ()
    return next((each.get("Document") for each in versions if each.get("IsDefaultVersion")), None)


def _words(said: Any) -> tuple[str, ...]:
    listed = said if isinstance(said, list) else [said]
    return tuple(each for each in listed if isinstance(each, str))
