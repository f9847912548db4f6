"""What the gateway says to people: what was stopped, in which words, who answers for it, how to ask."""

from __future__ import annotations

from penstock.protect.policy import Decision
from penstock.protect.snapshot import Caller

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
}


def refusal(caller: Caller, decision: Decision, direction: str, reference: str) -> str:
    """Why a message or an answer was stopped, for the person who reads it in place of the answer."""
    what = "This message was not sent to the model" if direction == "in" else "The model's answer was stopped here"
    held = _listed([_CALLED.get(kind, kind.lower().replace("_", " ")) for kind in decision.types])
    stopping = [rule for rule in decision.rules if rule.action == "stop"] or list(decision.rules)
    why = " ".join(
        dict.fromkeys(_sentence(f"{rule.why} (rule {rule.id})" if rule.why else f"Rule {rule.id}") for rule in stopping)
    )
    owner = (
        f"{caller.owner} answers for {caller.name}."
        if caller.owner
        else f"Nobody is named as owner of {caller.name} yet."
    )
    approver = caller.approver or caller.owner
    ask = (
        f"To ask for an exception, write to {approver}"
        if approver
        else "To ask for an exception, write to your security team"
    )
    return f"{what}: it holds {held}. {why} {owner} {ask} and quote {reference}."


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
