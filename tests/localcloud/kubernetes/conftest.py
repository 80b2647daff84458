"""One EKS cluster for all tests of this folder: they use their own names."""

import pytest
from eks_lab import Lab


@pytest.fixture(scope="session")
def lab(cloud, tmp_path_factory):
    return Lab("tests", tmp_path_factory.mktemp("eks"))
