"""A variable's default in Terraform reaches the code that reads it from the environment."""

import time

from penstock.discover.scan import scan
from penstock.graph.merge import merge
from penstock.settings import Settings

CODE = "import os\nfrom openai import OpenAI\nclient = OpenAI()\n" + (
    "client.chat.completions.create(model=os.environ['CHAT_MODEL'], messages=[])\n"
)
FUNCTION = """
resource "aws_lambda_function" "chat" {
  function_name = "chat"
  environment {
    variables = { CHAT_MODEL = var.chat_model }
  }
}
"""
VARIABLES = 'variable "chat_model" {\n  default = "gpt-4o-mini"\n}\n'


def models(root) -> set[str]:
    found = scan([root], settings=Settings(), cache=None, now=time.time())
    graph = merge(found.observations, complete=found.complete, unseen=found.unseen, at=time.time())
    return {asset.name for asset in graph.of_kind("model")}


def test_a_default_in_another_file_is_the_model_that_code_calls(tmp_path):
    (tmp_path / "app.py").write_text(CODE)
    (tmp_path / "main.tf").write_text(FUNCTION)
    assert models(tmp_path) == set()
    (tmp_path / "variables.tf").write_text(VARIABLES)
    assert models(tmp_path) == {"gpt-4o-mini"}
