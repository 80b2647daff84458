"""The data API as an ECS service, and the calls that the run makes to it."""

import time
from collections.abc import Iterator

import httpx

from drydock.errors import DrydockError
from drydock.images import CONTAINERS
from drydock.lab import CLUSTER, Lab
from drydock.pipeline.etl_tasks import create_log_group, render_task_definition
from drydock.pipeline.lookup_database import READER_SECRET

SERVICE = "drydock-api"
LOG_GROUP = "/drydock/api"
PORT = 8000


class DataApiError(DrydockError):
    """The data API does not answer as it should."""


def start_service(lab: Lab, image: str, roles: dict[str, str]) -> str:
    """Make the service run `image` and return its URL.

    A service that already runs this very image is left alone: it picks up new data by itself.
    """
    ecs = lab.client("ecs")
    service = _active_service(ecs)
    if (
        service is None
        or service["desiredCount"] != 1
        or _image_of(ecs, service["taskDefinition"]) != image
    ):
        definition = _register(lab, image, roles)
        if service is None:
            ecs.create_service(
                cluster=CLUSTER,
                serviceName=SERVICE,
                taskDefinition=definition,
                desiredCount=1,
                launchType="FARGATE",
                networkConfiguration=lab.network(),
            )
        else:
            ecs.update_service(
                cluster=CLUSTER,
                service=SERVICE,
                taskDefinition=definition,
                desiredCount=1,
                networkConfiguration=lab.network(),
            )
    ecs.get_waiter("services_stable").wait(
        cluster=CLUSTER, services=[SERVICE], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    return service_url(lab)


def service_url(lab: Lab) -> str:
    """Return the address of the newest running task of the service, as "http://…:8000"."""
    ecs = lab.client("ecs")
    arns = ecs.list_tasks(cluster=CLUSTER, serviceName=SERVICE)["taskArns"]
    tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []
    running = [task for task in tasks if task["lastStatus"] == "RUNNING"]
    if not running:
        raise DataApiError(f"the service {SERVICE} has no running task; type: drydock run")
    newest = max(running, key=lambda task: task["startedAt"])
    details = {d["name"]: d["value"] for d in newest["attachments"][0]["details"]}
    return f"http://{details['privateIPv4Address']}:{PORT}"


def wait_until_served(url: str, rows: int, timeout: float = 60) -> None:
    """Wait until the API says that it serves `rows` rows; raise DataApiError after `timeout` s."""
    deadline = time.monotonic() + timeout
    seen = "no answer"
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{url}/healthz", timeout=5, trust_env=False)
            seen = answer.text
            if answer.status_code == 200 and answer.json()["rows"] == rows:
                return
        except httpx.TransportError as error:
            seen = str(error)
        time.sleep(0.2)
    raise DataApiError(
        f"the data API at {url} does not serve {rows:,} rows after {timeout:.0f} s "
        f"(it said: {seen[:200]}); look at its log: aws logs tail {LOG_GROUP}"
    )


def carriers(url: str) -> list[dict]:
    """Return every carrier with its totals over all months, as the API serves them."""
    return _get(f"{url}/carriers")["items"]


def flights(url: str, **filters) -> Iterator[dict]:
    """Iterate over flights, page after page, in the API's stable order."""
    cursor = None
    while True:
        page = _get(f"{url}/flights", **filters, **({"cursor": cursor} if cursor else {}))
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def _get(url: str, **params) -> dict:
    try:
        answer = httpx.get(url, params=params, timeout=30, trust_env=False)
    except httpx.TransportError as error:
        raise DataApiError(f"GET {url} got no answer ({error}); type: drydock run") from None
    if answer.is_error:
        raise DataApiError(f"GET {answer.url} answered {answer.status_code}: {answer.text[:200]}")
    return answer.json()


def _active_service(ecs) -> dict | None:
    found = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"]
    return next((service for service in found if service["status"] == "ACTIVE"), None)


def _image_of(ecs, task_definition: str) -> str:
    described = ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
    return described["containerDefinitions"][0]["image"]


def _register(lab: Lab, image: str, roles: dict[str, str]) -> str:
    create_log_group(lab, LOG_GROUP)
    definition = task_definition(lab, image, roles)
    answer = lab.client("ecs").register_task_definition(**definition)
    return answer["taskDefinition"]["taskDefinitionArn"]


def task_definition(lab: Lab, image: str, roles: dict[str, str]) -> dict:
    """Return the API's Fargate task definition, as `register_task_definition` takes it."""
    secret = lab.client("secretsmanager").describe_secret(SecretId=READER_SECRET)
    return render_task_definition(
        CONTAINERS / "api" / "task-definition.json",
        {
            "Image": image,
            "ExecutionRoleArn": roles["execution"],
            "TaskRoleArn": roles["api"],
            "SecretArn": secret["ARN"],
            "Bucket": lab.bucket,
            "Region": lab.region,
            "Certificates": str(lab.certificates),
        },
    )
