"""EC2 behind a real server, and VPCs to break."""

import itertools
import socket
import threading

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from localcloud.http import make_server
from localcloud.network import defaults
from localcloud.network.vpc import Place

ACCOUNT, REGION = "123456789012", "us-east-1"
ANYWHERE = "0.0.0.0/0"
numbers = itertools.count()


@pytest.fixture(scope="session")
def ec2():
    defaults.install()
    listening = socket.create_server(("127.0.0.1", 0))
    server = make_server(listening, DomainDispatcherApplication(create_backend_app))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    keys = {"aws_access_key_id": "drydock", "aws_secret_access_key": "drydock"}
    yield boto3.client("ec2", REGION, endpoint_url=f"http://127.0.0.1:{server.port}", **keys)
    server.shutdown()
    server.server_close()


@pytest.fixture
def state(ec2):
    """What the functions under test read."""
    return defaults.backend(ACCOUNT, REGION)


class Vpc:
    """A VPC 10.0.0.0/16 of a test's own, with one subnet, and no way anywhere."""

    def __init__(self, ec2):
        self.ec2 = ec2
        self.id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.make_subnet("10.0.1.0/24")
        self.table = self.make_table(self.subnet)

    def make_subnet(self, block):
        return self.ec2.create_subnet(VpcId=self.id, CidrBlock=block)["Subnet"]["SubnetId"]

    def make_table(self, subnet):
        table = self.ec2.create_route_table(VpcId=self.id)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return table

    def route(self, table=None, **target):
        self.ec2.create_route(
            RouteTableId=table or self.table, DestinationCidrBlock=ANYWHERE, **target
        )

    def gateway(self):
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.id)
        return gateway

    def nat(self, subnet, **more):
        made = self.ec2.create_nat_gateway(SubnetId=subnet, **more)
        return made["NatGateway"]["NatGatewayId"]

    def group(self, egress=True):
        made = self.ec2.create_security_group(
            VpcId=self.id, GroupName=f"group-{next(numbers)}", Description="of a test"
        )
        if not egress:
            everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}
            self.ec2.revoke_security_group_egress(
                GroupId=made["GroupId"], IpPermissions=[everything]
            )
        return made["GroupId"]

    def allow(self, group, port, way="ingress", protocol="tcp", **peer):
        ports = {"FromPort": port, "ToPort": port}
        call = getattr(self.ec2, f"authorize_security_group_{way}")
        call(GroupId=group, IpPermissions=[{"IpProtocol": protocol, **ports, **peer}])

    def endpoint(self, service, **more):
        made = self.ec2.create_vpc_endpoint(
            VpcId=self.id, ServiceName=f"com.amazonaws.{REGION}.{service}", **more
        )
        return made["VpcEndpoint"]["VpcEndpointId"]

    def place(self, group=None, public=False, address=None):
        return Place((self.subnet,), (group or self.group(),), public, address)


@pytest.fixture
def vpc(ec2):
    return Vpc(ec2)
