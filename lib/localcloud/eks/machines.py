"""EC2 instances behind nodes: bookkeeping, so that `describe_instances` and a bill see them.

What runs on such a node runs on this machine; no image is booted.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from localcloud import arns

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster

IMAGE = "ami-0d0d0c0d0d0c0d0d0"


@dataclass(frozen=True)
class Machine:
    """``name`` is its private DNS name, which its node has too."""

    instance: str
    name: str
    zone: str

    @property
    def provider_id(self) -> str:
        return f"aws:///{self.zone}/{self.instance}"


def start(
    cluster: Cluster, kind: str, subnet: str, tags: dict[str, str], *, spot: bool = False
) -> Machine:
    """Raises botocore's ClientError, as EC2 would."""
    tags = {f"kubernetes.io/cluster/{cluster.name}": "owned", **tags}
    more: dict[str, Any] = {"InstanceMarketOptions": {"MarketType": "spot"}} if spot else {}
    found = cluster.footing.clients.get("ec2").run_instances(
        ImageId=IMAGE,
        MinCount=1,
        MaxCount=1,
        InstanceType=kind,
        SubnetId=subnet,
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
        ],
        **more,
    )["Instances"][0]
    zone = found["Placement"].get("AvailabilityZone") or f"{arns.REGION}a"
    return Machine(found["InstanceId"], found["PrivateDnsName"], zone)


def stop(cluster: Cluster, provider_id: str) -> None:
    """Terminate it; one that is gone stays gone."""
    instance = provider_id.rpartition("/")[2]
    if instance.startswith("i-"):
        with suppress(ClientError):
            cluster.footing.clients.get("ec2").terminate_instances(InstanceIds=[instance])
