"""Application Load Balancers: what a client gets, and what targets see."""

import socket
import threading

import httpx
import pytest
from balancers import Echo, forward, get, url
from botocore.exceptions import ClientError
from live import wait_for


def test_requests_reach_healthy_targets_in_turn(elb):
    one, two = elb.server(), elb.server()
    address, group = elb.serving()
    assert get(address).status_code == 503
    elb.register(group, one, two)
    elb.wait(group, "healthy", "healthy")
    served = {get(address).headers["X-Served-By"] for _ in range(4)}
    assert served == {one.address, two.address}


def test_what_a_target_sees(elb):
    server = elb.server()
    address, group = elb.serving()
    elb.register(group, server)
    elb.wait(group, "healthy")
    answer = httpx.post(
        f"{address}/a%2Fb?x=1&x=%20",
        content=b"body" * 50_000,
        headers={"X-Forwarded-For": "203.0.113.7", "X-Own": "kept", "Connection": "close"},
        trust_env=False,
    )
    lines = answer.text.split("\n")
    assert lines[:2] == ["POST", "/a%2Fb?x=1&x=%20"]
    headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in lines[2:])}
    assert headers["x-forwarded-for"] == "203.0.113.7, 127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-port"] == address.rpartition(":")[2]
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert headers["x-own"] == "kept"
    assert answer.text.endswith("body" * 50_000)


def test_two_load_balancers_may_have_the_same_port(elb):
    fixed = {"StatusCode": "200", "ContentType": "text/plain"}
    for word in ("one", "two"):
        balancer = elb.balancer()
        action = {"Type": "fixed-response", "FixedResponseConfig": {**fixed, "MessageBody": word}}
        listener = elb.listener(balancer, action)
        assert get(url(balancer, listener)).text == word


def test_503_without_targets(elb):
    address, _ = elb.serving()
    answer = get(address)
    assert answer.status_code == 503
    assert "<h1>503 Service Temporarily Unavailable</h1>" in answer.text
    assert answer.headers["server"] == "awselb/2.0"


@pytest.mark.slow
def test_502_from_a_port_where_nothing_listens(elb):
    """With only unhealthy targets a load balancer fails open, so the client sees why."""
    with socket.create_server(("127.4.1.1", 0)) as taken:
        port = taken.getsockname()[1]
    address, group = elb.serving()
    elb.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.4.1.1", "Port": port}])
    elb.wait(group, "unhealthy")
    (health,) = elb.health(group)
    assert health["Reason"] == "Target.FailedHealthChecks"
    answer = get(address)
    assert (answer.status_code, answer.headers["server"]) == (502, "awselb/2.0")


def test_502_from_a_target_that_breaks_off(elb):
    server = elb.server()
    address, group = elb.serving()
    elb.register(group, server)
    elb.wait(group, "healthy")
    assert get(f"{address}/reset").status_code == 502
    assert get(address).status_code == 200


@pytest.mark.slow
def test_504_from_a_target_that_is_slower_than_the_idle_timeout(elb):
    server = elb.server()
    group = elb.group()
    balancer = elb.balancer()
    listener = elb.listener(balancer, forward(group))
    elb.elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "2"}],
    )
    elb.register(group, server)
    elb.wait(group, "healthy")
    assert get(f"{url(balancer, listener)}/slow/0.5").status_code == 200
    assert get(f"{url(balancer, listener)}/slow/6").status_code == 504


@pytest.mark.slow
def test_states_of_a_target_from_registration_to_the_end(elb):
    server = elb.server()
    group = elb.group(HealthCheckPath="/status/404")
    elb.register(group, server)
    wait_for(lambda: elb.health(group)[0].get("Reason") == "Target.NotInUse", "not in use")
    balancer = elb.balancer()
    elb.listener(balancer, forward(group))
    wait_for(lambda: elb.health(group)[0]["State"] == "initial", "initial")
    assert elb.health(group)[0]["Reason"] == "Elb.InitialHealthChecking"
    elb.wait(group, "unhealthy")
    assert elb.health(group)[0] == {
        "State": "unhealthy",
        "Reason": "Target.ResponseCodeMismatch",
        "Description": "Health checks failed with these codes: [404]",
    }
    elb.elbv2.modify_target_group(TargetGroupArn=group, Matcher={"HttpCode": "200,400-404"})
    elb.wait(group, "healthy")
    elb.elbv2.modify_target_group_attributes(
        TargetGroupArn=group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "3"}],
    )
    elb.deregister(group, server)
    assert elb.health(group)[0]["Reason"] == "Target.DeregistrationInProgress"
    wait_for(lambda: elb.health(group) == [], "the end of draining")


def test_a_draining_target_gets_no_new_request_and_finishes_its_old_one(elb):
    one, two = elb.server(), elb.server()
    address, group = elb.serving()
    elb.register(group, one)
    elb.wait(group, "healthy")
    answers = []
    under_way = threading.Thread(target=lambda: answers.append(get(f"{address}/slow/2")))
    under_way.start()
    elb.register(group, two)
    elb.wait(group, "healthy", "healthy")
    elb.deregister(group, one)
    assert {get(address).headers["X-Served-By"] for _ in range(4)} == {two.address}
    under_way.join()
    assert (answers[0].status_code, answers[0].headers["X-Served-By"]) == (200, one.address)


def test_rules_by_path_header_method_and_query(elb):
    balancer = elb.balancer()
    fixed = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "default"}
    listener = elb.listener(balancer, {"Type": "fixed-response", "FixedResponseConfig": fixed})
    wanted = {
        "path": {"Field": "path-pattern", "Values": ["/api/*"]},
        "header": {
            "Field": "http-header",
            "HttpHeaderConfig": {"HttpHeaderName": "X-Team", "Values": ["data*"]},
        },
        "method": {
            "Field": "http-request-method",
            "HttpRequestMethodConfig": {"Values": ["DELETE"]},
        },
        "query": {
            "Field": "query-string",
            "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]},
        },
    }
    for priority, (word, condition) in enumerate(reversed(wanted.items()), start=1):
        elb.elbv2.create_rule(
            ListenerArn=listener["ListenerArn"],
            Priority=priority,
            Conditions=[condition],
            Actions=[
                {
                    "Type": "fixed-response",
                    "FixedResponseConfig": {
                        "StatusCode": "200",
                        "ContentType": "text/plain",
                        "MessageBody": word,
                    },
                }
            ],
        )
    base = url(balancer, listener)
    assert get(f"{base}/api/flights").text == "path"
    assert get(f"{base}/x", headers={"x-team": "data-eng"}).text == "header"
    assert httpx.delete(f"{base}/x", trust_env=False).text == "method"
    assert get(f"{base}/api/x?v=2").text == "query"
    assert (get(f"{base}/api").status_code, get(f"{base}/api").text) == (404, "default")


def test_a_redirect(elb):
    balancer = elb.balancer()
    config = {"StatusCode": "HTTP_301", "Port": "8443", "Path": "/new/#{path}"}
    listener = elb.listener(balancer, {"Type": "redirect", "RedirectConfig": config})
    answer = get(f"{url(balancer, listener)}/old?x=1")
    assert answer.status_code == 301
    assert answer.headers["location"] == f"http://{balancer['DNSName']}:8443/new/old?x=1"


@pytest.mark.parametrize(
    ("rules", "scheme"),
    [
        ([(443, "0.0.0.0/0")], "internet-facing"),
        ([(80, "10.0.0.0/8")], "internet-facing"),
        ([(80, "0.0.0.0/0")], "internal"),
    ],
)
def test_whom_the_security_group_or_scheme_keeps_out_gets_no_answer(elb, rules, scheme):
    balancer = elb.balancer([elb.security_group(*rules)], Scheme=scheme)
    fixed = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": "secret"}
    listener = elb.listener(balancer, {"Type": "fixed-response", "FixedResponseConfig": fixed})
    with pytest.raises(httpx.TimeoutException):
        httpx.get(url(balancer, listener), trust_env=False, timeout=1)


def test_a_deleted_listener_and_balancer_no_longer_listen(elb):
    address, _ = elb.serving()
    assert get(address).status_code == 503
    arn = elb.elbv2.describe_load_balancers()["LoadBalancers"][-1]["LoadBalancerArn"]
    elb.elbv2.delete_load_balancer(LoadBalancerArn=arn)
    with pytest.raises(httpx.ConnectError):
        get(address)


def test_a_large_answer_is_passed_on_as_it_comes(elb):
    class Large(Echo):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for _ in range(200):
                self.wfile.write(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

    server = elb.server(Large)
    address, group = elb.serving()
    elb.register(group, server)
    elb.wait(group, "healthy")
    assert len(get(address).content) == 200 * 0x8000


BAD_GROUPS = [
    ({"HealthCheckIntervalSeconds": 301}, "interval"),
    ({"HealthyThresholdCount": 11}, "threshold"),
    ({"HealthCheckTimeoutSeconds": 5, "HealthCheckIntervalSeconds": 5}, "smaller"),
    ({"Matcher": {"HttpCode": "ok"}}, "HttpCode"),
    ({"VpcId": "vpc-nothing"}, "vpc-nothing"),
]


@pytest.mark.parametrize(("change", "words"), BAD_GROUPS)
def test_a_bad_target_group_is_refused(elb, change, words):
    with pytest.raises(ClientError, match=words):
        elb.group(**change)


@pytest.mark.parametrize("target", ["not-an-address", "1.2.3", "1.2.3.400"])
def test_a_bad_target_is_refused(elb, target):
    with pytest.raises(ClientError, match="not a valid IPv4 address"):
        elb.elbv2.register_targets(TargetGroupArn=elb.group(), Targets=[{"Id": target}])


@pytest.mark.parametrize("change", [{"Type": "network"}, {"Subnets": ["subnet-nothing"]}])
def test_a_bad_load_balancer_is_refused(elb, change):
    with pytest.raises(ClientError):
        elb.elbv2.create_load_balancer(**{"Name": elb.name(), "Subnets": elb.subnets, **change})


def test_a_port_is_one_listeners(elb):
    balancer = elb.balancer()
    elb.listener(balancer, forward(elb.group()))
    with pytest.raises(ClientError, match="DuplicateListener"):
        elb.listener(balancer, forward(elb.group()))
