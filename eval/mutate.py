"""Does anything depend on a name or on order? Every scenario is renamed and shuffled and must be judged alike.

    python -m eval.mutate SET/scenarios [SEED]

Ids, names and the stories are replaced, lists are shuffled; names of providers stay, because they are what the
organisation's list of agreed providers goes by.
"""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path
from typing import Any

import yaml

from eval.areas.scenarios import answers_of


def main(argv: list[str]) -> int:
    folder, seed = Path(argv[0]), int(argv[1]) if len(argv) > 1 else 1
    unlike = 0
    for path in sorted(folder.glob("*.yaml")):
        for scenario in yaml.safe_load(path.read_text(encoding="utf-8")).get("scenarios") or []:
            asked = {name: part for name, part in scenario.items() if name != "expected"}
            changed, names = mutated(asked, seed)
            same = comparable(answers_of(asked), {}) == comparable(answers_of(changed), names)
            unlike += not same
            print(f"{scenario['id']:12}{'alike' if same else 'UNLIKE'}")
    return 1 if unlike else 0


def mutated(scenario: dict[str, Any], seed: int) -> tuple[dict[str, Any], dict[str, str]]:
    """The scenario under other names and in another order, and new name → old name."""
    chance = random.Random(seed)  # noqa: S311 (no secret hangs on it)
    context = scenario.get("context") or {}
    old = [given["id"] for given in scenario["assets"]]
    old += [*(context.get("teams") or {}), *(context.get("processes") or {})]
    new = {name: f"n{number}" for number, name in enumerate(chance.sample(old, len(old)))}

    def renamed(text: str) -> str:
        return re.sub(r"[\w-]+", lambda word: new.get(word[0], word[0]), text)

    assets = [
        {
            **given,
            "id": new[given["id"]],
            "name": given["name"] if given["kind"] == "provider" else f"thing {new[given['id']]}",
            "owner": new.get(given.get("owner") or ""),
        }
        for given in scenario["assets"]
    ]
    relations = [[new.get(r[0], r[0]), r[1], new.get(r[2], r[2]), *r[3:]] for r in scenario["relations"]]
    chance.shuffle(assets)
    chance.shuffle(relations)
    decisions = [{**made, "what": renamed(str(made.get("what", "")))} for made in context.get("decisions") or []]
    changed = {
        "id": "mutated",
        "org": scenario.get("org"),
        "assets": assets,
        "relations": relations,
        "context": {
            "teams": {new[id]: "team" for id in context.get("teams") or {}},
            "processes": {new[id]: {**p, "name": new[id]} for id, p in (context.get("processes") or {}).items()},
            "decisions": decisions,
        },
    }
    return changed, {there: here for here, there in new.items()}


def comparable(answer: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """An answer under the old names, without the order and the words that names are part of."""

    def old(name: str) -> str:
        return names.get(name, name)

    return {
        "taint": {old(name): labels for name, labels in answer["taint"].items() if not name.startswith("decision ")},
        "findings": sorted((f["rule"], old(f["asset"]), f["severity"], f["score"]) for f in answer["findings"]),
        "paths": sorted((p["entry"], tuple(map(old, p["hops"])), p["severity"]) for p in answer["attack_paths"]),
        "questions": sorted(old(q["asset"]) for q in answer["questions"]),
        "answers": {
            old(name): {k: sorted(map(old, v)) if isinstance(v, list) else v for k, v in six.items()}
            for name, six in answer["answers"].items()
        },
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
