"""What rules look at: tasks on the cloud, and amounts of money."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from drydock.errors import WrongInput
from drydock.lab import Lab
from drydock.study.exercises.exercise import Rule

CENT_OF_A_CENT = Decimal("0.0001")


def task(answer: Any, lab: Lab, cluster: str) -> dict:
    """Return the stopped task with this ARN. WrongInput if there is none, or it still runs."""
    if not isinstance(answer, str) or ":task/" not in answer:
        raise WrongInput(f"give the ARN of a task, not {answer!r}")
    found = lab.client("ecs").describe_tasks(cluster=cluster, tasks=[answer])["tasks"]
    if not found:
        raise WrongInput(f"the cluster {cluster} knows no such task")
    if found[0]["lastStatus"] != "STOPPED":
        raise WrongInput(f"the task is {found[0]['lastStatus']}: wait until it is STOPPED")
    return found[0]


def stopped(cluster: str) -> Rule:
    """The rule that the answer is the ARN of a task of this cluster that has stopped."""

    def broken(answer: Any, lab: Lab | None) -> str | None:
        task(answer, lab, cluster)
        return None

    return Rule("a task that has stopped", broken)


def amount(right: Callable[[], Decimal], name: str, why: str) -> tuple[Rule, Rule]:
    """The rules that the answer is money, and the right amount to a hundredth of a cent."""

    def of(answer: Any) -> Decimal:
        try:
            return Decimal(str(answer))
        except InvalidOperation:
            raise WrongInput(f"give an amount in US dollars, not {answer!r}") from None

    def is_money(answer: Any, _: Lab | None) -> str | None:
        return None if of(answer) >= 0 else "an amount is not below 0"

    def is_right(answer: Any, _: Lab | None) -> str | None:
        return None if abs(of(answer) - right()) <= CENT_OF_A_CENT else why

    return Rule("an amount in US dollars", is_money), Rule(name, is_right)
