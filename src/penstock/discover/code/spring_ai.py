"""Models that a service of the JVM is configured with: ``spring.ai.<provider>.chat.options.model`` and its like.

Such a property only has an effect where the provider's starter is a dependency of the same build file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from penstock.discover.code.manifests import dependencies
from penstock.discover.code.places import status_of
from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.discover.infra.environment import aliased
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Observation
from penstock.knowledge.packages import package_named

#: Where Spring AI names the model of a provider (its reference, "Chat Properties", "Embedding Properties").
_SPRING = re.compile(
    r"spring\.ai\.(?P<provider>[a-z0-9-]+(?:\.(?:openai|gemini|converse|titan|cohere|ai))?)"
    r"\.(?P<use>chat|embedding|image|audio\.\w+|moderation)(?:\.text|\.multimodal)?(?:\.options)?"
    r"\.(?:model|deployment-name|deploymentName|model-id)\Z"
)
#: The same of LangChain4j, in Spring Boot, Quarkus (whose models may have names) and Micronaut.
_LANGCHAIN4J = re.compile(
    r"(?:quarkus\.)?langchain4j\.(?P<provider>[a-z0-9-]+)(?:\.[\w\"-]+)?"
    r"\.(?P<use>chat|streaming-chat|language|embedding|image|moderation|scoring)-models?(?:\.[\w-]+)?"
    r"\.(?:model-name|model-id|deployment-name|modelName)\Z"
)
_PROVIDERS = {
    "openai": "openai", "azure.openai": "azure-openai", "anthropic": "anthropic", "ollama": "ollama",
    "mistralai": "mistral", "vertex.ai.gemini": "google-vertex-ai", "vertex.ai": "google-vertex-ai",
    "google.genai": "google-gemini", "bedrock.converse": "aws-bedrock", "bedrock.titan": "aws-bedrock",
    "bedrock.cohere": "aws-bedrock", "bedrock": "aws-bedrock", "deepseek": "deepseek", "huggingface": "huggingface",
    "open-ai": "openai", "azure-openai": "azure-openai", "azure-open-ai": "azure-openai", "mistral-ai": "mistral",
    "mistral": "mistral", "google-ai-gemini": "google-gemini", "ai.gemini": "google-gemini", "cohere": "cohere",
    "vertex-ai-gemini": "google-vertex-ai", "vertexai": "google-vertex-ai", "vertexai-gemini": "google-vertex-ai",
    "hugging-face": "huggingface", "jina": "jina", "voyage-ai": "voyage", "groq": "groq",
}  # fmt: skip
_ROLES = {"embedding": "embedding", "scoring": "rerank", "moderation": "moderation", "image": "image"}
#: Starters that put a store of vectors on the class path, named as they are now and as they were before 1.0.
_STORE = re.compile(
    r"org\.springframework\.ai:spring-ai-(?:starter-vector-store-([\w-]+)|([\w-]+)-store-spring-boot-starter)\Z"
)
#: Says that a build file has LangChain4j, whose one starter may be for any provider.
_ANY = "langchain4j"


class Configured(NamedTuple):
    """A model that a property names, and where."""

    model: Asset
    name: str
    where: str


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
    providers = {package.provider for package in packages if package and package.provider}
    if any("langchain4j" in each.name for each in found):
        providers.add(_ANY)
    stores = [(match[1] or match[2], each.line) for each in found if (match := _STORE.match(each.name))]
    yield Fact("spring_starters", file.path, {"providers": sorted(providers), "stores": stores})


@joiner(
    "code.spring-ai",
    sees="models of Spring AI services, from their properties",
    unseen="models that a configuration server or the environment sets",
)
def spring_ai(source: Source) -> Iterator[Yielded]:
    """Each model that a property names, where its provider's starter is there."""
    application = identity.application(source.scope)
    embedding: list[Asset] = []
    for model, name, where in configured(source):
        evidence = source.evidence("code.spring-ai", where, confidence="declared", chain=(name,))
        yield Observation(model, evidence)
        yield Observation(application, evidence)
        yield Observation(identity.relation(application, "uses_model", model), evidence)
        if model.props.get("role") == "embedding":
            embedding.append(model)
    for fact in source.facts.get("spring_starters", ()):
        for name, line in fact.value["stores"]:
            store = identity.asset("vector_store", name, scope=source.scope, status=status_of(fact.path))
            evidence = source.evidence("code.spring-ai", f"{fact.path}:{line}" if line else fact.path)
            yield Observation(store, evidence)
            yield Observation(application, evidence)
            yield Observation(identity.relation(application, "retrieves_from", store), evidence)
            for model in embedding:
                yield Observation(identity.relation(store, "embedded_by", model), evidence)


def configured(source: Source) -> Iterator[Configured]:
    """The models that properties name, where the build file beside them has what reads the property."""
    builds = {posixpath.dirname(f.path): f.value["providers"] for f in source.facts.get("spring_starters", ())}
    given = source.facts.get("env", ())
    for fact in (*given, *aliased(given, source.facts.get("env_alias", ()))) if builds else ():
        row = fact.value if isinstance(fact.value, dict) else {}
        name = str(row.get("name", ""))
        spring, other = _SPRING.match(name), _LANGCHAIN4J.match(name)
        found = spring or other
        provider = _PROVIDERS.get(found["provider"], "") if found else ""
        if not found or not provider or (provider if spring else _ANY) not in _nearest(builds, fact.path):
            continue
        props = {"provider": provider, **({"role": role} if (role := _ROLES.get(found["use"])) else {})}
        model = identity.asset("model", str(row["value"]), props=props, status=status_of(fact.path))
        yield Configured(model, name, f"{fact.path}:{row['line']}")


def _nearest(builds: dict[str, list[str]], path: str) -> list[str]:
    """The providers of the nearest build file above a path."""
    folder = posixpath.dirname(path)
    while True:
        if folder in builds:
            return builds[folder]
        if not folder:
            return []
        folder = posixpath.dirname(folder)
