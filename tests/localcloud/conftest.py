"""The local cloud that the tests of its own parts share."""

import pytest
from live import shared_cloud


@pytest.fixture(scope="session")
def cloud():
    """A local cloud that only the tests of this folder use: they count what is in it."""
    with shared_cloud() as info:
        yield info
