"""Each resource type against AWS's own words: CloudFormation's schemas and botocore's models."""

import boto3
import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from localcloud.cloudformation.kinds import KINDS, kind_of
from localcloud.cloudformation.kinds.nested import NestedStack

REGION = "us-east-1"
CALLED = [kind for kind in KINDS.values() if not isinstance(kind, NestedStack)]


def model(kind, operation):
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    client = boto3.client(kind.service, region_name=REGION, **keys)
    return client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])


def calls(kind):
    yield kind.create, {}
    yield from (call for call in (kind.read, kind.delete, kind.update) if call)
    yield from ((operation, given) for _, operation, given in kind.then)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_properties_and_attributes_are_those_of_the_schema(kind):
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind.type)
    known = set(schema.schema["properties"])
    used = {kind.name} if kind.name else set()
    used |= {*kind.aside, *kind.rename, *kind.changeable, *(name for name, _, _ in kind.then)}
    assert used <= known
    assert set(kind.attributes) <= set(schema.get_atts)


@pytest.mark.parametrize("kind", CALLED, ids=[kind.type for kind in CALLED])
def test_operations_and_parameters_are_those_of_the_api(kind):
    for operation, given in calls(kind):
        shape = model(kind, operation).input_shape
        assert set(given) <= set(shape.members), operation
    made = model(kind, kind.create).input_shape
    assert set(kind.rename.values()) | set(kind.fixed) <= {
        *made.members,
        *(name[0].upper() + name[1:] for name in made.members),
    }


def test_a_type_of_a_service_that_only_keeps_records_is_motos():
    assert kind_of("AWS::SQS::Queue").type == "AWS::SQS::Queue"
    for name in ("AWS::EKS::Addon", "AWS::RDS::DBCluster", "AWS::Glue::Job", "Custom::Thing"):
        assert kind_of(name) is None
