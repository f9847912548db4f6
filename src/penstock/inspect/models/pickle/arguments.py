"""Argument rules: calls whose harm depends on what is handed to them. Rows of the pack name them by ``rule``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from penstock.inspect.models.pickle.literal import constant, encoded, stretch
from penstock.inspect.models.pickle.names import find, find_other
from penstock.inspect.models.pickle.values import CALL, NEW, Global, Items, Result, Value
from penstock.inspect.models.source import Memory, Part, Source
from penstock.inspect.models.verdict import Verdict

if TYPE_CHECKING:
    from penstock.inspect.models.pickle.policy import Policy


def latin1(policy: Policy, result: Result) -> None:
    """Text into bytes, as old protocols write bytes; any other codec can unpack or run things."""
    how = constant(policy.source, _argument(result, 1)) if len(_arguments(result)) > 1 else "utf-8"
    text = _argument(result, 0)
    plain = type(text) is int and str(how).lower().replace("_", "-") in ("latin1", "latin-1", "utf-8", "utf8", "ascii")
    if not plain and encoded(policy.source, result) is None:
        policy.say(Verdict.SUSPICIOUS, "codec", "decodes with a codec that is not latin-1", result.at, result)


def calls_first(policy: Policy, result: Result) -> None:
    """``partial``, ``map``, ``reduce``: the first argument is what will be called."""
    _judge_as_call(policy, _argument(result, 0), _rest(result), result)


def called_later(policy: Policy, made: Result, result: Result) -> None:
    """The call of a ``partial``: of its first argument."""
    _judge_as_call(policy, _argument(made, 0), _rest(made), result)


def from_type(policy: Policy, result: Result) -> None:
    """``torch._tensor._rebuild_from_type_v2(function, type, arguments, state)``."""
    _judge_as_call(policy, _argument(result, 0), _argument(result, 2), result)


def makes_first(policy: Policy, result: Result) -> None:
    """``copyreg._reconstructor(cls, …)`` and ``__newobj__``: an empty instance of the first argument."""
    first = _argument(result, 0)
    policy.judge(first, NEW, Result(first, (), result.at, NEW))


def attribute(policy: Policy, result: Result) -> None:
    """``getattr(object, 'name')``: how bound methods and nested classes are written."""
    target, name = _argument(result, 0), constant(policy.source, _argument(result, 1))
    if not isinstance(name, str):
        policy.say(Verdict.MALICIOUS, "getattr.computed", "reaches an attribute by a computed name", result.at, result)
    elif any(part.startswith("_") for part in name.split(".")) and not _listed(policy, target, name):
        policy.say(Verdict.MALICIOUS, "getattr.inner", f"reaches the inner attribute {name}", result.at, result)
    elif type(target) is Global:
        reached = Global(target.module, f"{target.name}.{name}", result.at, "getattr", target.known)
        known = policy.known(reached)
        if known.verdict is Verdict.CLEAN:
            return
        if known.verdict is Verdict.MALICIOUS:
            policy.say(known.verdict, known.rule, f"{reached.full} {known.why}", result.at, result)
        elif policy.known(target).verdict is not Verdict.CLEAN:
            policy.imports(reached)
    elif not (type(target) is Result and _clean(policy, target)):
        policy.say(Verdict.SUSPICIOUS, "getattr.result", f"reaches {name} of what a call gave", result.at, result)
    if isinstance(name, str) and find_other("method", name.rpartition(".")[2]) is not None:
        policy.say(
            Verdict.MALICIOUS, "getattr.power", f"reaches {name}, which runs what it is given", result.at, result
        )


def _listed(policy: Policy, target: Value, name: str) -> bool:
    """Whether a row knows the inner attribute of a class (``ZoneInfo._unpickle``)."""
    if type(target) is not Global:
        return False
    return find(target.module, f"{target.name}.{name}").verdict is Verdict.CLEAN


def attribute_called(policy: Policy, made: Result, result: Result) -> None:
    """A call of what ``getattr`` gave: fine for a class in a class, else a method run while loading."""
    target = _argument(made, 0)
    name = constant(policy.source, _argument(made, 1))
    if type(target) is Global and isinstance(name, str):
        policy.judge(
            Global(target.module, f"{target.name}.{name}", made.at, "getattr", target.known), result.role, result
        )
    else:
        policy.say(Verdict.MALICIOUS, "call.method", "calls a method while loading", result.at, result)


def nested(policy: Policy, result: Result) -> None:
    """Bytes that are loaded in turn: scanned as a file of their own."""
    for value in _arguments(result)[:4]:
        source = _bytes(policy, value)
        if source is not None and source.size:
            for reason in policy.inner(source, f"{policy.where}!bytes@{result.at}"):
                policy.found.setdefault((reason.rule, reason.what + reason.place), reason)
        elif not isinstance(constant(policy.source, value), str | int | bool | float | type(None)):
            policy.say(
                Verdict.SUSPICIOUS, "nested.unseen", "loads bytes that cannot be seen before loading", result.at, result
            )


def plain(policy: Policy, result: Result) -> None:
    """Harmless with text, numbers and other data; not with functions or what calls gave."""
    for value in _arguments(result):
        if type(value) is Result and not _clean(policy, value):
            policy.say(Verdict.SUSPICIOUS, "argument", "is handed what an unknown call gave", result.at, result)


def code(policy: Policy, result: Result) -> None:
    """Bytecode made while loading: its names and texts say what it will touch."""
    worst = None
    for text in _texts(policy, result.arguments, 0):
        if find_other("bytecode", text) is not None:
            worst = text
            break
    if worst is not None:
        policy.say(Verdict.MALICIOUS, "code.power", f"makes a function that uses {worst!r}", result.at, result)
    else:
        policy.say(Verdict.SUSPICIOUS, "code", "makes a function from bytecode", result.at, result)


def named_type(policy: Policy, result: Result) -> None:
    """cloudpickle and dill look a type up by its name."""
    name = constant(policy.source, _argument(result, 0))
    if not isinstance(name, str) or name in ("CodeType", "FunctionType"):
        policy.say(Verdict.SUSPICIOUS, "code.type", "asks for the type of functions or bytecode", result.at, result)


def named_type_called(policy: Policy, made: Result, result: Result) -> None:
    """``_load_type('slice')(0, 2)`` calls a type of Python; of functions and code it makes a function."""
    name = constant(policy.source, _argument(made, 0))
    if isinstance(name, str) and find("builtins", name).verdict is Verdict.CLEAN:
        return
    code(policy, result)


def named_module(policy: Policy, result: Result) -> None:
    """dill and cloudpickle import a module by name; one of the dangerous ones is a way around lists."""
    name = constant(policy.source, _argument(result, 0))
    if not isinstance(name, str):
        policy.say(Verdict.MALICIOUS, "import.computed", "imports a module by a computed name", result.at, result)
        return
    module, _, attribute_ = name.rpartition(".")
    known = find(module or name, attribute_ if module else "*")
    if known.verdict >= Verdict.SUSPICIOUS or name in ("os", "posix", "sys", "builtins"):
        policy.say(Verdict.MALICIOUS, "import.named", f"imports {name}", result.at, result)


def calls_pair(policy: Policy, result: Result) -> None:
    """dill's arrays: ``_create_array(function, arguments, …)``."""
    _judge_as_call(policy, _argument(result, 0), _argument(result, 1), result)


RULES: dict[str, Callable[[Policy, Result], None]] = {
    "latin1": latin1,
    "calls-first": calls_first,
    "calls-pair": calls_pair,
    "from-type": from_type,
    "makes-first": makes_first,
    "attribute": attribute,
    "nested": nested,
    "plain": plain,
    "code": code,
    "named-type": named_type,
    "named-module": named_module,
}
#: What calling the result of such a call means.
CALLED: dict[str, Callable[[Policy, Result, Result], None]] = {
    "calls-first": called_later,
    "attribute": attribute_called,
    "named-type": named_type_called,
}


def _state_called(policy: Policy, target: Result, state: Value, at: int) -> None:
    """``partial.__setstate__((function, arguments, …))`` sets what will be called."""
    if type(state) is tuple and state:
        _judge_as_call(policy, state[0], state[1] if len(state) > 1 else (), Result(state[0], (), at))


ON_BUILD: dict[str, Callable[[Policy, Result, Value, int], None]] = {"calls-first": _state_called}


def _judge_as_call(policy: Policy, function: Value, given: Value, result: Result) -> None:
    policy.judge(function, CALL, Result(function, given, result.at))


def _arguments(result: Result) -> tuple[Value, ...]:
    return result.arguments if type(result.arguments) is tuple else ()


def _argument(result: Result, index: int) -> Value:
    given = _arguments(result)
    return given[index] if index < len(given) else None


def _rest(result: Result) -> Value:
    return _arguments(result)[1:]


def _clean(policy: Policy, value: Result) -> bool:
    """Whether a value is what a harmless call gave."""
    function = value.function
    return type(function) is Global and policy.known(function).verdict is Verdict.CLEAN


def _bytes(policy: Policy, value: Value) -> Source | None:
    """Bytes of a constant, also behind ``BytesIO(…)`` or ``encode(text, 'latin1')``."""
    for _ in range(4):
        if span := stretch(policy.source, value):
            return Part(policy.source, *span)
        if type(value) is not Result:
            return None
        if (made := encoded(policy.source, value)) is not None:
            return Memory(made)
        given = _arguments(value) or (value.state if isinstance(value.state, tuple) else ())
        if not given:  # a BytesIO has its bytes as argument or as state
            return None
        value = given[0]
    return None


def _texts(policy: Policy, value: Value, depth: int) -> list[str]:
    """Texts in nested tuples and lists, a bounded number."""
    if depth > 6:
        return []
    if isinstance(value, tuple | Items):
        members = value.kept if isinstance(value, Items) else list(value)
        return [text for member in members[:200] for text in _texts(policy, member, depth + 1)][:1000]
    if type(value) is int:
        content = constant(policy.source, value)
        if isinstance(content, str):
            return [content]
    return []
