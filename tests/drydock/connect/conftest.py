"""One database for the tests of drydock.connect."""

from collections.abc import Iterator

import pytest
from database import Database, serving


@pytest.fixture(scope="session")
def database(tmp_path_factory) -> Iterator[Database]:
    with serving(tmp_path_factory.mktemp("connect")) as running:
        yield running
