"""The end of the lab in an account: what blocks the stack goes first, what it left behind last."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from drydock.account import files, stack
from drydock.account.access import Account

CLUSTER = "drydock"
API_SERVICE = "drydock-api"  # the stack's own: it deletes it
# Made by AWS while the stack is there, and no part of it: nobody else removes them. The prefixes
# are what the lab's own cluster and function log under.
LEFT_BEHIND = (
    f"/aws/ecs/containerinsights/{CLUSTER}/",
    "/aws/lambda/drydock-rotation",
    f"/aws/eks/{CLUSTER}/",
    "/drydock/",
)
MISSING = {"NoSuchBucket", "RepositoryNotFoundException", "ClusterNotFoundException"}


def lake(account: Account) -> str:
    """Return the name of the bucket with the lab's rows."""
    return f"drydock-{account.id}"


def what_goes(account: Account) -> list[str]:
    """Return a line for each thing that `down` would delete; empty if there is nothing."""
    found = []
    status = stack.status(account)
    if status != stack.GONE:
        found.append(f"stack {stack.NAME} ({status}), with its database")
        objects = _count(account, "s3", "list_objects_v2", "Contents", Bucket=lake(account))
        found.append(f"bucket {lake(account)} with {objects or 0} objects")
        for name in ("drydock/etl", "drydock/api"):
            images = _count(account, "ecr", "list_images", "imageIds", repositoryName=name)
            if images:
                found.append(f"repository {name} with {images} images")
    name = files.bucket(account)
    if _count(account, "s3", "list_objects_v2", "Contents", Bucket=name) is not None:
        found.append(f"bucket {name} with the stack's own files")
    return found + [f"log group {name}" for name in _log_groups(account)]


def tear_down(account: Account, say: stack.Say) -> None:
    """Delete the stack in whatever state it is, and what belongs to it. Raises StackFailed."""
    if stack.status(account) != stack.GONE:
        _quieten(account)
        _empty(account)
        try:
            stack.delete(account, say)
        except stack.StackFailed as error:  # a task that was ending may have written once more
            say(f"once more, for {error}")
            _empty(account)
            stack.delete(account, say)
    files.remove(account)
    for name in _log_groups(account):
        account.client("logs").delete_log_group(logGroupName=name)


def _empty(account: Account) -> None:
    """The stack's bucket; its repositories are emptied by CloudFormation (EmptyOnDelete)."""
    files.empty(account, lake(account))


def _quieten(account: Account) -> None:
    """Stop what a lesson has left running in the cluster: a cluster with tasks is not deleted."""
    ecs = account.client("ecs")
    try:
        for page in ecs.get_paginator("list_services").paginate(cluster=CLUSTER):
            for arn in page["serviceArns"]:
                if arn.rsplit("/", 1)[1] != API_SERVICE:
                    ecs.delete_service(cluster=CLUSTER, service=arn, force=True)
        for page in ecs.get_paginator("list_tasks").paginate(cluster=CLUSTER):
            for arn in page["taskArns"]:
                ecs.stop_task(cluster=CLUSTER, task=arn, reason="drydock aws down")
    except ClientError as error:
        if error.response["Error"]["Code"] not in MISSING:
            raise


def _log_groups(account: Account) -> Iterator[str]:
    """Groups that no stack holds any more, or never held."""
    if stack.status(account) != stack.GONE:
        return
    for prefix in LEFT_BEHIND:
        pages = account.client("logs").get_paginator("describe_log_groups")
        for page in pages.paginate(logGroupNamePrefix=prefix):
            yield from (group["logGroupName"] for group in page["logGroups"])


def _count(account: Account, service: str, operation: str, key: str, **given) -> int | None:
    """How many there are in all pages; None where the bucket or repository is not there."""
    try:
        pages = account.client(service).get_paginator(operation).paginate(**given)
        return sum(len(page.get(key, [])) for page in pages)
    except ClientError as error:
        if error.response["Error"]["Code"] not in MISSING:
            raise
        return None
