"""Terraform: values followed to where they stand, and resources that are AI or that AI stands on."""

from __future__ import annotations

import pytest

from penstock.discover.infra.terraform import variables

ONLY = ["infra.terraform"]

MODULE = """\
variable "model" { type = string }
variable "data" { default = null }
locals { role = var.data != null ? null : aws_iam_role.run[0].arn }
resource "aws_iam_role" "run" { count = 1 }
resource "aws_iam_role" "other" {}
resource "aws_sagemaker_model" "m" {
  execution_role_arn = local.role
  primary_container {
    model_data_url = var.data
    environment    = { HF_MODEL_ID = var.model, HF_TASK = "chat" }
  }
  depends_on = [aws_iam_role.other]
}
resource "aws_sagemaker_endpoint_configuration" "c" { production_variants { model_name = aws_sagemaker_model.m.name } }
resource "aws_sagemaker_endpoint" "e" { endpoint_config_name = aws_sagemaker_endpoint_configuration.c.name }
"""


def test_an_endpoint_serves_what_the_call_of_its_module_names(look):
    call = 'module "chat" {\n  source = "../modules/serve"\n  model  = "acme/own-7b"\n}\n'
    seen = look({"modules/serve/main.tf": MODULE, "prod/main.tf": call}, only=ONLY)
    assert ("aws_sagemaker_endpoint.e", "serves", "acme/own-7b") in seen.links()
    model = seen.one("model")
    assert model.prop("provider") == "huggingface"
    assert {e.where for e in seen.graph.evidence[model.id]} == {"prod/main.tf:3"}
    assert any("variable model of module chat" in e.chain for e in seen.graph.evidence[model.id])


def test_identities_and_buckets_come_in_only_where_ai_refers_to_them(look):
    seen = look({"main.tf": MODULE}, only=ONLY)
    assert seen.names("identity") == ["aws_iam_role.run"]
    assert ("aws_sagemaker_model.m", "runs_as", "aws_iam_role.run") in seen.links()


def test_tfvars_win_over_defaults_and_outputs_cross_modules(look):
    files = {
        "main.tf": 'variable "m" { default = "anthropic.claude-v2" }\n'
        'resource "aws_bedrockagent_agent" "a" {\n  foundation_model = var.m\n  knowledge = module.kb.id\n}\n'
        'module "kb" { source = "./kb" }\n',
        "prod.tfvars": 'm = "anthropic.claude-3-haiku-20240307-v1:0"\n',
        "kb/main.tf": 'resource "aws_bedrockagent_knowledge_base" "kb" {\n  embedding_model_arn = '
        '"arn:aws:bedrock:${var.r}::foundation-model/amazon.titan-embed-text-v2:0"\n}\n'
        'output "id" { value = aws_bedrockagent_knowledge_base.kb.id }\n',
    }
    seen = look(files, only=ONLY)
    agent, kb = "aws_bedrockagent_agent.a", "aws_bedrockagent_knowledge_base.kb"
    assert (agent, "uses_model", "anthropic.claude-3-haiku-20240307-v1:0") in seen.links()
    assert (agent, "retrieves_from", kb) in seen.links()
    assert (kb, "embedded_by", "amazon.titan-embed-text-v2:0") in seen.links()
    assert "anthropic.claude-v2" not in seen.names("model")


def test_a_custom_model_is_trained_on_its_input_and_not_on_its_output(look):
    text = """
resource "aws_s3_bucket" "in" {}
resource "aws_s3_bucket" "out" {}
resource "aws_bedrock_custom_model" "m" {
  base_model_identifier = "amazon.titan-text-express-v1"
  training_data_config { s3_uri = "s3://${aws_s3_bucket.in.id}/" }
  output_data_config { s3_uri = "s3://${aws_s3_bucket.out.id}/" }
}
"""
    seen = look({"main.tf": text}, only=ONLY)
    name = "aws_bedrock_custom_model.m"
    assert seen.links() == {
        (name, "trained_on", "aws_s3_bucket.in"),
        (name, "stored_in", "aws_s3_bucket.out"),
        (name, "fine_tuned_from", "amazon.titan-text-express-v1"),
    }


def test_variables_of_functions_and_containers_are_facts_without_their_secrets(look):
    text = """
variable "model" { default = "amazon.nova-lite-v1:0" }
resource "aws_lambda_function" "f" {
  environment { variables = { MODEL_ID = var.model, API_KEY = "abc", STAGE = "x-${var.stage}" } }
}
resource "google_cloud_run_v2_service" "s" {
  template { containers {
    env {
      name = "CHAT_MODEL"
      value = "gemini-2.0-flash"
    }
  } }
}
resource "aws_ecs_task_definition" "t" {
  container_definitions = jsonencode([{ environment = [{ name = "EMBED_MODEL", value = "cohere.embed-v4" }] }])
}
"""
    seen = look({"main.tf": text}, only=ONLY)
    env = {"MODEL_ID": "amazon.nova-lite-v1:0", "CHAT_MODEL": "gemini-2.0-flash", "EMBED_MODEL": "cohere.embed-v4"}
    assert seen.env() == env
    assert seen.graph.assets == {}


def test_a_variable_in_another_file_of_the_module_is_followed_too(look):
    files = {
        "variables.tf": 'variable "model" {\n  default = "amazon.nova-lite-v1:0"\n}\n',
        "main.tf": 'resource "aws_lambda_function" "f" {\n'
        "  environment {\n    variables = { MODEL_ID = var.model }\n  }\n}\n",
    }
    seen = look(files, only=ONLY)
    (fact,) = variables([fact for fact in seen.facts if fact.kind == "terraform"])
    assert (fact.path, fact.value["line"], fact.value["value"]) == ("variables.tf", 2, "amazon.nova-lite-v1:0")


@pytest.mark.parametrize(
    "text",
    [
        'resource "aws_s3_bucket" "b" {}\nresource "aws_iam_role" "r" {}\n',
        'resource "aws_lambda_function" "agent" { function_name = "model" }\n',
        'module "x" { source = "terraform-aws-modules/s3-bucket/aws" }\n',
        'resource "azurerm_cognitive_account" "speech" { kind = "SpeechServices" }\n',
        'resource "helm_release" "calico" { chart = "tigera-operator" }\n',
    ],
)
def test_an_estate_without_ai_gives_nothing(look, text):
    assert look({"main.tf": text}, only=ONLY).graph.assets == {}


@pytest.mark.parametrize(
    "text",
    [
        "locals { " + " ".join(f"a{n} = [local.a{n + 1}, local.a{n + 1}]" for n in range(40)) + " }",
        "locals { a = local.b\n b = local.a }",
        'locals { x = "' + "${" * 500 + '" }',
        "locals { x = " + "[" * 5_000 + " }",
        'module "m" { source = "./m" }\nmodule "n" { source = "." }',
    ],
)
def test_what_is_made_to_stall_costs_a_bounded_time(look, text):
    agent = '\nresource "aws_bedrockagent_agent" "a" {\n  foundation_model = coalesce(local.a0, local.a, local.x)\n}\n'
    seen = look({"main.tf": text, "agent.tf": agent, "m/main.tf": 'module "up" { source = ".." }'}, only=ONLY)
    assert seen.names("agent") == ["aws_bedrockagent_agent.a"]
