"""After a workshop: what is left is named, and the exit code says so."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from drydock.cli import main
from drydock.workshop import seats, survivors


@pytest.fixture(autouse=True)
def no_seats(monkeypatch):
    monkeypatch.setattr(seats, "taken", list)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DRYDOCK_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "state").mkdir(parents=True)
    (tmp_path / "home" / "state" / "x").write_text("x")
    (tmp_path / "home" / "study").mkdir()
    return tmp_path / "home"


def test_what_the_cloud_kept_goes_and_the_learners_own_stays(home):
    assert any("state" in line for line in survivors.survivors(home))
    done = CliRunner().invoke(main, ["clean-up", "--yes"])
    assert (done.exit_code, done.output) == (0, "clean: nothing survives\n")
    assert (home / "study").is_dir() and not (home / "state").exists()


def test_a_process_that_survives_is_listed_and_the_command_fails(home):
    code = "import time; time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code, str(home / "rds")]) as left:
        try:
            done = CliRunner().invoke(main, ["clean-up", "--yes"])
        finally:
            left.kill()
    assert done.exit_code == 1
    assert f"process {left.pid}: " in done.output and "1 left" in done.output


def test_an_account_that_survives_is_listed_with_what_to_type(home, monkeypatch):
    ann = type("Account", (), {"pw_name": "ann", "pw_dir": "/home/ann"})
    monkeypatch.setattr(seats, "taken", lambda: [ann])
    done = CliRunner().invoke(main, ["clean-up", "--yes"])
    assert done.exit_code == 1 and "type: userdel --remove ann" in done.output


def test_nothing_goes_without_a_yes(home):
    done = CliRunner().invoke(main, ["clean-up"], input="n\n")
    assert done.exit_code != 0 and (home / "state" / "x").exists()
