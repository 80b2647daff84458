"""The exercises of lesson 4: pods, Jobs, the autoscaler, Fargate and roles on Kubernetes."""

import math
import random
from decimal import Decimal
from typing import Any

from drydock.lab import Lab
from drydock.model import clusters, fargate
from drydock.model.scaling import hpa
from drydock.model.scaling.pods import Container, fargate_size
from drydock.study import progress
from drydock.study.exercises import kubernetes_looking as looking
from drydock.study.exercises.exercise import Exercise, Mistake, Rule
from drydock.study.exercises.looking import amount

MONTH_SECONDS = 730 * 3600
NAMESPACE, ACCOUNT = "night", "loader"


# 4.1
def _no_pair(answer: Any, lab: Lab | None) -> str | None:
    pair = isinstance(answer, list) and len(answer) == 2
    if not pair or not all(isinstance(one, dict) for one in answer):
        return "give a list of two dictionaries: resources of the program, then of the helper"
    return None


def _not_guaranteed(answer: Any, lab: Lab) -> str | None:
    found = looking.qos_class(lab, answer)
    return None if found == "Guaranteed" else f"the API server makes it {found}"


# 4.2
def _no_spec(answer: Any, lab: Lab | None) -> str | None:
    if not isinstance(answer, dict) or "template" in answer:
        return "give a dictionary of fields of a Job's spec, without its template"
    return None


def _not_at_once(answer: Any, lab: Lab) -> str | None:
    made, reason = looking.pods_of(lab, answer, 3)
    return None if made == 1 else f"exit code 3 has made {made} pods ({reason})"


def _not_three_times(answer: Any, lab: Lab) -> str | None:
    made, reason = looking.pods_of(lab, answer, 1)
    return None if made == 3 else f"exit code 1 has made {made} pods ({reason})"


# 4.3
def _draw_load(chance: random.Random) -> tuple[int, int, int]:
    """Replicas, use in percent and target; far from the tolerance and from whole results."""
    while True:
        replicas, use = chance.randrange(3, 9), chance.randrange(20, 200)
        target = chance.choice((50, 60, 70, 80))
        exact = replicas * use / target
        if abs(use / target - 1) > 0.2 and 0.15 < exact % 1 < 0.45 and exact > 1:
            return replicas, use, target


def _learners(exercise: str, draw) -> Any:
    return draw(random.Random(f"{progress.learner()}/{exercise}"))


def _wanted() -> int:
    replicas, use, target = _learners("4.3", _draw_load)
    return hpa.resource_replicas([hpa.Pod(usage=use, request=100)] * replicas, replicas, target)


def _rounded(lab: Lab) -> int:
    replicas, use, target = _learners("4.3", _draw_load)
    return round(replicas * use / target)


def _upside_down(lab: Lab) -> int:
    replicas, use, target = _learners("4.3", _draw_load)
    return math.ceil(replicas * target / use)


def _no_number(answer: Any, lab: Lab | None) -> str | None:
    return None if isinstance(answer, int) and answer > 0 else "give a whole number of pods"


def _other_number(answer: Any, lab: Lab | None) -> str | None:
    return None if answer == _wanted() else f"the autoscaler would not ask for {answer}"


# 4.4
def _draw_pods(chance: random.Random) -> tuple[int, int, int]:
    """Pods, thousandths of a core and MiB, whose size grows by the 256 MiB of EKS."""
    return chance.randrange(3, 12), *chance.choice(((250, 1024), (500, 2048), (1000, 4096)))


def _month_of_pods(overhead: bool = True, cluster: bool = True) -> Decimal:
    count, cpu, memory = _learners("4.4", _draw_pods)
    size = fargate_size([Container(cpu, memory)])
    if not overhead:
        size = fargate.smallest_size(Decimal(cpu) / 1000, Decimal(memory) / 1024, "EKS")
    pods = fargate.task_cost(MONTH_SECONDS, size.vcpu, size.memory_gb, tasks=count, rate="hour")
    return pods.total() + (clusters.eks(730).total() if cluster else 0)


# 4.5
def _no_policy(answer: Any, lab: Lab | None) -> str | None:
    if not isinstance(answer, dict) or "Statement" not in answer:
        return "give a trust policy: a dictionary with Version and Statement"
    return None


def _not_the_one(answer: Any, lab: Lab) -> str | None:
    if looking.gets_the_role(lab, answer, NAMESPACE, ACCOUNT):
        return None
    return f"STS refuses the service account {ACCOUNT} of the namespace {NAMESPACE}"


def _others_too(answer: Any, lab: Lab) -> str | None:
    for namespace, account in ((NAMESPACE, "default"), ("default", ACCOUNT), ("day", "other")):
        if looking.gets_the_role(lab, answer, namespace, account):
            return f"the service account {account} of the namespace {namespace} gets it too"
    return None


def _trusting(**conditions: dict[str, str]):
    return lambda lab: looking.trust(lab, **conditions)


SMALL = {"cpu": "500m", "memory": "256Mi"}
EXERCISES = (
    Exercise(
        id="4.1",
        title="Nobody evicts this pod",
        skills=("1.2.1", "1.2.7"),
        hints=(
            "The class is the pod's, and every container has its say.",
            "Guaranteed: each container has limits of CPU and memory, and its requests equal "
            "them. A limit without a request is the request.",
            "[{'limits': {'cpu': '500m', 'memory': '256Mi'}}] * 2",
        ),
        rules=(
            Rule("two containers' resources", _no_pair),
            Rule("the API server makes it Guaranteed", _not_guaranteed),
        ),
        mistakes=(
            Mistake(
                "the helper has nothing",
                [{"limits": SMALL}, {}],
                "the API server makes it Guaranteed",
            ),
            Mistake(
                "requests only",
                [{"requests": SMALL}, {"requests": SMALL}],
                "the API server makes it Guaranteed",
            ),
            Mistake("one container", [{"limits": SMALL}], "two containers' resources"),
            Mistake(
                "more requested than allowed",
                [{"limits": SMALL, "requests": {"cpu": "1"}}, {"limits": SMALL}],
                "the API server makes it Guaranteed",
            ),
        ),
    ),
    Exercise(
        id="4.2",
        title="Try again, but not this",
        skills=("1.2.7", "1.3.2", "1.2.4"),
        hints=(
            "Two questions: how often is tried again, and what is not worth a second try?",
            "backoffLimit counts the tries after the first. podFailurePolicy looks at exit codes "
            "before backoffLimit is asked.",
            "{'backoffLimit': 2, 'podFailurePolicy': {'rules': [{'action': 'FailJob', "
            "'onExitCodes': {'operator': 'In', 'values': [3]}}]}}",
        ),
        rules=(
            Rule("fields of a Job's spec", _no_spec),
            Rule("exit code 3 ends it with one pod", _not_at_once),
            Rule("exit code 1 is tried three times", _not_three_times),
        ),
        mistakes=(
            Mistake(
                "no second try at all", {"backoffLimit": 0}, "exit code 1 is tried three times"
            ),
            Mistake("no difference", {"backoffLimit": 2}, "exit code 3 ends it with one pod"),
            Mistake(
                "one try too many",
                {
                    "backoffLimit": 3,
                    "podFailurePolicy": {
                        "rules": [
                            {
                                "action": "FailJob",
                                "onExitCodes": {"operator": "In", "values": [3]},
                            }
                        ]
                    },
                },
                "exit code 1 is tried three times",
            ),
        ),
    ),
    Exercise(
        id="4.3",
        title="How many pods?",
        skills=("1.2.1", "1.2.4"),
        hints=(
            "The formula of 4.9 has three numbers in it, and one rounding.",
            "Replicas now, times use, divided by target; rounded up, because less would not do.",
            "hpa.resource_replicas([hpa.Pod(usage=use, request=100)] * replicas, replicas, target)",
        ),
        rules=(
            Rule("a number of pods", _no_number),
            Rule("as many as the autoscaler asks for", _other_number),
        ),
        mistakes=(
            Mistake(
                "rounded to the nearest",
                fails="as many as the autoscaler asks for",
                made=_rounded,
            ),
            Mistake(
                "upside down",
                fails="as many as the autoscaler asks for",
                made=_upside_down,
            ),
            Mistake("in words", "some more", "a number of pods"),
        ),
        draw=_draw_load,
    ),
    Exercise(
        id="4.4",
        title="A month on Fargate profiles",
        skills=("1.2.4", "3.2.5"),
        hints=(
            "Three parts: what each pod gets, what that costs, and what the cluster costs.",
            "256 MB are added before rounding, so a pod of exactly 2 GB gets the next size. The "
            "control plane runs for 730 hours.",
            "size = pod_model.fargate_size([pod_model.Container(cpu, memory)]); "
            "fargate.task_cost(730 * 3600, size.vcpu, size.memory_gb, tasks=count, rate='hour') "
            "and clusters.eks(730): the totals of both together.",
        ),
        rules=amount(
            _month_of_pods,
            "the size that EKS provides, and the control plane",
            "each pod gets 256 MB more, rounded up to a size, and the cluster is billed too",
        ),
        mistakes=(
            Mistake(
                "as on ECS",
                fails="the size that EKS provides, and the control plane",
                made=lambda lab: _month_of_pods(overhead=False),
            ),
            Mistake(
                "no control plane",
                fails="the size that EKS provides, and the control plane",
                made=lambda lab: _month_of_pods(cluster=False),
            ),
            Mistake("in words", "about a hundred", "an amount in US dollars"),
        ),
        draw=_draw_pods,
    ),
    Exercise(
        id="4.5",
        title="One account, and no other",
        skills=("4.1.2", "4.2.6"),
        hints=(
            "Whom does the role of 4.11 name, and where?",
            "The claim sub of a service account's token is "
            "system:serviceaccount:NAMESPACE:NAME. Compare it with StringEquals.",
            "The policy of web_identity_role in 4.11 with "
            "'system:serviceaccount:night:loader' under the key f'{issuer}:sub'.",
        ),
        rules=(
            Rule("a trust policy", _no_policy),
            Rule("the account loader of night gets the role", _not_the_one),
            Rule("no other account does", _others_too),
        ),
        mistakes=(
            Mistake("no condition", fails="no other account does", made=_trusting()),
            Mistake(
                "every account of the namespace",
                fails="no other account does",
                made=_trusting(StringLike={"sub": "system:serviceaccount:night:*"}),
            ),
            Mistake(
                "the audience only",
                fails="no other account does",
                made=_trusting(StringEquals={"aud": "sts.amazonaws.com"}),
            ),
            Mistake(
                "the wrong namespace",
                fails="the account loader of night gets the role",
                made=_trusting(StringEquals={"sub": "system:serviceaccount:default:loader"}),
            ),
        ),
    ),
)
