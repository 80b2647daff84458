"""Service deployments and revisions, as newer clients ask for them."""

import pytest
from botocore.exceptions import ClientError
from ecs_lab import NETWORK, until

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


def deployments(lab, name, **by):
    return lab.ecs.list_service_deployments(cluster="test", service=name, **by)[
        "serviceDeployments"
    ]


def described(lab, name):
    arn = deployments(lab, name)[0]["serviceDeploymentArn"]
    return lab.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][
        0
    ]


def test_deployments_and_their_revisions(lab, service):
    name = service()
    until(lambda: described(lab, name)["status"] == "SUCCESSFUL")
    first = described(lab, name)
    assert first["sourceServiceRevisions"] == []
    assert first["targetServiceRevision"]["runningTaskCount"] == 1
    new = lab.register(SERVE, family=name)
    lab.ecs.update_service(cluster="test", service=name, taskDefinition=new)
    assert described(lab, name)["status"] == "IN_PROGRESS"
    until(lambda: described(lab, name)["status"] == "SUCCESSFUL")
    second = described(lab, name)
    assert second["finishedAt"] > second["createdAt"]
    (source,) = second["sourceServiceRevisions"]
    assert source["arn"] == first["targetServiceRevision"]["arn"]
    target = second["targetServiceRevision"]["arn"]
    (revision,) = lab.ecs.describe_service_revisions(serviceRevisionArns=[target])[
        "serviceRevisions"
    ]
    assert revision["taskDefinition"] == new
    assert revision["containerImages"][0]["image"] == lab.image
    assert len(deployments(lab, name)) == 2
    assert deployments(lab, name, status=["IN_PROGRESS"]) == []
    assert len(deployments(lab, name, createdAt={"before": second["createdAt"]})) >= 1


def test_the_breaker_and_a_person_roll_back(lab, service):
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    name = service(deploymentConfiguration=breaker)
    until(lambda: described(lab, name)["status"] == "SUCCESSFUL")
    good = described(lab, name)["targetServiceRevision"]["arn"]
    bad = lab.register("raise SystemExit(1)", family=name)
    lab.ecs.update_service(cluster="test", service=name, taskDefinition=bad)
    until(lambda: described(lab, name)["status"] == "ROLLBACK_SUCCESSFUL", seconds=40)
    found = described(lab, name)
    assert found["deploymentCircuitBreaker"] == {
        "status": "TRIGGERED",
        "failureCount": found["deploymentCircuitBreaker"]["failureCount"],
        "threshold": 3,
    }
    back = found["rollback"]["serviceRevisionArn"]
    (revision, earlier) = lab.ecs.describe_service_revisions(serviceRevisionArns=[back, good])[
        "serviceRevisions"
    ]
    assert revision["taskDefinition"] == earlier["taskDefinition"] != bad
    slow = lab.register(SERVE, family=name)
    lab.ecs.update_service(cluster="test", service=name, taskDefinition=slow)
    arn = described(lab, name)["serviceDeploymentArn"]
    lab.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    until(lambda: described(lab, name)["status"] == "ROLLBACK_SUCCESSFUL")
    with pytest.raises(ClientError) as caught:
        lab.ecs.stop_service_deployment(serviceDeploymentArn=arn)
    assert code_of(caught) == "ConflictException"


def test_deployments_that_are_not_there(lab):
    prefix = "arn:aws:ecs:us-east-1:123456789012"
    missing = f"{prefix}:service-deployment/test/nothing/abc"
    answer = lab.ecs.describe_service_deployments(serviceDeploymentArns=[missing])
    assert answer["failures"] == [{"arn": missing, "reason": "MISSING"}]
    with pytest.raises(ClientError, match="Invalid identifier"):
        lab.ecs.describe_service_deployments(serviceDeploymentArns=["nonsense"])
    revision = f"{prefix}:service-revision/test/nothing/1"
    answer = lab.ecs.describe_service_revisions(serviceRevisionArns=[revision])
    assert answer["failures"][0]["reason"] == "MISSING"
    with pytest.raises(lab.ecs.exceptions.ServiceNotFoundException):
        lab.ecs.list_service_deployments(cluster="test", service="nothing")
    with pytest.raises(ClientError) as caught:
        lab.ecs.stop_service_deployment(serviceDeploymentArn=missing)
    assert code_of(caught) == "ServiceDeploymentNotFoundException"
