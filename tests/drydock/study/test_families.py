"""Generated questions: the same seed gives the same question, and the model gives the answer."""

import re

import pytest

from drydock.errors import WrongInput
from drydock.model import databases, fargate, functions, glue, queueing
from drydock.model.scaling import capacity, ecs
from drydock.study import families, questions

SEEDS = range(40)
ALL = [(name, seed) for name in families.names() for seed in (0, 1, 2, 5, 11, 99)]


def right(one):
    return next(option.text for option in one.options if option.correct)


def numbers(text):
    return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def test_there_are_at_least_15_families_of_known_skills():
    assert len(families.names()) >= 15
    for one in families.FAMILIES.values():
        assert set(one.skills) <= set(questions.guide()["skills"])
        assert one.source.startswith("https://")


@pytest.mark.parametrize(("name", "seed"), ALL)
def test_a_question_is_fit_to_be_asked(name, seed):
    one = families.generate(name, seed)
    assert one == families.generate(name, seed) == families.by_id(one.id)
    assert sum(option.correct for option in one.options) == 1
    assert len({option.text for option in one.options}) == len(one.options) == 4
    assert len(one.stem.split()) <= 90
    assert all(len(option.why) >= 15 for option in one.options) and one.solution
    assert one.is_right(one.answer)


@pytest.mark.parametrize(("name", "seed"), ALL)
def test_numbers_can_be_read(name, seed):
    one = families.generate(name, seed)
    text = " ".join((one.stem, one.solution, *(option.text for option in one.options)))
    assert not re.search(r"\d{9,}|E[-+]\d|Decimal|0{6,}\d", text.replace("0.0000", "0."))


@pytest.mark.parametrize("name", families.names())
def test_seeds_vary_the_question_and_the_place_of_the_answer(name):
    made = [families.generate(name, seed) for seed in SEEDS]
    assert len({one.stem for one in made}) >= 6
    assert {one.answer[0] for one in made} == set("abcd")


@pytest.mark.parametrize("seed", SEEDS)
def test_fargate_run_cost_is_the_model_s(seed):
    one = families.generate("fargate-run-cost", seed)
    tasks, vcpu, gb, minutes, days = numbers(one.stem.replace("X86_64", ""))[:5]
    bill = fargate.task_cost(int(minutes * 60), vcpu, gb, tasks=int(tasks * days))
    assert right(one) == f"{bill.total('total'):,} USD"


@pytest.mark.parametrize("seed", SEEDS)
def test_no_smaller_fargate_size_holds_the_program(seed):
    one = families.generate("fargate-smallest-size", seed)
    vcpu, gb = numbers(one.stem)[:2]
    valid = [size for size in fargate.sizes() if size.vcpu >= vcpu and size.memory_gb >= gb]
    assert right(one) == str(min(valid))


@pytest.mark.parametrize("seed", SEEDS)
def test_spot_split_is_the_model_s(seed):
    one = families.generate("spot-split", seed)
    tasks, base, weight, spot = map(int, numbers(one.stem))
    split = capacity.strategy(tasks, {"FARGATE": (base, weight), "FARGATE_SPOT": (0, spot)})
    assert numbers(right(one)) == list(split.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_circuit_breaker_is_the_model_s(seed):
    one = families.generate("circuit-breaker", seed)
    (desired,) = map(int, numbers(one.stem))
    assert numbers(right(one)) == [ecs.circuit_breaker_threshold(desired)]


@pytest.mark.parametrize("seed", SEEDS)
def test_lambda_and_glue_cost_are_the_model_s(seed):
    one = families.generate("lambda-cost", seed)
    requests, milliseconds, memory = numbers(one.stem.replace("X86_64", ""))[:3]
    bill = functions.on_demand(int(requests), int(milliseconds), int(memory))
    assert right(one) == f"{bill.total('total'):,} USD"
    one = families.generate("glue-run-cost", seed)
    kind = re.search(r"G\.\dX", one.stem)[0]
    _, workers, minutes = numbers(one.stem.replace(kind, ""))[:3]
    bill = glue.spark_job(int(minutes * 60), int(workers), worker_type=kind)
    assert right(one) == f"{bill.total('total'):,} USD"


@pytest.mark.parametrize("seed", SEEDS)
def test_pool_and_queue_answers_hold_and_one_more_or_less_does_not(seed):
    one = families.generate("pool-tasks", seed)
    pool, most, spare = map(int, numbers(one.stem))
    (tasks,) = map(int, numbers(right(one)))
    assert tasks * pool <= most - spare < (tasks + 1) * pool
    assert most in {databases.max_connections(name) for name in ("db.t4g.micro", "db.t4g.small",
                    "db.t4g.medium", "db.t4g.large")}  # fmt: skip
    one = families.generate("workers-for-wait", seed)
    rate, service, _, wait = numbers(one.stem)[:4]
    (workers,) = map(int, numbers(right(one)))
    assert queueing.Queue(rate, service, workers).wait_at(0.95) <= wait / 1000
    fewer = workers - 1
    assert (
        fewer <= rate * service or queueing.Queue(rate, service, fewer).wait_at(0.95) > wait / 1e3
    )


@pytest.mark.parametrize("question_id", ["", "nothing:1", "amdahl", "amdahl:x", "amdahl:-1"])
def test_an_unknown_id_is_refused_in_one_line(question_id):
    with pytest.raises(WrongInput, match="family:seed"):
        families.by_id(question_id)


def test_an_unknown_family_names_near_ones():
    with pytest.raises(ValueError, match="fargate-run-cost"):
        families.generate("fargate-runcost", 1)


def test_names_by_skill():
    assert "jdbc-partition" in families.names("1.2.2")
    assert "jdbc-partition" not in families.names("1.2.4")
