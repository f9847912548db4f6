"""Imports point down only: a room may use the floors below it, never its own floor or one above."""

import ast
from pathlib import Path

import pytest

import penstock

SOURCE = Path(penstock.__file__).parent
FLOORS = [
    {"graph", "knowledge"},
    {"inspect", "work", "conditions"},
    {"discover", "assess", "protect"},
    {"respond", "report"},
    {"cli", "serve"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
#: Below every floor: errors, settings, the version, and the package itself.
GROUND = {"", "errors", "settings", "__version__"}


def imports(path: Path) -> set[str]:
    """Every penstock module that the file imports, at the top or inside a function, for types too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "penstock"}


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


@pytest.mark.parametrize("room", sorted(FLOOR))
def test_room_imports_only_floors_below(room):
    wrong = []
    for path in (SOURCE / room).rglob("*.py"):
        for name in imports(path):
            target = room_of(name)
            if target in GROUND or target == room:
                continue
            if FLOOR.get(target, 99) >= FLOOR[room]:
                wrong.append(f"{path.relative_to(SOURCE)} imports {name}")
    assert wrong == []


def test_every_folder_is_a_known_room():
    rooms = {p.name for p in SOURCE.iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert rooms - {"examples"} == set(FLOOR)


def test_gateway_never_touches_the_store():
    touching = [
        f"{path.relative_to(SOURCE)} imports {name}"
        for path in (SOURCE / "protect").rglob("*.py")
        for name in imports(path)
        if name.startswith("penstock.graph") and not name.startswith("penstock.graph.vocabulary")
    ]
    assert touching == []
