"""Nodes: machines of real EC2 types, as promises. What runs on them runs on this machine.

Allocatable is what the EKS AMI leaves: CPU and memory reserved for the kubelet by its formula
(https://github.com/awslabs/amazon-eks-ami, max-pods and kube-reserved), and 100 MiB to evict at.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES

from localcloud import arns
from localcloud.kubernetes import quantities
from localcloud.kubernetes.schemas import KUBERNETES
from localcloud.kubernetes.store import now

Object = dict[str, Any]
MIB = 2**20
EVICTION_MIB = 100
# Of each core: 6 % of the first, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest.
CPU_SHARES = ((1, 60), (1, 10), (2, 5), (10**6, 2.5))
KERNEL_SHARE = 0.03  # what the operating system does not report of the nominal memory


def most_pods(kind: str) -> int:
    """By network interfaces: https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html"""
    network = INSTANCE_TYPES[kind]["NetworkInfo"]
    interfaces, each = network["MaximumNetworkInterfaces"], network["Ipv4AddressesPerInterface"]
    return min(interfaces * (each - 1) + 2, 110 if _cores(kind) < 30 else 250)


def _cores(kind: str) -> int:
    return INSTANCE_TYPES[kind]["VCpuInfo"]["DefaultVCpus"]


def of_type(
    kind: str, name: str, labels: dict[str, str], taints: list[Object], zone: str
) -> Object:
    """A Node of an EC2 instance type that is ready. Raises KeyError for an unknown type."""
    described, cores, pods = INSTANCE_TYPES[kind], _cores(kind), most_pods(kind)
    memory = int(described["MemoryInfo"]["SizeInMiB"] * (1 - KERNEL_SHARE)) * MIB
    reserved_cpu, left = 0.0, cores
    for count, share in CPU_SHARES:
        reserved_cpu += min(left, count) * share
        left = max(0, left - count)
    free_cpu = cores * 1000 - int(reserved_cpu)
    free_memory = memory - (255 + 11 * pods + EVICTION_MIB) * MIB
    capacity = {"cpu": str(cores), "memory": quantities.size(memory), "pods": str(pods)}
    allocatable = {
        "cpu": quantities.cpu(free_cpu),
        "memory": quantities.size(free_memory),
        "pods": str(pods),
    }
    architecture = described["ProcessorInfo"]["SupportedArchitectures"][0]
    known = {
        "node.kubernetes.io/instance-type": kind,
        "kubernetes.io/arch": "arm64" if architecture == "arm64" else "amd64",
        **labels,
    }
    return node(name, capacity, allocatable, known, taints, zone)


def node(
    name: str,
    capacity: Object,
    allocatable: Object,
    labels: dict[str, str],
    taints: list[Object],
    zone: str,
) -> Object:
    moment = now()
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
        "lastHeartbeatTime": moment,
        "lastTransitionTime": moment,
    }
    healthy = [
        {
            **ready,
            "type": kind,
            "status": "False",
            "reason": f"KubeletHas{word}",
            "message": f"kubelet has {told} available",
        }
        for kind, word, told in (
            ("MemoryPressure", "SufficientMemory", "sufficient memory"),
            ("DiskPressure", "NoDiskPressure", "no disk pressure"),
            ("PIDPressure", "SufficientPID", "sufficient PID"),
        )
    ]
    address = name.removeprefix("fargate-").removeprefix("ip-").partition(".")[0].replace("-", ".")
    return {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/region": arns.REGION,
                "topology.kubernetes.io/zone": zone,
                **labels,
            },
        },
        "spec": {"providerID": f"aws:///{zone}/{name}", **({"taints": taints} if taints else {})},
        "status": {
            "capacity": capacity,
            "allocatable": allocatable,
            "conditions": [*healthy, ready],
            "addresses": [
                {"type": "InternalIP", "address": address},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": {
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
                "kernelVersion": "local",
                "osImage": "Drydock local cloud",
                "containerRuntimeVersion": "drydock://1",
                "kubeletVersion": f"{KUBERNETES}-drydock",
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
        },
    }
