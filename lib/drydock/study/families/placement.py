"""Families about sizes and places: Fargate sizes, pods, capacity providers, instances."""

import random

from drydock.model import ec2, fargate
from drydock.model.scaling import capacity, placement, pods
from drydock.study.families.making import Draft, Family, count

INSTANCES = ("m5.large", "m5.xlarge", "m6i.large", "c6i.xlarge", "r6i.large")


def smallest_size(draw: random.Random) -> Draft:
    vcpu = draw.choice((0.25, 0.5, 1, 1, 2, 2, 4))
    gb = draw.choice((1.5, 2.5, 3, 5, 7, 9, 10, 12, 14, 18, 20, 24))
    right = fargate.smallest_size(vcpu, gb)
    valid = fargate.sizes()
    at = valid.index(right)
    same_cpu = [one for one in valid if one.cpu_units == vcpu * 1024]
    wrong = [
        (f"{vcpu:g} vCPU / {gb:g} GB", "Fargate has no such size, so the call is refused."),
        (str(same_cpu[-1]), f"The most memory at {vcpu:g} vCPU. It is too little."),
        (str(valid[at + 1]), "It holds the program, but a smaller size does too."),
        (str(valid[at + 2]), "It holds the program, but smaller sizes do too."),
        (
            str(next(one for one in valid if one.cpu_units > right.cpu_units)),
            "More vCPU than needed.",
        ),
    ]
    return Draft(
        f"A program needs {vcpu:g} vCPU and {gb:g} GB of memory. Which is the smallest size of a "
        "Fargate task (Linux, ECS) that holds it: least vCPU, then least memory?",
        (str(right), "The first size with at least this vCPU and memory."),
        [one for one in wrong if not _holds(one[0], same_cpu[-1], vcpu, gb)],
        f"At {vcpu:g} vCPU, Fargate offers {_range(same_cpu)}. The first size with {gb:g} GB or "
        f"more and at least {vcpu:g} vCPU is {right}.",
    )


def pod_size(draw: random.Random) -> Draft:
    cpu, memory = draw.choice((500, 1000, 1000, 2000)), draw.choice((1024, 2048, 4096, 8192))
    sidecar = draw.choice((0, 250))
    containers = [pods.Container(cpu, memory)]
    if sidecar:
        containers.append(pods.Container(sidecar, 256))
    right = pods.fargate_size(containers)
    total_cpu, total = cpu + sidecar, memory + (256 if sidecar else 0)
    plain = fargate.smallest_size(total_cpu / 1000, total / 1024, "EKS")
    main = fargate.smallest_size(cpu / 1000, (memory + 256) / 1024, "EKS")
    larger = fargate.sizes("EKS")[fargate.sizes("EKS").index(right) + 1]
    beside = " and a sidecar that requests 250m CPU and 256Mi" if sidecar else ""
    return Draft(
        f"A pod on EKS Fargate has a container that requests {cpu}m CPU and {memory}Mi of memory"
        f"{beside}. Which size is billed?",
        (str(right), "Requests are added up, 256 MB come on top, and the next size is taken."),
        [
            (str(plain), "This forgets the 256 MB that EKS adds for its own components."),
            (
                f"{total_cpu / 1000:g} vCPU / {(total + 256) / 1024:g} GB",
                "It is not rounded up to a size.",
            ),
            (str(main), "This forgets the sidecar."),
            (str(larger), "This is a size larger than needed."),
            (
                str(fargate.smallest_size(total_cpu / 500, total / 512, "EKS")),
                "Nothing is doubled.",
            ),
        ],
        f"CPU {total_cpu}m; memory {total} + 256 = {total + 256} MiB. The next size of Fargate "
        f"that holds both is {right}.",
    )


def spot_split(draw: random.Random) -> Draft:
    tasks, base = draw.choice((8, 10, 12, 14, 18, 20)), draw.choice((1, 2, 3, 4))
    weight, spot_weight = draw.choice(((1, 1), (1, 2), (1, 3), (1, 4), (2, 3)))
    split = capacity.strategy(tasks, {"FARGATE": (base, weight), "FARGATE_SPOT": (0, spot_weight)})
    without = capacity.strategy(tasks, {"FARGATE": (0, weight), "FARGATE_SPOT": (0, spot_weight)})
    swapped = capacity.strategy(
        tasks, {"FARGATE": (base, spot_weight), "FARGATE_SPOT": (0, weight)}
    )

    def text(found: dict[str, int]) -> str:
        return f"{found['FARGATE']} on FARGATE, {found['FARGATE_SPOT']} on FARGATE_SPOT"

    return Draft(
        f"An ECS service of {tasks} tasks has the capacity provider strategy FARGATE with base "
        f"{base} and weight {weight}, FARGATE_SPOT with weight {spot_weight}. How are the tasks "
        "divided?",
        (text(split), "The base comes first, and the rest goes by weight."),
        [
            (text(without), "This forgets the base."),
            (text({"FARGATE": base, "FARGATE_SPOT": tasks - base}), "FARGATE has a weight too."),
            (text(swapped), "This swaps the weights."),
            (text({"FARGATE": tasks - base, "FARGATE_SPOT": base}), "The base is not Spot's."),
        ],
        f"{base} tasks are the base on FARGATE. The other {tasks - base} go {weight} to "
        f"{spot_weight}, each to the provider furthest behind its share: {text(split)}.",
    )


def pods_on_node(draw: random.Random) -> Draft:
    node = ec2.instance_type(draw.choice(INSTANCES))
    cpu, memory = draw.choice((200, 250, 300, 500)), draw.choice((256, 512, 768, 1024, 1536))
    by_cpu = node.allocatable_millicpu // cpu
    by_memory = node.allocatable_mib // memory
    need = {"cpu": cpu, "memory": memory, "pods": 1}
    free = {
        "cpu": node.allocatable_millicpu,
        "memory": node.allocatable_mib,
        "pods": node.max_pods,
    }
    fits = len(placement.place([placement.Instance("node", free)], need, 1000))
    nominal = min(node.vcpu * 1000 // cpu, node.memory_mib // memory)
    return Draft(
        f"An EKS node of type {node.name} ({node.vcpu} vCPU, {node.memory_mib // 1024} GiB) has "
        f"{node.allocatable_millicpu}m CPU and {node.allocatable_mib} MiB allocatable, and at most "
        f"{node.max_pods} pods. Each pod of a job requests {cpu}m and {memory}Mi. How many of them "
        "fit on an empty node?",
        (count(fits, "pod"), "The scarcest of CPU, memory and pods decides."),
        [
            (count(nominal, "pod"), "This takes the size of the instance: a part is reserved."),
            (count(by_cpu, "pod"), "This looks at CPU only."),
            (count(by_memory, "pod"), "This looks at memory only."),
            (
                count(node.max_pods, "pod"),
                "This is the limit of pods, whatever their requests are.",
            ),
            (count(by_cpu + by_memory, "pod"), "CPU and memory are needed together."),
        ],
        f"CPU: {node.allocatable_millicpu} / {cpu} = {by_cpu}; memory: {node.allocatable_mib} / "
        f"{memory} = {by_memory}; pods: {node.max_pods}. The least is {fits}.",
    )


def instances_needed(draw: random.Random) -> Draft:
    tasks = draw.choice((10, 15, 20, 30))
    cpu, memory = draw.choice((512, 768, 1024)), draw.choice((1024, 1536, 2048, 3072))
    room = {"cpu": 2048, "memory": 7680}
    right = capacity.instances_needed([(tasks, {"cpu": cpu, "memory": memory})], room)
    by_cpu = -(-tasks // (2048 // cpu))
    by_memory = -(-tasks // (7680 // memory))
    fluid = max(-(-tasks * cpu // 2048), -(-tasks * memory // 7680))
    return Draft(
        f"{tasks} tasks of {cpu} CPU units and {memory} MiB wait for an ECS cluster of EC2 "
        "instances that each offer 2,048 CPU units and 7,680 MiB. All running instances are full. "
        "How many new instances does cluster auto scaling need at least?",
        (count(right, "instance"), "Whole tasks are packed by the scarcest resource."),
        [
            (count(by_cpu, "instance"), "This looks at CPU only."),
            (count(by_memory, "instance"), "This looks at memory only."),
            (count(fluid, "instance"), "This adds all up and forgets that tasks are not divided."),
            (count(right + 1, "instance"), "One of these would stay empty."),
            (count(tasks, "instance"), "More than one task fits on an instance."),
        ],
        f"An instance holds min(2048 // {cpu}, 7680 // {memory}) = "
        f"{min(2048 // cpu, 7680 // memory)} tasks; {tasks} tasks need {right} instances.",
    )


def _holds(text: str, largest: fargate.Size, vcpu: float, gb: float) -> bool:
    """Whether an option that is called too small would be right after all."""
    return text == str(largest) and largest.memory_mib >= gb * 1024


def _range(sizes: list[fargate.Size]) -> str:
    return f"{sizes[0].memory_gb.normalize():f} to {sizes[-1].memory_gb.normalize():f} GB"


ECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
EKS = "https://docs.aws.amazon.com/eks/latest/userguide/"
DAY = "2026-11-23"
FAMILIES = [
    Family(
        "fargate-smallest-size",
        "containers",
        ("1.2.1", "1.2.4"),
        2,
        f"{ECS}fargate-tasks-services.html",
        DAY,
        smallest_size,
    ),
    Family(
        "eks-fargate-size",
        "containers",
        ("1.2.1", "1.2.4"),
        3,
        f"{EKS}fargate-pod-configuration.html",
        DAY,
        pod_size,
    ),
    Family(
        "spot-split",
        "containers",
        ("1.2.1", "1.2.4"),
        2,
        f"{ECS}fargate-capacity-providers.html",
        DAY,
        spot_split,
    ),
    Family(
        "pods-on-node",
        "containers",
        ("1.2.1",),
        2,
        f"{EKS}choosing-instance-type.html",
        DAY,
        pods_on_node,
    ),
    Family(
        "instances-needed",
        "containers",
        ("1.2.1", "1.3.2"),
        3,
        f"{ECS}cluster-auto-scaling.html",
        DAY,
        instances_needed,
    ),
]
