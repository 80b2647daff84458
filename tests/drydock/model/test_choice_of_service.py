"""Which ways a job has: what rules one out always does, and what cannot matter never does."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.model import choice_bills, clusters, ec2, emr, fargate, functions, glue
from drydock.model.choice import (
    LANGUAGES,
    SKILLS,
    Job,
    runs_until_cheaper,
    suggested,
    verdict,
    verdicts,
    ways,
)

JOBS = st.builds(
    Job,
    vcpu=st.sampled_from([0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 200]),
    memory_gb=st.sampled_from([0.5, 1, 2, 8, 10, 16, 30, 100, 120, 244, 300, 2000]),
    seconds=st.integers(1, 2_000_000),
    runs=st.integers(2000, 10_000),
    gpus=st.integers(0, 9),
    language=st.sampled_from(LANGUAGES),
    own_image=st.booleans(),
    spark=st.booleans(),
    at_once=st.integers(1, 2000),
    skills=st.sets(st.sampled_from(SKILLS)).map(tuple),
)
HARDER = {
    "seconds": lambda job: job.seconds * 3,
    "vcpu": lambda job: job.vcpu * 2,
    "memory_gb": lambda job: job.memory_gb * 2,
    "gpus": lambda job: job.gpus + 1,
    "own_image": lambda job: True,
    "at_once": lambda job: min(job.at_once * 2, job.runs),
}


def possible(job):
    return {one.way for one in verdicts(job) if one.possible}


@given(JOBS)
def test_every_way_has_a_verdict_and_only_a_possible_one_has_a_price(job):
    found = verdicts(job)
    assert sorted(one.way for one in found) == sorted(ways())
    for one in found:
        assert one.possible == (one.month is not None) == (not one.against)
        assert one.source.startswith("https://")
    prices = [one.month for one in found if one.possible]
    assert prices == sorted(prices) and all(one > 0 for one in prices)
    assert found[: len(prices)] == [one for one in found if one.possible]


@given(JOBS, st.sampled_from(sorted(HARDER)))
def test_asking_for_more_never_makes_a_way_possible(job, need):
    assert possible(replace(job, **{need: HARDER[need](job)})) <= possible(job)


@given(JOBS, st.sampled_from(["seconds", "runs"]))
def test_more_work_never_costs_less(job, need):
    more = replace(job, **{need: getattr(job, need) * 2})
    for one in verdicts(more):
        if one.possible:
            assert verdict(job, one.way).month <= one.month


@given(JOBS)
def test_skills_change_what_is_to_learn_and_nothing_else(job):
    for one in verdicts(replace(job, skills=SKILLS)):
        assert one.learn == ()
        other = verdict(replace(job, skills=()), one.way)
        assert (other.month, other.against) == (one.month, one.against)
        assert set(other.learn) == set(ways()[one.way]["skills"])


@given(JOBS)
def test_what_is_suggested_is_possible_and_nothing_asks_for_less_at_a_lower_price(job):
    best = suggested(job)
    if best is None:
        assert possible(job) == set()
        return
    assert best.way in possible(job)
    for one in verdicts(job):
        if one.possible:
            assert len(one.learn) > len(best.learn) or (
                len(one.learn) == len(best.learn) and one.month >= best.month
            )


@pytest.mark.parametrize(
    ("needs", "way", "why"),
    [
        ({"seconds": 901}, "Lambda", "900 s"),
        ({"memory_gb": 10.01}, "Lambda", "10,240 at most"),
        ({"vcpu": 6}, "Lambda", "10,240 at most"),
        ({"runs": 1001, "at_once": 1001}, "Lambda", "1,000 run at once"),
        ({"gpus": 1}, "ECS on Fargate", "no GPU"),
        ({"gpus": 1}, "EMR Serverless", "no GPU"),
        ({"gpus": 9}, "EKS on EC2", "9 GPUs free"),
        ({"vcpu": 33}, "ECS on Fargate", "32 vCPU / 244 GB at most"),
        ({"vcpu": 17}, "EKS on Fargate", "16 vCPU / 120 GB at most"),
        ({"memory_gb": 119.9}, "EKS on Fargate", "16 vCPU / 120 GB at most"),
        ({"vcpu": 17}, "AWS Batch on Fargate", "16 vCPU and 120 GB"),
        ({"seconds": 14 * 86400 + 1}, "AWS Batch on Fargate", "1,209,600 s"),
        ({"language": "Rust"}, "Glue Spark", "not Rust"),
        ({"own_image": True}, "Glue Python shell", "no container image"),
        ({"memory_gb": 17}, "Glue Python shell", "at most 1 DPU"),
        ({"memory_gb": 257}, "Glue Spark", "G.16X"),
        ({"spark": True}, "ECS on EC2", "one machine"),
        ({}, "EMR Serverless", "this is none"),
    ],
)
def test_a_limit_rules_out_and_the_job_just_below_it_may_run(needs, way, why):
    against = verdict(Job(**{"runs": 2000, **needs}), way).against
    assert any(why in one for one in against), against
    below = {
        name: {bool: lambda _: False, str: lambda _: "Python"}.get(type(value), lambda v: v - 1)(
            value
        )
        for name, value in needs.items()
        if name != "at_once"
    }
    below["spark"] = way.startswith("EMR")
    assert verdict(Job(**{"runs": 2000, **below}), way).possible


def test_what_a_run_costs_is_the_service_models_own_bill():
    job = Job(vcpu=1, memory_gb=2, seconds=90, runs=10)
    task = fargate.run_cost([90], 1, 2, rate="hour").total()
    assert verdict(job, "ECS on Fargate").month == 10 * task
    pod = fargate.run_cost([90], 1, 3, rate="hour").total()
    assert verdict(job, "EKS on Fargate").month == 10 * pod + clusters.eks(730).total()
    call = functions.on_demand(1, 90_000, 2048).total()
    assert verdict(job, "Lambda").month == 10 * call
    least = glue.spark_job(90, 2, worker_type="G.025X").total()
    assert verdict(job, "Glue Spark").month == 10 * least


def test_a_spark_job_has_a_driver_and_executors_of_one_dpu_each():
    job = Job(vcpu=8, memory_gb=40, seconds=600, runs=1, spark=True)
    assert verdict(job, "Glue Spark").month == glue.spark_job(600, 4).total()
    serverless = emr.serverless(600, vcpu=4, memory_gb=16, workers=4).total()
    assert verdict(job, "EMR Serverless").month == serverless
    name, count = choice_bills.cheapest_machines(4, 4, 16, 0, kubernetes=True)
    fee = emr.on_eks(600, vcpu=4, memory_gb=16, pods=4).total()
    machines = ec2.on_demand(name, 600, instances=count).total()
    assert verdict(job, "EMR on EKS").month == fee + machines + clusters.eks(730).total()


def test_machines_hold_what_they_are_chosen_for_and_no_cheaper_ones_do():
    name, count = choice_bills.cheapest_machines(3, 2, 4, 1, kubernetes=False)
    kind = ec2.instance_type(name)
    assert (name, count) == ("g4dn.xlarge", 3) and kind.gpu
    assert choice_bills.cheapest_machines(1, 2, 4, 0, kubernetes=False) == ("t3.large", 1)
    # A node keeps a part of its two cores for Kubernetes: a pod that wants both needs the next.
    assert choice_bills.cheapest_machines(1, 2, 4, 0, kubernetes=True) == ("t3.xlarge", 1)
    with pytest.raises(choice_bills.TooLarge, match="no machine in the price list"):
        choice_bills.cheapest_machines(1, 500, 4, 0, kubernetes=False)


def test_a_day_without_runs_costs_a_control_plane_and_nothing_else():
    for one in verdicts(Job(runs=1)):
        if one.possible:
            waits = Decimal("73.00") if one.way.startswith("EKS") else 0
            assert one.idle.total() == waits


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"vcpu": 0}, "vcpu is 0"),
        ({"seconds": -1}, "seconds is -1"),
        ({"runs": 1.5}, "runs is 1.5"),
        ({"runs": 3, "at_once": 4}, "type 1 to 3"),
        ({"at_once": 0}, "at_once is 0"),
        ({"gpus": "many"}, "gpus is 'many'"),
        ({"language": "COBOL"}, "language 'COBOL'"),
        ({"skills": ("juggling",)}, "juggling"),
    ],
)
def test_what_no_job_can_be_is_refused_in_one_line(wrong, says):
    with pytest.raises(ValueError, match=says) as raised:
        Job(**wrong)
    assert "\n" not in str(raised.value)


@given(JOBS, st.permutations(["ECS on Fargate", "EKS on Fargate", "ECS on EC2", "Lambda"]))
def test_from_the_runs_that_are_named_on_it_is_cheaper_and_before_it_is_not(job, names):
    one, other = names[:2]
    if not {one, other} <= possible(job):
        with pytest.raises(ValueError, match="is ruled out"):
            runs_until_cheaper(job, one, other)
        return
    runs = runs_until_cheaper(job, one, other)

    def cheaper(count):
        changed = replace(job, runs=count, at_once=1)
        return verdict(changed, one).month < verdict(changed, other).month

    if runs is None:
        assert not cheaper(1) and not cheaper(10**9)
    else:
        assert cheaper(runs) and (runs == 1 or not cheaper(runs - 1))


def test_an_unknown_way_is_named():
    with pytest.raises(ValueError, match="no way is called 'Heroku'"):
        verdict(Job(), "Heroku")
