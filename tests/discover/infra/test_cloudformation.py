"""CloudFormation and SAM: parameters and intrinsics followed into variables, and resources that are AI."""

from __future__ import annotations

import json

import pytest

ONLY = ["infra.cloudformation"]

SAM = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  ModelId:
    Type: String
    Default: anthropic.claude-3-haiku-20240307-v1:0
  Bare: {Type: String}
Globals:
  Function:
    Environment: {Variables: {STAGE: prod}}
Resources:
  Bucket: {Type: "AWS::S3::Bucket"}
  Answer:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          MODEL_ID: !Ref ModelId
          MODEL_ARN: !Sub "arn:aws:bedrock:eu-west-1::foundation-model/${ModelId}"
          BUCKET: !Ref Bucket
          BARE: !Ref Bare
          REGION: !Sub "${AWS::Region}"
          TABLE: !GetAtt Bucket.Arn
          CHOSEN: !If [Prod, gpt-4o, !Ref ModelId]
          API_KEY: abc
"""


def test_a_parameter_reaches_the_variable_of_a_function_with_its_way(look):
    seen = look({"template.yaml": SAM}, only=ONLY)
    facts = {fact.value["name"]: fact.value for fact in seen.facts if fact.kind == "env"}
    assert facts["MODEL_ID"] == {
        "name": "MODEL_ID",
        "value": "anthropic.claude-3-haiku-20240307-v1:0",
        "line": 5,
        "chain": ["parameter ModelId", "Answer sets MODEL_ID"],
    }
    assert facts["MODEL_ARN"]["value"].endswith("foundation-model/anthropic.claude-3-haiku-20240307-v1:0")
    assert set(facts) == {"MODEL_ID", "MODEL_ARN", "CHOSEN", "STAGE"}
    assert seen.graph.assets == {}


def test_the_code_that_reads_the_variable_finds_the_model(look):
    code = (
        "import os\nfrom langchain_aws import ChatBedrock\n"
        'MODEL_ID = os.environ["MODEL_ID"]\nllm = ChatBedrock(model_id=MODEL_ID)\n'
    )
    seen = look({"template.yaml": SAM, "src/app.py": code}, only=[*ONLY, "code"])
    assert "anthropic.claude-3-haiku-20240307-v1:0" in seen.names("model")


def test_agents_and_knowledge_bases_hold_together(look):
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role"},
            "Docs": {"Type": "AWS::S3::Bucket"},
            "Other": {"Type": "AWS::S3::Bucket"},
            "Guard": {"Type": "AWS::Bedrock::Guardrail"},
            "Base": {
                "Type": "AWS::Bedrock::KnowledgeBase",
                "Properties": {
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "KnowledgeBaseConfiguration": {
                        "VectorKnowledgeBaseConfiguration": {
                            "EmbeddingModelArn": {
                                "Fn::Join": [
                                    "",
                                    ["arn:", {"Ref": "R"}, ":bedrock:::foundation-model/amazon.titan-embed-text-v2:0"],
                                ]
                            }
                        }
                    },
                },
            },
            "Source": {
                "Type": "AWS::Bedrock::DataSource",
                "Properties": {
                    "KnowledgeBaseId": {"Ref": "Base"},
                    "DataSourceConfiguration": {"S3Configuration": {"BucketArn": {"Fn::GetAtt": "Docs.Arn"}}},
                },
            },
            "Agent": {
                "Type": "AWS::Bedrock::Agent",
                "Properties": {
                    "FoundationModel": "amazon.nova-lite-v1:0",
                    "KnowledgeBases": [{"KnowledgeBaseId": {"Ref": "Base"}}],
                    "GuardrailConfiguration": {"GuardrailIdentifier": {"Ref": "Guard"}},
                },
            },
        },
    }
    seen = look({"cdk.out/stack.template.json": json.dumps(template, indent=1)}, only=ONLY)
    assert seen.links() == {
        ("Agent", "uses_model", "amazon.nova-lite-v1:0"),
        ("Agent", "retrieves_from", "Base"),
        ("Agent", "guarded_by", "Guard"),
        ("Base", "embedded_by", "amazon.titan-embed-text-v2:0"),
        ("Base", "runs_as", "Role"),
        ("Base", "ingests", "Source"),
        ("Source", "consumes", "Docs"),
    }
    assert "Other" not in seen.names("data_store")


@pytest.mark.parametrize(
    "text",
    [
        "AWSTemplateFormatVersion: '2010-09-09'\nResources: {B: {Type: 'AWS::S3::Bucket'}}\n",
        "Resources: {F: {Type: AWS::Lambda::Function, Properties: {FunctionName: model}}}\n",
        "AWSTemplateFormatVersion: 1\nResources: [1, 2]\n",
        "AWSTemplateFormatVersion: 1\nResources: {X: {Type: AWS::Bedrock::Guardrail\n",
        "AWSTemplateFormatVersion: 1\nResources: {X: {Type: 'AWS::Lambda::Function', Properties: !Sub [!Ref X, 3]}}\n",
        "AWSTemplateFormatVersion: 1\nResources: {X: {Type: 'AWS::SQS::Queue', Properties: {A: !Join ['', !Ref X]}}}\n",
    ],
)
def test_a_template_without_ai_gives_nothing(look, text):
    assert look({"t.yaml": text}, only=ONLY).graph.assets == {}
