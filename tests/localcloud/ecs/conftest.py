"""One local cloud for all tests of this folder: they use their own families and services."""

import re

import pytest
from ec2_fleet import Fleet
from ecs_lab import Lab, serving


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ecs")
    with serving(folder / "home") as ecs:
        yield Lab(ecs, folder).set_up()


@pytest.fixture
def fleet(lab, request):
    """A cluster of this test's own, without machines; its tasks are stopped after the test."""
    made = Fleet(lab, re.sub(r"[^A-Za-z0-9]+", "-", request.node.name))
    yield made
    made.stop_all()
