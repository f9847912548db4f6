"""Exports of accounts and states of tools: the same chain told in each format is the same in the graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.discover.cloud import items, taken_in
from penstock.errors import NotUnderstood
from penstock.graph.vocabulary import Asset, Observation, Relation

ACCOUNT = "123456789012"
AGENT = f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:agent/AGENT1"
BASE = f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:knowledge-base/KB1"
MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
EMBEDDING = "arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan-embed-text-v2:0"

CONFIG = {
    "fileVersion": "1.0",
    "configurationItems": [
        {"resourceType": "AWS::S3::Bucket", "resourceId": "tickets-of-customers",
         "resourceName": "tickets-of-customers", "ARN": "arn:aws:s3:::tickets-of-customers",
         "configuration": {"name": "tickets-of-customers"}},
        {"resourceType": "AWS::S3::Bucket", "resourceId": "holiday-pictures", "resourceName": "holiday-pictures",
         "ARN": "arn:aws:s3:::holiday-pictures", "configuration": {"name": "holiday-pictures"}},
        {"resourceType": "AWS::IAM::Role", "resourceId": "AROA1", "resourceName": "agent-role",
         "ARN": f"arn:aws:iam::{ACCOUNT}:role/agent-role", "configuration": "{}"},
        {"resourceType": "AWS::Bedrock::DataSource", "resourceId": "KB1|DS1", "resourceName": "tickets",
         "ARN": f"{BASE}/datasource/DS1", "configuration": json.dumps(
             {"knowledgeBaseId": "KB1", "dataSourceConfiguration": {"s3Configuration": {
                 "bucketArn": "arn:aws:s3:::tickets-of-customers"}}})},
        {"resourceType": "AWS::Bedrock::KnowledgeBase", "resourceId": "KB1", "resourceName": "support-base",
         "ARN": BASE, "configuration": {"knowledgeBaseConfiguration": {"vectorKnowledgeBaseConfiguration": {
             "embeddingModelArn": EMBEDDING}}}},
        {"resourceType": "AWS::Bedrock::Agent", "resourceId": "AGENT1", "resourceName": "support-agent", "ARN": AGENT,
         "configuration": {"foundationModel": MODEL, "agentResourceRoleArn": f"arn:aws:iam::{ACCOUNT}:role/agent-role",
                           "knowledgeBases": [{"knowledgeBaseId": "KB1"}],
                           "customerEncryptionKeyArn": "arn:aws:kms:x"}},
        {"resourceType": "AWS::EC2::Instance", "resourceId": "i-1", "ARN": "arn:aws:ec2:::i-1", "configuration": {}},
        {"resourceType": "AWS::Bedrock::Agent", "resourceId": "GONE", "resourceName": "gone", "ARN": "arn:gone",
         "configurationItemStatus": "ResourceDeleted", "configuration": {}},
    ],
}  # fmt: skip


def state(resources: list[tuple[str, str, dict[str, Any]]]) -> dict[str, Any]:
    return {
        "version": 4, "terraform_version": "1.9.0", "lineage": "x", "outputs": {},
        "resources": [
            {"mode": "managed", "type": type_, "name": name, "provider": "p", "instances": [{"attributes": attributes}]}
            for type_, name, attributes in resources
        ],
    }  # fmt: skip


TERRAFORM = [
    ("aws_s3_bucket", "tickets", {"id": "tickets-of-customers", "arn": "arn:aws:s3:::tickets-of-customers"}),
    ("aws_s3_bucket", "pictures", {"id": "holiday-pictures", "arn": "arn:aws:s3:::holiday-pictures"}),
    ("aws_iam_role", "agent",
        {"id": "agent-role", "arn": f"arn:aws:iam::{ACCOUNT}:role/agent-role", "name": "agent-role"}),
    ("aws_bedrockagent_knowledge_base", "support", {"id": "KB1XYZ", "arn": BASE, "name": "support-base",
        "knowledge_base_configuration": [
            {"vector_knowledge_base_configuration": [{"embedding_model_arn": EMBEDDING}]}]}),
    ("aws_bedrockagent_data_source", "tickets", {"id": "DS1,KB1XYZ", "name": "tickets", "knowledge_base_id": "KB1XYZ",
        "data_source_configuration": [{"s3_configuration": [{"bucket_arn": "arn:aws:s3:::tickets-of-customers"}]}]}),
    ("aws_bedrockagent_agent", "support", {"id": "AGENT1XYZ", "agent_arn": AGENT, "agent_id": "AGENT1XYZ",
        "agent_name": "support-agent", "foundation_model": MODEL, "customer_encryption_key_arn": "arn:aws:kms:x",
        "agent_resource_role_arn": f"arn:aws:iam::{ACCOUNT}:role/agent-role"}),
]  # fmt: skip


def pulumi(resources: list[tuple[str, str, dict[str, Any]]]) -> dict[str, Any]:
    words = {
        "aws_s3_bucket": "aws:s3/bucket:Bucket", "aws_iam_role": "aws:iam/role:Role",
        "aws_bedrockagent_agent": "aws:bedrock/agentAgent:AgentAgent",
        "aws_bedrockagent_knowledge_base": "aws:bedrock/agentKnowledgeBase:AgentKnowledgeBase",
        "aws_bedrockagent_data_source": "aws:bedrock/agentDataSource:AgentDataSource",
    }  # fmt: skip

    def camel(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                "".join([key.split("_")[0], *(word.title() for word in key.split("_")[1:])]): camel(inner)
                for key, inner in value.items()
            }
        return [camel(inner) for inner in value] if isinstance(value, list) else value

    return {
        "version": 3,
        "deployment": {
            "resources": [
                {"urn": f"urn:pulumi:prod::shop::{words[type_]}::{name}", "type": words[type_], "id": attributes["id"],
                 "inputs": {}, "outputs": camel(attributes)}
                for type_, name, attributes in resources
            ]
        },
    }  # fmt: skip


def plan(resources: list[tuple[str, str, dict[str, Any]]]) -> dict[str, Any]:
    listed = [
        {"address": f"{type_}.{name}", "mode": "managed", "type": type_, "name": name, "values": attributes}
        for type_, name, attributes in resources
    ]
    return {
        "format_version": "1.2", "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": listed[:2], "child_modules": [
            {"address": "module.a", "resources": listed[2:4], "child_modules": [{"resources": listed[4:]}]}]}},
        "configuration": {"root_module": {"resources": [{"address": "x", "type": "aws_bedrockagent_agent"}]}},
    }  # fmt: skip


def taken(folder: Path, document: object, name: str = "export.json") -> tuple[list[Asset], set[tuple[str, str, str]]]:
    """Assets, and relations by the names of their ends."""
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    scan = taken_in.file(path, now=1.0)
    return told(scan.observations)


def told(observations: tuple[Observation, ...]) -> tuple[list[Asset], set[tuple[str, str, str]]]:
    assets = {each.subject.id: each.subject for each in observations if isinstance(each.subject, Asset)}
    ties = [each.subject for each in observations if isinstance(each.subject, Relation)]
    return list(assets.values()), {(assets[tie.source].name, tie.verb, assets[tie.target].name) for tie in ties}


FORMATS = {"config": CONFIG, "state": state(TERRAFORM), "plan": plan(TERRAFORM), "pulumi": pulumi(TERRAFORM)}


@pytest.mark.parametrize("document", FORMATS.values(), ids=FORMATS)
def test_each_format_tells_the_chain_from_the_bucket_to_the_agent(tmp_path, document):
    assets, ties = taken(tmp_path, document)
    names = {asset.name: asset for asset in assets}
    kinds = {asset.kind for asset in assets}
    assert {"agent", "knowledge_base", "content_source", "data_store", "identity", "model"} <= kinds
    assert not any("pictures" in name or name in ("gone", "i-1") for name in names)  # plain things AI does not touch
    by_kind = {asset.kind: asset.name for asset in assets}
    said = {(source, verb, target) for source, verb, target in ties}
    agent, base, source = by_kind["agent"], by_kind["knowledge_base"], by_kind["content_source"]
    assert (agent, "uses_model", MODEL) in said
    assert (agent, "runs_as", by_kind["identity"]) in said
    assert (base, "embedded_by", "amazon.titan-embed-text-v2:0") in said
    assert (base, "ingests", source) in said
    assert (source, "consumes", by_kind["data_store"]) in said
    assert names[agent].props["cmk"] is True


def test_what_is_exported_again_keeps_its_ids_and_its_scope(tmp_path):
    first, _ = taken(tmp_path, CONFIG, "monday.json")
    second, _ = taken(tmp_path, {**CONFIG, "configurationItems": CONFIG["configurationItems"][::-1]}, "friday.json")
    assert {asset.id for asset in first} == {asset.id for asset in second}
    assert taken_in.file(tmp_path / "monday.json", now=1.0).scopes == (f"cloud:aws:{ACCOUNT}",)


SUBSCRIPTION = "/subscriptions/0f8fad5b-d9cb-469f-a165-70867728950e/resourceGroups/ai/providers"
GRAPH = [
    {"id": f"{SUBSCRIPTION}/Microsoft.CognitiveServices/accounts/helpdesk-ai", "name": "helpdesk-ai", "kind": "OpenAI",
     "type": "microsoft.cognitiveservices/accounts", "resourceGroup": "ai",
     "properties": {"publicNetworkAccess": "Enabled", "disableLocalAuth": False}},
    {"id": f"{SUBSCRIPTION}/Microsoft.CognitiveServices/accounts/helpdesk-ai/deployments/chat", "name": "chat",
     "type": "microsoft.cognitiveservices/accounts/deployments", "resourceGroup": "ai",
     "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}}},
    {"id": f"{SUBSCRIPTION}/Microsoft.Storage/storageAccounts/unrelated", "name": "unrelated",
     "type": "microsoft.storage/storageaccounts", "properties": {}},
]  # fmt: skip


@pytest.mark.parametrize(
    "document",
    [
        GRAPH,
        {"totalRecords": 3, "data": GRAPH},
        "\n".join(map(json.dumps, GRAPH)),
    ],
    ids=["list", "data", "lines"],
)
def test_azure_resource_graph_tells_accounts_deployments_and_their_exposure(tmp_path, document):
    assets, ties = taken(tmp_path, document)
    account = next(asset for asset in assets if asset.name == "helpdesk-ai")
    assert (account.props["exposure"], account.props["auth"]) == ("internet", "api_key")
    assert ("chat", "serves", "gpt-4o") in ties
    assert ("chat", "deployed_on", "helpdesk-ai") in ties
    assert "unrelated" not in {asset.name for asset in assets}


def test_a_template_takes_values_from_its_parameters(tmp_path):
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "parameters": {"account": {"defaultValue": "helpdesk-ai"}, "model": {"defaultValue": "gpt-4o"}},
        "variables": {"deployment": "chat"},
        "resources": [
            {"type": "Microsoft.CognitiveServices/accounts", "name": "[parameters('account')]", "kind": "OpenAI",
             "properties": {"publicNetworkAccess": "Disabled"},
             "resources": [{"type": "deployments", "name": "[variables('deployment')]",
                            "properties": {"model": {"name": "[parameters('model')]"}}}]},
        ],
    }  # fmt: skip
    assets, ties = taken(tmp_path, template)
    assert next(asset for asset in assets if asset.name == "helpdesk-ai").props["exposure"] == "private"
    assert {("chat", "serves", "gpt-4o"), ("chat", "deployed_on", "helpdesk-ai")} <= ties


def test_google_asset_inventory_is_read_line_by_line(tmp_path):
    project = "//aiplatform.googleapis.com/projects/shop-prod/locations/europe-west4"
    lines = [
        {"name": f"{project}/models/77", "assetType": "aiplatform.googleapis.com/Model",
         "resource": {"data": {"displayName": "churn", "artifactUri": "gs://churn-weights/v1"}}},
        {"name": f"{project}/endpoints/9", "assetType": "aiplatform.googleapis.com/Endpoint",
         "resource": {"data": {"displayName": "churn-live", "deployedModels": [
             {"model": "projects/shop-prod/locations/europe-west4/models/77", "serviceAccount": "ml@shop.iam"}]}}},
        {"name": "//storage.googleapis.com/churn-weights", "assetType": "storage.googleapis.com/Bucket",
         "resource": {"data": {"name": "churn-weights"}}},
        {"name": "//iam.googleapis.com/projects/shop-prod/serviceAccounts/1",
         "assetType": "iam.googleapis.com/ServiceAccount", "resource": {"data": {"email": "ml@shop.iam"}}},
        {"name": "//compute.googleapis.com/projects/shop-prod/zones/a/instances/web", "assetType":
         "compute.googleapis.com/Instance", "resource": {"data": {}}},
    ]  # fmt: skip
    assets, ties = taken(tmp_path, "\n".join(map(json.dumps, lines)))
    assert ("churn-live", "serves", "churn") in ties
    assert ("churn", "stored_in", "churn-weights") in ties or ("churn", "connects_to", "churn-weights") in ties
    assert {asset.name for asset in assets} >= {"churn", "churn-live", "churn-weights"}
    assert "web" not in {asset.name for asset in assets}


@pytest.mark.parametrize("part", [1, 3, 64])
def test_items_are_the_same_however_the_text_is_cut(monkeypatch, part):
    import io

    document = {
        "a": [1, {"resources": "no list"}],
        "resources": [{"x": '"}]{["\\', "y": [{"z": []}]}, 3, [{"w": 1}], "s"],
    }
    data = json.dumps(document).encode()
    monkeypatch.setattr(items, "_PART", part)
    assert list(items.items(io.BytesIO(data), {"resources"})) == [("resources", document["resources"][0])]


@pytest.mark.parametrize(
    "broken",
    ['{"version":4,"terraform_version":"1","lineage":"x","resources":[{"type":', "{}", "", "\x00\x01", "[]" * 10],
)
def test_a_broken_export_is_refused_in_words(tmp_path, broken):
    with pytest.raises(NotUnderstood):
        taken(tmp_path, broken)


def test_what_came_before_a_break_is_kept_and_the_rest_is_said_to_be_unseen(tmp_path):
    path = tmp_path / "state.tfstate"
    path.write_text(json.dumps(state(TERRAFORM))[:-400], encoding="utf-8")
    scan = taken_in.file(path, now=1.0)
    assert scan.observations
    assert scan.unseen
    assert not scan.finished


def test_an_item_of_absurd_depth_or_size_costs_that_item(tmp_path, monkeypatch):
    monkeypatch.setattr(items, "LONGEST", 3000)
    deep = {"a": 1}
    for _ in range(100):
        deep = {"a": deep}
    listed = [*TERRAFORM, ("aws_s3_bucket", "deep", deep), ("aws_s3_bucket", "long", {"x": "y" * 5000})]
    path = tmp_path / "state.tfstate"
    path.write_text(json.dumps(state(listed)), encoding="utf-8")
    scan = taken_in.file(path, now=1.0)
    assert "2 of its items" in {gap.what for gap in scan.unseen}
    assert any(getattr(each.subject, "kind", "") == "agent" for each in scan.observations)
