import itertools

import pytest
from live import client

counter = itertools.count(1)


@pytest.fixture(scope="session")
def ecr(cloud):
    return client(cloud, "ecr")


@pytest.fixture
def repository(ecr):
    """An empty repository of the test's own."""
    name = f"test/r{next(counter)}"
    ecr.create_repository(repositoryName=name)
    return name


@pytest.fixture
def refused(ecr):
    """Call an operation of ECR that fails: ``refused(code, operation, ...)`` answers its words."""

    def call(code, operation, **parameters):
        with pytest.raises(ecr.exceptions.ClientError) as caught:
            getattr(ecr, operation)(**parameters)
        error = caught.value.response
        assert error["Error"]["Code"] == code, error
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
        return error["Error"]["Message"]

    return call
