"""REST APIs keep address, deployment, keys and used quota when the local cloud is stopped."""

from balancers import Echo, running
from live import client
from rest_apis import QUOTA, RestApi, refusal

from drydock import cloud as local_cloud


def test_a_rest_api_outlives_its_server(home):
    with running(Echo) as server:
        rest = RestApi(local_cloud.start(home, port=0))
        behind = f"http://{server.address}:{server.port}"
        rest.method("GET", "/flights", f"{behind}/served", key=True)
        rest.deploy()
        rest.method("GET", "/flights", f"{behind}/later", key=True)
        key, value = rest.key()
        rest.plan(key, quota={"limit": 3, "period": "MONTH"})
        assert [rest.ask(key=value).status_code for _ in range(2)] == [200] * 2
        local_cloud.stop(home)
        rest.gateway = client(local_cloud.start(home, port=0), "apigateway")
        found = rest.gateway.get_rest_api(restApiId=rest.id)
        assert found["tags"]["localcloud:endpoint"] == rest.address
        answer = rest.ask(key=value)
        assert answer.text.split("\n")[1] == "/served"
        assert refusal(rest.ask(key=value)) == QUOTA
        rest.deploy()
        assert refusal(rest.ask()) == (403, "Forbidden", "ForbiddenException")
