"""Harmless texts for the attack scorer: starts of files of public repositories, some to learn from, some held back.

    python bench/guard/harmless.py CLONES OUT          # reads CLONES/owner/name, writes OUT/learnt and OUT/held
    penstock guard train … --harmless OUT/learnt
    python bench/guard/harmless.py --alarms OUT/held   # how many of the texts held back would raise an alarm

The commits are those at which the shipped model was made.
"""

from __future__ import annotations

import argparse
import random
import subprocess
from pathlib import Path

from penstock.inspect.attacks import corpus
from penstock.inspect.attacks.model import shipped

LEARNT = {
    "0xPlaygrounds/rig": "b75850e89949",
    "64bit/async-openai": "ca746070fdcd",
    "AbdelStark/anthropic-rs": "a3a6eb505cf9",
    "Abraxas-365/langchain-rust": "cfc709a71fee",
    "Anush008/fastembed-rs": "045d59182819",
    "Azure-Samples/azure-search-openai-demo-csharp": "83cbc7752379",
    "Azure-Samples/get-started-with-ai-agents": "1cd517916136",
    "JetBrains/koog": "dfae03885e6d",
    "LLPhant/LLPhant": "1f13db708f3d",
    "a2aproject/a2a-samples": "6603ba3f2c31",
    "aallam/openai-kotlin": "9574ca39226e",
    "anthropics/anthropic-quickstarts": "44c2b5c97d6d",
    "anthropics/anthropic-sdk-go": "b43f0d7a327f",
    "anthropics/anthropic-sdk-java": "8f5861c88353",
    "aws-ia/terraform-aws-bedrock": "4b74b7dd5110",
    "aws-samples/serverless-pdf-chat": "2c9ed9c00d5f",
    "bosun-ai/async-anthropic": "aa2d7c5ba221",
    "charmbracelet/mods": "0425d0d7861e",
    "crmne/ruby_llm": "fb5a49bf04da",
    "deepset-ai/haystack-rag-app": "70c49c097842",
    "dotnet/ai-samples": "dfffa9b6583f",
    "google-gemini-php/client": "d61ebe8e8f7a",
    "googleapis/go-genai": "6fd3e65e954a",
    "jeremychone/rust-genai": "bd84fbb10321",
    "laravel/ai": "516f289e90c1",
    "mark3labs/mcp-go": "56af04b2a9ae",
    "mdegans/misanthropic": "258225365a13",
    "mochi-neko/clust": "81fda7c644a6",
    "modelcontextprotocol/csharp-sdk": "609499b2988e",
    "modelcontextprotocol/go-sdk": "3d6450fccf56",
    "modelcontextprotocol/java-sdk": "305e4cbd03a5",
    "modelcontextprotocol/kotlin-sdk": "a06d699d6c9d",
    "modelcontextprotocol/ruby-sdk": "fcb1ac935da2",
    "modelcontextprotocol/rust-sdk": "4a738b9dd99e",
    "neuron-core/travel-planner-agent": "93c080c1e438",
    "oasis-tcs/sarif-spec": "e0583813964e",
    "openai/openai-cs-agents-demo": "bd7bfca0f5ab",
    "openai/openai-dotnet": "b3b4bbbc31ce",
    "openai/openai-java": "5f499c32eb43",
    "ossf/model-signing-spec": "a0c91e2c9302",
    "patterns-ai-core/langchainrb": "a944fb53b82c",
    "pepperoni21/ollama-rs": "b39b47fbefe1",
    "philschmid/terraform-aws-sagemaker-huggingface": "a3ea21b4b978",
    "prism-php/prism": "5d6cc65b80b1",
    "run-llama/create_llama_projects": "0f8af6c8a75b",
    "run-llama/sec-insights": "a9b6da0f5c4b",
    "sashabaranov/go-openai": "3d58ac5abb21",
    "symfony/ai": "6a95fac3fc15",
    "tloen/alpaca-lora": "8bb8579e403d",
    "vllm-project/production-stack": "a6c01db05f65",
}
HELD = {
    "crewAIInc/crewAI-examples": "da94a91e691e",
    "dotnet/eShopSupport": "1a772ff84f75",
    "kserve/kserve": "aaac4e294dae",
    "kubeflow/examples": "4a9165b7efd0",
    "langchain4j/langchain4j": "b8b809ed57e4",
    "microsoft/agent-framework": "5eb3eb745e16",
    "microsoft/semantic-kernel": "b39d95a34435",
    "modelcontextprotocol/servers": "76d64c822f51",
    "n8n-io/self-hosted-ai-starter-kit": "9ccbaf42e007",
    "ocsf/ocsf-schema": "a5cfc68e3ca6",
    "openai/openai-go": "4e5a07a6a205",
    "pallets/flask": "2ac89889f4cc",
    "spring-petclinic/spring-petclinic-microservices": "9a76b4e34cd7",
    "strands-agents/samples": "d07254ac4a4e",
    "tmc/langchaingo": "8fea3de63675",
    "vercel/ai-chatbot": "9d5d8a3ea796",
}
ENDINGS = (".md", ".rst", ".py", ".ts", ".go", ".java", ".cs", ".yaml", ".yml", ".txt", ".rb", ".rs", ".kt", ".php")
#: Files that may well hold attacks, for tests or as examples; and lists of packages.
NOT = ("jailbreak", "injection", "redteam", "attack", "lock")
EACH = 90


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clones", type=Path, nargs="?")
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--alarms", type=Path)
    given = parser.parse_args()
    if given.alarms:
        alarms(given.alarms)
    elif given.clones and given.out:
        for side, repositories in (("learnt", LEARNT), ("held", HELD)):
            print(
                side, sum(write(given.clones, name, at, given.out / side) for name, at in repositories.items()), "texts"
            )
    else:
        parser.error("name CLONES and OUT, or --alarms FOLDER")


def write(clones: Path, name: str, at: str, out: Path) -> int:
    place = next((each for each in (clones / name, clones / name.replace("/", "+") / "repo") if each.exists()), None)
    if place is None:
        print("not there:", name)
        return 0
    paths = git(place, "ls-tree", "-r", "--name-only", at).decode().split("\n")
    paths = [path for path in paths if path.endswith(ENDINGS) and not any(word in path.lower() for word in NOT)]
    written = 0
    for path in random.Random(11).sample(paths, min(EACH, len(paths))):
        data = git(place, "show", f"{at}:{path}")
        if 300 < len(data) < 400_000:
            target = out / name.replace("/", "+") / path.replace("/", "__")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            written += 1
    return written


def git(place: Path, *words: str) -> bytes:
    """What git says; nothing for what a partial clone lacks."""
    return subprocess.run(["git", "-C", str(place), *words], capture_output=True).stdout


def alarms(folder: Path) -> None:
    model, texts = shipped(), list(corpus.harmless_texts(folder))
    above = [0, 0]
    for text in texts:
        score = model.best(text).score
        for side, limit in enumerate(model.thresholds_for(text, "content")):
            above[side] += score > limit
    print(f"{len(texts)} texts: {above[0] / len(texts):.4f} above the alert point, {above[1] / len(texts):.4f} blocked")


if __name__ == "__main__":
    main()
