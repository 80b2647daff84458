"""REST APIs that lead to a load balancer inside a VPC."""

import pytest
from balancers import forward
from botocore.exceptions import ClientError
from rest_apis import RestApi, refusal


@pytest.fixture
def rest(cloud):
    api = RestApi(cloud)
    yield api
    api.remove()


def said(answer):
    """The method and path that the integration saw."""
    assert answer.status_code == 200, answer.text
    return tuple(answer.text.split("\n")[:2])


@pytest.mark.slow
def test_a_private_integration_leads_to_an_internal_load_balancer(apis, rest):
    of_link = apis.security_group()
    link, stranger = (
        apis.gateway.create_vpc_link(
            Name=apis.name(), SubnetIds=apis.subnets, SecurityGroupIds=[group]
        )["VpcLinkId"]
        for group in (of_link, apis.security_group())
    )
    server, group = apis.server(), apis.group()
    balancer = apis.balancer([apis.security_group((80, of_link))], Scheme="internal")
    port = apis.listener(balancer, forward(group))["Port"]
    apis.register(group, server)
    apis.wait(group, "healthy")
    through = {
        "connectionType": "VPC_LINK",
        "connectionId": link,
        "integrationTarget": balancer["LoadBalancerArn"],
    }
    base = f"http://{balancer['DNSName']}:{port}"
    rest.method("ANY", "/api/{proxy+}", f"{base}/own/{{proxy}}", **through)
    by_stage = through | {"connectionId": "${stageVariables.link}"}
    rest.method("GET", "/stage", base, **by_stage)
    rest.method("GET", "/closed", base, **through | {"connectionId": stranger})
    rest.method("GET", "/elsewhere", f"http://{balancer['DNSName']}:9/", **through)
    deployment = rest.deploy()
    answer = rest.ask("/api/flights/7?limit=1", "POST", content=b"body")
    assert said(answer) == ("POST", "/own/flights/7?limit=1")
    assert f"Host: {balancer['DNSName']}" in answer.text and answer.text.endswith("body")
    rest.gateway.create_stage(
        restApiId=rest.id, stageName="two", deploymentId=deployment, variables={"link": link}
    )
    assert said(rest.ask("/stage", stage="two")) == ("GET", "/")
    for path in ("/closed", "/elsewhere"):
        assert refusal(rest.ask(path))[:2] == (504, "Network error communicating with endpoint")
    shown = rest.gateway.get_integration(
        restApiId=rest.id, resourceId=rest.resource("/api/{proxy+}"), httpMethod="ANY"
    )
    assert {name: shown[name] for name in through} == through
    with pytest.raises(ClientError, match="no Application Load Balancer"):
        rest.method("GET", "/none", base, **through | {"integrationTarget": "arn:aws:none"})
