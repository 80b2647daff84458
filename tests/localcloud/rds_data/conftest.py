"""An Aurora cluster that all tests of the Data API share, and its Data API."""

import pytest
from data_api import Lake, create_lake


@pytest.fixture(scope="session")
def lake(cloud) -> Lake:
    """Available, with the HTTP endpoint enabled; its secret is the master user's."""
    return create_lake(cloud, "lake")
