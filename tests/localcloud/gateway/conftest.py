"""HTTP APIs in front of programs that really run."""

import sys
from pathlib import Path

import pytest

TESTS, LIB = Path(__file__).parents[2], Path(__file__).parents[3] / "lib"
for folder in (
    TESTS / "localcloud" / "elb",
    TESTS / "localcloud" / "ecs",
    TESTS / "localcloud" / "rds_data",
    TESTS / "containers" / "api",
    LIB / "containers" / "etl",
):
    sys.path.append(str(folder))

from ecs_lab import Lab  # noqa: E402
from http_apis import Apis  # noqa: E402


@pytest.fixture(scope="session")
def lab(cloud, tmp_path_factory):
    return Lab(cloud, tmp_path_factory.mktemp("served")).set_up()


@pytest.fixture
def apis(cloud):
    made = Apis(cloud)
    yield made
    made.remove()
