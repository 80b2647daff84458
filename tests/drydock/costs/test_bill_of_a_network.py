"""Addresses, balancers, gateways, APIs, clusters and images as items of the cloud's bill."""

import datetime as dt
import hashlib
import json
import time
from decimal import Decimal

import pytest

from drydock.costs import cloud_bill, cloud_network
from drydock.lab import open_lab
from drydock.model import api_gateway, clusters, network, storage
from drydock.model.prices import combined

HOUR = dt.timedelta(hours=1)
CLUSTER_ARN = "arn:aws:ecs:us-east-1:123456789012:cluster/billed"


@pytest.fixture(scope="module")
def lab(cloud):
    return open_lab()


@pytest.fixture(scope="module")
def subnets(lab):
    return lab.network()["awsvpcConfiguration"]["subnets"]


def task(name, interface="", group="family:x"):
    details = [{"name": "networkInterfaceId", "value": interface}] if interface else []
    arn = f"{CLUSTER_ARN}/{name}"
    attached = [{"details": details}]
    return {"taskArn": arn, "clusterArn": CLUSTER_ARN, "group": group, "attachments": attached}


def items_of(part, lab, now):
    found = list(part(lab, now, 0))
    said = [one for one in found if isinstance(one, str)]
    return {one.what: one for one in found if not isinstance(one, str)}, said


def test_only_an_interface_with_an_address_has_one_and_one_that_is_gone_is_unknown(lab, subnets):
    ec2 = lab.client("ec2")
    private, public = (
        ec2.create_network_interface(SubnetId=subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
        for _ in range(2)
    )
    address = ec2.allocate_address(Domain="vpc")
    tied = ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=public)
    try:
        tasks = [task("a", private), task("b", public), task("c", "eni-0gone"), task("d")]
        found = cloud_network.public_addresses(lab, tasks)
        assert list(found.values()) == [False, True, None, None]
    finally:
        ec2.disassociate_address(AssociationId=tied["AssociationId"])
        ec2.release_address(AllocationId=address["AllocationId"])
        for one in (private, public):
            ec2.delete_network_interface(NetworkInterfaceId=one)


@pytest.mark.parametrize("asked", ["ENABLED", "DISABLED"])
def test_a_service_tells_what_its_tasks_had(lab, asked):
    ecs = lab.client("ecs")
    arn = ecs.create_cluster(clusterName="billed")["cluster"]["clusterArn"]
    made = ecs.register_task_definition(
        family="billed",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "app", "image": "nothing"}],
    )["taskDefinition"]["taskDefinitionArn"]
    asks = lab.network()
    asks["awsvpcConfiguration"]["assignPublicIp"] = asked
    name = f"serves-{asked.lower()}"
    ecs.create_service(
        cluster=arn,
        serviceName=name,
        taskDefinition=made,
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration=asks,
    )
    try:
        one = task("a", "eni-0gone", f"service:{name}") | {"clusterArn": arn}
        found = cloud_network.public_addresses(lab, [one])
        assert found == {one["taskArn"]: asked == "ENABLED"}
    finally:
        ecs.delete_service(cluster=arn, service=name, force=True)


def test_a_balancer_is_billed_by_whole_hours_with_an_address_in_each_zone(lab, subnets):
    elb = lab.client("elbv2")
    made = elb.create_load_balancer(Name="billed", Subnets=subnets)["LoadBalancers"][0]
    inside = elb.create_load_balancer(Name="inside", Subnets=subnets, Scheme="internal")
    try:
        now = made["CreatedTime"] + 2 * HOUR
        items, said = items_of(cloud_network.load_balancers, lab, now)
        addresses = network.public_ipv4(2, addresses=2)
        assert items["Load balancer: billed"].bill == combined((network.alb(2), addresses))
        assert "public" not in items["Load balancer: inside"].used
        assert "load balancer billed: the LCUs of its traffic" in said
    finally:
        for one in (made, inside["LoadBalancers"][0]):
            elb.delete_load_balancer(LoadBalancerArn=one["LoadBalancerArn"])


def test_a_nat_gateway_is_billed_while_it_is_there(lab, subnets):
    ec2 = lab.client("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address)["NatGateway"]
    what = f"NAT gateway: {made['NatGatewayId']}"
    now = made["CreateTime"] + 3 * HOUR
    items, said = items_of(cloud_network.nat_gateways, lab, now)
    expected = combined((network.nat_gateway(3), network.public_ipv4(3)))
    assert items[what].bill.total() == expected.total()
    assert f"NAT gateway {made['NatGatewayId']}: the GB that went through it" in said
    ec2.delete_nat_gateway(NatGatewayId=made["NatGatewayId"])
    assert what not in items_of(cloud_network.nat_gateways, lab, now)[0]


def test_requests_are_those_of_cloudwatch_or_of_access_logs_or_told(lab):
    gateway, logs = lab.client("apigatewayv2"), lab.client("logs")
    group = "/billed/access"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="all")
    now = dt.datetime.now(dt.UTC)
    stamp = int(time.time() * 1000)
    lines = [{"timestamp": stamp, "message": json.dumps({"n": n})} for n in range(3)]
    logs.put_log_events(logGroupName=group, logStreamName="all", logEvents=lines)
    arn = f"arn:aws:logs:us-east-1:{lab.account_id}:log-group:{group}"
    ids = {}
    try:
        for name in ("measured", "logged", "silent"):
            ids[name] = gateway.create_api(Name=name, ProtocolType="HTTP")["ApiId"]
            settings = {"DestinationArn": arn, "Format": "$context.requestId"}
            more = {"AccessLogSettings": settings} if name == "logged" else {}
            gateway.create_stage(ApiId=ids[name], StageName="$default", **more)
        lab.client("cloudwatch").put_metric_data(
            Namespace="AWS/ApiGateway",
            MetricData=[
                {
                    "MetricName": "Count",
                    "Dimensions": [{"Name": "ApiId", "Value": ids["measured"]}],
                    "Timestamp": now,
                    "Value": 5000,
                }
            ],
        )
        items, said = items_of(cloud_network.apis, lab, now)
        assert items["HTTP API: measured"].bill == api_gateway.http(5000)
        assert items["HTTP API: logged"].bill == api_gateway.http(3)
        assert "HTTP API silent: its requests, neither measured nor in access logs" in said
    finally:
        for one in ids.values():
            gateway.delete_api(ApiId=one)
        logs.delete_log_group(logGroupName=group)


def test_images_are_billed_by_their_size(lab):
    ecr = lab.client("ecr")
    ecr.create_repository(repositoryName="billed")
    try:
        layer, config = b"x" * 100_000, b"{}"
        parts = [blob(ecr, one) for one in (config, layer)]
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **parts[0]},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **parts[1]}],
        }
        written = json.dumps(manifest)
        ecr.put_image(repositoryName="billed", imageManifest=written, imageTag="1")
        [image] = ecr.describe_images(repositoryName="billed")["imageDetails"]
        items, _ = items_of(cloud_bill._images, lab, dt.datetime.now(dt.UTC))
        size = image["imageSizeInBytes"]
        assert size >= len(layer)
        assert items["ECR: billed"].bill == storage.ecr(Decimal(size) / 1024**3)
        assert items["ECR: billed"].used == "1 images, 0.1 MB for a month at most"
    finally:
        ecr.delete_repository(repositoryName="billed", force=True)


def blob(ecr, content):
    """Upload it, and return what a manifest says of it."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    upload = ecr.initiate_layer_upload(repositoryName="billed")["uploadId"]
    ecr.upload_layer_part(
        repositoryName="billed",
        uploadId=upload,
        partFirstByte=0,
        partLastByte=len(content) - 1,
        layerPartBlob=content,
    )
    ecr.complete_layer_upload(repositoryName="billed", uploadId=upload, layerDigests=[digest])
    return {"digest": digest, "size": len(content)}


class Told:
    """A session whose services answer what is given: for what takes minutes to start."""

    def __init__(self, **pages):
        self._pages = pages

    def client(self, service):
        return self

    def get_paginator(self, name):
        self._name = name
        return self

    def paginate(self, **asked):
        return [self._pages[self._name]]

    def describe_cluster(self, name):
        return {"cluster": self._pages[name]}


def test_an_eks_cluster_is_billed_from_its_creation():
    now = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    session = Told(list_clusters={"clusters": ["k"]}, k={"createdAt": now - 5 * HOUR})
    [item] = cloud_bill._kubernetes(session, now, 0)
    assert (item.what, item.bill) == ("EKS: k", clusters.eks(Decimal(5)))


def test_an_aurora_cluster_is_told_with_the_least_and_the_most_of_its_capacity():
    now = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    cluster = {
        "DBClusterIdentifier": "a",
        "Engine": "aurora-postgresql",
        "ClusterCreateTime": now - 10 * HOUR,
        "DBClusterMembers": [{}],
        "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 2.0},
    }
    bare = {"DBClusterIdentifier": "b", "Engine": "aurora-mysql"}
    session = Told(describe_db_clusters={"DBClusters": [cluster, bare]})
    serverless, other = cloud_bill._aurora(session, now, 0)
    assert "Aurora cluster a: $0.6000 to $2.4000 for its ACU" in serverless
    assert other == "Aurora cluster b: no price of aurora-mysql without Serverless is known"
