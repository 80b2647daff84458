"""Families about scaling: the HPA, KEDA, ECS target tracking and step scaling, circuit breaker."""

import math
import random

from drydock.model.scaling import ecs, hpa, keda
from drydock.study.families.making import Draft, Family, count


def hpa_replicas(draw: random.Random) -> Draft:
    current, target = draw.choice((3, 4, 5, 6, 8, 10)), draw.choice((50, 60, 70, 75))
    usage = draw.choice((25, 35, 58, 64, 80, 85, 90, 95, 110, 120))
    found = [hpa.Pod(usage * 10, 1000)] * current
    right = hpa.resource_replicas(found, current, target)
    exact = current * usage / target
    within = hpa.Tolerance().covers(usage / target)
    reason = (
        f"The ratio {usage / target:.2f} is within the tolerance of 0.1, so nothing changes."
        if within
        else f"{current} x {usage} / {target} = {exact:.2f}, rounded up."
    )
    return Draft(
        f"A deployment of {current} ready pods has a Horizontal Pod Autoscaler with a target of "
        f"{target} % average CPU utilisation. The pods use {usage} % on average. minReplicas and "
        "maxReplicas are far away, and nothing is being stabilised. How many replicas will it "
        "want?",
        (count(right, "replica"), reason),
        [
            (count(math.ceil(exact), "replica"), "This forgets the tolerance of 0.1."),
            (count(max(math.floor(exact), 1), "replica"), "The result is rounded up, not down."),
            (count(current, "replica"), "The ratio is outside the tolerance of 0.1."),
            (count(right + 1, "replica"), "Nothing is added for safety."),
            (
                count(max(round(current * target / usage), 1), "replica"),
                "This divides target by usage.",
            ),
            (count(current * 2, "replica"), "Doubling is a limit of speed and not the target."),
        ],
        f"Ratio = {usage} / {target} = {usage / target:.3f}. {reason} Wanted: {right}.",
    )


def hpa_two_metrics(draw: random.Random) -> Draft:
    current = draw.choice((4, 5, 6, 8))
    cpu, target = draw.choice((30, 90, 95, 105)), draw.choice((50, 60, 70))
    queue, each = draw.choice((60, 90, 140, 200)), draw.choice((5, 10))
    by_cpu = hpa.resource_replicas([hpa.Pod(cpu * 10, 1000)] * current, current, target)
    by_queue = hpa.object_average_replicas(current, queue, each)
    right = hpa.several(current, [by_cpu, by_queue])
    return Draft(
        f"A Horizontal Pod Autoscaler watches {current} ready pods by two metrics: CPU with a "
        f"target of {target} % (now {cpu} %), and a queue with a target average of {each} messages "
        f"a pod (now {queue} messages in all). minReplicas and maxReplicas are far away. How many "
        "replicas will it want?",
        (count(right, "replica"), "Each metric makes a proposal, and the largest counts."),
        [
            (
                count(min(by_cpu, by_queue), "replica"),
                "The largest proposal counts, not the least.",
            ),
            (count(math.ceil((by_cpu + by_queue) / 2), "replica"), "Proposals are not averaged."),
            (count(by_cpu + by_queue, "replica"), "Proposals are not added."),
            (count(current, "replica"), "At least one metric is outside its tolerance."),
            (
                count(right + current, "replica"),
                "The proposal is the whole count, not an addition.",
            ),
        ],
        f"CPU: {current} x {cpu} / {target}, so {by_cpu}. Queue: {queue} / {each}, so {by_queue}. "
        f"The largest is {right}.",
    )


def keda_queue(draw: random.Random) -> Draft:
    visible, flying = draw.choice((23, 41, 58, 77, 95)), draw.choice((6, 12, 17, 24))
    each, most = draw.choice((5, 8, 10)), draw.choice((6, 8, 12, 30))
    metric = keda.sqs_messages(visible, flying)
    right = keda.replicas(metric, each, current=1, maximum=most)
    uncapped = math.ceil(metric / each)
    return Draft(
        f"KEDA scales a worker by an SQS queue with queueLength {each} and maxReplicaCount {most}; "
        f"other settings are defaults. The queue has {visible} visible messages and {flying} in "
        "flight. One worker runs. How many replicas result?",
        (
            count(right, "replica"),
            "Visible and in flight count together, rounded up, within the maximum.",
        ),
        [
            (
                count(min(math.ceil(visible / each), most), "replica"),
                "By default, messages in flight count too.",
            ),
            (count(uncapped, "replica"), "This goes beyond maxReplicaCount."),
            (count(min(max(metric // each, 1), most), "replica"), "The result is rounded up."),
            (count(most, "replica"), "The maximum is a limit and not what the queue asks for."),
            (count(metric, "replica"), "This is one worker for each message."),
            (count(math.ceil(flying / each), "replica"), "Messages that wait count as well."),
        ],
        f"Metric = {visible} + {flying} = {metric}; {metric} / {each} = {metric / each:.2f}, "
        f"rounded up {uncapped}, at most {most}: {right}.",
    )


def target_tracking(draw: random.Random) -> Draft:
    running, target = draw.choice((3, 4, 5, 6, 7)), draw.choice((40, 50, 60))
    metric, most = draw.choice((72, 84, 90, 96)), draw.choice((8, 10, 12, 20))
    right = ecs.target_tracking(running, [metric] * 3, target, maximum=most)
    exact = running * metric / target
    return Draft(
        f"An ECS service with {running} running tasks tracks {target} % average CPU, between 1 and "
        f"{most} tasks. CPU has been at {metric} % for three minutes. Which desired count does "
        "target tracking ask for, in proportion?",
        (count(right, "task"), "In proportion to the metric, rounded up, within the limits."),
        [
            (
                count(math.floor(exact), "task"),
                "It is rounded up, so that the target is not exceeded.",
            ),
            (count(running + 1, "task"), "Target tracking does not go by steps of one."),
            (count(math.ceil(exact), "task"), "This goes beyond the maximum."),
            (count(most, "task"), "The maximum is a limit, not what the metric asks for."),
            (count(running * 2, "task"), "Nothing is doubled."),
        ],
        f"{running} x {metric} / {target} = {exact:.2f}, rounded up {math.ceil(exact)}, at most "
        f"{most}: {right}. (AWS does not publish the exact sum; in proportion and rounded with "
        "care is what its guide says.)",
    )


def step_scaling(draw: random.Random) -> Draft:
    threshold, metric = draw.choice((50, 60)), draw.choice((12, 18, 22, 28, 31))
    small, large = draw.choice(((1, 3), (1, 4), (2, 5)))
    current, edge, far = draw.choice((3, 4, 5, 6)), 10, 20
    steps = [
        ecs.Step(0, edge, small),
        ecs.Step(edge, far, small + 1),
        ecs.Step(far, None, large + small),
    ]
    value = threshold + metric
    right = ecs.step_scaling(current, value, threshold, steps, maximum=40)
    return Draft(
        f"A step scaling policy of an ECS service adds {small} from 0 to {edge}, {small + 1} from "
        f"{edge} to {far}, and {large + small} from {far} up; bounds are relative to the alarm's "
        f"threshold of {threshold} %. {current} tasks run, and CPU is at {value} %. What is the "
        "new desired count?",
        (count(right, "task"), f"{value} is {metric} above the threshold: one step applies."),
        [
            (
                count(current + sum(int(one.change) for one in steps), "task"),
                "Steps are not added up: one applies.",
            ),
            (
                count(
                    ecs.step_scaling(current, threshold + 1, threshold, steps, maximum=40), "task"
                ),
                "This takes the first step whatever the distance is.",
            ),
            (
                count(
                    ecs.step_scaling(
                        current,
                        threshold + (15 if metric >= far else 25),
                        threshold,
                        steps,
                        maximum=40,
                    ),
                    "task",
                ),
                "This takes another step: compare the distance with the bounds.",
            ),
            (count(large + small, "task"), "The change is added to the tasks that run."),
            (count(current, "task"), "The metric is above the threshold."),
        ],
        f"Distance = {value} - {threshold} = {metric}; the step that holds it adds "
        f"{right - current}: {right}.",
    )


def circuit_breaker(draw: random.Random) -> Draft:
    desired = draw.choice((1, 2, 4, 5, 9, 13, 25, 30, 45, 420, 500, 600))
    right = ecs.circuit_breaker_threshold(desired)
    half = math.ceil(desired / 2)
    return Draft(
        f"An ECS service with a desired count of {desired} has the deployment circuit breaker with "
        "default settings. After how many failed tasks does a deployment count as failed?",
        (count(right, "failed task"), "Half of the desired count, rounded up, from 3 to 200."),
        [
            (count(half, "failed task"), "The threshold is never below 3 or above 200."),
            (count(desired, "failed task"), "Half of the desired count is enough."),
            (count(3, "failed task"), "3 is the least, not the threshold for every size."),
            (count(200, "failed task"), "200 is the most, not the threshold for every size."),
            (count(10, "failed task"), "There is no fixed number of 10."),
        ],
        f"ceil(0.5 x {desired}) = {half}; between 3 and 200: {right}.",
    )


HPA = "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/"
ECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
SCALING = "https://docs.aws.amazon.com/autoscaling/application/userguide/"
DAY = "2026-11-23"
FAMILIES = [
    Family("hpa-replicas", "containers", ("1.2.1",), 2, HPA, DAY, hpa_replicas),
    Family("hpa-two-metrics", "containers", ("1.2.1",), 3, HPA, DAY, hpa_two_metrics),
    Family(
        "keda-queue",
        "containers",
        ("1.2.1", "1.3.2"),
        3,
        "https://keda.sh/docs/latest/scalers/aws-sqs/",
        DAY,
        keda_queue,
    ),
    Family(
        "ecs-target-tracking",
        "containers",
        ("1.2.1", "1.3.2"),
        2,
        f"{ECS}service-autoscaling-targettracking.html",
        DAY,
        target_tracking,
    ),
    Family(
        "ecs-step-scaling",
        "containers",
        ("1.2.1", "1.3.2"),
        3,
        f"{SCALING}step-scaling-policy-overview.html",
        DAY,
        step_scaling,
    ),
    Family(
        "circuit-breaker",
        "containers",
        ("1.3.2", "1.4.9"),
        2,
        f"{ECS}deployment-circuit-breaker.html",
        DAY,
        circuit_breaker,
    ),
]
