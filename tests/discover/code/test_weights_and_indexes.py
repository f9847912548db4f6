"""Models loaded from files, the stores that an index keeps itself, data by several arguments, training elsewhere."""

import pytest

TRAINED = "import sklearn\n"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import joblib\nm = joblib.load('models/churn.joblib')\nm.predict([1])", "models/churn.joblib"),
        ("import pickle\nwith open('models/clf.pkl', 'rb') as f:\n    m = pickle.load(f)", "models/clf.pkl"),
        ("import torch\nstate = torch.load('checkpoints/best.pt')", "checkpoints/best.pt"),
        ("import onnxruntime as ort\ns = ort.InferenceSession('models/fraud.onnx')", "models/fraud.onnx"),
        ("import xgboost as xgb\nb = xgb.Booster()\nb.load_model('models/risk.json')", "models/risk.json"),
        ("from tensorflow import keras\nm = keras.models.load_model('models/price.keras')", "models/price.keras"),
        (
            "import os, joblib\nHERE = os.path.dirname(os.path.abspath(__file__))\n"
            "m = joblib.load(os.path.join(HERE, 'models', 'risk_model.pkl'))",
            "models/risk_model.pkl",
        ),
    ],
)
def test_a_model_in_a_file_is_used_by_the_application(python_file, code, name):
    seen = python_file(TRAINED + code + "\n")
    assert ("app", "uses_model", name) in seen.links()


@pytest.mark.parametrize(
    "code",
    [
        "import pickle\nd = pickle.load(open('cache.pkl', 'rb'))",
        "import joblib\ns = joblib.load('scaler.joblib')",
        "import torch\nstate = torch.load(path)",
        "import os, torch\ndef f(folder): return torch.load(os.path.join(folder, 'pytorch_model.bin'))",
    ],
)
def test_an_object_that_nothing_says_is_a_model_is_none(python_file, code):
    assert python_file(TRAINED + code + "\n").names("model") == set()


def test_an_object_somebody_predicts_with_is_a_model(see):
    seen = see({
        "load.py": "import joblib, sklearn\nthing = joblib.load('a/b.bin')\n",
        "serve.py": "from load import thing\ndef answer(x): return thing.predict([x])\n",
    })  # fmt: skip
    assert seen.names("model") == {"a/b.bin"}


def test_training_and_serving_meet_in_the_file_of_the_source(see):
    seen = see({
        "svc/train.py": (
            "import pandas as pd, joblib\nfrom sklearn.linear_model import LogisticRegression\n"
            "d = pd.read_csv('claims.csv')\nm = LogisticRegression()\nm.fit(d, d)\njoblib.dump(m, 'model.joblib')\n"
        ),
        "svc/serve.py": "import joblib, sklearn\nm = joblib.load('model.joblib')\n",
        "svc/model.joblib": b"\x80",
        "svc/claims.csv": "a,b\n",
    })  # fmt: skip
    assert seen.names("model") == {"svc/model.joblib"}
    assert ("svc/model.joblib", "trained_on", "svc/claims.csv") in seen.links()
    assert ("app", "uses_model", "svc/model.joblib") in seen.links()


INDEX = """
from llama_index.core import Settings, SimpleDirectoryReader, StorageContext, VectorStoreIndex
from llama_index.embeddings.openai import OpenAIEmbedding
Settings.embed_model = OpenAIEmbedding(model="text-embedding-3-small")
docs = SimpleDirectoryReader("handbook").load_data()
index = VectorStoreIndex.from_documents(docs)
index.storage_context.persist("storage")
"""


def test_an_index_without_a_store_keeps_its_vectors_itself(python_file):
    seen = python_file(INDEX)
    assert seen.names("vector_store") == {"SimpleVectorStore"}
    assert ("SimpleVectorStore", "embedded_by", "text-embedding-3-small") in seen.links()
    assert ("SimpleVectorStore", "indexes", "handbook") in seen.links()
    assert ("app", "retrieves_from", "SimpleVectorStore") in seen.links()


def test_an_index_over_a_store_is_that_store(python_file):
    seen = python_file(
        INDEX.replace("from_documents(docs)", "from_documents(docs, storage_context=context)").replace(
            "docs =",
            "from llama_index.vector_stores.qdrant import QdrantVectorStore\n"
            "context = StorageContext.from_defaults(vector_store=QdrantVectorStore(collection_name='x'))\ndocs =",
        )
    )
    assert seen.names("vector_store") == {"qdrant"}
    assert ("qdrant", "indexes", "handbook") in seen.links()


def test_an_index_over_a_store_that_is_not_known_says_none(python_file):
    code = INDEX.replace("index = Vec", "def build(context):\n    return Vec").replace(
        "(docs)", "(docs, storage_context=context)"
    )
    assert python_file(code.replace("index.storage", "build(None).storage")).names("vector_store") == set()


def test_an_ingestion_pipeline_fills_its_store(python_file):
    seen = python_file(
        """
from llama_index.core import SimpleDirectoryReader
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.vector_stores.postgres import PGVectorStore
store = PGVectorStore.from_params(table_name="docs")
pipeline = IngestionPipeline(
    transformations=[SentenceSplitter(), OpenAIEmbedding(model="text-embedding-3-small")], vector_store=store
)
pipeline.run(documents=SimpleDirectoryReader("handbook").load_data())
"""
    )
    assert seen.links("embedded_by", "indexes") == {
        ("pgvector", "embedded_by", "text-embedding-3-small"),
        ("pgvector", "indexes", "handbook"),
    }


def test_data_is_named_by_all_its_arguments(python_file):
    seen = python_file(
        """
from langchain_community.document_loaders import S3FileLoader
from langchain_community.vectorstores import FAISS
from langchain_openai import OpenAIEmbeddings
docs = S3FileLoader("claims", "2024/report.pdf").load()
store = FAISS.from_documents(docs, OpenAIEmbeddings(model="text-embedding-3-small"))
"""
    )
    assert ("faiss", "indexes", "s3://claims/2024/report.pdf") in seen.links()


def test_a_search_is_one_of_vectors_only_with_vectors(python_file):
    code = (
        "from openai import OpenAI\nfrom elasticsearch import Elasticsearch\n"
        "OpenAI().embeddings.create(model='text-embedding-3-small', input='x')\n"
        "Elasticsearch('http://es:9200').search(index='docs', {})\n"
    )
    assert python_file(code.format("query={'match': {}}")).names("vector_store") == set()
    assert python_file(code.format("knn={'field': 'v'}")).names("vector_store") == {"elasticsearch"}


def test_training_in_the_cloud_names_its_base_its_data_and_where_it_puts_the_model(python_file):
    seen = python_file(
        """
from sagemaker.huggingface import HuggingFace
job = HuggingFace(entry_point="train.py", output_path="s3://models/out",
    hyperparameters={"model_name_or_path": "distilbert/distilbert-base-uncased"})
job.fit({"train": "s3://bucket/claims"})
"""
    )
    assert ("s3://models/out", "fine_tuned_from", "distilbert/distilbert-base-uncased") in seen.links()
    assert ("s3://models/out", "trained_on", "s3://bucket/claims") in seen.links()


@pytest.mark.parametrize(
    "task", ["from airflow.sdk import task", "from prefect import task", "from dagster import asset as task"]
)
def test_a_task_that_trains_is_training_whoever_runs_it(python_file, task):
    seen = python_file(
        f"{task}\nimport pandas as pd, joblib\nfrom sklearn.linear_model import LogisticRegression\n"
        "@task\ndef load():\n    return pd.read_csv('claims.csv')\n"
        "@task\ndef train():\n    d = load()\n    m = LogisticRegression()\n    m.fit(d, d)\n"
        "    joblib.dump(m, 'model.joblib')\n"
    )
    assert ("model.joblib", "trained_on", "claims.csv") in seen.links()
    assert seen.names("pipeline") == {"app.py"}


def test_an_evaluation_is_a_pipeline_with_its_data_and_models(python_file):
    seen = python_file(
        """
from datasets import load_dataset
from ragas import evaluate
from langchain_openai import ChatOpenAI
evaluate(load_dataset("explodinggradients/amnesty_qa"), metrics=[], llm=ChatOpenAI(model="gpt-4o"))
"""
    )
    (pipeline,) = seen.graph.of_kind("pipeline")
    assert pipeline.props["role"] == "evaluation"
    assert ("app.py", "loads", "explodinggradients/amnesty_qa") in seen.links()
    assert ("app.py", "uses_model", "gpt-4o") in seen.links()


def test_tools_that_are_classes(python_file):
    seen = python_file(
        """
from crewai import Agent
from crewai.tools import BaseTool
class Lookup(BaseTool):
    name: str = "lookup_order"
    def _run(self, order: str) -> str: return order
desk = Agent(role="Desk", goal="g", backstory="You help people at the desk all day.", tools=[Lookup()])
"""
    )
    assert ("Desk", "uses_tool", "lookup_order") in seen.links()
