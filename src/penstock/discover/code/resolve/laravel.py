"""The configuration of Laravel: ``config('services.openai.model')`` is in ``config/services.php``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from penstock.discover.code.ir import RETURNS
from penstock.discover.code.resolve.bounds import MAX_DEPTH
from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.targets import Frames, Target, stepped

if TYPE_CHECKING:
    from penstock.discover.code.resolve.resolver import Resolver

#: Calls that read the configuration: the key first, then perhaps a default.
READS = frozenset({"config", "Config.get", "Illuminate.Support.Facades.Config.get", "config().get"})


def read(resolver: Resolver, module: Module, args: list[int], frames: Frames, depth: int) -> Iterator[Target]:
    """What the configuration holds under a key, and the default."""
    for text in resolver.texts(module.path, args[0], frames, depth) if args and depth < MAX_DEPTH else ():
        head, *rest = (text.value or "").split(".")
        for path in resolver.files.configured(head):
            held = resolver.modules[path]
            found = [t for row in held.scopes[0][RETURNS] for t in resolver.follow(path, row, (), depth + 1)]
            for part in rest[:20]:
                found = [inner for at in found for inner in resolver.member(at, part, depth + 1)]
            yield from stepped(found, f"config {text.value} ({path})")
    for default in args[1:2]:
        yield from resolver.follow(module.path, default, frames, depth)
