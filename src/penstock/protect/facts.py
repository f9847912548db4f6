"""What a rule may ask of a call beside its texts: who is asked, for which model, where, with which tools."""

from __future__ import annotations

from fnmatch import fnmatchcase

import msgspec

from penstock.conditions import SCHEMAS, Condition, Field, Unknown, compile
from penstock.protect.snapshot import Caller, Rule


class Facts(msgspec.Struct, frozen=True):
    """Equal for calls that all rules treat alike, so that which rules hold is found once."""

    surface: str = ""
    model: str = ""
    provider: str = ""
    region: str = ""
    stream: bool = False
    tools: tuple[str, ...] = ()
    #: the conversation's name, given only where a condition asks for it: there are more of these than of all the rest
    session: str = ""


#: What conditions may speak of.
VARIABLES = {"application": "asset", "call": "call"}
_CALL = {
    "surface": Field("text"), "model": Field("text"), "provider": Field("text"), "region": Field("text"),
    "stream": Field("flag"), "tools": Field("words"), "session": Field("text"),
}  # fmt: skip
_SCHEMAS = {**SCHEMAS, "call": _CALL}


def condition(source: str) -> Condition:
    """A rule's condition, compiled.

    Raises:
        NotUnderstood: it is not in the dialect, or speaks of what is not declared.
    """
    return compile(source, VARIABLES, schemas=_SCHEMAS)


class Matcher:
    """Whether a rule is about a call; its condition is compiled once."""

    def __init__(self, rule: Rule, caller: Caller) -> None:
        self.rule = rule
        self._about = caller.about
        self._condition = condition(rule.when) if rule.when else None

    @property
    def always(self) -> bool:
        rule = self.rule
        return not (rule.models or rule.providers or rule.tools or self._condition)

    def holds(self, facts: Facts) -> bool:
        rule = self.rule
        if rule.models and not named(facts.model, rule.models):
            return False
        if rule.providers and not named(facts.provider, rule.providers):
            return False
        if rule.tools and not any(named(tool, rule.tools) for tool in facts.tools):
            return False
        if self._condition is None:
            return True
        call = {
            "surface": facts.surface, "model": facts.model, "provider": facts.provider, "stream": facts.stream,
            "tools": facts.tools,
        }  # fmt: skip
        if facts.session:
            call["session"] = facts.session
        if facts.region:
            call["region"] = facts.region  # unknown, not empty, where the operator has not said
        answer = self._condition.evaluate({"application": self._about, "call": call})
        return rule.on_error != "allow" if isinstance(answer, Unknown) else answer


def named(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name matches one of the globs, without regard to case."""
    name = name.lower()
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)
