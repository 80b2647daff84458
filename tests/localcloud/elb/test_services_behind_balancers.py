"""ECS services whose tasks are targets: registered, checked, drained, replaced without a gap."""

import threading
import time

import httpx
import pytest
from balancers import get
from botocore.exceptions import ClientError
from live import wait_for

SERVE = """
import http.server, os, signal, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/slow": time.sleep(0.5)
        body = b"VERSION"
        self.send_response(STATUS)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer((os.environ.get("HOST", "0.0.0.0"), PORT), Handler).serve_forever()
"""
PORTS = {"portMappings": [{"containerPort": 8000}]}


def program(version, status=200, port=8000):
    code = SERVE.replace("VERSION", version).replace("STATUS", str(status))
    return code.replace("PORT", str(port))


class Service:
    """One service behind a load balancer of its own."""

    def __init__(self, lab, elb, delay="1"):
        self.lab, self.elb = lab, elb
        self.name = elb.name()
        self.url, self.group = elb.serving()
        elb.elbv2.modify_target_group_attributes(
            TargetGroupArn=self.group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": delay}],
        )
        entrance = elb.elbv2.describe_load_balancers()["LoadBalancers"][-1]["SecurityGroups"][0]
        own = elb.security_group((8000, entrance))
        self.network = {
            "awsvpcConfiguration": {
                "subnets": elb.subnets[:1],
                "securityGroups": [own],
                "assignPublicIp": "ENABLED",
            }
        }

    def definition(self, *code, **more):
        return self.lab.register(program(*code, **more), family=self.name, container=PORTS)

    def create(self, definition, count=2, **changes):
        balancers = [{"targetGroupArn": self.group, "containerName": "main", "containerPort": 8000}]
        request = {
            "desiredCount": count,
            "launchType": "FARGATE",
            "networkConfiguration": self.network,
            "loadBalancers": balancers,
            **changes,
        }
        made = self.lab.ecs.create_service(
            cluster="test", serviceName=self.name, taskDefinition=definition, **request
        )
        self.elb.made.callback(self.delete)
        return made["service"]

    def update(self, **changes):
        self.lab.ecs.update_service(cluster="test", service=self.name, **changes)

    def describe(self):
        found = self.lab.ecs.describe_services(cluster="test", services=[self.name])
        return found["services"][0]

    def stable(self, seconds=60):
        def done():
            found = self.describe()
            return len(found["deployments"]) == 1 and (
                found["deployments"][0]["rolloutState"] == "COMPLETED"
            )

        wait_for(done, "a completed deployment", seconds)

    def delete(self):
        self.lab.ecs.delete_service(cluster="test", service=self.name, force=True)
        wait_for(lambda: self.describe()["status"] == "INACTIVE", "its end", 60)


class Callers:
    """Threads that ask all the time, each on a connection that it keeps."""

    def __init__(self, url, count=4):
        self.answers, self.trouble = [], []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=[url]) for _ in range(count)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, url):
        with httpx.Client(trust_env=False, timeout=20) as http:
            while not self._stop.is_set():
                try:
                    answer = http.get(url)
                    self.answers.append((answer.status_code, answer.text))
                except httpx.HTTPError as error:
                    self.trouble.append(repr(error))
                time.sleep(0.01)


@pytest.fixture
def service(lab, elb):
    return Service(lab, elb)


@pytest.mark.slow
def test_no_request_fails_while_a_new_version_is_rolled_out(service):
    service.create(service.definition("one"))
    service.stable()
    assert service.elb.health(service.group) == [{"State": "healthy"}] * 2
    with Callers(f"{service.url}/slow") as callers:
        wait_for(lambda: len(callers.answers) > 20, "answers")
        service.update(taskDefinition=service.definition("two"))
        service.stable(90)
        seen = len(callers.answers)
        wait_for(lambda: len(callers.answers) > seen + 20, "answers of the new version")
    assert callers.trouble == []
    assert {code for code, _ in callers.answers} == {200}
    assert {text for _, text in callers.answers[-10:]} == {"two"}
    assert {text for _, text in callers.answers} == {"one", "two"}


@pytest.mark.slow
def test_a_stopped_task_is_drained_first(service):
    service.create(service.definition("one"), count=1)
    service.stable()
    (task,) = service.lab.ecs.list_tasks(cluster="test", serviceName=service.name)["taskArns"]
    service.lab.ecs.stop_task(cluster="test", task=task)
    wait_for(lambda: service.lab.task(task)["lastStatus"] == "DEACTIVATING", "DEACTIVATING")
    states = [one["State"] for one in service.elb.health(service.group)]
    assert "draining" in states
    service.lab.wait(task)


@pytest.mark.slow
def test_a_version_that_fails_its_checks_never_replaces_the_good_one(service):
    service.create(service.definition("good"), count=1)
    service.stable()
    service.update(taskDefinition=service.definition("bad", status=500))
    said = wait_for(
        lambda: [e["message"] for e in service.describe()["events"] if "unhealthy" in e["message"]],
        "the event",
        60,
    )
    assert "Health checks failed with these codes: [500]" in said[0]
    stopped = wait_for(
        lambda: [
            service.lab.task(arn)
            for arn in service.lab.ecs.list_tasks(
                cluster="test", serviceName=service.name, desiredStatus="STOPPED"
            )["taskArns"]
        ],
        "a stopped task",
    )
    assert stopped[0]["stoppedReason"].startswith("Task failed ELB health checks in (target-group")
    assert get(service.url).text == "good"


@pytest.mark.slow
def test_the_wrong_port_is_502_for_clients_within_the_grace_period(service):
    definition = service.definition("lost", port=8001)
    service.create(definition, count=1, healthCheckGracePeriodSeconds=300)
    service.elb.wait(service.group, "unhealthy", seconds=60)
    assert get(service.url).status_code == 502
    assert service.describe()["runningCount"] == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"containerName": "other"}, "The container other does not exist"),
        ({"containerPort": 9}, "did not have a container port 9 defined"),
        ({"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:x"}, "does not exist"),
    ],
)
def test_a_bad_load_balancer_of_a_service_is_refused(service, change, words):
    balancer = {"targetGroupArn": service.group, "containerName": "main", "containerPort": 8000}
    with pytest.raises(ClientError, match=words):
        service.create(service.definition("one"), loadBalancers=[{**balancer, **change}])


def test_a_target_group_needs_a_load_balancer_and_a_grace_period_needs_one_too(service):
    definition = service.definition("one")
    alone = {"containerName": "main", "containerPort": 8000}
    alone["targetGroupArn"] = service.elb.group()
    with pytest.raises(ClientError, match="does not have an associated load balancer"):
        service.create(definition, loadBalancers=[alone])
    with pytest.raises(ClientError, match="only valid for services configured to use load"):
        service.create(definition, loadBalancers=[], healthCheckGracePeriodSeconds=5)
