"""What rules look at on the cluster of lesson 4: pods, Jobs, and who gets a role."""

import contextlib
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError
from kubernetes import client, config

from drydock import images, kubeconfig
from drydock.errors import WrongInput
from drydock.lab import Lab

CLUSTER = "launch"
WAIT_SECONDS = 90


def connect(lab: Lab) -> client.ApiClient:
    """A client of the lesson's cluster. Raises WrongInput where there is none."""
    eks = lab.client("eks")
    try:
        kubeconfig.update(lab, CLUSTER)
    except eks.exceptions.ResourceNotFoundException:
        raise WrongInput(f"there is no EKS cluster {CLUSTER}: run 4.1 of the lesson") from None
    return config.new_client_from_config(str(kubeconfig.path(lab.home, CLUSTER)))


@contextmanager
def _own_namespace(lab: Lab) -> Iterator[tuple[client.ApiClient, str]]:
    """A client of the lesson's cluster, and a namespace that is removed afterwards."""
    api = connect(lab)
    core, name = client.CoreV1Api(api), f"exercise-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    try:
        yield api, name
    finally:
        core.delete_namespace(name)


def _refusal(error: client.ApiException) -> str:
    """What the API server says."""
    return json.loads(error.body)["message"]


def qos_class(lab: Lab, resources: list[dict]) -> str:
    """The class that the API server gives a pod whose containers have these resources."""
    containers = [
        {"name": f"c{number}", "image": "none", "resources": one}
        for number, one in enumerate(resources)
    ]
    with _own_namespace(lab) as (api, namespace):
        pod = {"metadata": {"name": "pod"}, "spec": {"containers": containers}}
        try:
            made = client.CoreV1Api(api).create_namespaced_pod(namespace, pod)
        except client.ApiException as error:
            raise WrongInput(_refusal(error)) from None
    return made.status.qos_class


def pods_of(lab: Lab, answer: dict, code: int) -> tuple[int, str]:
    """How many pods a Job with these fields makes of a program that ends with this code; why."""
    image = images.build(lab, "drydock/probe", images.CONTAINERS / "probe")
    container = {"name": "probe", "image": image, "args": ["exit", str(code)]}
    pod = {"restartPolicy": "Never", "containers": [container]}
    job = {"metadata": {"name": "job"}, "spec": {**answer, "template": {"spec": pod}}}
    with _own_namespace(lab) as (api, namespace):
        batch = client.BatchV1Api(api)
        try:
            batch.create_namespaced_job(namespace, job)
        except client.ApiException as error:
            raise WrongInput(_refusal(error)) from None
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            status = batch.read_namespaced_job("job", namespace).status
            ended = [one for one in status.conditions or [] if one.type in ("Failed", "Complete")]
            if ended:
                return (status.failed or 0) + (status.succeeded or 0), ended[0].reason
            time.sleep(0.2)
    raise WrongInput(f"the Job has not ended after {WAIT_SECONDS} s")


def gets_the_role(lab: Lab, answer: dict, namespace: str, account: str) -> bool:
    """Whether a token of this service account is worth the role to STS."""
    core, iam = client.CoreV1Api(connect(lab)), lab.client("iam")
    with contextlib.suppress(client.ApiException):
        core.create_namespace({"metadata": {"name": namespace}})
    with contextlib.suppress(client.ApiException):
        core.create_namespaced_service_account(namespace, {"metadata": {"name": account}})
    wish = {"spec": {"audiences": ["sts.amazonaws.com"], "expirationSeconds": 600}}
    token = core.create_namespaced_service_account_token(account, namespace, wish).status.token
    name = f"exercise-{uuid.uuid4().hex[:8]}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(answer))["Role"]
    try:
        lab.client("sts").assume_role_with_web_identity(
            RoleArn=role["Arn"], RoleSessionName="exercise", WebIdentityToken=token
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDenied":
            return False
        raise WrongInput(error.response["Error"]["Message"]) from None
    finally:
        iam.delete_role(RoleName=name)
    return True


def trust(lab: Lab, **conditions: dict[str, str]) -> dict:
    """A trust policy for the cluster's OIDC provider; `conditions` by operator and claim."""
    found = lab.client("eks").describe_cluster(name=CLUSTER)["cluster"]
    issuer = found["identity"]["oidc"]["issuer"].removeprefix("https://")
    provider = f"arn:aws:iam::{lab.account_id}:oidc-provider/{issuer}"
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    if conditions:
        statement["Condition"] = {
            operator: {f"{issuer}:{claim}": value for claim, value in claims.items()}
            for operator, claims in conditions.items()
        }
    return {"Version": "2012-10-17", "Statement": [statement]}
