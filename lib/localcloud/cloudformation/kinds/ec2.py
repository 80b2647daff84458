"""Networks, and what instances are launched from."""

from __future__ import annotations

from localcloud.cloudformation.kinds.base import Kind, Settled


def _flag(name: str) -> tuple[str, str, dict[str, str]]:
    """VPCs and subnets take some flags in a call of their own."""
    kind = "Subnet" if name == "MapPublicIpOnLaunch" else "Vpc"
    value = f"{{Value: Properties.{name}}}"
    return name, f"modify_{kind.lower()}_attribute", {f"{kind}Id": "Id", name: value}


KINDS = [
    Kind(
        "AWS::EC2::VPC",
        "ec2",
        "create_vpc",
        ref="Made.Vpc.VpcId",
        then=(_flag("EnableDnsSupport"), _flag("EnableDnsHostnames")),
        tag_specification="vpc",
        attributes={
            "VpcId": "Made.Vpc.VpcId",
            "CidrBlock": "Made.Vpc.CidrBlock",
            "DefaultSecurityGroup": "Read.SecurityGroups[?GroupName=='default'] | [0].GroupId",
        },
        read=("describe_security_groups", {"Filters": "[{Name: 'vpc-id', Values: [Id]}]"}),
        delete=("delete_vpc", {"VpcId": "Id"}),
    ),
    Kind(
        "AWS::EC2::Subnet",
        "ec2",
        "create_subnet",
        ref="Made.Subnet.SubnetId",
        then=(_flag("MapPublicIpOnLaunch"),),
        tag_specification="subnet",
        attributes={
            "SubnetId": "Made.Subnet.SubnetId",
            "AvailabilityZone": "Made.Subnet.AvailabilityZone",
            "CidrBlock": "Made.Subnet.CidrBlock",
            "VpcId": "Made.Subnet.VpcId",
        },
        delete=("delete_subnet", {"SubnetId": "Id"}),
    ),
    Kind(
        "AWS::EC2::InternetGateway",
        "ec2",
        "create_internet_gateway",
        ref="Made.InternetGateway.InternetGatewayId",
        tag_specification="internet-gateway",
        attributes={"InternetGatewayId": "Id"},
        delete=("delete_internet_gateway", {"InternetGatewayId": "Id"}),
    ),
    Kind(
        "AWS::EC2::VPCGatewayAttachment",
        "ec2",
        "attach_internet_gateway",
        ref="join('|', ['IGW', Properties.VpcId])",
        delete=(
            "detach_internet_gateway",
            {
                "InternetGatewayId": "Properties.InternetGatewayId",
                "VpcId": "Properties.VpcId",
            },
        ),
    ),
    Kind(
        "AWS::EC2::RouteTable",
        "ec2",
        "create_route_table",
        ref="Made.RouteTable.RouteTableId",
        tag_specification="route-table",
        attributes={"RouteTableId": "Id"},
        delete=("delete_route_table", {"RouteTableId": "Id"}),
    ),
    Kind(
        "AWS::EC2::Route",
        "ec2",
        "create_route",
        ref="join('|', [Properties.RouteTableId, Properties.DestinationCidrBlock])",
        delete=(
            "delete_route",
            {
                "RouteTableId": "Properties.RouteTableId",
                "DestinationCidrBlock": "Properties.DestinationCidrBlock",
            },
        ),
    ),
    Kind(
        "AWS::EC2::SubnetRouteTableAssociation",
        "ec2",
        "associate_route_table",
        ref="Made.AssociationId",
        attributes={"Id": "Id"},
        delete=("disassociate_route_table", {"AssociationId": "Id"}),
    ),
    Kind(
        "AWS::EC2::EIP",
        "ec2",
        "allocate_address",
        ref="Made.PublicIp",
        tag_specification="elastic-ip",
        attributes={"AllocationId": "Made.AllocationId", "PublicIp": "Id"},
        delete=("release_address", {"AllocationId": "Attributes.AllocationId"}),
    ),
    Kind(
        "AWS::EC2::NatGateway",
        "ec2",
        "create_nat_gateway",
        ref="Made.NatGateway.NatGatewayId",
        tag_specification="natgateway",
        attributes={"NatGatewayId": "Id"},
        read=("describe_nat_gateways", {"NatGatewayIds": "[Id]"}),
        ready=Settled(
            "NatGateways[0].State",
            good=("available",),
            bad=("failed",),
            why="NatGateways[0].FailureMessage",
        ),
        delete=("delete_nat_gateway", {"NatGatewayId": "Id"}),
    ),
    Kind(
        "AWS::EC2::VPCEndpoint",
        "ec2",
        "create_vpc_endpoint",
        ref="Made.VpcEndpoint.VpcEndpointId",
        tag_specification="vpc-endpoint",
        attributes={"Id": "Id"},
        read=("describe_vpc_endpoints", {"VpcEndpointIds": "[Id]"}),
        ready=Settled("VpcEndpoints[0].State", good=("available",), bad=("failed", "rejected")),
        delete=("delete_vpc_endpoints", {"VpcEndpointIds": "[Id]"}),
    ),
    Kind(
        "AWS::EC2::LaunchTemplate",
        "ec2",
        "create_launch_template",
        ref="Made.LaunchTemplate.LaunchTemplateId",
        name="LaunchTemplateName",
        name_limit=128,
        tag_specification="launch-template",
        attributes={
            "LaunchTemplateId": "Id",
            "LatestVersionNumber": "to_string(Made.LaunchTemplate.LatestVersionNumber)",
            "DefaultVersionNumber": "to_string(Made.LaunchTemplate.DefaultVersionNumber)",
        },
        delete=("delete_launch_template", {"LaunchTemplateId": "Id"}),
    ),
]
