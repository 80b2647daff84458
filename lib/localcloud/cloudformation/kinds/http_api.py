"""HTTP APIs of API Gateway, and load balancers that they lead to."""

from __future__ import annotations

from localcloud.cloudformation.kinds.base import Kind, Settled

API = {"ApiId": "Properties.ApiId"}
BALANCER = "Made.LoadBalancers[0]"
GROUP = "Made.TargetGroups[0]"


def _attributes(property_name: str, operation: str, arn: str) -> tuple[str, str, dict[str, str]]:
    return property_name, operation, {arn: "Id", "Attributes": f"Properties.{property_name}"}


KINDS = [
    Kind(
        "AWS::ApiGatewayV2::Api",
        "apigatewayv2",
        "create_api",
        ref="Made.ApiId",
        attributes={"ApiId": "Made.ApiId", "ApiEndpoint": "Made.ApiEndpoint"},
        delete=("delete_api", {"ApiId": "Id"}),
    ),
    Kind(
        "AWS::ApiGatewayV2::VpcLink",
        "apigatewayv2",
        "create_vpc_link",
        ref="Made.VpcLinkId",
        attributes={"VpcLinkId": "Made.VpcLinkId"},
        read=("get_vpc_link", {"VpcLinkId": "Id"}),
        ready=Settled("VpcLinkStatus || 'AVAILABLE'", ("AVAILABLE",), ("FAILED",)),
        delete=("delete_vpc_link", {"VpcLinkId": "Id"}),
        waits_gone=True,
    ),
    Kind(
        "AWS::ApiGatewayV2::Integration",
        "apigatewayv2",
        "create_integration",
        ref="Made.IntegrationId",
        attributes={"IntegrationId": "Made.IntegrationId"},
        delete=("delete_integration", API | {"IntegrationId": "Id"}),
    ),
    Kind(
        "AWS::ApiGatewayV2::Route",
        "apigatewayv2",
        "create_route",
        ref="Made.RouteId",
        attributes={"RouteId": "Made.RouteId"},
        delete=("delete_route", API | {"RouteId": "Id"}),
    ),
    Kind(
        "AWS::ApiGatewayV2::Stage",
        "apigatewayv2",
        "create_stage",
        ref="Properties.StageName",
        delete=("delete_stage", API | {"StageName": "Id"}),
    ),
    Kind(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "elbv2",
        "create_load_balancer",
        ref=f"{BALANCER}.LoadBalancerArn",
        name="Name",
        name_limit=32,
        then=(
            _attributes(
                "LoadBalancerAttributes", "modify_load_balancer_attributes", "LoadBalancerArn"
            ),
        ),
        attributes={
            "LoadBalancerArn": "Id",
            "DNSName": f"{BALANCER}.DNSName",
            "CanonicalHostedZoneID": f"{BALANCER}.CanonicalHostedZoneId",
            "LoadBalancerName": f"{BALANCER}.LoadBalancerName",
        },
        delete=("delete_load_balancer", {"LoadBalancerArn": "Id"}),
    ),
    Kind(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "elbv2",
        "create_target_group",
        ref=f"{GROUP}.TargetGroupArn",
        name="Name",
        name_limit=32,
        then=(
            _attributes(
                "TargetGroupAttributes", "modify_target_group_attributes", "TargetGroupArn"
            ),
        ),
        attributes={"TargetGroupArn": "Id", "TargetGroupName": f"{GROUP}.TargetGroupName"},
        delete=("delete_target_group", {"TargetGroupArn": "Id"}),
    ),
    Kind(
        "AWS::ElasticLoadBalancingV2::Listener",
        "elbv2",
        "create_listener",
        ref="Made.Listeners[0].ListenerArn",
        attributes={"ListenerArn": "Id"},
        delete=("delete_listener", {"ListenerArn": "Id"}),
    ),
]
