"""Look into an AWS account of a moto server: everything found, CPU seconds of the collector apart from the server's.

    python bench/cloud/aws.py [resources] [--kill]

``--kill`` ends the first run by SIGKILL in the middle and lets a second one go on.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.discover.cloud.aws_world import CREDENTIALS, REGION, moto

RUN = """
import json, resource, sys, time
from pathlib import Path
from penstock.discover.cloud.aws.scan import scan
from penstock.discover.cloud.aws.session import signed_in
from penstock.graph.vocabulary import Asset
found, journal = scan(signed_in(), ("eu-west-1",), state=Path(sys.argv[1]), now=time.time())
journal.done()
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "cpu": used.ru_utime + used.ru_stime, "resumed": journal.resumed, "memory": used.ru_maxrss // 1024,
    "names": sorted({one.subject.name for one in found.observations if isinstance(one.subject, Asset)}),
    "gaps": sorted({gap.what + ": " + gap.why[:90] for gap in found.unseen if not gap.skipped}),
}))
"""


def fill(address: str, total: int) -> dict[str, list[str]]:
    """Make resources of 25 types and more, evenly; the names of all by type."""
    import boto3

    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = boto3.client(service, region_name=REGION, endpoint_url=address)
        return clients[service]

    role = client("iam").create_role(RoleName="ai-role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client("s3").create_bucket(Bucket="training-data", CreateBucketConfiguration={"LocationConstraint": REGION})
    makers = _makers(client, role)
    made: dict[str, list[str]] = {name: [] for name in makers}
    each = -(-total // len(makers))
    for kind, make in makers.items():
        for number in range(each):
            name = f"{kind}-{number}"
            make(name)
            made[kind].append(name)
    made["custom model"] = [f"own-{name}" for name in made["customized"]]
    return made


def _makers(client: Callable[[str], Any], role: str) -> dict[str, Callable[[str], Any]]:
    sage, agents, bedrock = client("sagemaker"), client("bedrock-agent"), client("bedrock")
    core, vectors = client("bedrock-agentcore-control"), client("s3vectors")
    data, out = "s3://training-data/in", {"S3OutputPath": "s3://training-data/out"}
    machine = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
    image = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/x:1"
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data}}}
    channel = [{"ChannelName": "train", **source}]
    stop = {"MaxRuntimeInSeconds": 60}
    sage.create_model(ModelName="shared", ExecutionRoleArn=role, PrimaryContainer={"Image": image})
    variant = {"VariantName": "a", "ModelName": "shared", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sage.create_endpoint_config(EndpointConfigName="shared", ProductionVariants=[variant])
    vectors.create_vector_bucket(vectorBucketName="vectors-of-all")
    runtime = core.create_agent_runtime(
        agentRuntimeName="shared", roleArn=role, networkConfiguration={"networkMode": "PUBLIC"},
        agentRuntimeArtifact={"containerConfiguration": {"containerUri": image}},
    )["agentRuntimeId"]  # fmt: skip
    gateway = core.create_gateway(
        name="shared", roleArn=role, protocolType="MCP", authorizerType="AWS_IAM"
    )["gatewayId"]  # fmt: skip
    model = "amazon.titan-text-lite-v1"
    code = {"ZipFile": b"PK\x05\x06" + b"\0" * 18}
    client("ecs").create_cluster(clusterName="main")
    task = {"name": "a", "image": "a:1", "memory": 64, "environment": [{"name": "MODEL_ID", "value": f"{model}:0"}]}
    client("ecs").register_task_definition(family="ai", containerDefinitions=[task])
    return {
        "model": lambda n: sage.create_model(ModelName=n, ExecutionRoleArn=role, PrimaryContainer={"Image": image}),
        "config": lambda n: sage.create_endpoint_config(EndpointConfigName=n, ProductionVariants=[variant]),
        "endpoint": lambda n: sage.create_endpoint(EndpointName=n, EndpointConfigName="shared"),
        "training": lambda n: sage.create_training_job(
            TrainingJobName=n, AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
            RoleArn=role, InputDataConfig=channel, OutputDataConfig=out, ResourceConfig=machine,
            StoppingCondition=stop),
        "processing": lambda n: sage.create_processing_job(
            ProcessingJobName=n, ProcessingResources={"ClusterConfig": machine}, RoleArn=role,
            AppSpecification={"ImageUri": image}),
        "transform": lambda n: sage.create_transform_job(
            TransformJobName=n, ModelName="shared", TransformInput=source, TransformOutput=out,
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1}),
        "tuning": lambda n: sage.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=n, HyperParameterTuningJobConfig={
                "Strategy": "Random", "ResourceLimits": {"MaxParallelTrainingJobs": 1}}),
        "notebook": lambda n: sage.create_notebook_instance(
            NotebookInstanceName=n, InstanceType="ml.t2.medium", RoleArn=role),
        "domain": lambda n: sage.create_domain(
            DomainName=n, AuthMode="IAM", DefaultUserSettings={"ExecutionRole": role}, SubnetIds=["s"], VpcId="v"),
        "pipeline": lambda n: sage.create_pipeline(
            PipelineName=n, RoleArn=role, ClientRequestToken=n * 4, PipelineDefinition='{"Steps": []}'),
        "package": lambda n: (
            sage.create_model_package_group(ModelPackageGroupName=n),
            sage.create_model_package(ModelPackageGroupName=n, ModelPackageDescription="x")),
        "agent": lambda n: agents.create_agent(
            agentName=n, foundationModel=model, agentResourceRoleArn=role, instruction="x" * 50),
        "base": lambda n: agents.create_knowledge_base(
            name=n, roleArn=role, knowledgeBaseConfiguration={"type": "VECTOR"},
            storageConfiguration={"type": "OPENSEARCH_SERVERLESS"}),
        "customized": lambda n: bedrock.create_model_customization_job(
            jobName=n, customModelName=f"own-{n}", roleArn=role, baseModelIdentifier=model,
            trainingDataConfig={"s3Uri": data}, outputDataConfig={"s3Uri": data}, hyperParameters={"a": "1"}),
        "runtime": lambda n: core.create_agent_runtime(
            agentRuntimeName=n.replace("-", "_"), roleArn=role, networkConfiguration={"networkMode": "PUBLIC"},
            agentRuntimeArtifact={"containerConfiguration": {"containerUri": image}}),
        "place": lambda n: core.create_agent_runtime_endpoint(agentRuntimeId=runtime, name=n.replace("-", "_")),
        "gateway": lambda n: core.create_gateway(
            name=n, roleArn=role, protocolType="MCP", authorizerType="AWS_IAM"),
        "target": lambda n: core.create_gateway_target(
            gatewayIdentifier=gateway, name=n, targetConfiguration={"mcp": {"mcpServer": {
                "endpoint": "https://example.com"}}}),
        "memory": lambda n: core.create_memory(name=n.replace("-", "_"), eventExpiryDuration=30),
        "index": lambda n: vectors.create_index(
            vectorBucketName="vectors-of-all", indexName=n, dataType="float32", dimension=2, distanceMetric="cosine"),
        "function": lambda n: client("lambda").create_function(
            FunctionName=n, Runtime="python3.12", Role=role, Handler="a.b", Code=code,
            Environment={"Variables": {"MODEL_ID": f"{model}:0"}}),
        "service": lambda n: client("ecs").create_service(
            cluster="main", serviceName=n, taskDefinition="ai", desiredCount=0),
        "role": lambda n: (
            client("iam").create_role(RoleName=n, AssumeRolePolicyDocument="{}"),
            sage.create_notebook_instance(
                NotebookInstanceName=f"of-{n}", InstanceType="ml.t2.medium",
                RoleArn=role.replace("ai-role", n))),
        "bucket": lambda n: (
            client("s3").create_bucket(Bucket=n, CreateBucketConfiguration={"LocationConstraint": REGION}),
            sage.create_notebook_instance(
                NotebookInstanceName=f"with-{n}", InstanceType="ml.t2.medium", RoleArn=role,
                DefaultCodeRepository=f"s3://{n}/x")),
    }  # fmt: skip


def collect(state: str, environment: dict[str, str], *, kill_after: int = 0) -> dict[str, Any]:
    """One run in a process of its own; killed once its journal holds so many bytes."""
    run = subprocess.Popen([sys.executable, "-c", RUN, state], env=environment, stdout=subprocess.PIPE)
    if kill_after:
        journal = Path(state) / "cloud" / "aws-123456789012.jsonl"
        while run.poll() is None and (not journal.exists() or journal.stat().st_size < kill_after):
            time.sleep(0.02)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        return {}
    said, _ = run.communicate()
    answer: dict[str, Any] = json.loads(said)
    return answer


def measured(total: int, *, kill: bool = False) -> dict[str, Any]:
    """Fill a server, look into it, and compare."""
    os.environ.update(CREDENTIALS)
    with moto() as address, tempfile.TemporaryDirectory() as state:
        made = fill(address, total)
        environment = {**os.environ, "AWS_ENDPOINT_URL": address, "AWS_EC2_METADATA_DISABLED": "true"}
        if kill:
            collect(state, environment, kill_after=100_000)
        said = collect(state, environment)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    names = set(said.pop("names"))
    missing = {
        kind: [name for name in each if name not in names and name.replace("-", "_") not in names]
        for kind, each in made.items()
    }
    count = sum(len(each) for each in made.values())
    return {
        "resources": count,
        "types": len(made),
        "missing": {kind: each for kind, each in missing.items() if each},
        "cpu_per_10000": said["cpu"] / count * 10_000,
        "all_children_cpu": children.ru_utime + children.ru_stime,
        **said,
    }


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    result = measured(numbers[0] if numbers else 2_000, kill="--kill" in sys.argv)
    print(f"{result['resources']:,} resources of {result['types']} types, missing: {result['missing'] or 'none'}")
    print(f"collector {result['cpu']:.1f} CPU s = {result['cpu_per_10000']:.1f} CPU s per 10,000 resources,"
          f" {result['memory']} MB; moto and all {result['all_children_cpu']:.1f} CPU s")  # fmt: skip
    print(f"items of the killed run that were not asked for again: {result['resumed']}")
    print("gaps:", *(result["gaps"] or ["none"]), sep="\n  ")
