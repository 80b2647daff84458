"""Routes, endpoints and security groups: what AWS would let through."""

import pytest

from localcloud.network import defaults
from localcloud.network import vpc as vpcs
from localcloud.network.reachability import to_internet, to_place, to_service
from localcloud.network.vpc import Place

ANYWHERE = "0.0.0.0/0"
ANY = {"IpRanges": [{"CidrIp": ANYWHERE}]}


def of_group(group):
    return {"UserIdGroupPairs": [{"GroupId": group}]}


def default_place(state, public):
    vpc = state.default_vpc
    subnet = next(s for by_id in state.subnets.values() for s in by_id.values())
    return Place((subnet.id,), (vpcs.default_group(state, vpc.id),), public)


def test_the_default_vpc_is_as_on_aws(state):
    assert to_service(state, default_place(state, True), "ecr.api")
    found = to_service(state, default_place(state, False), "ecr.api")
    assert not found
    assert "no public IP address" in found.why
    inside = default_place(state, False)
    assert to_place(state, inside, inside, 5432)


def test_without_a_route_there_is_no_way(state, vpc):
    found = to_service(state, vpc.place(public=True), "s3")
    assert not found
    assert f"subnet {vpc.subnet} has no route to the internet" in found.why
    assert "no endpoint of s3" in found.why


def test_an_internet_gateway_takes_a_public_address(state, vpc):
    vpc.route(GatewayId=vpc.gateway())
    assert to_internet(state, vpc.place(public=True), 443)
    assert not to_internet(state, vpc.place(public=False), 443)


def test_a_detached_gateway_leads_nowhere(state, vpc):
    gateway = vpc.gateway()
    vpc.route(GatewayId=gateway)
    vpc.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc.id)
    assert not to_internet(state, vpc.place(public=True), 443)


def test_a_nat_gateway_serves_a_private_subnet(state, vpc):
    outer = vpc.make_subnet("10.0.2.0/24")
    vpc.route(vpc.make_table(outer), GatewayId=vpc.gateway())
    nat = vpc.nat(outer)
    vpc.route(NatGatewayId=nat)
    place = vpc.place()
    assert to_service(state, place, "logs")
    vpc.ec2.delete_nat_gateway(NatGatewayId=nat)
    assert not to_service(state, place, "logs")


def test_a_nat_gateway_in_a_private_subnet_is_no_way_out(state, vpc):
    vpc.route(NatGatewayId=vpc.nat(vpc.make_subnet("10.0.2.0/24")))
    assert not to_service(state, vpc.place(), "s3")


def test_the_main_route_table_serves_subnets_without_one(state, vpc):
    other = vpc.make_subnet("10.0.3.0/24")
    main = next(t for t in state.route_tables.values() if t.vpc_id == vpc.id and t.associations)
    vpc.route(main.id, GatewayId=vpc.gateway())
    assert to_internet(state, Place((other,), (vpc.group(),), True), 443)
    assert not to_internet(state, vpc.place(public=True), 443)


def test_an_interface_endpoint_and_its_group(state, vpc):
    door, own = vpc.group(), vpc.group()
    vpc.endpoint(
        "ecr.api", VpcEndpointType="Interface", SubnetIds=[vpc.subnet], SecurityGroupIds=[door]
    )
    assert not to_service(state, vpc.place(own), "ecr.api")
    vpc.allow(door, 443, **of_group(own))
    assert to_service(state, vpc.place(own), "ecr.api")
    assert not to_service(state, vpc.place(own), "ecr.dkr")
    assert not to_service(state, vpc.place(), "ecr.api")


def test_a_closed_endpoint_hides_the_way_by_the_internet(state, vpc):
    """Its private DNS name is the service's own."""
    vpc.route(GatewayId=vpc.gateway())
    place = vpc.place(public=True)
    assert to_service(state, place, "logs")
    group = {"SubnetIds": [vpc.subnet], "SecurityGroupIds": [vpc.group()]}
    made = vpc.endpoint("logs", VpcEndpointType="Interface", **group)
    found = to_service(state, place, "logs")
    assert not found
    assert made in found.why
    vpc.ec2.delete_vpc_endpoints(VpcEndpointIds=[made])
    assert to_service(state, place, "logs")


def test_an_endpoint_without_private_dns_is_not_used(state, vpc):
    more = {"SubnetIds": [vpc.subnet], "PrivateDnsEnabled": False}
    vpc.endpoint("logs", VpcEndpointType="Interface", **more)
    assert not to_service(state, vpc.place(), "logs")


def test_a_gateway_endpoint_serves_its_route_tables(state, vpc):
    vpc.endpoint("s3", VpcEndpointType="Gateway", RouteTableIds=[vpc.table])
    assert to_service(state, vpc.place(), "s3")
    other = vpc.make_subnet("10.0.4.0/24")
    vpc.make_table(other)
    assert not to_service(state, Place((other,), (vpc.group(),)), "s3")


def test_egress_rules_by_prefix_list(state, vpc):
    vpc.endpoint("s3", VpcEndpointType="Gateway", RouteTableIds=[vpc.table])
    closed = vpc.group(egress=False)
    assert not to_service(state, vpc.place(closed), "s3")
    lists = vpc.ec2.describe_prefix_lists()["PrefixLists"]
    found = next(p["PrefixListId"] for p in lists if p["PrefixListName"].endswith(".s3"))
    vpc.allow(closed, 443, "egress", PrefixListIds=[{"PrefixListId": found}])
    assert to_service(state, vpc.place(closed), "s3")


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ({"port": 443}, True),
        ({"port": 80}, False),
        ({"port": 443, "protocol": "udp"}, False),
    ],
)
def test_egress_to_the_internet(state, vpc, rule, allowed):
    vpc.route(GatewayId=vpc.gateway())
    closed = vpc.group(egress=False)
    assert not to_internet(state, vpc.place(closed, public=True), 443)
    vpc.allow(closed, way="egress", **rule, **ANY)
    assert bool(to_internet(state, vpc.place(closed, public=True), 443)) == allowed


@pytest.mark.parametrize(
    ("block", "allowed"),
    [
        ("10.0.0.0/16", True),
        ("10.0.1.0/24", True),
        ("10.0.1.0/25", False),
        ("10.0.2.0/24", False),
        ("127.44.5.6/32", True),
        (ANYWHERE, True),
    ],
)
def test_ingress_by_address(state, vpc, block, allowed):
    """A block has to hold all of the peer's subnet, or the address that it goes by here."""
    database, task = vpc.group(), vpc.group()
    vpc.allow(database, 5432, IpRanges=[{"CidrIp": block}])
    place = vpc.place(task, address="127.44.5.6")
    assert bool(to_place(state, place, vpc.place(database), 5432)) == allowed
    assert not to_place(state, place, vpc.place(database), 5433)
    assert bool(to_place(state, place, vpc.place(database), 49152, 5432)) == allowed


def test_both_sides_have_to_allow_it(state, vpc):
    database, task = vpc.group(), vpc.group(egress=False)
    vpc.allow(database, 5432, **of_group(task))
    found = to_place(state, vpc.place(task), vpc.place(database), 5432)
    assert not found
    assert f"no egress rule of {task} allows port 5432" in found.why
    vpc.allow(task, 5432, "egress", **of_group(database))
    assert to_place(state, vpc.place(task), vpc.place(database), 5432)
    assert not to_place(state, vpc.place(), vpc.place(database), 5432)


def test_two_vpcs_do_not_meet(state, vpc, ec2):
    other = type(vpc)(ec2)
    group = other.group()
    other.allow(group, 5432, **ANY)
    assert not to_place(state, vpc.place(), other.place(group), 5432)


def test_what_is_gone_reaches_nothing(state, vpc):
    lost = Place(("subnet-gone",), ("sg-gone",), public=True)
    assert not to_service(state, lost, "s3")
    assert not to_place(state, lost, vpc.place(), 5432)
    assert not to_internet(state, Place((), ()), 443)


def test_what_a_person_removes_from_the_default_vpc_stays_removed(state, ec2):
    vpc = state.default_vpc.id
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    (route,) = [r for r in tables[0]["Routes"] if r["DestinationCidrBlock"] == ANYWHERE]
    where = {"RouteTableId": tables[0]["RouteTableId"], "DestinationCidrBlock": ANYWHERE}
    ec2.delete_route(**where)
    try:
        assert not to_internet(state, default_place(state, True), 443)
        defaults.complete(state)
        assert not to_internet(state, default_place(state, True), 443)
    finally:
        ec2.create_route(**where, GatewayId=route["GatewayId"])
