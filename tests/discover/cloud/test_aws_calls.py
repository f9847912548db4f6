"""The rows that say what is asked of AWS, held against AWS's own description of its services."""

from __future__ import annotations

import re

import botocore.session
import pytest

from penstock.discover.cloud.aws.calls import filled, listings, permission, policy, type_of

SESSION = botocore.session.get_session()
ROWS = {row.id: row for row in listings()}


def member(shape, path):
    """The shape under a path such as ``services.0``; None when there is none."""
    for step in filter(None, path.split(".")):
        if shape is None:
            return None
        shape = shape.member if step.isdigit() else shape.members.get(step)
    return shape


def fields(shape):
    if shape is None or shape.type_name not in ("structure", "list"):
        return {"value"}
    if shape.type_name == "list":
        return fields(shape.member)
    return set(shape.members)


def own_fields(row):
    """Every field that an item of a row can have."""
    model = SESSION.get_service_model(row.service)
    found = set()
    for call in (row.list, *row.get):
        found |= fields(member(model.operation_model(call.op).output_shape, call.at))
    return found | set(row.keep)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_every_call_parameter_and_field_is_one_that_aws_knows(row):
    model = SESSION.get_service_model(row.service)
    owner = own_fields(ROWS[row.of]) if row.of else set()
    known = own_fields(row) | owner | {f"of.{name}" for name in owner} | {"region", "account", "partition"}
    for call in row.calls():
        operation = model.operation_model(call.op)
        allowed = operation.input_shape.members if operation.input_shape else {}
        assert set(call.with_) <= set(allowed), call.op
        assert set(operation.input_shape.required_members if operation.input_shape else ()) <= set(call.with_), call.op
        assert member(operation.output_shape, call.at) is not None, (call.op, call.at)
        for text in call.with_.values():
            assert set(re.findall(r"\{([\w.]+)\}", str(text))) <= known, (call.op, text)
    assert set(re.findall(r"\{([\w.]+)\}", row.arn)) <= known
    assert set(row.also) <= known
    assert not row.name or row.name in known


def test_the_policy_has_no_wildcard_and_reads_no_data():
    document = policy()
    actions = [action for said in document["Statement"] for action in said["Action"]]
    assert len(actions) == len(set(actions)) or actions.count("apigateway:GET") == 1
    assert not [
        action for action in actions if "*" in action or not re.search(r":(?:List|Get|Describe|Batch|GET)", action)
    ]
    reading = {"s3:GetObject", "s3:ListBucket", "s3vectors:GetVectors", "s3vectors:QueryVectors", "bedrock:InvokeModel",
               "bedrock:Retrieve", "lambda:GetFunction", "sagemaker:GetRecord", "aoss:APIAccessAll"}  # fmt: skip
    assert not reading & set(actions)


def test_the_policy_is_the_union_of_what_the_rows_ask_for():
    actions = {action for said in policy()["Statement"] for action in said["Action"]}
    asked = {permission(row, call) for row in listings() for call in row.calls()}
    assert actions - asked == {"ec2:DescribeRegions", "sts:GetCallerIdentity"}
    assert asked <= actions


def test_a_permission_that_can_be_held_to_a_resource_is():
    held = [said for said in policy()["Statement"] if said["Resource"] != "*"]
    assert [said["Action"] for said in held] == [["apigateway:GET"]]


def test_an_arn_tells_the_type_of_what_was_not_listed():
    assert type_of("arn:aws:s3:::tickets") == "AWS::S3::Bucket"
    assert type_of("arn:aws:bedrock:eu-west-1:123456789012:knowledge-base/KB") == "AWS::Bedrock::KnowledgeBase"
    assert type_of("arn:aws:ec2:eu-west-1:123456789012:instance/i-1") == ""


def test_a_parameter_takes_its_fields():
    assert filled(["{of.value}/x"], {"of.value": "a"}) == ["a/x"]
    assert filled(100, {}) == 100
