"""What the gateway says to people: what was stopped, in which words, who answers for it, how to ask."""

from __future__ import annotations

from penstock.protect.limits import Exceeded
from penstock.protect.policy import ACTIONS, SEVERITY, Decision, Record
from penstock.protect.snapshot import Caller, Rule

#: Entity type → what a person calls it.
_CALLED = {
    "EMAIL": "an e-mail address",
    "PHONE": "a telephone number",
    "CREDIT_CARD": "a payment card number",
    "IBAN": "a bank account number",
    "NATIONAL_ID": "a national identity number",
    "DOB": "a date of birth",
    "MEDICAL": "medical data",
    "SECRET": "a credential",
    "TAGS": "hidden characters",
    "BIDI": "hidden characters",
    "INVISIBLE": "hidden characters",
    "UNSEEN": "text that could not be inspected",
    "INJECTION": "text that reads like an attack on the instructions of a model",
    "SUSPECTED_INJECTION": "text that may be an attack on the instructions of a model",
}


def refusal(caller: Caller, decision: Decision, direction: str, reference: str) -> str:
    """Why a message or an answer was stopped, for the person who reads it in place of the answer."""
    what = "This message was not sent to the model" if direction == "in" else "The model's answer was stopped here"
    if decision.types:
        held = _listed([_CALLED.get(kind, kind.lower().replace("_", " ")) for kind in decision.types])
        what = f"{what}: it holds {held}"
    ending = [rule for rule in decision.rules if rule.action == decision.action] or list(decision.rules)
    why = " ".join(dict.fromkeys(_reason(rule) for rule in ending))
    owner = (
        f"{caller.owner} answers for {caller.name}."
        if caller.owner
        else f"Nobody is named as owner of {caller.name} yet."
    )
    approver = caller.approver or caller.owner or "your security team"
    if decision.action == "ask":
        next_step = f"{approver} was asked to allow it; once that is done, send the same again. Reference: {reference}"
    else:
        next_step = f"To ask for an exception, write to {approver} and quote {reference}"
    return f"{what}. {why} {owner} {next_step}."


def _reason(rule: Rule) -> str:
    said = rule.message or rule.why
    return _sentence(f"{said} (rule {rule.id})" if said else f"Rule {rule.id}")


def warning(record: Record) -> str:
    """For the headers of an answer in warning mode: what enforcing would have done, and by which rules."""
    rules = sorted(rule.id for rule in record.rules.values() if SEVERITY[rule.action] > SEVERITY["observe"])
    return f"enforced, policy would {ACTIONS[record.meant]} this: {', '.join(rules[:8])}"


def too_much(exceeded: Exceeded) -> str:
    return f"{_sentence(exceeded.what)} What to do: wait {exceeded.after:.0f} seconds, or ask for a higher limit."


def busy() -> str:
    return "The gateway serves as many calls as it may at the same time. What to do: try again in a moment."


def resting(name: str, seconds: float) -> str:
    return (
        f"The provider {name!r} has failed several times in a row and is left alone. "
        f"What to do: try again in {seconds:.0f} seconds, or name fallbacks for it in penstock.yaml."
    )


def provider_not_allowed(caller: Caller, provider: str) -> str:
    ask = caller.approver or caller.owner or "your security team"
    allowed = ", ".join(caller.providers)
    return f"{caller.name} may not use the provider {provider!r}. Allowed: {allowed}. What to do: ask {ask}."


def no_route(name: str) -> str:
    return (
        f"Policy sends this call to {name!r}, which is no upstream for this protocol. "
        "Where: upstreams in penstock.yaml. What to do: add it, or change the rule."
    )


def not_ready(problem: str) -> str:
    return (
        "The gateway has no policy yet, so it lets nothing through. "
        f"Where: {problem}. What to do: run `penstock up` or `penstock scan`, which write it, and try again."
    )


def unknown_key() -> str:
    return (
        "This key is not known to the gateway. Where: the Authorization header. "
        "What to do: create a key for your application with `penstock keys add` and send it as a bearer token."
    )


def model_not_allowed(caller: Caller, model: str) -> str:
    allowed = ", ".join(caller.models)
    ask = caller.approver or caller.owner or "your security team"
    what = f"{caller.name} may not use the model {model!r}. Allowed: {allowed}."
    return f"{what} What to do: use one of these, or ask {ask}."


def unknown_path(path: str) -> str:
    return (
        f"The gateway knows no protocol at {path} and policy does not let it pass uninspected. "
        "What to do: use a path of a known API (docs/gateway.md lists them), or ask your "
        "security team to allow this one."
    )


def cannot_mask_signed() -> str:
    return (
        "Policy masks something in this request, but the caller has signed its bytes. Where: the Authorization header "
        "(AWS Signature Version 4). What to do: let the gateway sign, with a credential of its own in key_env."
    )


def no_upstream() -> str:
    return "No provider is configured under this name. Where: upstreams in penstock.yaml. What to do: add it."


def _listed(words: list[str]) -> str:
    unique = list(dict.fromkeys(words)) or ["data it must not hold"]
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} and {unique[-1]}"


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
