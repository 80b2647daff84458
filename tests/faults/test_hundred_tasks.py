"""A hundred tasks as processes, of which one is killed, and then the server."""

import pytest
from hundred_tasks import survive
from live import temporary_home


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_task_and_a_killed_server_lose_and_double_nothing(monkeypatch):
    with temporary_home() as home:
        monkeypatch.setenv("DRYDOCK_HOME", str(home))
        monkeypatch.setenv("DRYDOCK_PORT", "0")
        survive(home)
