"""EC2 instances that join a cluster, as ECS's agent does on AWS: by their user data.

    #!/bin/bash
    echo ECS_CLUSTER=training >> /etc/ecs/ecs.config
    echo 'ECS_INSTANCE_ATTRIBUTES={"stack": "prod"}' >> /etc/ecs/ecs.config

The machine is only a reservation: its tasks run on this one, under the limits of the task.
Neither the AMI nor the instance profile plays a part.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends

from localcloud import arns
from localcloud.ecs import errors, instances, machine
from localcloud.ecs.models import Item

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

CLUSTER = re.compile(r"ECS_CLUSTER=[\"']?([A-Za-z0-9_-]+)")
ATTRIBUTES = re.compile(r"ECS_INSTANCE_ATTRIBUTES='?(\{[^}]*\})")
GROUP_TAG = "aws:autoscaling:groupName"


def sync(ecs: Ecs) -> None:
    """Register EC2 instances that are new, and let go of those that have gone."""
    machines = _machines()
    known = {item.wire["ec2InstanceId"]: item for item in ecs.state.all("instance")}
    for ec2_id, instance in machines.items():
        if ec2_id not in known and instance.state == "running":
            _join(ecs, instance)
    for ec2_id, item in known.items():
        if item.private.get("joined"):
            _follow(ecs, item, machines.get(ec2_id))


def _machines() -> dict[str, Any]:
    """EC2's instances. Asked for only if EC2 was ever used: its start takes a while."""
    # Not "in", and not []: the one is always true, the other starts it.
    backend = ec2_backends[arns.ACCOUNT].get(arns.REGION)
    return {instance.id: instance for instance in backend.all_instances()} if backend else {}


def _join(ecs: Ecs, instance: Any) -> None:
    script = _user_data(instance)
    wanted = CLUSTER.search(script)
    cluster = ecs.state.get("cluster", wanted[1]) if wanted else None
    if cluster is None or cluster.wire["status"] != "ACTIVE":
        return
    try:
        room, architecture = machine.of_type(instance.instance_type)
    except errors.EcsError:
        return
    known = {
        "ecs.instance-type": instance.instance_type,
        "ecs.availability-zone": instance.placement.zone,
        "ecs.cpu-architecture": architecture,
        "ecs.os-type": "linux",
        "ecs.ami-id": instance.image_id,
        "ecs.subnet-id": instance.subnet_id,
        **_own_attributes(script),
    }
    attributes = [{"name": name, "value": str(value)} for name, value in known.items() if value]
    group = next((t["value"] for t in instance.get_tags() if t["key"] == GROUP_TAG), None)
    provider = _provider_of(ecs, group)
    item = instances.add(ecs.state, cluster, instance.id, room, attributes, [], provider)
    item.private["joined"] = True
    ecs.state.save(item)


def _follow(ecs: Ecs, item: Item, instance: Any | None) -> None:
    """Do to the container instance, and to its tasks, what happened to the EC2 instance."""
    state = instance.state if instance else "terminated"
    gone = state in ("terminated", "shutting-down")
    connected = state in ("running", "pending") and item.wire["status"] != "INACTIVE"
    if item.wire["agentConnected"] == connected and gone == item.private.get("gone", False):
        return
    item.wire["agentConnected"] = connected
    if gone:
        item.wire["status"] = "INACTIVE"
        item.private["gone"] = True
    ecs.state.note(item)
    if gone or state in ("stopping", "stopped"):
        word = "terminated" if gone else "stopped"
        for task in instances.live_tasks(ecs.state, item):
            reason = f"Host EC2 (instance {item.wire['ec2InstanceId']}) {word}."
            ecs.scheduler.stop(task, "TerminationNotice", reason)


def _user_data(instance: Any) -> str:
    data = instance.user_data
    if data is None:
        return ""
    if hasattr(data, "decode"):
        try:
            return data.decode()
        except ValueError:
            return ""
    return str(data)


def _own_attributes(script: str) -> dict[str, str]:
    found = ATTRIBUTES.search(script)
    try:
        return json.loads(found[1]) if found else {}
    except ValueError:
        return {}


def _provider_of(ecs: Ecs, group: str | None) -> str | None:
    """The capacity provider whose Auto Scaling group has this name."""
    for provider in ecs.state.all("provider") if group else []:
        arn = provider.wire["autoScalingGroupProvider"]["autoScalingGroupArn"]
        if group in (arn, arn.rpartition("autoScalingGroupName/")[2]):
            return provider.key
    return None
