"""Rules that an operator writes, checked in the file's own words and turned into rules of callers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from penstock.errors import NotUnderstood
from penstock.graph.vocabulary import LABELS
from penstock.protect.exchange import CHANNELS
from penstock.protect.facts import condition, named
from penstock.protect.identities import ALGORITHMS
from penstock.protect.policy import ACTIONS, ATTACK
from penstock.protect.snapshot import Rule
from penstock.settings import PolicySetting, Settings

#: What ``match.data`` may name beside the labels of data.
_BESIDE_LABELS = frozenset({"*", ATTACK, "hidden"})
#: Actions that come before a call is sent, so that they say nothing of an answer.
_ON_THE_WAY_IN = frozenset({"throttle", "route", "tokenise"})
#: Actions that need a text to act on.
_ON_TEXTS = frozenset({"redact", "tokenise"})


def check(settings: Settings, where: str) -> None:
    """Whether every rule can be put in force.

    Raises:
        NotUnderstood: one cannot; it says which, and what to write instead.
    """
    seen: set[str] = set()
    upstreams = {upstream.name for upstream in settings.upstreams}
    regions = {f"region:{upstream.region}" for upstream in settings.upstreams if upstream.region}
    for rule in settings.policy:
        place = f"{where}: policy, {rule.id}"
        if rule.id in seen:
            raise NotUnderstood(f"Two rules are called {rule.id}", place, "Give one of them another id")
        seen.add(rule.id)
        _one_of("action", [rule.action], ACTIONS, place)
        _one_of("on_error", [rule.on_error], ("allow", "ask", "stop"), place)
        _one_of("match.direction", [rule.match.direction], ("in", "out"), place)
        _one_of("match.channel", rule.match.channel, CHANNELS, place)
        _one_of("match.data", rule.match.data, {*LABELS, *_BESIDE_LABELS}, place)
        _one_of("match.labels", rule.match.labels, LABELS, place)
        if rule.match.direction == "out" and rule.action in _ON_THE_WAY_IN:
            raise NotUnderstood(f"An answer cannot be met with {rule.action}", place, "Write direction: in")
        if rule.action in _ON_TEXTS and not rule.match.data:
            raise NotUnderstood(f"{rule.action} needs to know which data", place, "Name them in match.data")
        if rule.match.direction == "out" and not rule.match.data:
            raise NotUnderstood("A rule about answers needs to know which data", place, "Name them in match.data")
        if rule.action == "route":
            _one_of("to", [rule.to], upstreams | regions, place)
        if rule.action == "throttle" and rule.calls < 1:
            raise NotUnderstood("A throttle needs a number of calls", place, "Write calls: 10 and seconds: 60")
        if rule.when:
            try:
                condition(rule.when)
            except NotUnderstood as error:
                raise NotUnderstood(error.message, f"{place}.when", error.hint) from error


def check_identities(settings: Settings, where: str) -> None:
    """Whether every issuer can be trusted and every identity be met.

    Raises:
        NotUnderstood: one cannot; it says which, and what to write instead.
    """
    for issuer in settings.issuers:
        place = f"{where}: issuers, {issuer.issuer}"
        _one_of("algorithm", issuer.algorithms, ALGORITHMS, place)
        if not issuer.algorithms:
            raise NotUnderstood("No signature would be taken", place, "Name an algorithm, such as RS256")
        if not issuer.issuer or not issuer.audience:
            raise NotUnderstood("Tokens are taken for one audience only", place, "Name the audience they are made for")
        address = urlsplit(issuer.jwks)
        safe = address.scheme == "https" or (address.scheme == "http" and address.hostname in _LOOPBACK)
        if not (safe or issuer.jwks.startswith("/")):
            hint = "Give an https URL or a full path"
            raise NotUnderstood("Keys of an issuer must come safely", f"{place}.jwks", hint)
    known = [issuer.issuer for issuer in settings.issuers]
    for identity in settings.identities:
        place = f"{where}: identities, {identity.application}"
        if identity.certificate and identity.issuer:
            raise NotUnderstood("A token and a certificate are two identities", place, "Write two entries")
        if identity.certificate:
            continue
        _one_of("issuer", [identity.issuer], known, place)
        if not (identity.subject or identity.service_account or identity.claims):
            raise NotUnderstood("Every token of the issuer would match", place, "Name a subject or a claim")
        if identity.service_account and identity.service_account.count("/") != 1:
            raise NotUnderstood("A service account has a namespace and a name", place, "Write namespace/name")


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _one_of(name: str, given: Iterable[str], known: Iterable[str], place: str) -> None:
    allowed = sorted(known)
    for word in given:
        if word not in allowed:
            near = difflib.get_close_matches(word, allowed, 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise NotUnderstood(f"{word!r} is no {name}", place, f"{hint}Known: {', '.join(allowed) or 'none'}")


def rules_for(
    policy: Iterable[PolicySetting], *, application: str, name: str, about: Mapping[str, Any]
) -> list[tuple[PolicySetting, Rule]]:
    """The rules that are about an application.

    Args:
        about: what is known of it; ``touches`` and ``environment`` decide here, the rest is for conditions.
    """
    return [(one, _rule(one)) for one in policy if _concerns(one, application, name, about)]


def _concerns(rule: PolicySetting, application: str, name: str, about: Mapping[str, Any]) -> bool:
    match = rule.match
    if match.application and not (named(name, match.application) or application in match.application):
        return False
    if match.labels and not set(match.labels) & set(about.get("touches", ())):
        return False
    return not match.environment or str(about.get("env", "")) in match.environment


def _rule(setting: PolicySetting) -> Rule:
    match = setting.match
    return Rule(
        id=setting.id,
        direction=match.direction,
        categories=match.data,
        action=setting.action,
        why=setting.why or "the operator's policy says so",
        types=match.type,
        channels=match.channel,
        models=match.model,
        providers=match.provider,
        tools=match.tool,
        when=setting.when,
        on_error=setting.on_error,
        message=setting.message,
        single=setting.single,
        per_session=setting.per_session,
        tag=setting.tag,
        to=setting.to,
        model=setting.model,
        calls=setting.calls,
        seconds=setting.seconds,
    )
