"""Where tasks are in a VPC: what RunTask's network configuration says, checked and remembered."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from localcloud import arns
from localcloud.ecs import errors
from localcloud.ecs.models import Item, State
from localcloud.network import defaults, vpc
from localcloud.network.vpc import Place


def ec2() -> Any:
    return defaults.backend(arns.ACCOUNT, arns.REGION)


def check(configuration: dict[str, Any], launch_type: str) -> None:
    """Raise ECS's InvalidParameterException unless subnets and groups are those of one VPC."""
    wanted = configuration["awsvpcConfiguration"]
    backend = ec2()
    homes = set()
    for subnet_id in wanted["subnets"]:
        subnet = vpc.subnet_of(backend, subnet_id)
        if subnet is None:
            raise errors.invalid_parameter(
                f"Error retrieving subnet information for [{subnet_id}]: The subnet ID "
                f"'{subnet_id}' does not exist (ErrorCode: InvalidSubnetID.NotFound)"
            )
        homes.add(subnet.vpc_id)
    if len(homes) > 1:
        raise errors.invalid_parameter("All subnets must belong to the same VPC.")
    for group_id in wanted.get("securityGroups", []):
        group = backend.get_security_group_from_id(group_id)
        if group is None:
            raise errors.invalid_parameter(
                f"Error retrieving security group information for [{group_id}]: The security group "
                f"'{group_id}' does not exist (ErrorCode: InvalidGroup.NotFound)"
            )
        if group.vpc_id not in homes:
            raise errors.invalid_parameter(
                f"Security Group {group_id} does not appear to belong to the same VPC as the input "
                "subnets."
            )
    if launch_type == "EC2" and wanted.get("assignPublicIp") == "ENABLED":
        raise errors.invalid_parameter("Assign public IP is not supported for this launch type.")


def remembered(configuration: dict[str, Any] | None) -> dict[str, Any] | None:
    """What of a network configuration makes up a task's place; None without an interface."""
    if not configuration:
        return None
    wanted = configuration["awsvpcConfiguration"]
    return {
        "subnet": wanted["subnets"][0],
        "groups": wanted.get("securityGroups", []),
        "public": wanted.get("assignPublicIp") == "ENABLED",
    }


def of_task(state: State, task: Item) -> Place | None:
    """Where the task's containers are; None where no VPC is known, and all may be reached."""
    own = task.private.get("place")
    if own is None:
        return of_agent(state, task)
    groups = own["groups"] or _default_group(own["subnet"])
    address = task.private.get("address")
    return Place((own["subnet"],), tuple(groups), own["public"], address)


def of_agent(state: State, task: Item) -> Place | None:
    """From where images are pulled and secrets read: on EC2 that is the machine."""
    arn = task.wire.get("containerInstanceArn")
    if arn is None:
        return of_task(state, task) if task.private.get("place") else None
    instance = state.get("instance", arns.last_part(arn))
    machine = _machine(instance.wire["ec2InstanceId"]) if instance else None
    if machine is None or machine.subnet_id is None:
        return None
    groups = {group.id for nic in machine.nics.values() for group in nic.group_set}
    return Place((machine.subnet_id,), tuple(groups), bool(machine.public_ip), machine.private_ip)


def _machine(ec2_id: str) -> Any | None:
    """EC2's instance; None for one that is registered without being there."""
    if ec2_backends[arns.ACCOUNT].get(arns.REGION) is None:
        return None
    return next((one for one in ec2().all_instances() if one.id == ec2_id), None)


def _default_group(subnet_id: str) -> list[str]:
    subnet = vpc.subnet_of(ec2(), subnet_id)
    group = vpc.default_group(ec2(), subnet.vpc_id) if subnet else None
    return [group] if group else []
