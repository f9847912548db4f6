"""Loaders wrapped in place: those of modules that are there at once, those of others when they are imported."""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from penstock.protect.loads.guard import Guard
from penstock.protect.loads.loader import Loader, loaders

#: Python's own transport between its processes: what it carries was pickled by the program itself.
_OWN_TRANSPORT = ("multiprocessing.", "concurrent.futures.", "asyncio.")
_MARK = "__penstock_guarded__"


def install(guard: Guard | None = None) -> Guard:
    """Guard the loaders of this process, now and as modules are imported; installing again changes nothing."""
    for finder in sys.meta_path:
        if isinstance(finder, _Watch):
            return finder.guard
    guard = guard or Guard()
    known = loaders()
    sys.meta_path.insert(0, _Watch(guard, known))
    for name, rows in known.items():
        if (module := sys.modules.get(name)) is not None:
            wrap(module, rows, guard)
    return guard


def wrap(module: ModuleType, rows: Sequence[Loader], guard: Guard) -> None:
    """Put a guard before each loader that this version of the module has."""
    for row in rows:
        *owners, name = row.symbol.split(".")
        owner: Any = module
        for each in owners:
            owner = getattr(owner, each, None)
        found = inspect.getattr_static(owner, name, None) if owner is not None else None
        if found is None or getattr(found, _MARK, False):
            continue
        setattr(owner, name, _guarded(found, row, guard, bound=bool(owners)))


def _guarded(found: Any, row: Loader, guard: Guard, *, bound: bool) -> Any:
    if isinstance(found, classmethod):
        return classmethod(_function(found.__func__, row, guard, skip=1))
    if isinstance(found, staticmethod):
        return staticmethod(_function(found.__func__, row, guard, skip=0))
    if inspect.isclass(found):
        return _class(found, row, guard)
    return _function(found, row, guard, skip=int(bound))


def _function(function: Callable[..., Any], row: Loader, guard: Guard, *, skip: int) -> Callable[..., Any]:
    """The function behind a guard; ``skip`` of its arguments are ``self`` or ``cls``."""

    @functools.wraps(function)
    def guarded(*arguments: Any, **keywords: Any) -> Any:
        if row.result:
            result = function(*arguments, **keywords)
            guard.checked(result, row.id)
            return result
        own, rest = arguments[:skip], arguments[skip:]
        if (what := row.given(rest, keywords)) is None or _is_transport():
            return function(*arguments, **keywords)
        seen = guard.checked(what, row.id)
        if seen is what:
            return function(*arguments, **keywords)
        changed, named = row.replaced(rest, keywords, seen)
        return function(*own, *changed, **named)

    setattr(guarded, _MARK, True)
    return guarded


def _class(kind: type, row: Loader, guard: Guard) -> type:
    """A class whose instances read only what was judged."""
    begin = inspect.getattr_static(kind, "__init__")

    def start(self: Any, *arguments: Any, **keywords: Any) -> None:
        what = row.given(arguments, keywords)
        if what is not None and not _is_transport():
            seen = guard.checked(what, row.id)
            if seen is not what:
                changed, keywords = row.replaced(arguments, keywords, seen)
                arguments = tuple(changed)
        begin(self, *arguments, **keywords)

    return type(kind)(
        kind.__name__, (kind,), {"__init__": start, "__module__": kind.__module__, "__doc__": kind.__doc__, _MARK: True}
    )


def _is_transport() -> bool:
    """Whether Python's own machinery between processes called the loader."""
    caller = sys._getframe(2).f_globals.get("__name__", "")
    return str(caller).startswith(_OWN_TRANSPORT)


class _Watch(importlib.abc.MetaPathFinder):
    """Finds nothing itself: lets the others find a module, and wraps its loaders when it has been executed."""

    def __init__(self, guard: Guard, known: Mapping[str, Sequence[Loader]]) -> None:
        self.guard = guard
        self._known = known

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        rows = self._known.get(name)
        if rows is None:
            return None
        for finder in sys.meta_path:
            spec = None if isinstance(finder, _Watch) else finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Wrapping(spec.loader, rows, self.guard)
                return spec
        return None


class _Wrapping(importlib.abc.Loader):
    """A module's own loader, and a step after it."""

    def __init__(self, loader: Any, rows: Sequence[Loader], guard: Guard) -> None:
        self._loader = loader
        self._rows = rows
        self._guard = guard

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        wrap(module, self._rows, self._guard)
