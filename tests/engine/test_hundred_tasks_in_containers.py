"""A hundred tasks in containers: a task, the engine and the server are killed."""

import pytest
from hundred_tasks import survive
from live import temporary_home


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_killed_task_engine_and_server_lose_and_double_nothing(cloud_of_kind, engine):
    def kill_the_engine() -> None:
        engine.kill()
        engine.start()

    with temporary_home() as home, cloud_of_kind(home, "container"):
        survive(home, kill_the_engine)
    with engine.client() as client:
        assert client.containers.list(all=True) == []
