"""Whether the names in the signature rows are names of the packages they say: python bench/knowledge/symbols.py

Every symbol of every row for Python and TypeScript is looked for in the newest published version of the row's packages:
downloaded without dependencies into --cache, parsed, never imported. A symbol counts as

  found      the class or function is there, and so is every member, by the types that the source writes
  by name    it is there, but a member's owner has no written type: something in the package has a member of that name
  open       the package makes such names at run time, so that nobody can tell
  earlier    not in the newest version, and the row says so (EARLIER below names the last version that had it)
  not found  none of these

Prints one line for each row that is not all found, then the share. Exit code 1 when a symbol is not found.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from published import Names, python_names, script_names, tarball, wheel

from penstock.discover.code import signatures
from penstock.discover.code.signatures import Signature
from penstock.knowledge.pack import load_pack
from penstock.knowledge.packages import package_named

#: Distributions that hold parts of an import root, or what it exports again, beside those that packages.yaml names.
PARTS: dict[str, tuple[str, ...]] = {
    "@openai/agents": ("@openai/agents-core", "@openai/agents-openai", "@openai/agents-realtime"),
    "llama_index.llms": tuple(f"llama-index-llms-{name}" for name in ("openai", "anthropic", "ollama", "gemini",
        "google-genai", "azure-openai", "vertex", "bedrock", "bedrock-converse", "mistralai", "cohere", "groq",
        "openai-like", "huggingface", "huggingface-api", "deepseek", "perplexity", "litellm")),
    "llama_index.embeddings": tuple(f"llama-index-embeddings-{name}" for name in ("openai", "azure-openai",
        "huggingface", "huggingface-api", "cohere", "mistralai", "ollama", "bedrock", "gemini", "google-genai",
        "voyageai")),
    "llama_index.vector_stores": tuple(f"llama-index-vector-stores-{name}" for name in ("chroma", "faiss", "pinecone",
        "qdrant", "postgres", "milvus", "weaviate", "redis", "elasticsearch", "lancedb", "supabase", "mongodb",
        "azureaisearch", "opensearch", "s3")),
    "llama_index.readers": tuple(f"llama-index-readers-{name}" for name in ("file", "web", "s3", "database")),
    "llama_index": ("llama-index-core", "llama-index-postprocessor-cohere-rerank",
        "llama-index-postprocessor-voyageai-rerank", "llama-index-postprocessor-jinaai-rerank",
        "llama-index-readers-web", "llama-index-agent-openai", "llama-index-readers-file"),
    "llamaindex": ("@llamaindex/core", "@llamaindex/workflow", "@llamaindex/openai"),
    "haystack_integrations": tuple(f"{name}-haystack" for name in ("anthropic", "ollama", "cohere", "chroma", "qdrant",
        "pinecone", "weaviate", "pgvector", "amazon-bedrock", "google-genai", "mistral", "elasticsearch",
        "opensearch")),
    "strands": ("strands-agents",),
    "agent_framework": tuple(f"agent-framework-{name}" for name in ("core", "openai", "azure-ai", "anthropic",
        "ollama", "bedrock", "foundry")),
    "guardrails": ("openai-guardrails",),
    "sagemaker": ("sagemaker-train", "sagemaker-core", "sagemaker-serve"),
    "langgraph": ("langgraph-prebuilt",),
    "awq": ("autoawq",),
    "autogen": ("autogen", "ag2"),
    "faiss": ("faiss-cpu",),
    "tensorflow.keras": ("keras",),
    "tensorflow.keras.datasets": ("keras",),
    "langchain": ("langchain-classic",),
    "@langchain/langgraph": ("@langchain/langgraph-supervisor",),
}  # fmt: skip
#: Names and packages of earlier versions, kept because code that uses them still runs: → the last version with it.
EARLIER: dict[str, str] = {
    "ChatCompletion": "openai 0.28",
    "Completion": "openai 0.28",
    "Embedding": "openai 0.28",
    "Anthropic().completions": "anthropic 0.x",
    "AsyncAnthropic().completions": "anthropic 0.x",
    "default().completions.create": "@anthropic-ai/sdk 0.x",
    "@anthropic-ai/claude-code": "1.0 (now claude-agent-sdk)",
    "MistralClient": "mistralai 0.4",
    "MistralAsyncClient": "mistralai 0.4",
    "default().chat": "@mistralai/mistralai 0.5",
    "client.ChatCompletion": "fireworks-ai 0.19",
    "client.Completion": "fireworks-ai 0.19",
    "fireworks.llm": "fireworks-ai 0.19",
    "patch()": "instructor 0.6 (gives the client back)",
    "apatch()": "instructor 0.6 (gives the client back)",
    "langchain": "langchain 0.3 (now langchain-classic)",
    "langchain.agents": "langchain 0.3",
    "langchain.chat_models": "langchain 0.3",
    "langchain.embeddings": "langchain 0.3",
    "langchain.llms": "langchain 0.3",
    "langchain.retrievers": "langchain 0.3",
    "langchain.tools": "langchain 0.3",
    "langchain.vectorstores": "langchain 0.3",
    "langchain.document_loaders": "langchain 0.3",
    "langchain/chat_models/openai": "langchain 0.1 on npm",
    "langchain/document_loaders": "langchain 0.3 on npm",
    "langchain/embeddings": "langchain 0.1 on npm",
    "langchain/llms/openai": "langchain 0.1 on npm",
    "langchain/prompts": "langchain 0.1 on npm",
    "langchain/vectorstores": "langchain 0.3 on npm",
    "langchain.chat-huggingface langchain_community": "langchain-community 0.2",
    "schema.SystemMessage": "langchain 0.3",
    "AgentRunner": "llama-index 0.12",
    "FunctionCallingAgent": "llama-index 0.12",
    "FunctionCallingAgentWorker": "llama-index 0.12",
    "ReActAgent.from_tools": "llama-index 0.12",
    "ReActAgentWorker": "llama-index 0.12",
    "StructuredPlannerAgent": "llama-index 0.12",
    "llama_index.multi_modal_llms": "llama-index 0.12",
    "llama-index.reader llamaindex": "llamaindex 0.8 on npm (now @llamaindex/readers)",
    "crewai.tool crewai_tools": "crewai-tools 0.14",
    "CodeInterpreterTool": "crewai-tools 0.x",
    "PGSearchTool": "crewai-tools 0.x",
    "GPTAssistantAgent": "ag2 0.9",
    "OpenAIModel": "pydantic-ai 1.x",
    "GeminiModel": "pydantic-ai 1.x",
    "HfApiModel": "smolagents 1.13",
    "A2AClient": "a2a-sdk 0.3",
    "client.A2AClient": "a2a-sdk 0.3",
    "built_in_code_execution": "google-adk 0.x",
    "GoogleSearchTools": "agno 1.x",
    "dspy.lm OpenAI": "dspy 2.4",
    "sagemaker.input": "sagemaker 2.x",
    "sagemaker.model": "sagemaker 2.x",
    "sagemaker.train": "sagemaker 2.x",
    "Guard().use_many": "guardrails-ai 0.6",
    "AsyncGuard().use_many": "guardrails-ai 0.6",
    "Guard.from_pydantic": "guardrails-ai 0.5",
    "Guard.from_rail": "guardrails-ai 0.5",
    **dict.fromkeys(
        ("OpenAIGenerator", "AzureOpenAIGenerator", "HuggingFaceAPIGenerator", "HuggingFaceLocalGenerator",
         "HuggingFaceAPIChatGenerator", "HuggingFaceLocalChatGenerator", "AnthropicGenerator", "OllamaGenerator",
         "CohereGenerator", "AmazonBedrockGenerator", "SentenceTransformersTextEmbedder",
         "SentenceTransformersDocumentEmbedder", "HuggingFaceAPITextEmbedder", "HuggingFaceAPIDocumentEmbedder",
         "TransformersSimilarityRanker", "SentenceTransformersSimilarityRanker",
         "SentenceTransformersDiversityRanker", "HuggingFaceTEIRanker", "LocalWhisperTranscriber",
         "RemoteWhisperTranscriber", "haystack.speech haystack"),
        "haystack-ai 2.x",
    ),
}  # fmt: skip
#: Packages whose clients are made at run time from descriptions of services.
AT_RUN_TIME = frozenset({"boto3", "aioboto3"})


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--cache", type=Path, default=Path("/tmp/penstock-packages"))
    ask.add_argument("--row", help="only rows whose id starts with this")
    ask.add_argument("--all", action="store_true", help="print rows that are all found too")
    given = ask.parse_args()
    total: Counter[str] = Counter()
    for row in load_pack("signatures").rows:
        if row.language in ("", "python", "script") and row.id.startswith(given.row or ""):
            said = dict(check(row, given.cache))
            total.update(said.values())
            if given.all or set(said.values()) - {"found", "by name"}:
                wrong = [f"{symbol} ({what})" for symbol, what in said.items() if what not in ("found", "by name")]
                print(f"{row.id}: {dict(Counter(said.values()))} {'; '.join(wrong)}", flush=True)
    known = sum(total.values()) - total["not available"]
    print(
        f"\n{dict(total)}\nfound, by name, open or of an earlier version: "
        f"{1 - total['not found'] / max(known, 1):.1%} of {known}"
    )
    return 1 if total["not found"] else 0


def check(row: Signature, cache: Path) -> Iterator[tuple[str, str]]:
    """Each symbol of a row, and what became of it; each package of a row too, when nothing of the row is in it."""
    packages = {package: published(row, package, cache) for package in row.package}
    useful: set[str] = set()
    for pattern in row.symbol:
        for symbol in signatures._expand(pattern):
            ways: set[str] = set()
            for package, sets in packages.items():
                said = {look_up(symbol, package, names) for names in sets}
                if said - {"not found"}:
                    useful.add(package)
                ways |= said
            way = next((way for way in ("found", "by name", "open") if way in ways), "")
            written = (symbol, f"{row.id} {symbol}")
            earlier = row.id in EARLIER or any(
                text == name or text.startswith((f"{name}.", f"{name}(")) for text in written for name in EARLIER
            )
            yield symbol, way or ("earlier" if earlier else "not found" if all(packages.values()) else "not available")
    for package, sets in packages.items():
        if package not in useful:
            earlier = bool({row.id, package, f"{row.id} {package}"} & EARLIER.keys())
            yield f"anything of {package}", "earlier" if earlier else "not found" if sets else "not available"


def look_up(symbol: str, package: str, names: Names) -> str:
    """How a symbol of a package is found."""
    steps = [(re.sub(r"\W", "", part), "(" in part) for part in symbol.split(".")]
    if symbol.startswith("*."):
        return "by name" if steps[-1][0] in names.members else "not found"
    best = "not found"
    if any(module.endswith(f".{symbol}") for module in names.modules):  # a module is the thing: strands_tools.browser
        return "found"
    for start in range(len(steps)):
        prefix = "." + ".".join(name for name, _ in steps[:start]) if start else ""
        for module, held in names.modules.items():
            if steps[start][0] in held and (not prefix or f".{module}".endswith(prefix)):
                way = _members(steps[start:], names)
                if way == "found":
                    return way
                best = way if way != "not found" else best
    if best == "not found" and package in AT_RUN_TIME:
        return "open"
    return best


def _members(steps: list[tuple[str, bool]], names: Names) -> str:
    """How the members after a name are found, by the classes that each is made of."""
    head = steps[0][0]
    classes = {head} if head in names.classes else {c for c in names.returns.get(head, ()) if c in names.classes}
    way = "found"
    for name, _ in steps[1:]:
        kinds = names.of(classes, name)
        if kinds is not None:
            classes = kinds & names.classes.keys()
        elif names.has_open(classes):
            return "open"
        elif not classes and (name in names.members or any(name in held for held in names.modules.values())):
            way = "by name"
        else:
            return "not found"
    return way


def published(row: Signature, package: str, cache: Path) -> list[Names]:
    """The names of a package on PyPI and of the one on npm, as far as the row means them and they can be had."""
    found = []
    if row.language != "script" and re.fullmatch(r"[\w.]+", package):
        folders = tuple(folder for name in distributions(package) if (folder := wheel(name, cache)))
        found.append(python_names(folders, package))
    if row.language == "script" or package_named("script", package) or not re.fullmatch(r"[\w.]+", package):
        name = "/".join(package.split("/")[: 2 if package.startswith("@") else 1])
        folders = tuple(folder for each in (name, *PARTS.get(name, ())) if (folder := tarball(each, cache)))
        found.append(script_names(folders, package))
    return [names for names in found if names.modules]


def distributions(package: str) -> list[str]:
    """The distributions on PyPI that an import root may come from."""
    known = package_named("python", package)
    listed = [name for name in (known.pypi if known else ()) if "*" not in name]
    root = package.partition(".")[0].replace("_", "-")
    wild = [root] if (known and any("*" in name for name in known.pypi)) or not known else []
    return list(dict.fromkeys([*listed, *wild, *(part for start in _starts(package) for part in PARTS.get(start, ()))]))


def _starts(package: str) -> list[str]:
    """A dotted name and the names around it."""
    parts = package.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]


if __name__ == "__main__":
    sys.exit(main())
