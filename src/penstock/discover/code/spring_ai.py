"""Models that Spring AI is configured with: ``spring.ai.<provider>.chat.options.model`` and its like.

Such a property only has an effect where the provider's starter is a dependency of the same build file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from penstock.discover.code.manifests import dependencies
from penstock.discover.code.places import status_of
from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.graph import identity
from penstock.graph.vocabulary import Observation
from penstock.knowledge.packages import package_named

#: Where Spring AI names the model of a provider (its reference, "Chat Properties", "Embedding Properties").
_MODEL = re.compile(
    r"spring\.ai\.(?P<provider>[a-z0-9-]+(?:\.(?:openai|gemini|converse|titan|cohere|ai))?)"
    r"\.(?P<use>chat|embedding|image|audio\.\w+|moderation)(?:\.text|\.multimodal)?(?:\.options)?"
    r"\.(?:model|deployment-name|deploymentName|model-id)\Z"
)
_PROVIDERS = {
    "openai": "openai", "azure.openai": "azure-openai", "anthropic": "anthropic", "ollama": "ollama",
    "mistralai": "mistral", "vertex.ai.gemini": "google-vertex-ai", "vertex.ai": "google-vertex-ai",
    "google.genai": "google-gemini", "bedrock.converse": "aws-bedrock", "bedrock.titan": "aws-bedrock",
    "bedrock.cohere": "aws-bedrock", "bedrock": "aws-bedrock", "deepseek": "deepseek", "huggingface": "huggingface",
}  # fmt: skip


@collector(
    "code.spring-starters",
    reads=("pom.xml", "build.gradle", "build.gradle.kts"),
    sees="which providers a Spring service has on its class path",
    unseen="what a parent project brings along",
)
def starters(file: File) -> Iterator[Yielded]:
    """The Spring AI providers among a build file's dependencies."""
    found, _ = dependencies(file.path, file.text)
    packages = [package_named("maven", each.name) for each in found if "org.springframework.ai" in each.name]
    providers = sorted({package.provider for package in packages if package and package.provider})
    yield Fact("spring_starters", file.path, providers)


@joiner(
    "code.spring-ai",
    sees="models of Spring AI services, from their properties",
    unseen="models that a configuration server or the environment sets",
)
def spring_ai(source: Source) -> Iterator[Yielded]:
    """Each model that a property names, where its provider's starter is there."""
    builds = {posixpath.dirname(fact.path): fact.value for fact in source.facts.get("spring_starters", ())}
    application = identity.application(source.scope)
    for fact in source.facts.get("env", ()):
        row = fact.value if isinstance(fact.value, dict) else {}
        found = _MODEL.match(str(row.get("name", "")))
        provider = _PROVIDERS.get(found["provider"], "") if found else ""
        if not found or not provider or provider not in _nearest(builds, fact.path):
            continue
        props = {"provider": provider, **({"role": "embedding"} if found["use"] == "embedding" else {})}
        model = identity.asset("model", str(row["value"]), props=props, status=status_of(fact.path))
        where = f"{fact.path}:{row['line']}"
        evidence = source.evidence("code.spring-ai", where, confidence="declared", chain=(str(row["name"]),))
        yield Observation(model, evidence)
        yield Observation(application, evidence)
        yield Observation(identity.relation(application, "uses_model", model), evidence)


def _nearest(builds: dict[str, list[str]], path: str) -> list[str]:
    """The providers of the nearest build file above a path."""
    folder = posixpath.dirname(path)
    while True:
        if folder in builds:
            return builds[folder]
        if not folder:
            return []
        folder = posixpath.dirname(folder)
