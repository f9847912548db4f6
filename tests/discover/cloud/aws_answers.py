"""Recorded answers of one small account: a bucket of customers' tickets, and everything between it and the internet."""

from __future__ import annotations

import json
from typing import Any

from tests.discover.cloud.aws_world import ACCOUNT, REGION

AT = 1_750_000_000
ARN = f"arn:aws:bedrock:{REGION}:{ACCOUNT}"
CORE = f"arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}"
SAGE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
CLAUDE = "anthropic.claude-3-5-sonnet-20240620-v1:0"
TITAN = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-text-v2:0"
SECRET = "sk-live-4f9a8b7c6d5e4f3a2b1c"


def times(*names: str) -> dict[str, int]:
    return dict.fromkeys(names, AT)


def answers() -> dict[str, dict[str, Any]]:
    """By service and operation; made anew, so that a test may change them."""
    agent = {
        "agentId": "AGENT00001", "agentName": "support-agent", "agentArn": f"{ARN}:agent/AGENT00001",
        "agentVersion": "DRAFT", "agentStatus": "PREPARED", "foundationModel": CLAUDE, "instruction": "Be kind. " * 20,
        "idleSessionTTLInSeconds": 600, "agentResourceRoleArn": f"{ROLE}/agent-role",
        "guardrailConfiguration": {"guardrailIdentifier": "guard1", "guardrailVersion": "1"},
        **times("createdAt", "updatedAt"),
    }  # fmt: skip
    base = {
        "knowledgeBaseId": "KBASE00001", "name": "tickets-base", "roleArn": f"{ROLE}/base-role", "status": "ACTIVE",
        "knowledgeBaseArn": f"{ARN}:knowledge-base/KBASE00001", **times("createdAt", "updatedAt"),
        "knowledgeBaseConfiguration": {
            "type": "VECTOR", "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": TITAN}},
        "storageConfiguration": {"type": "OPENSEARCH_SERVERLESS", "opensearchServerlessConfiguration": {
            "collectionArn": f"arn:aws:aoss:{REGION}:{ACCOUNT}:collection/coll1", "vectorIndexName": "tickets",
            "fieldMapping": {"vectorField": "v", "textField": "t", "metadataField": "m"}}},
    }  # fmt: skip
    source = {
        "knowledgeBaseId": "KBASE00001", "dataSourceId": "DSRC000001", "name": "tickets", "status": "AVAILABLE",
        "dataSourceConfiguration": {
            "type": "S3", "s3Configuration": {"bucketArn": "arn:aws:s3:::tickets-of-customers"}},
        **times("createdAt", "updatedAt"),
    }  # fmt: skip
    guardrail = {
        "name": "manners", "guardrailId": "guard1", "guardrailArn": f"{ARN}:guardrail/guard1", "version": "DRAFT",
        "status": "READY", "blockedInputMessaging": "no", "blockedOutputsMessaging": "no",
        "contentPolicy": {"filters": [{"type": "PROMPT_ATTACK", "inputStrength": "HIGH", "outputStrength": "NONE"}]},
        **times("createdAt", "updatedAt"),
    }  # fmt: skip
    flow = {
        "name": "triage", "id": "FLOW000001", "arn": f"{ARN}:flow/FLOW000001", "version": "DRAFT", "status": "Prepared",
        "executionRoleArn": f"{ROLE}/agent-role", **times("createdAt", "updatedAt"),
        "definition": {"nodes": [{"name": "ask", "type": "Agent", "configuration": {
            "agent": {"agentAliasArn": f"{ARN}:agent-alias/AGENT00001/ALIAS00001"}}}], "connections": []},
    }  # fmt: skip
    prompt = {
        "name": "greeting", "id": "PROMPT0001", "arn": f"{ARN}:prompt/PROMPT0001", "version": "DRAFT",
        **times("createdAt", "updatedAt"),
        "variants": [{"name": "a", "templateType": "TEXT", "modelId": CLAUDE, "templateConfiguration": {
            "text": {"text": "Our secret discount is 42"}}}],
    }  # fmt: skip
    group = {
        "agentId": "AGENT00001", "agentVersion": "DRAFT", "actionGroupId": "GROUP00001", "actionGroupName": "refunds",
        "actionGroupExecutor": {"lambda": f"{FUNCTION}:refund"}, "actionGroupState": "ENABLED",
        **times("createdAt", "updatedAt"),
    }  # fmt: skip
    alias = {
        "agentAliasId": "ALIAS00001", "agentAliasName": "live", "agentAliasStatus": "PREPARED",
        "routingConfiguration": [{"agentVersion": "1"}], **times("createdAt", "updatedAt"),
    }  # fmt: skip
    return {
        "sts": {"GetCallerIdentity": xml("GetCallerIdentity", f"<Account>{ACCOUNT}</Account><UserId>A</UserId>"
                                         f"<Arn>arn:aws:iam::{ACCOUNT}:user/looker</Arn>")},
        "bedrock-agent": {
            "ListAgents": {"agentSummaries": [{
                "agentId": "AGENT00001", "agentName": "support-agent", "agentStatus": "PREPARED", "updatedAt": AT}]},
            "GetAgent": {"agent": agent},
            "ListAgentAliases": {"agentAliasSummaries": [alias]},
            "ListAgentVersions": {"agentVersionSummaries": [{
                "agentName": "support-agent", "agentStatus": "PREPARED", "agentVersion": "1",
                **times("createdAt", "updatedAt")}]},
            "ListAgentActionGroups": {"actionGroupSummaries": [{
                "actionGroupId": "GROUP00001", "actionGroupName": "refunds", "actionGroupState": "ENABLED",
                "updatedAt": AT}]},
            "GetAgentActionGroup": {"agentActionGroup": group},
            "ListAgentKnowledgeBases": {"agentKnowledgeBaseSummaries": [{
                "knowledgeBaseId": "KBASE00001", "knowledgeBaseState": "ENABLED", "updatedAt": AT}]},
            "ListKnowledgeBases": {"knowledgeBaseSummaries": [{
                "knowledgeBaseId": "KBASE00001", "name": "tickets-base", "status": "ACTIVE", "updatedAt": AT}]},
            "GetKnowledgeBase": {"knowledgeBase": base},
            "ListDataSources": {"dataSourceSummaries": [{
                "knowledgeBaseId": "KBASE00001", "dataSourceId": "DSRC000001", "name": "tickets",
                "status": "AVAILABLE", "updatedAt": AT}]},
            "GetDataSource": {"dataSource": source},
            "ListFlows": {"flowSummaries": [{
                "name": "triage", "id": "FLOW000001", "arn": flow["arn"], "status": "Prepared", "version": "DRAFT",
                **times("createdAt", "updatedAt")}]},
            "GetFlow": flow,
            "ListFlowAliases": {"flowAliasSummaries": [{
                "name": "live", "routingConfiguration": [{"flowVersion": "1"}], "flowId": "FLOW000001",
                "id": "FALIAS0001", "arn": f"{ARN}:flow/FLOW000001/alias/FALIAS0001",
                **times("createdAt", "updatedAt")}]},
            "ListPrompts": {"promptSummaries": [{
                "name": "greeting", "id": "PROMPT0001", "arn": prompt["arn"], "version": "DRAFT",
                **times("createdAt", "updatedAt")}]},
            "GetPrompt": prompt,
        },
        "bedrock": {
            "ListGuardrails": {"guardrails": [{
                "id": "guard1", "arn": f"{ARN}:guardrail/guard1", "status": "READY", "name": "manners",
                "version": "DRAFT", **times("createdAt", "updatedAt")}]},
            "GetGuardrail": guardrail,
            "ListInferenceProfiles": {"inferenceProfileSummaries": [{
                "inferenceProfileName": "claude-for-support", "models": [{
                    "modelArn": f"arn:aws:bedrock:{REGION}::foundation-model/{CLAUDE}"}],
                "inferenceProfileArn": f"{ARN}:application-inference-profile/prof1", "inferenceProfileId": "prof1",
                "status": "ACTIVE", "type": "APPLICATION"}]},
            "ListProvisionedModelThroughputs": {"provisionedModelSummaries": [{
                "provisionedModelName": "reserved", "provisionedModelArn": f"{ARN}:provisioned-model/pm1abcdefghi",
                "modelArn": f"{ARN}:custom-model/amazon.titan-text-lite-v1:0:4k/cm1abcdefghi", "modelUnits": 1,
                "desiredModelArn": f"{ARN}:custom-model/amazon.titan-text-lite-v1:0:4k/cm1abcdefghi",
                "desiredModelUnits": 1, "foundationModelArn": TITAN, "status": "InService",
                **times("creationTime", "lastModifiedTime")}]},
            "ListImportedModels": {"modelSummaries": [{
                "modelArn": f"{ARN}:imported-model/im1abcdefghi", "modelName": "own-llama", "creationTime": AT}]},
            "GetImportedModel": {"modelArn": f"{ARN}:imported-model/im1abcdefghi", "modelName": "own-llama"},
        },
        "bedrock-agentcore-control": {
            "ListGateways": {"items": [{
                "gatewayId": "gate-1", "name": "gate", "status": "READY", "authorizerType": "NONE",
                "protocolType": "MCP", **times("createdAt", "updatedAt")}]},
            "GetGateway": {
                "gatewayArn": f"{CORE}:gateway/gate-1", "gatewayId": "gate-1", "name": "gate", "status": "READY",
                "gatewayUrl": "https://gate-1.gateway.bedrock-agentcore.eu-west-1.amazonaws.com/mcp",
                "roleArn": f"{ROLE}/agent-role", "protocolType": "MCP", "authorizerType": "NONE",
                **times("createdAt", "updatedAt")},
            "ListGatewayTargets": {"items": [{
                "targetId": "T1", "name": "refund-target", "status": "READY", **times("createdAt", "updatedAt")}]},
            "GetGatewayTarget": {
                "gatewayArn": f"{CORE}:gateway/gate-1", "targetId": "T1", "name": "refund-target", "status": "READY",
                "targetConfiguration": {"mcp": {"lambda": {
                    "lambdaArn": f"{FUNCTION}:refund",
                    "toolSchema": {"s3": {"uri": "s3://schemas-of-tools/refund.json"}}}}},
                "credentialProviderConfigurations": [{"credentialProviderType": "GATEWAY_IAM_ROLE"}],
                **times("createdAt", "updatedAt")},
        },
        "sagemaker": {
            "ListFeatureGroups": {"FeatureGroupSummaries": [{
                "FeatureGroupName": "customers", "FeatureGroupArn": f"{SAGE}:feature-group/customers",
                "CreationTime": AT}]},
            "DescribeFeatureGroup": {
                "FeatureGroupArn": f"{SAGE}:feature-group/customers", "FeatureGroupName": "customers",
                "RecordIdentifierFeatureName": "id", "EventTimeFeatureName": "at",
                "FeatureDefinitions": [{"FeatureName": "id", "FeatureType": "String"}],
                "OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://features-of-customers/x"}},
                "RoleArn": f"{ROLE}/agent-role", "CreationTime": AT, "NextToken": ""},
            "ListUserProfiles": {"UserProfiles": [{"DomainId": "d-1", "UserProfileName": "ada"}]},
            "DescribeUserProfile": {"DomainId": "d-1", "UserProfileName": "ada"},
            "ListSpaces": {"Spaces": [{"DomainId": "d-1", "SpaceName": "lab", "Status": "InService"}]},
            "DescribeSpace": {"DomainId": "d-1", "SpaceName": "lab"},
            "ListInferenceComponents": {"InferenceComponents": [{
                "InferenceComponentArn": f"{SAGE}:inference-component/part", "InferenceComponentName": "part",
                "EndpointArn": f"{SAGE}:endpoint/shop", "EndpointName": "shop", "VariantName": "a",
                **times("CreationTime", "LastModifiedTime")}]},
            "DescribeInferenceComponent": {
                "InferenceComponentArn": f"{SAGE}:inference-component/part", "InferenceComponentName": "part",
                "EndpointArn": f"{SAGE}:endpoint/shop", "EndpointName": "shop",
                **times("CreationTime", "LastModifiedTime")},
        },
        "opensearchserverless": {
            "ListCollections": {"collectionSummaries": [{
                "id": "coll1", "name": "tickets", "status": "ACTIVE",
                "arn": f"arn:aws:aoss:{REGION}:{ACCOUNT}:collection/coll1"}]},
            "BatchGetCollection": {"collectionDetails": [{
                "id": "coll1", "name": "tickets", "type": "VECTORSEARCH", "kmsKeyArn": "auto"}]},
            "ListAccessPolicies": {"accessPolicySummaries": [{"type": "data", "name": "readers"}]},
            "GetAccessPolicy": {"accessPolicyDetail": {"type": "data", "name": "readers", "policy": [{
                "Rules": [{"ResourceType": "index", "Resource": ["index/tickets/*"],
                           "Permission": ["aoss:ReadDocument"]}], "Principal": [f"{ROLE}/base-role"]}]}},
            "ListSecurityPolicies": {"securityPolicySummaries": [{"type": "network", "name": "open"}]},
            "GetSecurityPolicy": {"securityPolicyDetail": {"type": "network", "name": "open", "policy": [{
                "Rules": [{"ResourceType": "collection", "Resource": ["collection/tickets*"]}],
                "AllowFromPublic": True}]}},
        },
        "lambda": {
            "ListFunctions": {"Functions": [
                {"FunctionName": "ask", "FunctionArn": f"{FUNCTION}:ask", "Role": f"{ROLE}/ask-role",
                 "Environment": {"Variables": {"AGENT_ID": "AGENT00001", "ALIAS_ID": "ALIAS00001",
                                               "PAYMENT_KEY": SECRET, "MODEL_ID": CLAUDE}}},
                {"FunctionName": "refund", "FunctionArn": f"{FUNCTION}:refund", "Role": f"{ROLE}/refund-role"},
                {"FunctionName": "resize", "FunctionArn": f"{FUNCTION}:resize", "Role": f"{ROLE}/refund-role",
                 "Environment": {"Variables": {"SIZE": "10"}}}]},
            "ListFunctionUrlConfigs": lambda asked: {"FunctionUrlConfigs": [{
                "FunctionUrl": "https://abcdefghijklmnop.lambda-url.eu-west-1.on.aws/",
                "FunctionArn": f"{FUNCTION}:ask",
                "CreationTime": "2025-01-01", "LastModifiedTime": "2025-01-01", "AuthType": "NONE"}]
                if asked["FunctionName"] == "ask" else []},
        },
        "ecs": {
            "ListClusters": {"clusterArns": [f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/main"]},
            "ListServices": {"serviceArns": [f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/main/writer"]},
            "DescribeServices": {"services": [{
                "serviceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/main/writer", "serviceName": "writer",
                "taskDefinition": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/writer:3"}]},
            "DescribeTaskDefinition": {"taskDefinition": {
                "taskRoleArn": f"{ROLE}/ask-role", "containerDefinitions": [{
                    "name": "writer", "image": "writer:1", "environment": [
                        {"name": "BEDROCK_MODEL_ID", "value": CLAUDE}, {"name": "DB_PASSWORD", "value": SECRET}]}]}},
        },
        "apigatewayv2": {
            "GetApis": api_gateway("GetApis"),
            "GetIntegrations": api_gateway("GetIntegrations"),
            "GetRoutes": api_gateway("GetRoutes"),
        },
        "iam": {"GetAccountAuthorizationDetails": IAM},
        "s3": {
            "ListBuckets": b"<ListAllMyBucketsResult><Buckets>"
            + b"".join(
                f"<Bucket><Name>{name}</Name></Bucket>".encode()
                for name in ("tickets-of-customers", "holiday-pictures", "features-of-customers", "payroll-2024")
            )
            + b"</Buckets></ListAllMyBucketsResult>",
            "GetBucketTagging": b"<Tagging><TagSet><Tag><Key>data-classification</Key><Value>pii</Value></Tag>"
            b"<Tag><Key>team</Key><Value>support</Value></Tag></TagSet></Tagging>",
            "GetPublicAccessBlock": b"<PublicAccessBlockConfiguration><RestrictPublicBuckets>false"
            b"</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
            "GetBucketPolicyStatus": b"<PolicyStatus><IsPublic>false</IsPublic></PolicyStatus>",
        },
        "organizations": {"ListAccounts": {"Accounts": [
            {"Id": ACCOUNT, "Name": "own", "Status": "ACTIVE",
             "Arn": f"arn:aws:organizations::{ACCOUNT}:account/o-1234567890/{ACCOUNT}"},
            {"Id": "210987654321", "Name": "research", "Status": "ACTIVE",
             "Arn": f"arn:aws:organizations::{ACCOUNT}:account/o-1234567890/210987654321"}]}},
        "resourcegroupstaggingapi": {"GetResources": {"ResourceTagMappingList": [{
            "ResourceARN": f"{ARN}:agent/AGENT00001", "Tags": [{"Key": "Owner", "Value": "support"},
                                                               {"Key": "env", "Value": "production"}]}]}},
    }  # fmt: skip


def xml(operation: str, inside: str) -> bytes:
    return f"<{operation}Response><{operation}Result>{inside}</{operation}Result></{operation}Response>".encode()


def api_gateway(operation: str) -> bytes:
    """Its JSON spells members otherwise than its model: as the service sends them."""
    item = {
        "GetApis": {"apiId": "api1", "name": "shop-api", "protocolType": "HTTP",
                    "apiEndpoint": "https://api1.execute-api.eu-west-1.amazonaws.com"},
        "GetIntegrations": {"integrationId": "i", "integrationUri": f"{FUNCTION}:ask"},
        "GetRoutes": {"routeId": "r", "routeKey": "POST /ask", "authorizationType": "JWT"},
    }[operation]  # fmt: skip
    return json.dumps({"items": [item]}).encode()


def role(name: str, *statements: dict[str, Any]) -> str:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)}).replace('"', "&quot;")
    return (
        f"<member><RoleName>{name}</RoleName><Arn>{ROLE}/{name}</Arn><RolePolicyList><member><PolicyName>own"
        f"</PolicyName><PolicyDocument>{document}</PolicyDocument></member></RolePolicyList>"
        f"<AttachedManagedPolicies/></member>"
    )


def may(action: str, resource: str, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


IAM = xml(
    "GetAccountAuthorizationDetails",
    "<IsTruncated>false</IsTruncated><RoleDetailList>"
    + role("agent-role", may("bedrock:InvokeModel", "*"))
    + role("base-role", may("s3:GetObject", "arn:aws:s3:::tickets-of-customers/*"))
    + role("ask-role", may("bedrock:InvokeAgent", f"{ARN}:agent-alias/AGENT00001/ALIAS00001"))
    + role(
        "refund-role",
        may("s3:Get*", "*"),
        may("s3:*", "arn:aws:s3:::payroll-2024/*", "Deny"),
        may(
            "s3:GetObject", "arn:aws:s3:::features-of-customers/*", Condition={"Bool": {"aws:SecureTransport": "true"}}
        ),
    )
    + "</RoleDetailList>",
)
