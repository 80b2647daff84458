"""A load balancer in front of programs that really run."""

import sys
from pathlib import Path

import pytest
from balancers import Balancers

sys.path.append(str(Path(__file__).parents[1] / "ecs"))

from ecs_lab import Lab


@pytest.fixture(scope="session")
def lab(cloud, tmp_path_factory):
    return Lab(cloud, tmp_path_factory.mktemp("lab")).set_up()


@pytest.fixture
def elb(cloud, request):
    """What a test needs of elbv2, removed after it."""
    made = Balancers(cloud)
    yield made
    made.remove()
