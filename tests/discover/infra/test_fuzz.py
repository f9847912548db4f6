"""Damaged and twisted configuration: a collector may yield less, but never fails. The seed is fixed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

ESTATE = Path(__file__).parents[3] / "examples" / "estate"
ONLY = ["infra.", "assistants.", "organisation."]
NAMES = (
    "*.yaml *.yml CODEOWNERS Dockerfile .mcp.json mcp.json settings.json CLAUDE.md AGENTS.md requirements.txt".split()
)
TWISTS = [
    twist.encode()
    for twist in "[ ] { } : - &a *a << ${ ' \" !!x --- null 7 true ${A:- | @@@ **/ \u202e http://[ :99999 ../".split()
]
TWISTS += [b"\x00", b"\xff", b"\n", b"\t", b": ", b"- ", b"<<: "]


def files() -> dict[str, bytes]:
    return {str(p.relative_to(ESTATE)): p.read_bytes() for n in NAMES for p in ESTATE.rglob(n) if p.is_file()}


def damaged(data: bytes, dice: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(dice.randrange(1, 6)):
        place = dice.randrange(len(out) + 1)
        match dice.randrange(4):
            case 0:
                out[place:place] = dice.choice(TWISTS)
            case 1:
                del out[place : place + dice.randrange(1, 40)]
            case 2:
                out[place:place] = out[: dice.randrange(1, 60)]
            case _:
                out[place : place + 1] = dice.choice(TWISTS)
    return bytes(out)


def run(look, seed: int) -> None:
    dice = random.Random(seed)
    repositories: dict[str, dict[str, bytes]] = {}
    for path, data in files().items():
        name, _, inner = path.partition("/")
        repositories.setdefault(name, {})[inner or name] = damaged(data, dice)
    for tree in repositories.values():
        look(tree, only=ONLY)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_configuration_never_fails_a_collector(look, seed):
    run(look, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 200))
def test_much_damaged_configuration_never_fails_a_collector(look, seed):
    run(look, seed)
