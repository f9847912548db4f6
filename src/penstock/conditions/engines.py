"""The two CEL engines behind one port: CEL text in, a function from values to true or false out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from penstock.errors import NotReachable, NotUnderstood

Program = Callable[[dict[str, Any]], bool]
#: Compiles CEL text, given each variable's type (``record``, or a scalar of the schema).
Engine = Callable[[str, Mapping[str, str]], Program]


def cpp(source: str, variables: Mapping[str, str]) -> Program:
    """Google's C++ runtime (``cel-expr-python``): typed at compile, with an iteration budget of its own."""
    program = _environment(tuple(sorted(variables.items()))).compile(source)

    def run(values: dict[str, Any]) -> bool:
        answer = program.eval(data=values).value()
        if not isinstance(answer, bool):
            raise NotUnderstood("The condition failed while it ran", source, str(answer))
        return answer

    return run


def rust(source: str, variables: Mapping[str, str]) -> Program:
    """The Rust runtime (``common-expression-language``): where the C++ one has no wheel."""
    import cel

    program = cel.compile(source)

    def run(values: dict[str, Any]) -> bool:
        answer = program.execute(values)
        if not isinstance(answer, bool):
            raise NotUnderstood("The condition failed while it ran", source, str(answer))
        return answer

    return run


ENGINES: Mapping[str, Engine] = {"cpp": cpp, "rust": rust}


@cache
def default() -> str:
    """The name of the engine to use: C++ where it is installed, else Rust.

    Raises:
        NotReachable: neither is installed.
    """
    from importlib.util import find_spec

    for name, module in (("cpp", "cel_expr_python"), ("rust", "cel")):
        if find_spec(module):
            return name
    raise NotReachable("No CEL engine is installed", hint="pip install common-expression-language")


@cache
def _environment(variables: tuple[tuple[str, str], ...]) -> Any:
    from cel_expr_python import cel

    types = {
        "text": cel.Type.STRING,
        "flag": cel.Type.BOOL,
        "number": cel.Type.DOUBLE,
        "words": cel.Type.List(cel.Type.STRING),
        "record": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
    }
    return cel.NewEnv(variables={name: types[type] for name, type in variables})
