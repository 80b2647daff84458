"""Load balancers and APIs keep addresses, rules and targets when the local cloud is killed."""

import pytest
from balancers import forward, get, url
from http_apis import Apis
from live import client, kill, wait_for

from drydock import cloud as local_cloud


@pytest.fixture
def apis(home):
    made = Apis(local_cloud.start(home, port=0))
    yield made
    made.made.pop_all()


@pytest.mark.slow
def test_what_served_before_a_kill_serves_after_it(apis, home):
    server, group = apis.server(), apis.group()
    balancer = apis.balancer()
    listener = apis.listener(balancer, forward(group))
    apis.register(group, server)
    limits = {"ThrottlingRateLimit": 100.0, "ThrottlingBurstLimit": 50}
    api, address = apis.api("v1", DefaultRouteSettings=limits)
    target = apis.integration(api, f"http://{server.address}:{server.port}")
    apis.route(api, "GET /x", target)
    apis.wait(group, "healthy")
    wait_for(lambda: get(f"{address}/x").status_code == 200, "the API")
    kill(apis.cloud)
    again = local_cloud.start(home, port=0)
    elbv2, gateway = client(again, "elbv2"), client(again, "apigatewayv2")
    found = elbv2.describe_load_balancers()["LoadBalancers"]
    assert [one["DNSName"] for one in found] == [balancer["DNSName"]]
    endpoint = gateway.get_api(ApiId=api)["ApiEndpoint"]
    assert f"{endpoint}/v1" == address
    assert get(f"{address}/x").status_code == 200
    wait_for(lambda: get(url(balancer, listener)).status_code == 200, "the load balancer")
