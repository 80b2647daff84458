"""One lab for all fault tests: each breaks it, reads one clear line, and finds it whole again."""

import json
from collections.abc import Callable, Iterator

import pytest
from commands import MONTHS, ROWS, Command
from live import processes_of, temporary_home

from drydock import cloud
from drydock.lab import Lab, open_lab


@pytest.fixture(scope="module")
def command() -> Iterator[Command]:
    with temporary_home() as home:
        yield Command(home)
        cloud.stop(home)
        assert processes_of(home) == []


@pytest.fixture
def lab(command: Command, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("DRYDOCK_HOME", str(command.home))
    monkeypatch.setenv("DRYDOCK_PORT", "0")
    return open_lab()


@pytest.fixture
def whole_again(command: Command) -> Callable[[], dict]:
    """Run the pipeline once more and assert that nothing is lost and nothing doubled."""

    def check() -> dict:
        months = [word for month in MONTHS for word in ("--month", month)]
        run = command.run("--json", *months)
        assert run.code == 0, run
        report = json.loads(run.out)
        assert report["problems"] == []
        assert report["rows"] == {"read": ROWS, "curated": ROWS, "quarantined": 0}
        assert [task["exit_code"] for task in report["tasks"]] == [0, 0, 0]
        return report

    return check
