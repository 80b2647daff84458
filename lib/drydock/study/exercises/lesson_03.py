"""Exercises of lesson 3, launching on ECS."""

import copy
from decimal import Decimal

from drydock.lab import Lab
from drydock.model import fargate
from drydock.study.exercises import given, looking
from drydock.study.exercises.exercise import Exercise, Mistake, Rule

CLUSTER, FAMILY = "launch", "exercise-3-1"
# As describe_tasks returns them for the six tasks of section 3.5, shortened to what tells.
ENDINGS = (
    (("EssentialContainerExited", 0, ""), "worked"),
    (("EssentialContainerExited", 3, ""), "failed"),
    (
        (
            "EssentialContainerExited",
            137,
            "OutOfMemoryError: Container killed due to memory usage",
        ),
        "out of memory",
    ),
    (("UserInitiated", 143, ""), "stopped"),
    (("UserInitiated", 137, ""), "killed"),
    (("TaskFailedToStart", None, "CannotPullContainerError: … not found"), "never started"),
)
WORDS = tuple(word for _, word in ENDINGS)


def example(ending: tuple) -> dict:
    """Return a stopped task as describe_tasks shows it: stop code, exit code, reason."""
    code, exit_code, reason = ending
    container = {"name": "probe", "lastStatus": "STOPPED"}
    container |= {"reason": reason} if reason else {}
    container |= {} if exit_code is None else {"exitCode": exit_code}
    return {"lastStatus": "STOPPED", "stopCode": code, "containers": [container]}


def _is_definition(answer, _: Lab | None) -> str | None:
    if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
        return "give a list of two container definitions"
    names = sorted(str(one.get("name")) for one in answer)
    return None if names == ["helper", "probe"] else f"the containers are called {names}"


def _run(answer, lab: Lab) -> dict:
    """Register the containers as a task definition, run it to its end, and return the task."""
    ecs = lab.client("ecs")
    base = ecs.describe_task_definition(taskDefinition="probe")["taskDefinition"]
    ecs.register_task_definition(
        family=FAMILY,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=base["executionRoleArn"],
        containerDefinitions=answer,
    )
    started = ecs.run_task(
        cluster=CLUSTER,
        taskDefinition=FAMILY,
        launchType="FARGATE",
        networkConfiguration=lab.network(),
    )["tasks"][0]["taskArn"]
    ecs.get_waiter("tasks_stopped").wait(
        cluster=CLUSTER, tasks=[started], WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    return looking.task(started, lab, CLUSTER)


def _helper_first(answer, lab: Lab) -> str | None:
    [probe] = [one for one in answer if one["name"] == "probe"]
    waits = [one.get("containerName") for one in probe.get("dependsOn", ())]
    return None if waits == ["helper"] else "probe does not wait for helper"


def _both_ended(answer, lab: Lab) -> str | None:
    task = _run(answer, lab)
    if task["stopCode"] != "EssentialContainerExited":
        return f"{task['stopCode']}: {task['stoppedReason']}"
    codes = {one["name"]: one.get("exitCode") for one in task["containers"]}
    if codes["helper"] != 1:
        return f"helper ended with {codes['helper']}, not with 1"
    return None if codes["probe"] == 0 else f"probe ended with {codes['probe']}, not with 0"


def containers(image: str) -> list[dict]:
    """Return the two containers as they are handed out: wrong on purpose."""
    return [
        {"name": "helper", "image": image, "command": ["exit", "1"]},
        {"name": "probe", "image": image, "command": ["exit", "0"], "essential": True},
    ]


def _changed(helper: dict, probe: dict):
    def made(lab: Lab) -> list[dict]:
        found = lab.client("ecs").describe_task_definition(taskDefinition="probe")
        first, second = containers(found["taskDefinition"]["containerDefinitions"][0]["image"])
        return [first | helper, second | probe]

    return made


def _is_function(answer, _: Lab | None) -> str | None:
    return None if callable(answer) else "give a function of a task"


def _answers_in_words(answer, _: Lab | None) -> str | None:
    for ending, _word in ENDINGS:
        said = answer(copy.deepcopy(example(ending)))
        if said not in WORDS:
            return f"it says {said!r}: say one of {', '.join(WORDS)}"
    return None


def _tells_apart(answer, _: Lab | None) -> str | None:
    for ending, word in ENDINGS:
        said = answer(copy.deepcopy(example(ending)))
        if said != word:
            code = "no exit code" if ending[1] is None else f"exit code {ending[1]}"
            return f"for {ending[0]} with {code} it says {said!r}, not {word!r}"
    return None


def placed(strategy: list[dict], count: int) -> dict[str, int]:
    """Return how many of `count` tasks go to each provider: bases first, the rest by weight."""
    base = {one["capacityProvider"]: min(one.get("base", 0), count) for one in strategy}
    rest = count - sum(base.values())
    weights = {one["capacityProvider"]: one.get("weight", 0) for one in strategy}
    total = sum(weights.values())
    return {name: base[name] + round(rest * weights[name] / max(total, 1)) for name in base}


def _is_strategy(answer, _: Lab | None) -> str | None:
    fits = isinstance(answer, list) and all(isinstance(one, dict) for one in answer)
    names = sorted(one.get("capacityProvider", "") for one in answer) if fits else []
    return (
        None if names == ["FARGATE", "FARGATE_SPOT"] else "name FARGATE and FARGATE_SPOT, once each"
    )


def _one_base(answer, _: Lab | None) -> str | None:
    bases = [one for one in answer if one.get("base")]
    return "only one provider of a strategy may have a base" if len(bases) > 1 else None


def _as_asked(answer, _: Lab | None) -> str | None:
    least, spot, count = given("3.3")
    got = placed(answer, count)
    wanted = {"FARGATE": count - spot, "FARGATE_SPOT": spot}
    if got != wanted:
        return f"of {count} tasks {got['FARGATE']} run on FARGATE and {got['FARGATE_SPOT']} on Spot"
    few = placed(answer, least)["FARGATE"]
    return None if few == least else f"of the first {least} tasks only {few} are on FARGATE"


def _strategy(**fields) -> list[dict]:
    """A strategy from FARGATE's and FARGATE_SPOT's (base, weight)."""
    return [
        {"capacityProvider": name, "base": base, "weight": weight}
        for name, (base, weight) in fields.items()
    ]


def _share(luck) -> tuple[int, int, int]:
    least, part, ratio = luck.randrange(1, 5), luck.randrange(2, 6), luck.choice([2, 3])
    return least, part * ratio, least + part + part * ratio


def _waiting(seconds: int | None = None) -> Decimal:
    tasks, stop = given("3.4")
    return fargate.run_cost([stop if seconds is None else seconds] * tasks, 1, 2).total()


EXERCISES = (
    Exercise(
        "3.1",
        "A helper that fails, and does no harm",
        skills=("1.2.7", "1.2.1"),
        hints=(
            "Which of the two containers decides about the life of the task?",
            "`essential`, and `dependsOn` with a condition: START, COMPLETE, SUCCESS or HEALTHY.",
            'helper: "essential": False; probe: "dependsOn": [{"containerName": "helper", '
            '"condition": "COMPLETE"}]',
        ),
        rules=(
            Rule("two containers, helper and probe", _is_definition),
            Rule("probe waits for helper", _helper_first),
            Rule("helper ends with 1, probe with 0", _both_ended),
        ),
        mistakes=(
            Mistake(
                "waits for a success that never comes",
                made=_changed(
                    {"essential": False},
                    {"dependsOn": [{"containerName": "helper", "condition": "SUCCESS"}]},
                ),
                fails="helper ends with 1, probe with 0",
            ),
            Mistake(
                "does not wait",
                made=_changed({"essential": False}, {}),
                fails="probe waits for helper",
            ),
            Mistake(
                "gives one container", [{"name": "probe"}], fails="two containers, helper and probe"
            ),
        ),
    ),
    Exercise(
        "3.2",
        "How did it end?",
        skills=("1.2.7",),
        hints=(
            "137 alone does not say why.",
            "Look at stopCode first, then at the container's reason, then at exitCode.",
            "No exitCode: never started. OutOfMemoryError in reason: out of memory. UserInitiated: "
            "143 stopped, 137 killed. Else 0 worked, or failed.",
        ),
        rules=(
            Rule("a function", _is_function),
            Rule("it answers with one of the six words", _answers_in_words),
            Rule("it tells all six endings apart", _tells_apart),
        ),
        mistakes=(
            Mistake(
                "takes every 137 for memory",
                lambda task: {0: "worked", 137: "out of memory", 143: "stopped"}.get(
                    task["containers"][0].get("exitCode", "none"), "failed"
                ),
                fails="it tells all six endings apart",
            ),
            Mistake(
                "reads the exit code only",
                lambda task: task["containers"][0]["exitCode"],
                fails="it answers with one of the six words",
            ),
        ),
    ),
    Exercise(
        "3.3",
        "Some of it on Spot",
        skills=("1.2.4",),
        hints=(
            "`base` is served first; `weight` divides what is left.",
            "Take the base away from all tasks; how does the rest divide?",
            "FARGATE gets base and weight 1, FARGATE_SPOT the weight that the rest asks for.",
        ),
        rules=(
            Rule("a strategy of both providers", _is_strategy),
            Rule("one base at most", _one_base),
            Rule("as many on each as was asked for", _as_asked),
        ),
        mistakes=(
            Mistake(
                "gives the weights and no base",
                _strategy(FARGATE=(0, 1), FARGATE_SPOT=(0, 1)),
                fails="as many on each as was asked for",
            ),
            Mistake(
                "sets a base on both",
                _strategy(FARGATE=(1, 1), FARGATE_SPOT=(1, 2)),
                fails="one base at most",
            ),
        ),
        draw=_share,
    ),
    Exercise(
        "3.4",
        "The price of deafness",
        skills=("1.2.4", "1.2.7"),
        hints=(
            "A deployment stops every old task once; a deaf one lives on for its stopTimeout.",
            "`fargate.run_cost` takes the seconds of each task.",
            "fargate.run_cost([stop_timeout] * tasks, 1, 2).total()",
        ),
        rules=looking.amount(
            _waiting,
            "every task waits for its whole stopTimeout",
            "it is another amount; how long does each of the old tasks live on?",
        ),
        mistakes=(
            Mistake(
                "takes the default of 30 seconds",
                made=lambda _: _waiting(30) / 2,
                fails="every task waits for its whole stopTimeout",
            ),
            Mistake(
                "counts one task",
                made=lambda _: _waiting() / given("3.4")[0],
                fails="every task waits for its whole stopTimeout",
            ),
        ),
        draw=lambda luck: (luck.randrange(10, 60, 2), luck.choice([90, 100, 110, 120])),
    ),
)
