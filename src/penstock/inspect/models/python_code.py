"""A Python module that a loader imports: what it would do at import and in the functions that loaders call.

The calls are read from the syntax tree; nothing is imported. Models compute: they start no programs, decode no code.
"""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
from collections.abc import Iterator

from penstock.inspect.models.pickle.names import find_other
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

_DEEP, _NODES = 120, 400_000
#: Functions that loaders and servers call by themselves.
_ENTRIES = frozenset(
    "_load_pyfunc load_pyfunc load_context load_model initialize handle preprocess inference postprocess model_fn"
    " predict_fn input_fn output_fn __init__ __new__ __call__ __reduce__ __setstate__ __init_subclass__ __getattr__"
    " __del__ forward from_pretrained _load_from_state_dict post_init __post_init__ setup main predict"
    " generate build".split()
)


def look(piece: Piece, text: str) -> Iterator[Reason]:
    """Judge every call."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        yield piece.say(Verdict.SUSPICIOUS, "code.broken", "is loaded with the model and is no Python that can be read")
        return
    walk = _Walk(piece)
    walk.body(tree, (), 0)
    yield from walk.found.values()


class _Walk:
    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.names: dict[str, str] = {}
        self.found: dict[tuple[str, int], Reason] = {}
        self.nodes = 0

    def body(self, node: ast.AST, inside: tuple[str, ...], depth: int) -> None:
        """Every node in order, so that a name is known before it is used."""
        self.nodes += 1
        if depth > _DEEP or self.nodes > _NODES:
            return
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                self.names[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            if (value := self.name(node.value)) is not None:
                self.names[node.targets[0].id] = value
        elif isinstance(node, ast.Call):
            self.call(node, inside)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside = (*inside, getattr(node, "name", "lambda"))
        for child in ast.iter_child_nodes(node):
            self.body(child, inside, depth + 1)

    def name(self, node: ast.AST) -> str | None:
        """The dotted name that an expression stands for, through imports, ``__import__`` and ``getattr``."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            inner = self.name(node.value)
            return f"{inner}.{node.attr}" if inner else None
        if isinstance(node, ast.Subscript):
            inner, key = self.name(node.value), text_of(node.slice)
            if inner and key and inner.rpartition(".")[2] in ("__builtins__", "__dict__", "modules", "globals()"):
                return (
                    key
                    if inner.endswith(("__builtins__", "modules", "globals()"))
                    else f"{inner.removesuffix('.__dict__')}.{key}"
                )
            return None
        if isinstance(node, ast.Call):
            function = self.name(node.func)
            if (
                function in ("__import__", "builtins.__import__", "importlib.import_module", "importlib.__import__")
                and node.args
            ):
                return text_of(node.args[0])
            if function in ("getattr", "builtins.getattr") and len(node.args) > 1:
                inner, key = self.name(node.args[0]), text_of(node.args[1])
                return f"{inner}.{key}" if inner and key else None
            if function in ("globals", "vars", "locals"):
                return "globals()"
        return None

    def call(self, node: ast.Call, inside: tuple[str, ...]) -> None:
        function = self.name(node.func)
        if function is None:
            if isinstance(node.func, ast.Call) and self.name(node.func.func) in (
                "getattr",
                "builtins.getattr",
                "__import__",
            ):
                self.say(Verdict.SUSPICIOUS, "code.computed", "calls a function whose name is computed", node)
            return
        function = function.removeprefix("builtins.").removeprefix("__builtins__.")
        known = find_other("code", function)
        if known is None or known.verdict is Verdict.CLEAN:
            return
        verdict = known.verdict
        if known.check == "text":  # eval, exec: harmless with a constant that is harmless, worst with decoded text
            argument = node.args[0] if node.args else None
            if argument is None:
                return
            if _decodes(argument, self):
                verdict = Verdict.MALICIOUS
            elif text := text_of(argument):
                self.nested(text, inside, node)
                verdict = Verdict.REVIEW
        entry = not inside or bool(_ENTRIES & set(inside))
        if not entry and verdict is Verdict.MALICIOUS:
            verdict = Verdict.SUSPICIOUS
        elif not entry and verdict is Verdict.SUSPICIOUS:
            verdict = Verdict.REVIEW
        when = "on import" if not inside else f"in {inside[-1]}"
        self.say(verdict, known.rule, f"{when} calls {function}, which {known.why}", node)

    def nested(self, text: str, inside: tuple[str, ...], at: ast.AST) -> None:
        """The constant that ``exec`` runs is code like any other."""
        try:
            inner = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        for child in ast.walk(inner):
            if hasattr(child, "lineno"):
                child.lineno = getattr(at, "lineno", 0)
        self.body(inner, inside, 50)

    def say(self, verdict: Verdict, rule: str, what: str, node: ast.AST) -> None:
        line = getattr(node, "lineno", 0)
        chain = ast.unparse(node)[:200] if self.nodes < _NODES else ""
        self.found.setdefault((rule, line), Reason(verdict, rule, what, f"{self.piece.where}:{line}", None, chain))


def _decodes(node: ast.AST, walk: _Walk) -> bool:
    """Whether a value is unpacked from something that hides it."""
    for child in list(ast.walk(node))[:2000]:
        if isinstance(child, ast.Call):
            name = (walk.name(child.func) or "").rpartition(".")[2]
            if name in (
                "b64decode",
                "b32decode",
                "b85decode",
                "a85decode",
                "unhexlify",
                "fromhex",
                "decompress",
                "loads",
                "urlopen",
                "get",
                "decrypt",
                "decodebytes",
            ):
                return True
    return False


def text_of(node: ast.AST, depth: int = 0) -> str | None:
    """A constant text, also when it is put together from constants."""
    if depth > 40:
        return None
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text_of(node.left, depth + 1), text_of(node.right, depth + 1)
        return left + right if left is not None and right is not None and len(left) + len(right) < 65536 else None
    if isinstance(node, ast.JoinedStr):
        parts = [
            text_of(part.value if isinstance(part, ast.FormattedValue) else part, depth + 1) for part in node.values
        ]
        return None if any(part is None for part in parts) else "".join(part or "" for part in parts)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        inner = text_of(node.value, depth + 1)
        step = node.slice.step
        minus = isinstance(step, ast.UnaryOp) and isinstance(step.op, ast.USub)
        return inner[::-1] if inner is not None and minus and not node.slice.lower and not node.slice.upper else None
    if isinstance(node, ast.Call):
        return _called_text(node, depth)
    return None


def _called_text(node: ast.Call, depth: int) -> str | None:
    """``''.join([...])``, ``chr(…)``, ``base64.b64decode('…').decode()``, ``codecs.decode('…', 'rot13')``."""
    function = node.func
    if isinstance(function, ast.Name) and function.id == "chr" and node.args and isinstance(node.args[0], ast.Constant):
        code = node.args[0].value
        return chr(code) if isinstance(code, int) and 0 <= code < 0x110000 else None
    if not isinstance(function, ast.Attribute):
        return None
    if function.attr == "join" and node.args and isinstance(node.args[0], ast.List | ast.Tuple):
        glue = text_of(function.value, depth + 1)
        parts = [text_of(each, depth + 1) for each in node.args[0].elts[:1000]]
        return None if glue is None or any(part is None for part in parts) else glue.join(part or "" for part in parts)
    if function.attr == "decode" and isinstance(function.value, ast.Call):
        return text_of(function.value, depth + 1)
    if function.attr == "b64decode" and node.args and isinstance(node.args[0], ast.Constant):
        try:
            return base64.b64decode(str(node.args[0].value)).decode("utf-8", "replace")[:65536]
        except (binascii.Error, ValueError, TypeError):
            return None
    if function.attr == "decode" and len(node.args) > 1 and text_of(node.args[1]) in ("rot13", "rot_13"):
        inner = text_of(node.args[0], depth + 1)
        return codecs.encode(inner, "rot13") if inner is not None else None
    return None
