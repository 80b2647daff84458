"""boto3's own waiters and paginators of ECS, with the delays that they come with or shorter."""

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

FAST = {"Delay": 1, "MaxAttempts": 30}
SERVE = "import time; time.sleep(600)"


def test_the_four_waiters(lab):
    (arn,) = lab.run(lab.register(SERVE, family="waited"))
    wait = lambda name, **what: lab.ecs.get_waiter(name).wait(  # noqa: E731
        cluster="test", WaiterConfig=FAST, **what
    )
    wait("tasks_running", tasks=[arn])
    lab.ecs.stop_task(cluster="test", task=arn)
    wait("tasks_stopped", tasks=[arn])
    lab.ecs.create_service(
        cluster="test",
        serviceName="waited",
        taskDefinition="waited",
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=lab.network,
    )
    wait("services_stable", services=["waited"])
    lab.ecs.delete_service(cluster="test", service="waited", force=True)
    wait("services_inactive", services=["waited"])


SHARED = {"cluster": "test"}
PAGES = {
    "list_attributes": ("attributes", {**SHARED, "targetType": "container-instance"}),
    "list_account_settings": ("settings", {"effectiveSettings": True}),
    "list_clusters": ("clusterArns", {}),
    "list_container_instances": ("containerInstanceArns", SHARED),
    "list_services": ("serviceArns", SHARED),
    "list_services_by_namespace": ("serviceArns", {"namespace": "n"}),
    "list_task_definition_families": ("families", {}),
    "list_task_definitions": ("taskDefinitionArns", {}),
    "list_tasks": ("taskArns", SHARED),
}


def test_paginators_of_what_is_not_built_say_so(lab):
    """Every paginator of boto3 is either one of PAGES or refused by name."""
    operations = [xform_name(name) for name in lab.ecs.meta.service_model.operation_names]
    paginated = {name for name in operations if lab.ecs.can_paginate(name)}
    assert set(PAGES) - {"list_service_deployments"} <= paginated
    for name in paginated - set(PAGES):
        with pytest.raises(ClientError, match="does not support the operation"):
            getattr(lab.ecs, name)()


@pytest.mark.parametrize("operation", PAGES)
def test_a_paginator_loses_and_doubles_nothing(lab, operation):
    name, request = PAGES[operation]
    for number in range(3):
        lab.ecs.create_cluster(clusterName=f"pages-{number}")
        lab.register("pass", family=f"pages-{number}")
    paginator = lab.ecs.get_paginator(operation)

    def everything(size):
        pages = paginator.paginate(**request, PaginationConfig={"PageSize": size})
        return [str(one) for page in pages for one in page[name]]

    found = everything(2)
    assert sorted(found) == sorted(everything(100))
    assert len(set(found)) == len(found)
