"""Agents of CrewAI whose words and model stand in YAML, joined to the code that makes them."""

from __future__ import annotations

import posixpath

from penstock.discover.code.observed.look import MODEL_ID, Look
from penstock.discover.code.observed.models import named_model
from penstock.discover.code.observed.prompts import said_prompt
from penstock.discover.code.resolve import Text
from penstock.discover.code.signatures import Site
from penstock.graph.vocabulary import Asset


def say_crews(look: Look) -> None:
    """Links each agent made from YAML to the model and the words that the nearest file of its package gives it."""
    facts = look.source.facts.get("crew_agents", ())
    if not facts:
        return
    for site in list(look.sites.values()):
        if site.row.id != "crewai.agent":
            continue
        for agent in look.make(site):
            key = _key(look, site) or agent.name
            near = sorted(facts, key=lambda fact: (-_shared(fact.path, site.path), fact.path))
            for fact in near:
                if row := next((each for each in fact.value if each[0] == key), None):
                    _say(look, site, agent, fact.path, row)
                    break


def _say(look: Look, site: Site, agent: Asset, path: str, row: list[object]) -> None:
    name, line, model, length, sha = str(row[0]), int(str(row[1])), str(row[2]), int(str(row[3])), str(row[4])
    at = look.line(site.path, site.call)
    prompt = said_prompt(look, name, path, line, length, sha)
    look.link(agent, "instructed_by", prompt, site.path, at)
    if model and MODEL_ID.match(model) and not look.argument(site, "model"):
        found = named_model(look, site, Text(model, path, line, (f"llm of {name} ({path}:{line})",)), "", "", None)
        if found is not None:
            look.link(agent, "uses_model", found, path, line)


def _key(look: Look, site: Site) -> str:
    """The key in ``config=self.agents_config["researcher"]``."""
    module = look.resolver.modules[site.path]
    row = module.expressions[site.call]
    given = row[4].get("config", -1) if row[0] == "c" else -1
    item = module.expressions[given] if given >= 0 else ["?"]
    if item[0] != "i":
        return ""
    place = item[3]
    inner = module.expressions[place] if isinstance(place, int) and 0 <= place < len(module.expressions) else ["?"]
    return str(inner[2]) if inner[0] == "s" else str(place) if isinstance(place, str) else ""


def _shared(one: str, other: str) -> int:
    """How many folders two files have in common."""
    return len(posixpath.commonpath([posixpath.dirname(f"/{one}"), posixpath.dirname(f"/{other}")]).split("/"))
