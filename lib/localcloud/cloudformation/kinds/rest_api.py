"""REST APIs of API Gateway."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.kinds.base import Context, Kind, Made, operation_of
from localcloud.cloudformation.kinds.parameters import parameters

API = {"restApiId": "Properties.RestApiId"}


class Method(Kind):
    """A method and its integration, which the API takes in two calls."""

    def finish(self, context: Context, about: dict[str, Any]) -> None:
        properties = about["Properties"]
        given = {**properties.get("Integration", {})}
        if not given:
            return
        given.pop("IntegrationResponses", None)
        renamed = {"IntegrationHttpMethod": "integrationHttpMethod"}
        operation = operation_of(context.client(self.service), "put_integration")
        names = ("RestApiId", "ResourceId", "HttpMethod")
        given |= {name: properties[name] for name in names}
        self.call(context, "put_integration", parameters(operation, given, renamed, {}, None))


class Deployment(Kind):
    """A deployment; with StageName also the stage that shows it."""

    def unmake(self, context: Context, made: Made, properties: dict[str, Any]) -> None:
        if "StageName" in properties:
            where = {"restApiId": properties["RestApiId"], "stageName": properties["StageName"]}
            self.call(context, "delete_stage", where)
        super().unmake(context, made, properties)


KINDS = [
    Kind(
        "AWS::ApiGateway::RestApi",
        "apigateway",
        "create_rest_api",
        ref="Made.id",
        name="Name",
        attributes={"RestApiId": "Made.id", "RootResourceId": "Read.items[?path=='/'] | [0].id"},
        read=("get_resources", {"restApiId": "Id"}),
        delete=("delete_rest_api", {"restApiId": "Id"}),
    ),
    Kind(
        "AWS::ApiGateway::Resource",
        "apigateway",
        "create_resource",
        ref="Made.id",
        attributes={"ResourceId": "Made.id"},
        delete=("delete_resource", API | {"resourceId": "Id"}),
    ),
    Method(
        "AWS::ApiGateway::Method",
        "apigateway",
        "put_method",
        ref="join('|', [Properties.RestApiId, Properties.ResourceId, Properties.HttpMethod])",
        aside=frozenset({"Integration", "MethodResponses"}),
        delete=(
            "delete_method",
            API | {"resourceId": "Properties.ResourceId", "httpMethod": "Properties.HttpMethod"},
        ),
    ),
    Deployment(
        "AWS::ApiGateway::Deployment",
        "apigateway",
        "create_deployment",
        ref="Made.id",
        attributes={"DeploymentId": "Made.id"},
        delete=("delete_deployment", API | {"deploymentId": "Id"}),
    ),
    Kind(
        "AWS::ApiGateway::Stage",
        "apigateway",
        "create_stage",
        ref="Made.stageName",
        delete=("delete_stage", API | {"stageName": "Id"}),
    ),
    Kind(
        "AWS::ApiGateway::ApiKey",
        "apigateway",
        "create_api_key",
        ref="Made.id",
        name="Name",
        attributes={"APIKeyId": "Made.id"},
        delete=("delete_api_key", {"apiKey": "Id"}),
    ),
    Kind(
        "AWS::ApiGateway::UsagePlanKey",
        "apigateway",
        "create_usage_plan_key",
        ref="Made.id",
        attributes={"Id": "Made.id"},
        delete=(
            "delete_usage_plan_key",
            {"usagePlanId": "Properties.UsagePlanId", "keyId": "Properties.KeyId"},
        ),
    ),
]
