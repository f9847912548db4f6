"""Bicep resources go through the table that serves every other format."""

from __future__ import annotations

from penstock.discover.collector import File, Source
from penstock.discover.infra.bicep import bicep
from penstock.discover.infra.bicep_resources import bicep_resources
from penstock.graph.vocabulary import Asset, Observation, Relation

MAIN = """
param deployments array = [
  { name: 'chat', model: { format: 'OpenAI', name: 'gpt-4.1-mini', version: '1' } }
]
module ai 'ai/account.bicep' = {
  name: 'ai'
  params: { wanted: concat(deployments, []), storageId: files.outputs.id }
}
module files 'files.bicep' = { name: 'files' }
"""
ACCOUNT = """
param wanted array = []
param storageId string
resource account 'Microsoft.CognitiveServices/accounts@2025-04-01' = {
  name: 'ai'
  kind: 'AIServices'
  properties: { publicNetworkAccess: 'Disabled', disableLocalAuth: true }

  resource store 'connections' = {
    name: 'store'
    properties: { category: 'AzureStorageAccount', metadata: { ResourceId: storageId } }
  }
}
resource chats 'Microsoft.CognitiveServices/accounts/deployments@2025-04-01' = [for each in wanted: {
  parent: account
  name: each.name
  properties: { model: each.model }
}]
"""
FILES = """
resource held 'Microsoft.Storage/storageAccounts@2023-01-01' = {
  name: 'held'
  properties: { allowBlobPublicAccess: true }
}
resource loose 'Microsoft.Storage/storageAccounts@2023-01-01' = { name: 'loose' }
output id string = held.id
"""


def read(files: dict[str, str]) -> tuple[dict[str, Asset], set[tuple[str, str, str]]]:
    facts: dict[str, list] = {}
    for path, text in files.items():
        for fact in bicep(File(path, text.encode(), "repo:shop")):
            facts.setdefault(fact.kind, []).append(fact)
    found = [
        o for o in bicep_resources(Source("repo:shop", "shop", tuple(files), facts, {})) if isinstance(o, Observation)
    ]
    assets = {o.subject.id: o.subject for o in found if isinstance(o.subject, Asset)}
    names = {id_: asset.name.rpartition("/")[2].rpartition(".")[2] if "/" in asset.name else asset.name
             for id_, asset in assets.items()}  # fmt: skip
    ties = {(names[o.subject.source], o.subject.verb, names[o.subject.target])
            for o in found if isinstance(o.subject, Relation)}  # fmt: skip
    return {names[id_]: asset for id_, asset in assets.items()}, ties


def test_accounts_deployments_and_their_data_are_found_through_modules_and_loops() -> None:
    assets, ties = read({"main.bicep": MAIN, "ai/account.bicep": ACCOUNT, "files.bicep": FILES})
    assert {"account", "chats", "store", "held"} <= set(assets)
    assert assets["account"].props["exposure"] == "private"
    assert assets["account"].props["auth"] == "oidc"
    assert assets["held"].props["public_read"] is True
    assert ("chats", "serves", "gpt-4.1-mini") in ties
    assert ("chats", "deployed_on", "account") in ties
    assert {("store", "connects_to", "account"), ("store", "connects_to", "held")} <= ties


def test_storage_that_nothing_of_ai_refers_to_is_no_part_of_the_inventory() -> None:
    assets, _ = read({"main.bicep": MAIN, "ai/account.bicep": ACCOUNT, "files.bicep": FILES})
    assert "loose" not in assets


def test_an_existing_resource_is_the_one_that_the_source_declares() -> None:
    again = ACCOUNT.split("resource chats")[0].replace("resource store", "resource other")
    reader = """
resource known 'Microsoft.CognitiveServices/accounts@2025-04-01' existing = { name: 'ai' }
resource project 'Microsoft.CognitiveServices/accounts/projects@2025-04-01' = { parent: known, name: 'p' }
"""
    assets, ties = read({"account.bicep": again, "project.bicep": reader})
    assert "known" not in assets
    assert ("project", "connects_to", "account") in ties


def test_a_module_that_includes_itself_ends() -> None:
    circle = """
param a string
module me 'main.bicep' = { name: 'x', params: { a: me.outputs.b } }
output b string = me.outputs.b
resource s 'Microsoft.Search/searchServices@2024-01-01' = { name: me.outputs.b }
"""
    assets, _ = read({"main.bicep": circle})
    assert "s" in assets
