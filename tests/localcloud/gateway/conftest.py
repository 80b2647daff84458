"""HTTP APIs in front of programs that really run."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "elb"))

from http_apis import Apis


@pytest.fixture
def apis(cloud):
    made = Apis(cloud)
    yield made
    made.remove()
