"""Requests generated from AWS's own models: every one is answered, and the lab is whole after.

A run for a test is small and always the same. `make fuzz` sends ten thousand, others each time:
FUZZ_REQUESTS says how many in all, FUZZ_SEED which.
"""

import os

import pytest
from fuzzed_lab import SERVICES, Lab
from generated_requests import Request, requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from live import client, temporary_home, wait_for

from drydock import cloud

IN_A_TEST = 320
TOTAL = int(os.environ.get("FUZZ_REQUESTS", IN_A_TEST))
SEED = int(os.environ.get("FUZZ_SEED", "9"))
SWEPT_EVERY = 100
ANSWERED_WELL = 0.03  # of all: so many do what they ask, or the run proves little


@pytest.fixture(scope="module")
def home():
    with temporary_home() as folder:
        yield folder


@pytest.fixture(scope="module")
def lab(home) -> Lab:
    return Lab(cloud.start(home, port=0))


@pytest.mark.slow
@pytest.mark.timeout(60 + TOTAL)
@pytest.mark.parametrize("service", SERVICES)
def test_every_request_is_answered(lab, service):
    sent = 0

    @seed(SEED)
    @settings(
        max_examples=TOTAL // len(SERVICES),
        database=None,
        deadline=None,
        phases=[Phase.generate],  # the first failure is as good as a small one, and says its log
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(service, lab.known))
    def send(request: Request) -> None:
        nonlocal sent
        lab.send(service, request)
        sent += 1
        if sent % SWEPT_EVERY == 0:
            lab.sweep()

    send()
    lab.sweep()
    lab.check(service)


@pytest.mark.slow
def test_the_lab_is_whole_after(lab, home):
    lab.check_log()
    done = sum(count for (_, _, status), count in lab.answers.items() if status < 300)
    assert done >= ANSWERED_WELL * lab.answers.total()
    cloud.stop(home)
    again = cloud.start(home, port=0)
    wait_for(lambda: client(again, "sts").get_caller_identity(), "an answer")
    lab.moved(again)
    for service in SERVICES:
        lab.check(service)
    lab.check_log()
