"""Requests that AWS's models do not allow are refused before they do anything."""

import json

import pytest
from botocore.exceptions import ClientError
from live import client


def unchecked(cloud, service):
    """A client that sends what it is given."""
    made = client(cloud, service)
    made.meta.config.parameter_validation = False
    made._serializer._validator = None
    made._serializer = made._serializer._serializer
    return made


def refused(code, call, **parameters):
    with pytest.raises(ClientError) as error:
        call(**parameters)
    answer = error.value.response
    assert answer["Error"]["Code"] == code, answer
    assert answer["ResponseMetadata"]["HTTPStatusCode"] < 500
    return answer["Error"]["Message"]


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "said"),
    [
        ("eks", "create_cluster", {"name": "n", "roleArn": 5}, "InvalidParameterException", "role"),
        ("elbv2", "create_load_balancer", {}, "ValidationError", '"Name"'),
        ("elbv2", "set_rule_priorities", {"RulePriorities": [{}]}, "ValidationError", "Rule"),
        (
            "lambda",
            "update_function_configuration",
            {"FunctionName": "f", "Timeout": "soon"},
            "InvalidParameterValueException",
            "soon",
        ),
        ("apigateway", "create_rest_api", {}, "BadRequestException", '"name"'),
        ("apigatewayv2", "create_api", {"Name": "n"}, "BadRequestException", '"ProtocolType"'),
        ("cloudformation", "create_stack", {}, "ValidationError", '"StackName"'),
    ],
)
def test_a_wrong_request_is_said_in_the_services_own_words(
    cloud, service, operation, parameters, code, said
):
    assert said in refused(code, getattr(unchecked(cloud, service), operation), **parameters)


def test_what_the_local_cloud_does_not_do_is_said(cloud):
    elb = client(cloud, "elbv2")
    with pytest.raises(ClientError, match="does not do DescribeTrustStores of elbv2") as error:
        elb.describe_trust_stores()
    assert error.value.response["Error"]["Code"] == "NotImplemented"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_pagination_token_of_nobodys(cloud):
    said = refused("ValidationError", client(cloud, "elbv2").describe_load_balancers, Marker="x")
    assert said == "The pagination token x is not one that this operation gave."


def test_deleting_what_is_not_there(cloud):
    gateway = client(cloud, "apigateway")
    plan = gateway.create_usage_plan(name="of a test")["id"]
    refused(
        "NotFoundException", gateway.delete_usage_plan_key, usagePlanId=plan, keyId="no-such-key"
    )
    gateway.delete_usage_plan(usagePlanId=plan)


def test_a_body_that_is_no_text(cloud):
    functions, gateway = client(cloud, "lambda"), client(cloud, "apigateway")
    refused("InvalidParameterValueException", functions.invoke, FunctionName="f", Payload=b"\xff")
    refused("BadRequestException", gateway.import_rest_api, body=b"\xff")


def test_a_function_without_code_is_not_made(cloud):
    """moto kept half of it, and no function could be listed any more."""
    functions, iam = client(cloud, "lambda"), client(cloud, "iam")
    trusted = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trusted["Principal"] = {"Service": "lambda.amazonaws.com"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    role = iam.create_role(RoleName="of-nothing", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    said = refused(
        "InvalidParameterValueException",
        functions.create_function,
        FunctionName="of-nothing",
        Role=role,
        Runtime="python3.13",
        Handler="app.handler",
        Code={},
    )
    assert said == "Please provide a source for function code."
    assert "of-nothing" not in [
        one["FunctionName"] for one in functions.list_functions()["Functions"]
    ]
    iam.delete_role(RoleName="of-nothing")


def test_an_import_that_is_not_made_removes_no_route(cloud):
    gateway = client(cloud, "apigatewayv2")
    api = gateway.create_api(Name="kept", ProtocolType="HTTP")["ApiId"]
    made = gateway.create_integration(
        ApiId=api,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="ANY",
        PayloadFormatVersion="1.0",
        IntegrationUri="http://127.0.0.1:9",
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey="GET /kept", Target=f"integrations/{made}")
    refused("BadRequestException", gateway.reimport_api, ApiId=api, Body="nonsense")
    assert [one["RouteKey"] for one in gateway.get_routes(ApiId=api)["Items"]] == ["GET /kept"]
    gateway.delete_api(ApiId=api)


@pytest.mark.parametrize("operation", ["update_account", "update_usage_plan"])
def test_a_patch_without_operations(cloud, operation):
    named = {"usagePlanId": "x"} if "plan" in operation else {}
    refused("BadRequestException", getattr(client(cloud, "apigateway"), operation), **named)


def test_the_tags_of_nothing(cloud):
    refused("NotFoundException", client(cloud, "apigateway").get_tags, resourceArn="arn:aws:x")


def test_a_resource_is_deleted_with_those_below_it(cloud):
    """moto left them, and the API's resources could not be listed any more."""
    gateway = client(cloud, "apigateway")
    api = gateway.create_rest_api(name="of a tree")
    root, where = api["rootResourceId"], {"restApiId": api["id"]}
    above = gateway.create_resource(**where, parentId=root, pathPart="above")["id"]
    gateway.create_resource(**where, parentId=above, pathPart="below")
    gateway.delete_resource(**where, resourceId=above)
    assert [one["path"] for one in gateway.get_resources(**where)["items"]] == ["/"]
    refused("BadRequestException", gateway.delete_resource, **where, resourceId=root)
    gateway.put_method(**where, resourceId=root, httpMethod="GET", authorizationType="NONE")
    method = {**where, "resourceId": root, "httpMethod": "GET", "statusCode": "200"}
    refused("NotFoundException", gateway.delete_method_response, **method)
    gateway.put_integration(
        **where,
        resourceId=root,
        httpMethod="GET",
        type="HTTP_PROXY",
        integrationHttpMethod="GET",
        uri="http://127.0.0.1:9",
    )
    refused("NotFoundException", gateway.delete_integration_response, **method)
    gateway.delete_rest_api(**where)
