"""Functions that really run."""

import pytest
from functions_lab import FunctionsLab


@pytest.fixture(scope="module")
def functions(cloud):
    lab = FunctionsLab(cloud)
    yield lab
    lab.remove()
