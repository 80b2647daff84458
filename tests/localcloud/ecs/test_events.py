"""EventBridge: what changes in ECS reaches the targets of a rule."""

import contextlib
import json

import pytest
from ecs_lab import NETWORK, until

SERVE = "import time; time.sleep(600)"


class Listener:
    """A rule for events of ECS, and the queue that it fills."""

    def __init__(self, lab, name, pattern):
        self.sqs, self.events = lab.client("sqs"), lab.client("events")
        self.name, self.got = name, []
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.ecs"], **pattern}))
        arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
        self.events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])

    def all(self):
        while found := self.sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=0
        ).get("Messages"):
            self.got += [json.loads(message["Body"]) for message in found]
            for message in found:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return self.got

    def close(self):
        self.events.remove_targets(Rule=self.name, Ids=["queue"])
        self.events.delete_rule(Name=self.name)


@pytest.fixture
def listen(lab):
    with contextlib.ExitStack() as stack:

        def begin(name, **pattern):
            made = Listener(lab, name, pattern)
            stack.callback(made.close)
            return made

        yield begin


def test_a_task_from_provisioning_to_stopped(lab, listen):
    changes = listen("tasks", **{"detail-type": ["ECS Task State Change"]})
    task = lab.result("raise SystemExit(3)", family="told")

    def of_task():
        return [e for e in changes.all() if e["resources"] == [task["taskArn"]]]

    until(lambda: of_task() and of_task()[-1]["detail"]["lastStatus"] == "STOPPED")
    statuses = [event["detail"]["lastStatus"] for event in of_task()]
    assert statuses[0] == "PROVISIONING"
    order = ["PROVISIONING", "PENDING", "RUNNING", "STOPPING", "DEPROVISIONING", "STOPPED"]
    assert [s for n, s in enumerate(statuses) if s not in statuses[:n]] == [
        status for status in order if status in statuses
    ]
    last = of_task()[-1]
    assert (last["source"], last["detail-type"]) == ("aws.ecs", "ECS Task State Change")
    assert last["detail"]["stopCode"] == "EssentialContainerExited"
    assert last["detail"]["containers"][0]["exitCode"] == 3
    assert last["detail"]["stoppedAt"].endswith("Z")


def test_a_rule_on_failures_into_a_log_group(lab):
    """The rule that everybody writes first: tell me of tasks that did not end well."""
    events, logs = lab.client("events"), lab.client("logs")
    logs.create_log_group(logGroupName="/aws/events/failures")
    pattern = {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {"lastStatus": ["STOPPED"], "stopCode": ["TaskFailedToStart"]},
    }
    events.put_rule(Name="failures", EventPattern=json.dumps(pattern))
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/failures"
    events.put_targets(Rule="failures", Targets=[{"Id": "log", "Arn": arn}])
    lab.result("pass", family="fine")
    failed = lab.result("pass", family="broken", container={"image": f"{lab.image}-no"})

    def told():
        return logs.filter_log_events(logGroupName="/aws/events/failures")["events"]

    until(told)
    assert [json.loads(e["message"])["resources"] for e in told()] == [[failed["taskArn"]]]
    events.remove_targets(Rule="failures", Ids=["log"])
    events.delete_rule(Name="failures")


def test_a_service_and_its_deployments(lab, listen):
    kinds = ["ECS Service Action", "ECS Deployment State Change"]
    changes = listen("services", **{"detail-type": kinds})
    lab.ecs.create_service(
        cluster="test",
        serviceName="told",
        taskDefinition=lab.register(SERVE, family="told"),
        launchType="FARGATE",
        networkConfiguration=NETWORK,
        desiredCount=1,
    )

    def names():
        return [e["detail"]["eventName"] for e in changes.all() if "told" in e["resources"][0]]

    wanted = [
        "SERVICE_DEPLOYMENT_IN_PROGRESS",
        "SERVICE_DEPLOYMENT_COMPLETED",
        "SERVICE_STEADY_STATE",
    ]
    until(lambda: len(names()) == 3)
    assert names() == wanted
    lab.ecs.delete_service(cluster="test", service="told", force=True)


def test_a_container_instance(fleet, lab, listen):
    changes = listen("machines", **{"detail-type": ["ECS Container Instance State Change"]})
    arn = fleet.machine()
    fleet.ecs.update_container_instances_state(
        cluster=fleet.name, containerInstances=[arn], status="DRAINING"
    )
    fleet.ecs.deregister_container_instance(cluster=fleet.name, containerInstance=arn, force=True)
    until(lambda: len(changes.all()) == 3)
    statuses = [event["detail"]["status"] for event in changes.all()]
    assert statuses == ["ACTIVE", "DRAINING", "INACTIVE"]
