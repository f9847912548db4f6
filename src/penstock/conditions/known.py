"""Three values out of two: what to ask an engine so that an absent property makes *unknown*, never an error.

Every condition becomes two plain CEL conditions, *surely true* and *surely false*. Each asks ``has()`` before it reads
a property, so an engine never meets a missing one, and any engine that follows CEL on present values agrees:

=========  ==============================  ===============================
condition  surely true                     surely false
=========  ==============================  ===============================
a && b     true(a) && true(b)              false(a) || false(b)
a || b     true(a) || true(b)              false(a) && false(b)
!a         false(a)                        true(a)
x.exists   known(x) && exists(true(body))  known(x) && all(false(body))
x.all      known(x) && all(true(body))     known(x) && exists(false(body))
has(a.b)   has(a.b)                        !has(a.b)
other      known(its names) && it          known(its names) && !it
=========  ==============================  ===============================
"""

from __future__ import annotations

from penstock.conditions.syntax import Binary, Call, Has, Items, Literal, Loop, Name, Node, Not, walk


def surely(node: Node, value: bool) -> str:
    """CEL that is true exactly when the condition surely has the value."""
    match node:
        case Binary("&&" | "||" as sign, left, right):
            one, two = surely(left, value), surely(right, value)
            if isinstance(left, Binary) and left.sign == sign:
                one = one[1:-1]  # a long chain stays flat, so that no engine's nesting limit is met
            return f"({one} {'&&' if (sign == '&&') == value else '||'} {two})"
        case Not(of):
            return surely(of, not value)
        case Has():
            return plain(node) if value else f"!{plain(node)}"
        case Loop(quantifier, over, variable, body):
            kept = (quantifier == "exists") == value
            loop = f"{plain(over)}.{'exists' if kept else 'all'}({variable}, {surely(body, value)})"
            return _after(over, loop)
        case _:
            return _after(node, plain(node) if value else f"!({plain(node)})")


def names(node: Node) -> list[tuple[str, ...]]:
    """The properties a condition reads, in order of reading; loop variables and ``has()`` arguments left out."""
    bound = {part.variable for part in walk(node) if isinstance(part, Loop)}
    asked = {id(part.name) for part in walk(node) if isinstance(part, Has)}
    found = [part.parts for part in walk(node) if isinstance(part, Name) and id(part) not in asked]
    return list(dict.fromkeys(parts for parts in found if parts[0] not in bound))


def plain(node: Node) -> str:
    """The node as CEL text. Numbers are doubles throughout, so that no engine compares integers with doubles."""
    match node:
        case Literal(value):
            return _literal(value)
        case Items(items):
            return f"[{', '.join(plain(item) for item in items)}]"
        case Name(parts):
            return ".".join(parts)
        case Has(name):
            whole = " && ".join(f"has({'.'.join(name.parts[:n])})" for n in range(2, len(name.parts) + 1))
            return f"({whole})"
        case Not(of):
            return f"!({plain(of)})"
        case Binary(sign, left, right):
            return f"({plain(left)} {sign} {plain(right)})"
        case Call("size", (argument,)):
            return f"double(size({plain(argument)}))"
        case Call(function, (target, argument)):
            return f"{plain(target)}.{function}({plain(argument)})"
        case Loop(quantifier, over, variable, body):
            return f"{plain(over)}.{quantifier}({variable}, {plain(body)})"
        case _:
            raise TypeError(f"not a condition: {node!r}")


def _after(node: Node, then: str) -> str:
    """``then``, asked only when every property the node reads is there."""
    known = [plain(Has(Name(parts))) for parts in names(node) if len(parts) > 1]
    return f"({' && '.join([*known, then])})"


def _literal(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
