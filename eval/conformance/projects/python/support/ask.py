import os

from anthropic import Anthropic
from openai import OpenAI

from support.config import SHARED_MODEL, Model, settings

MODEL = "gpt-4o"
FAMILY = "sonnet"
MODELS = {"cheap": "gpt-3.5-turbo"}

client = OpenAI()
claude = Anthropic()


def constant(question: str) -> str:
    return client.responses.create(model=MODEL, input=question).output_text


def concatenation(question: str) -> str:
    return client.responses.create(model=MODEL + "-mini", input=question).output_text


def template(question: str):
    return claude.messages.create(
        model=f"claude-{FAMILY}-4-5", max_tokens=100, messages=[{"role": "user", "content": question}]
    )


def enumerated(question: str):
    return client.responses.create(model=Model.ROUTER.value, input=question)


def configured(question: str):
    return client.responses.create(model=settings.summary_model, input=question)


def from_environment(question: str):
    return client.responses.create(model=os.getenv("TRIAGE_MODEL", "gpt-4.1-nano"), input=question)


def from_file(question: str):
    return client.responses.create(model=os.environ["SUPPORT_MODEL"], input=question)


def from_compose(question: str):
    return client.responses.create(model=os.environ["REASONING_MODEL"], input=question)


def imported(question: str):
    return client.responses.create(model=SHARED_MODEL, input=question)


class Classifier:
    def __init__(self) -> None:
        self.model = "gpt-5-mini"

    def classify(self, text: str):
        return client.responses.create(model=self.model, input=text)


def defaulted(question: str, model: str = "gpt-5-nano"):
    return client.responses.create(model=model, input=question)


def passed(question: str, model: str):
    return client.responses.create(model=model, input=question)


def caller():
    return passed("hello", "gpt-4-turbo")


def chosen(question: str):
    return client.responses.create(model=MODELS["cheap"], input=question)


# client.responses.create(model="gpt-4-32k", input="old")
