"""The end of the lab in an account: what blocks the stack goes first, what it left behind last."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from drydock.account import files, stack
from drydock.account.access import Account

CLUSTER = "drydock"
API_SERVICE = "drydock-api"  # the stack's own: it deletes it
# What AWS itself logs of the lab's clusters and function, also after the stack has gone.
LEFT_BEHIND = (
    f"/aws/ecs/containerinsights/{CLUSTER}/",
    "/aws/lambda/drydock-rotation",
    f"/aws/eks/{CLUSTER}/",
)
REPOSITORIES = ("EtlImages", "ApiImages")
MISSING = {"NoSuchBucket", "RepositoryNotFoundException", "ClusterNotFoundException"}


def in_the_way(account: Account) -> str | None:
    """Return the name of the lab's bucket if it is there without a stack, else None.

    The stack would take its rows for its own, and `down` would delete them.
    """
    name = f"drydock-{account.id}"
    found = _count(account, "s3", "list_objects_v2", "Contents", Bucket=name)
    return None if found is None else name


def what_goes(account: Account) -> list[str]:
    """Return a line for each thing that `down` would delete; empty if there is nothing."""
    found = []
    status = stack.status(account)
    if status != stack.GONE:
        found.append(f"stack {stack.NAME} ({status}), with its database")
        if name := stack.owned(account, "Lake"):
            objects = _count(account, "s3", "list_objects_v2", "Contents", Bucket=name)
            found.append(f"bucket {name} with {objects or 0} objects")
        for name in filter(None, (stack.owned(account, one) for one in REPOSITORIES)):
            images = _count(account, "ecr", "list_images", "imageIds", repositoryName=name)
            found.append(f"repository {name} with {images or 0} images")
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
    if name := stack.owned(account, "Lake"):
        files.empty(account, name)


def _quieten(account: Account) -> None:
    """Stop what a lesson has left running in the cluster: a cluster with tasks is not deleted."""
    if not stack.owned(account, "Cluster"):
        return
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
