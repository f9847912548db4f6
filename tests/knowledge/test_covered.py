"""Every SDK, framework, store and library that Penstock promises to know has rows, for each language it exists in."""

import pytest

from penstock.discover.code import signatures
from penstock.knowledge.pack import load_pack

#: Promised name → (rows for Python, rows for TypeScript and JavaScript); other languages have files of their own.
COVERED: dict[str, tuple[str, str]] = {
    # hosted models
    "OpenAI": ("openai.client openai.request openai.embeddings openai.image openai.speech openai.moderation "
               "openai.assistant openai.fine-tuning", "openai.client openai.request openai.embeddings openai.image"),
    "Azure OpenAI": ("openai.azure-client openai.request azure-inference.request azure-inference.embed",
                     "openai.azure-client openai.request vercel.model"),
    "Anthropic": ("anthropic.client anthropic.request claude-agent.client claude-agent.tool claude-agent.server",
                  "anthropic.client anthropic.request claude-agent.client claude-agent.tool claude-agent.server"),
    "Bedrock": ("bedrock.request bedrock.agent-request anthropic.bedrock-client bedrock.apply-guardrail",
                "bedrock.command anthropic.bedrock-client bedrock.apply-guardrail-js"),
    "Vertex AI and Gemini": ("google-genai.request google-genai.embed google-genai.image google-genai.chat "
                             "google-generativeai.model anthropic.vertex-client",
                             "google-genai.request google-genai.embed google-generativeai.model"),
    "Mistral": ("mistral.request mistral.embed", "mistral.request mistral.embed"),
    "Cohere": ("cohere.request cohere.embed cohere.rerank", "cohere.request cohere.embed cohere.rerank"),
    "xAI": ("xai.chat langchain.chat-models", "vercel.model langchain.chat-models"),
    "Groq": ("groq.request langchain.chat-models", "groq.request vercel.model"),
    "Together": ("together.request", "together.request vercel.model"),
    "Fireworks": ("fireworks.request fireworks.llm", "vercel.model"),
    "OpenRouter": ("openrouter.request openai.client", "openrouter.request vercel.model"),
    "Ollama": ("ollama.client ollama.request ollama.embed", "ollama.client ollama.request ollama.embed"),
    "Voyage and Cerebras": ("voyage.embed voyage.rerank cerebras.request", "voyage.embed cerebras.request"),
    "models over plain HTTP": ("web.python web.aiohttp web.urllib", "web.fetch web.fetch-package web.axios"),
    # models of one's own
    "vLLM": ("vllm.llm ray.llm openai.client", "openai.client"),
    "llama.cpp": ("llama-cpp.model", ""),
    "Hugging Face transformers": ("transformers.from-pretrained transformers.pipeline transformers.trainer "
                                  "transformers.arguments hub.push huggingface.download",
                                  "transformers.pipeline huggingface.inference"),
    "datasets": ("datasets.load", ""),
    "diffusers": ("transformers.from-pretrained diffusers.adapter", ""),
    "sentence-transformers": ("sentence-transformers.model sentence-transformers.reranker "
                              "sentence-transformers.fit", ""),
    "peft": ("transformers.from-pretrained flow.passes", ""),
    "trl": ("transformers.trainer transformers.arguments", ""),
    # frameworks
    "LiteLLM": ("litellm.request litellm.embed litellm.media litellm.speech litellm.rerank", ""),
    "LangChain and LangGraph": ("langchain.openai langchain.chat-models langchain.embeddings langchain.rerank "
                                "langchain.agent langgraph.supervisor langchain.tool-decorator tool.class "
                                "langchain.prompt langchain.store langchain.document-loader",
                                "langchain.openai langchain.chat-models langchain.embeddings langchain.agent "
                                "langchain.tool-js langchain.prompt langchain-js.store langchain.document-loader"),
    "LlamaIndex": ("llama-index.model llama-index.embedding llama-index.rerank llama-index.agent llama-index.tool "
                   "llama-index.prompt llama-index.index llama-index.ingestion llama-index.store llama-index.reader",
                   "llama-index.model llama-index.embedding llama-index.agent llama-index.tool llama-index.index "
                   "llama-index.store llama-index.reader"),
    "OpenAI Agents SDK": ("openai-agents.agent openai-agents.tool openai-agents.guard openai-agents.model mcp.client",
                          "openai-agents.agent openai-agents.tool-js openai-agents.hosted-tool mcp.client"),
    "CrewAI": ("crewai.agent crewai.llm crewai.tool crewai.ready-tool tool.class", ""),
    "AutoGen and AG2": ("autogen.agent autogen.model autogen.config autogen.tool", ""),
    "Semantic Kernel": ("semantic-kernel.service semantic-kernel.embedding semantic-kernel.agent "
                        "semantic-kernel.tool", ""),
    "Agent Framework": ("agent-framework.agent agent-framework.client-agent agent-framework.model "
                        "agent-framework.tool", ""),
    "Google ADK": ("google-adk.agent google-adk.workflow google-adk.model google-adk.tool google-adk.agent-tool "
                   "google-adk.ready-tool", "google-adk.agent google-adk.tool google-adk.agent-tool"),
    "Strands": ("strands.agent strands.model strands.tool strands.ready-tool",
                "strands.agent strands.model strands.tool-js"),
    "smolagents": ("smolagents.agent smolagents.model smolagents.tool smolagents.ready-tool tool.class", ""),
    "PydanticAI": ("pydantic-ai.agent pydantic-ai.model pydantic-ai.tool pydantic-ai.prompt", ""),
    "DSPy": ("dspy.lm dspy.embedder dspy.agent dspy.tool", ""),
    "Haystack": ("haystack.generator haystack.embedder haystack.ranker haystack.speech haystack.agent haystack.tool "
                 "haystack.prompt haystack.store", ""),
    "Agno": ("agno.agent agno.team agno.model agno.embedder agno.tool agno.ready-tool agno.store", ""),
    "Mastra": ("", "mastra.agent mastra.tool mastra.query-tool mastra.router mastra.store mcp.mastra-server"),
    "Vercel AI SDK": ("", "vercel.model vercel.client vercel.embedding vercel.other-models vercel.speech "
                          "vercel.request vercel.rerank vercel.media vercel.agent vercel.tool "
                          "vercel.passes mcp.client-vercel"),
    "Instructor": ("instructor.client instructor.provider instructor.request", "instructor.request"),
    "MCP": ("mcp.fastmcp mcp.low-level mcp.tool-decorator mcp.tool-object mcp.prompt-decorator mcp.prompt-object "
            "mcp.client mcp.client-transport mcp.client-fastmcp mcp.client-frameworks",
            "mcp.server-js mcp.tool-js mcp.prompt-js mcp.handlers-js mcp.client mcp.client-transport "
            "mcp.client-vercel"),
    "A2A": ("a2a.card a2a.client", "a2a.server-js a2a.client"),
    # vector stores
    "pgvector": ("pgvector.column langchain.store llama-index.store", "pgvector.js mastra.store"),
    "Chroma": ("chroma.client chroma.collection chroma.embedding", "chroma.client chroma.collection"),
    "Pinecone": ("pinecone.client", "pinecone.client"),
    "Qdrant": ("qdrant.client", "qdrant.client"),
    "Weaviate": ("weaviate.client", "weaviate.client"),
    "Milvus": ("milvus.client", "milvus.client"),
    "FAISS": ("faiss.index", "langchain-js.store"),
    "LanceDB": ("lancedb.connect", "lancedb.connect"),
    "Elasticsearch": ("elasticsearch.vectors", "elasticsearch.vectors"),
    "OpenSearch": ("opensearch.vectors", "opensearch.vectors"),
    "Redis": ("redis.vectors langchain.store", "langchain-js.store"),
    "MongoDB Atlas": ("mongodb.vectors", "mongodb.vectors"),
    "S3 Vectors": ("s3-vectors.client", "s3-vectors.command"),
    "Azure AI Search": ("azure-ai-search.client", "azure-ai-search.client"),
    # learning
    "PyTorch and Lightning": ("lightning.fit weights.save weights.unpickle vision.model", ""),
    "TensorFlow and Keras": ("estimators.fit weights.load vision.model", "weights.load"),
    "JAX": ("jax.training jax.save", ""),
    "scikit-learn": ("estimators.fit weights.save weights.unpickle torchvision.data", ""),
    "XGBoost and LightGBM": ("estimators.fit weights.load weights.booster-file", ""),
    "spaCy": ("spacy.load spacy.train", ""),
    "MLflow": ("mlflow.register mlflow.load mlflow.prompt evaluation.run", ""),
    "W&B": ("wandb.register", ""),
    "DVC": ("dvc.data", ""),
    "Kubeflow": ("kubeflow.pipeline kubeflow.train", ""),
    "Ray": ("ray.train ray.data ray.llm", ""),
    "SageMaker SDK": ("sagemaker.train sagemaker.input sagemaker.model sagemaker.invoke", ""),
    "Airflow, Dagster and Prefect": ("airflow.training estimators.fit transformers.trainer", ""),
    # guards and evaluation
    "guardrail libraries": ("nemo.rails guardrails-ai.guard llm-guard.scan llm-guard.scanner presidio.engine "
                            "llama-firewall.scan azure-content-safety.client bedrock.apply-guardrail "
                            "openai-guardrails.client langchain.guard-middleware rebuff.detector",
                            "bedrock.apply-guardrail-js openai-guardrails.client azure-content-safety.client"),
    "evaluation libraries": ("evaluation.run evaluation.judge evaluation.task inspect.model", "evaluation.run"),
}  # fmt: skip


@pytest.mark.parametrize("name", COVERED)
def test_a_promised_package_has_its_rows(name):
    rows = load_pack("signatures").by_id()
    python, script = (text.split() for text in COVERED[name])
    assert python or script
    for row in python:
        assert row in rows, row
        assert rows[row].language in ("", "python"), f"{row} is not for Python"
        assert any(not signatures_of_npm(package) for package in rows[row].package), row
    for row in script:
        assert row in rows, row
        assert rows[row].language in ("", "script"), f"{row} is not for scripts"


#: Promised names of other languages.
ELSEWHERE = {
    "Spring AI": "java.spring-chat-client java.spring-tool java.spring-options java.spring-store",
    "LangChain4j": "java.langchain4j-model java.langchain4j-embedding java.langchain4j-service java.langchain4j-store",
    "Microsoft.Extensions.AI": "csharp.extensions-request csharp.extensions-function csharp.extensions-client",
    "Agent Framework": "csharp.agent csharp.agent-hosted",
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_promised_package_of_another_language_has_its_rows(name):
    assert set(ELSEWHERE[name].split()) <= load_pack("signatures").by_id().keys()


@pytest.mark.parametrize("role", ["embedding", "rerank", "moderation", "speech", "image"])
def test_every_role_of_a_model_has_rows(role):
    assert any(row.role == role for row in load_pack("signatures").rows)


def test_every_row_for_python_and_scripts_is_promised_or_helps_one_that_is():
    promised = {row for texts in COVERED.values() for text in texts for row in text.split()}
    rest = {r.id.partition(".")[0] for r in load_pack("signatures").rows if r.language in ("", "python", "script")}
    assert rest - {row.partition(".")[0] for row in promised} <= HELPERS


#: Groups of rows beside the promised names: how values travel, data that is read, further stores and providers.
HELPERS = {"tables", "flow", "loader", "torchvision", "whisper", "replicate", "upstash", "turbopuffer", "txtai", "timm",
           "genkit", "langgraph", "s3-vectors", "guardrails"}  # fmt: skip


def signatures_of_npm(package: str) -> bool:
    """Whether a package's name can only be one of npm."""
    return package.startswith("@") or "-" in package or "/" in package


def test_names_of_packages_tell_their_languages_apart():
    assert signatures_of_npm("@ai-sdk/openai")
    assert not signatures_of_npm("langchain_core")
    assert signatures.match("openai.OpenAI().chat.completions.create", "python") is not None
