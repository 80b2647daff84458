"""The less usual operations: what each does, and how it refuses."""

import pytest
from botocore.exceptions import ClientError
from ecs_lab import NETWORK, until

from localcloud.ecs import errors, starting

SERVE = "import time; time.sleep(600)"
FAST = {"Delay": 1, "MaxAttempts": 30}


@pytest.fixture
def service(lab, request):
    """Makes a service of this test's own and returns its name."""
    name = request.node.name[:60].replace("[", "-").replace("]", "")

    def make(desired=1, **more):
        lab.ecs.create_service(
            cluster="test",
            serviceName=name,
            taskDefinition=lab.register(SERVE, family=name),
            desiredCount=desired,
            launchType="FARGATE",
            networkConfiguration=NETWORK,
            **more,
        )
        stable(lab, name)
        return name

    yield make
    lab.ecs.delete_service(cluster="test", service=name, force=True)


def stable(lab, name):
    lab.ecs.get_waiter("services_stable").wait(cluster="test", services=[name], WaiterConfig=FAST)


def tasks_of(lab, name):
    return sorted(lab.ecs.list_tasks(cluster="test", serviceName=name)["taskArns"])


def code_of(caught):
    return caught.value.response["Error"]["Code"]


# ------------------------------------------------------------------ tasks on chosen machines
def test_start_task_places_where_it_is_told(fleet):
    first, second = fleet.machine(), fleet.machine("m5.xlarge")
    definition = fleet.definition()
    answer = fleet.ecs.start_task(
        cluster=fleet.name,
        taskDefinition=definition,
        containerInstances=[second, first.rsplit("/", 1)[1], "f" * 32],
        startedBy="me",
        tags=[{"key": "a", "value": "b"}],
    )
    assert fleet.machines_of(answer) == [second, first]
    assert answer["tasks"][0]["startedBy"] == "me"
    assert answer["tasks"][0]["tags"] == [{"key": "a", "value": "b"}]
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]


def test_start_task_says_what_does_not_fit(fleet):
    machine = fleet.machine()
    large = fleet.definition(memory=100_000)
    start = {"cluster": fleet.name, "containerInstances": [machine]}
    answer = fleet.ecs.start_task(taskDefinition=large, **start)
    assert answer == {
        "tasks": [],
        "failures": [{"arn": machine, "reason": "RESOURCE:MEMORY"}],
        "ResponseMetadata": answer["ResponseMetadata"],
    }
    fleet.ecs.deregister_container_instance(cluster=fleet.name, containerInstance=machine)
    answer = fleet.ecs.start_task(taskDefinition=fleet.definition(), **start)
    assert answer["failures"][0]["reason"] == "INACTIVE"
    with pytest.raises(ClientError, match="Between 1 and 10"):
        fleet.ecs.start_task(
            taskDefinition=large, cluster=fleet.name, containerInstances=[machine] * 11
        )
    with pytest.raises(ClientError, match="TaskDefinition not found"):
        fleet.ecs.start_task(taskDefinition="nothing", **start)


def test_start_task_answers_for_every_machine_it_was_given(fleet, monkeypatch):
    """No task of those that were started is lost to the caller because another was not."""
    first, draining, third = map(fleet.machine, ("m5.large", "m5.xlarge", "m5.2xlarge"))
    fleet.ecs.update_container_instances_state(
        cluster=fleet.name, containerInstances=[draining], status="DRAINING"
    )
    really = starting.start

    def fails_on_the_third(state, order, *rest):
        if "i-m5.2xlarge" in str(order.constraints):
            return starting.Started(error=errors.client_error("no more"))
        return really(state, order, *rest)

    monkeypatch.setattr(starting, "start", fails_on_the_third)
    start = {"cluster": fleet.name, "taskDefinition": fleet.definition()}
    answer = fleet.ecs.start_task(containerInstances=[first, draining, third], **start)
    assert fleet.machines_of(answer) == [first]
    assert answer["failures"] == [
        {"arn": draining, "reason": "DRAINING"},
        {"arn": third, "reason": "ClientException", "detail": "no more"},
    ]
    with pytest.raises(ClientError, match="no more"):
        fleet.ecs.start_task(containerInstances=[third], **start)


# ------------------------------------------------------------------ attributes
def test_attributes_are_put_found_used_and_deleted(fleet):
    first, second = fleet.machine(), fleet.machine()
    about = {"name": "stack", "value": "blue", "targetType": "container-instance"}
    fleet.ecs.put_attributes(cluster=fleet.name, attributes=[{**about, "targetId": first}])
    fleet.ecs.put_attributes(
        cluster=fleet.name, attributes=[{**about, "value": "red", "targetId": second}]
    )
    listed = fleet.ecs.list_attributes(
        cluster=fleet.name, targetType="container-instance", attributeName="stack"
    )["attributes"]
    assert {a["targetId"]: a["value"] for a in listed} == {first: "blue", second: "red"}
    constraint = {"type": "memberOf", "expression": "attribute:stack == red"}
    answer = fleet.run(fleet.definition(), count=2, placementConstraints=[constraint])
    assert fleet.machines_of(answer) == [second, second]
    gone = [{"name": "stack", "targetId": second}]
    fleet.ecs.delete_attributes(cluster=fleet.name, attributes=gone)
    assert fleet.run(fleet.definition(), placementConstraints=[constraint])["tasks"] == []


def test_attributes_in_pages(fleet):
    fleet.machine()
    pages = fleet.ecs.get_paginator("list_attributes").paginate(
        cluster=fleet.name, targetType="container-instance", PaginationConfig={"PageSize": 2}
    )
    found = [attribute["name"] for page in pages for attribute in page["attributes"]]
    assert len(found) == len(set(found)) > 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"targetId": "f" * 32}, "TargetNotFoundException"),
        ({"name": "a b"}, "InvalidParameterException"),
        ({"value": "x" * 200}, "InvalidParameterException"),
    ],
)
def test_bad_attributes(fleet, change, code):
    attribute = {"name": "a", "targetId": fleet.machine(), **change}
    with pytest.raises(ClientError) as caught:
        fleet.ecs.put_attributes(cluster=fleet.name, attributes=[attribute])
    assert code_of(caught) == code
    with pytest.raises(ClientError, match="belongs to ECS"):
        attribute = {"name": "ecs.instance-type", "targetId": fleet.machine()}
        fleet.ecs.delete_attributes(cluster=fleet.name, attributes=[attribute])


# ------------------------------------------------------------------ cluster and account settings
def test_cluster_settings(lab):
    lab.ecs.create_cluster(clusterName="watched")
    settings = [{"name": "containerInsights", "value": "enabled"}]
    answer = lab.ecs.update_cluster_settings(cluster="watched", settings=settings)
    assert answer["cluster"]["settings"] == settings
    logging = {"executeCommandConfiguration": {"logging": "NONE"}}
    answer = lab.ecs.update_cluster(cluster="watched", configuration=logging)
    assert answer["cluster"]["configuration"] == logging
    assert answer["cluster"]["settings"] == settings
    for bad in ({"settings": [{"name": "containerInsights", "value": "loud"}]},):
        with pytest.raises(ClientError, match="enabled, disabled or enhanced"):
            lab.ecs.update_cluster(cluster="watched", **bad)
    with pytest.raises(ClientError, match="Service Connect"):
        lab.ecs.update_cluster(cluster="watched", serviceConnectDefaults={"namespace": "n"})
    with pytest.raises(lab.ecs.exceptions.ClusterNotFoundException):
        lab.ecs.update_cluster(cluster="nothing")


def test_account_settings(lab):
    listed = lambda **by: lab.ecs.list_account_settings(**by)["settings"]  # noqa: E731
    everything = lab.ecs.get_paginator("list_account_settings").paginate(effectiveSettings=True)
    names = [setting["name"] for page in everything for setting in page["settings"]]
    assert {"awsvpcTrunking", "taskLongArnFormat"} <= set(names)
    assert len(names) == len(set(names))
    assert listed(name="awsvpcTrunking") == []
    lab.ecs.put_account_setting(name="awsvpcTrunking", value="enabled")
    assert listed(name="awsvpcTrunking")[0]["value"] == "enabled"
    lab.ecs.put_account_setting_default(name="awsvpcTrunking", value="disabled")
    assert listed(name="awsvpcTrunking", effectiveSettings=True)[0]["value"] == "disabled"
    lab.ecs.delete_account_setting(name="awsvpcTrunking")
    assert listed(name="awsvpcTrunking") == []
    for call in (lab.ecs.put_account_setting, lab.ecs.put_account_setting_default):
        with pytest.raises(ClientError, match="Invalid setting name"):
            call(name="nothing", value="enabled")


# ------------------------------------------------------------------ protection
def test_a_protected_task_survives_scaling_in(lab, service):
    name = service(desired=3)
    newest = tasks_of(lab, name)[-1]
    made = lab.ecs.update_task_protection(
        cluster="test", tasks=[newest], protectionEnabled=True, expiresInMinutes=1
    )["protectedTasks"]
    assert made[0]["protectionEnabled"]
    assert "expirationDate" in made[0]
    lab.ecs.update_service(cluster="test", service=name, desiredCount=1)
    until(lambda: len(tasks_of(lab, name)) == 1)
    assert tasks_of(lab, name) == [newest]
    lab.ecs.update_service(cluster="test", service=name, desiredCount=0)
    lab.ecs.update_task_protection(cluster="test", tasks=[newest], protectionEnabled=False)
    until(lambda: tasks_of(lab, name) == [])


def test_protection_of_what_cannot_be_protected(lab, service):
    (alone,) = lab.run(lab.register(SERVE, family="alone"))
    found = lab.ecs.update_task_protection(
        cluster="test", tasks=[alone, "f" * 32], protectionEnabled=True
    )["failures"]
    assert [failure["reason"] for failure in found] == ["TASK_NOT_VALID", "MISSING"]
    with pytest.raises(ClientError, match="expiresInMinutes"):
        lab.ecs.update_task_protection(
            cluster="test", tasks=[alone], protectionEnabled=True, expiresInMinutes=2881
        )
    name = service()
    shown = lab.ecs.get_task_protection(cluster="test", tasks=tasks_of(lab, name))
    assert [task["protectionEnabled"] for task in shown["protectedTasks"]] == [False]
    lab.ecs.stop_task(cluster="test", task=alone)


# ------------------------------------------------------------------ what only answers
def test_execute_command_says_why_not(lab):
    plain, enabled = (
        lab.run(lab.register(SERVE, family="exec"), enableExecuteCommand=wanted)[0]
        for wanted in (False, True)
    )
    request = {"cluster": "test", "command": "ls", "interactive": True}
    for task, words in (
        (plain, "execute command was not enabled"),
        (enabled, "Session Manager"),
        ("f" * 32, "The referenced task was not found"),
    ):
        with pytest.raises(ClientError, match=words):
            lab.ecs.execute_command(task=task, **request)
    with pytest.raises(ClientError, match="The container other was not found"):
        lab.ecs.execute_command(task=enabled, container="other", **request)
    for task in (plain, enabled):
        lab.ecs.stop_task(cluster="test", task=task)


def test_no_service_is_in_a_namespace(lab):
    assert lab.ecs.list_services_by_namespace(namespace="any")["serviceArns"] == []


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("submit_task_state_change", {"task": "t", "status": "STOPPED"}),
        ("discover_poll_endpoint", {}),
        ("update_container_agent", {"containerInstance": "i"}),
        ("create_task_set", {"service": "s", "cluster": "test", "taskDefinition": "d"}),
    ],
)
def test_what_is_for_agents_or_not_built_is_named(lab, operation, request_):
    with pytest.raises(ClientError, match="does not support the operation") as caught:
        getattr(lab.ecs, operation)(**request_)
    assert code_of(caught) == "UnsupportedFeatureException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
