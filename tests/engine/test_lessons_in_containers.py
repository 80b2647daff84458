"""Lessons whose tasks run in containers: every stored output is the same."""

import pytest

from drydock import notebooks


@pytest.mark.slow
@pytest.mark.parametrize("lesson", ["02_build", "03_launch_ecs"])
def test_a_lesson_prints_the_same_in_containers(lesson, surroundings):
    surroundings.setenv("DRYDOCK_RUNTIME", "container")
    with notebooks.fresh_lab() as variables:
        path = notebooks.FOLDER / f"{lesson}.ipynb"
        assert notebooks.prove([path], variables, quiet=True) == 0
