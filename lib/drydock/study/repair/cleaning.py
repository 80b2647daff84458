"""Removes all that one lab has made, by its names: in the lab's cluster, and beside it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from drydock.errors import DrydockError

if TYPE_CHECKING:
    from drydock.study.repair.case import Case

WAIT_SECONDS = 60


def clean(case: Case) -> bool:
    """Remove everything of the lab; whether there was anything. What is not there is passed over.

    The learner may have removed some of it already, so every step stands alone.
    """
    existed = case.folder.exists()
    _cluster(case)
    case.clean()
    _definitions(case)
    _secret(case)
    _bucket(case)
    for role in (case.execution_role, case.task_role):
        remove_role(case, role)
    logs, ecr = case.client("logs"), case.client("ecr")
    with suppress(ClientError):
        logs.delete_log_group(logGroupName=case.log_group)
    with suppress(ClientError):
        ecr.delete_repository(repositoryName=case.repository, force=True)
    shutil.rmtree(case.folder, ignore_errors=True)
    return existed


def _cluster(case: Case) -> None:
    ecs, name = case.client("ecs"), case.cluster
    try:
        services = ecs.list_services(cluster=name)["serviceArns"]
    except ClientError:  # no such cluster
        return
    for service in services:
        ecs.delete_service(cluster=name, service=service, force=True)
    for arn in _listed(ecs, "list_container_instances", "containerInstanceArns", cluster=name):
        ecs.deregister_container_instance(cluster=name, containerInstance=arn, force=True)
    for arn in _listed(ecs, "list_tasks", "taskArns", cluster=name):
        ecs.stop_task(cluster=name, task=arn, reason="The lab is put back")
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            ecs.delete_cluster(cluster=name)
            return
        except ClientError as error:
            still_used = "Cluster cannot be deleted" in str(error)
            if not still_used or time.monotonic() > deadline:
                raise DrydockError(f"the cluster {name} cannot be removed: {error}") from None
        time.sleep(0.1)


def _definitions(case: Case) -> None:
    ecs = case.client("ecs")
    of_family = {"familyPrefix": case.family}
    for arn in _listed(ecs, "list_task_definitions", "taskDefinitionArns", **of_family):
        ecs.deregister_task_definition(taskDefinition=arn)
    inactive = {**of_family, "status": "INACTIVE"}
    arns = _listed(ecs, "list_task_definitions", "taskDefinitionArns", **inactive)
    for start in range(0, len(arns), 10):
        ecs.delete_task_definitions(taskDefinitions=arns[start : start + 10])


def _secret(case: Case) -> None:
    with suppress(ClientError):
        case.client("secretsmanager").delete_secret(
            SecretId=case.secret, ForceDeleteWithoutRecovery=True
        )


def _bucket(case: Case) -> None:
    s3 = case.client("s3")
    try:
        keys = list(_objects(s3, case.bucket))
    except ClientError:  # no such bucket
        return
    for key in keys:
        s3.delete_object(Bucket=case.bucket, Key=key)
    s3.delete_bucket(Bucket=case.bucket)


def _objects(s3, bucket: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from (item["Key"] for item in page.get("Contents", []))


def remove_role(case: Case, name: str) -> None:
    """Remove a role with its policies; nothing where there is none."""
    iam = case.client("iam")
    try:
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    except ClientError:  # no such role
        return
    for policy in attached:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def _listed(client, operation: str, key: str, **parameters) -> list[str]:
    """All at once: what is listed is about to be removed."""
    pages = list(client.get_paginator(operation).paginate(**parameters))
    return [item for page in pages for item in page[key]]
