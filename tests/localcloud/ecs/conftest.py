"""One local cloud for all tests of this folder: they use their own families and services."""

import pytest
from ecs_lab import Lab, serving


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ecs")
    with serving(folder / "home") as ecs:
        yield Lab(ecs, folder).set_up()
