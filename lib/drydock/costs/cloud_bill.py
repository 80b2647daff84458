"""What the cloud has run, as a bill: read through boto3 from each service.

Durations and sizes are the recorded ones; only the prices are AWS's.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from drydock.costs import cloud_network
from drydock.costs.items import Item, seconds_since
from drydock.model import clusters, databases, ec2, fargate, network, operations, storage
from drydock.model.prices import rounded

GB = 1024**3


def read(session, now: dt.datetime, *, spot_discount=0) -> tuple[list[Item], list[str]]:
    """Return the items, and a line for each thing that was left out and why.

    `session` gives boto3 clients by `.client(service)`, as a Lab does. What runs is billed up to
    `now`; what is kept (objects, images, logs, secrets, disks) for one month. AWS publishes no
    constant price of Spot: `spot_discount` (0 to 1) is the caller's assumption.
    """
    items: list[Item] = []
    left_out: list[str] = []
    for part in PARTS:
        for found in part(session, now, spot_discount):
            (left_out if isinstance(found, str) else items).append(found)
    return items, left_out


def _tasks(session, now, discount) -> Iterator[Item | str]:
    groups: dict[tuple, list[float]] = defaultdict(list)
    waiting = 0
    tasks = list(_all_tasks(session.client("ecs")))
    public = cloud_network.public_addresses(session, tasks)
    for task in tasks:
        provider = task.get("capacityProviderName", "")
        if task.get("launchType") == "EC2":
            continue  # its machine is billed
        if "pullStartedAt" not in task:
            waiting += 1
            continue
        end = task.get("executionStoppedAt") or task.get("stoppedAt") or now
        family = task["taskDefinitionArn"].rsplit("/", 1)[1].split(":")[0]
        disk = task.get("ephemeralStorage", {}).get("sizeInGiB", 20)
        architecture = next(
            (one["value"] for one in task.get("attributes", []) if "architecture" in one["name"]),
            "x86_64",
        )
        key = (
            family,
            Decimal(task["cpu"]) / 1024,
            Decimal(task["memory"]) / 1024,
            disk,
            "ARM64" if architecture.lower() == "arm64" else "X86_64",
            provider == "FARGATE_SPOT",
            {True: "yes", False: "no", None: "unknown"}[public[task["taskArn"]]],
        )
        groups[key].append(seconds_since(task["pullStartedAt"], end))
    for (family, vcpu, memory, disk, architecture, spot, address), seconds in sorted(
        groups.items()
    ):
        bill = fargate.run_cost(
            seconds,
            vcpu,
            memory,
            ephemeral_gb=disk,
            architecture=architecture,
            discount=discount if spot else 0,
            public_ipv4=address == "yes",
        )
        kind = "Fargate Spot" if spot else "Fargate"
        size = fargate.size(vcpu, memory)
        used = f"{len(seconds)} x {size}, {sum(map(fargate.billed_seconds, seconds)):,} s billed"
        yield Item(f"{kind}: {family}", used, bill)
        if address == "unknown":
            hours = Decimal(sum(map(fargate.billed_seconds, seconds))) / 3600
            perhaps = rounded(network.public_ipv4(hours).total(), 4)
            yield (
                f"{len(seconds)} tasks of {family}, whose network interfaces are gone: "
                f"${perhaps} if they had public IPv4 addresses"
            )
    if waiting:
        yield f"{waiting} tasks that never began to pull an image: not billed"


def _all_tasks(ecs) -> Iterator[dict]:
    for some in ecs.get_paginator("list_clusters").paginate():
        for cluster in some["clusterArns"]:
            for status in ("RUNNING", "STOPPED"):
                pages = ecs.get_paginator("list_tasks")
                for page in pages.paginate(cluster=cluster, desiredStatus=status):
                    if page["taskArns"]:
                        yield from ecs.describe_tasks(cluster=cluster, tasks=page["taskArns"])[
                            "tasks"
                        ]


def _databases(session, now, _) -> Iterator[Item | str]:
    rds = session.client("rds")
    for page in rds.get_paginator("describe_db_instances").paginate():
        for one in page["DBInstances"]:
            name, kind = one["DBInstanceIdentifier"], one["DBInstanceClass"]
            if one.get("DBClusterIdentifier"):
                continue  # billed with its cluster
            if one["Engine"] != "postgres":
                yield f"database {name}: no price of {one['Engine']} is known"
                continue
            seconds = seconds_since(one["InstanceCreateTime"], now)
            try:
                bill = databases.postgres(
                    kind,
                    seconds,
                    multi_az=one.get("MultiAZ", False),
                    storage_gb=one["AllocatedStorage"],
                )
            except ValueError as error:
                yield f"database {name}: {error}"
                continue
            used = f"{kind}, {seconds / 3600:.2f} h; {one['AllocatedStorage']} GB for a month"
            yield Item(f"RDS: {name}", used, bill)


def _aurora(session, now, _) -> Iterator[str]:
    """Its ACU-hours are in no description: the least and the most that they cost are told."""
    pages = session.client("rds").get_paginator("describe_db_clusters").paginate()
    for one in (one for page in pages for one in page["DBClusters"]):
        name, scaling = one["DBClusterIdentifier"], one.get("ServerlessV2ScalingConfiguration")
        if not scaling:
            yield f"Aurora cluster {name}: no price of {one['Engine']} without Serverless is known"
            continue
        hours = Decimal(str(seconds_since(one["ClusterCreateTime"], now))) / 3600
        members = len(one["DBClusterMembers"])
        least, most = (
            databases.aurora_serverless(hours * members * Decimal(str(scaling[end]))).total()
            for end in ("MinCapacity", "MaxCapacity")
        )
        yield (
            f"Aurora cluster {name}: ${rounded(least, 4)} to ${rounded(most, 4)} for its ACU, "
            f"whose hours are not recorded, and storage and I/O"
        )


def _kubernetes(session, now, _) -> Iterator[Item]:
    eks = session.client("eks")
    for page in eks.get_paginator("list_clusters").paginate():
        for name in page["clusters"]:
            created = eks.describe_cluster(name=name)["cluster"]["createdAt"]
            hours = Decimal(str(seconds_since(created, now))) / 3600
            used = f"{hours:.2f} h, its version taken to be in standard support"
            yield Item(f"EKS: {name}", used, clusters.eks(hours))


def _images(session, *_) -> Iterator[Item]:
    ecr = session.client("ecr")
    for page in ecr.get_paginator("describe_repositories").paginate():
        for repository in page["repositories"]:
            name = repository["repositoryName"]
            pages = ecr.get_paginator("describe_images").paginate(repositoryName=name)
            sizes = [
                one.get("imageSizeInBytes", 0) for some in pages for one in some["imageDetails"]
            ]
            if any(sizes):
                used = f"{len(sizes)} images, {sum(sizes) / 1e6:,.1f} MB for a month at most"
                yield Item(f"ECR: {name}", used, storage.ecr(Decimal(sum(sizes)) / GB))


def _machines(session, now, _) -> Iterator[Item | str]:
    pages = session.client("ec2").get_paginator("describe_instances").paginate()
    for page in pages:
        for reservation in page["Reservations"]:
            for one in reservation["Instances"]:
                if one["State"]["Name"] != "running":
                    continue
                seconds = seconds_since(one["LaunchTime"], now)
                try:
                    bill = ec2.on_demand(one["InstanceType"], seconds)
                except ValueError as error:
                    yield f"instance {one['InstanceId']}: {error}"
                    continue
                used = f"{one['InstanceType']}, {seconds / 3600:.2f} h"
                yield Item(f"EC2: {one['InstanceId']}", used, bill)
                if one.get("InstanceLifecycle") == "spot":
                    yield f"instance {one['InstanceId']} is Spot: billed here as On-Demand"


def _objects(session, *_) -> Iterator[Item]:
    s3 = session.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"])
        sizes = [one["Size"] for page in pages for one in page.get("Contents", [])]
        if sizes:
            used = f"{len(sizes)} objects, {sum(sizes) / 1e6:,.1f} MB for a month"
            bill = storage.s3(gb=Decimal(sum(sizes)) / GB, writes=len(sizes))
            yield Item(f"S3: {bucket['Name']}", used, bill)


def _logs(session, *_) -> Iterator[Item]:
    pages = session.client("logs").get_paginator("describe_log_groups").paginate()
    size = sum(group.get("storedBytes", 0) for page in pages for group in page["logGroups"])
    if size:
        amount = Decimal(size) / GB
        bill = operations.logs(ingested_gb=amount, stored_gb=amount)
        yield Item("CloudWatch Logs", f"{size / 1e6:,.3f} MB taken in, kept for a month", bill)


def _secrets(session, *_) -> Iterator[Item]:
    pages = session.client("secretsmanager").get_paginator("list_secrets").paginate()
    count = sum(len(page["SecretList"]) for page in pages)
    if count:
        yield Item("Secrets Manager", f"{count} secrets for a month", operations.secrets(count))


PARTS = (
    _tasks,
    _databases,
    _aurora,
    _machines,
    _kubernetes,
    cloud_network.load_balancers,
    cloud_network.nat_gateways,
    cloud_network.apis,
    _objects,
    _images,
    _logs,
    _secrets,
)
