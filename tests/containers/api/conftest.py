"""A bucket, and the API's parts on top of it."""

import sys
import uuid
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

# The programs of the images are no part of the installed package.
CONTAINERS = Path(__file__).parents[3] / "lib" / "containers"
sys.path[:0] = [str(CONTAINERS / "api"), str(CONTAINERS / "etl")]
sys.path.append(str(Path(__file__).parents[1] / "etl"))  # for its PostgreSQL server

from api.app import create_app  # noqa: E402
from api.manifests import Lake  # noqa: E402
from api.refresh import Refresher  # noqa: E402
from api.store import Store  # noqa: E402
from api_support import Bucket, Caller  # noqa: E402


@pytest.fixture(scope="session")
def s3_endpoint():
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(scope="session")
def s3(s3_endpoint):
    return boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture
def bucket(s3):
    return Bucket(s3, f"lake-{uuid.uuid4()}")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "flights.duckdb")
    yield store
    store.close()


@pytest.fixture
def refresher(bucket, store, tmp_path):
    """Not started: tests call `refresh` when they want to."""
    return Refresher(Lake(bucket.s3, bucket.name, tmp_path / "cache"), store)


@pytest.fixture
def client(refresher, store):
    """Calls the application in this process, without its life cycle."""
    return Caller(create_app(store, refresher))
