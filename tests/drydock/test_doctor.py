"""Each check in each of its outcomes; the real machine for the rest."""

import os
import platform
import re
import socket

import pytest
from live import temporary_home

from drydock import cloud, doctor
from drydock.doctor import GIB, Check, Outcome
from drydock.setup import needs
from drydock.setup.needs import Need

LOCK = """# a comment
annotated-doc==0.0.7 \\
    --hash=sha256:00
appnope==1.0.0 ; sys_platform == 'no such system' \\
    --hash=sha256:00
    # via ipykernel
Jinja_2==3.1 \\
    --hash=sha256:00
"""


@pytest.fixture
def lock(tmp_path):
    path = tmp_path / "requirements.lock"
    path.write_text(LOCK)
    return path


@pytest.fixture
def home(monkeypatch):
    with temporary_home() as folder:
        monkeypatch.setenv("DRYDOCK_HOME", str(folder))
        yield folder


@pytest.mark.parametrize(
    ("version", "outcome"),
    [((3, 11, 0), 0), ((3, 14, 1), 0), ((3, 10, 9), 1), ((2, 7, 18), 1)],
)
def test_python(version, outcome):
    assert doctor.python_version(version).outcome == outcome


def test_packages_as_locked(lock):
    found = doctor.packages(lock, {"annotated-doc": "0.0.7", "jinja-2": "3.1", "other": "1"})
    assert (found.outcome, found.found) == (Outcome.READY, "all 2 as locked")


@pytest.mark.parametrize("installed", [{"annotated-doc": "0.0.7"}, {"jinja-2": "3.2"}, {}])
def test_packages_missing_or_of_another_version(lock, installed):
    found = doctor.packages(lock, installed)
    assert found.outcome == Outcome.FIXABLE
    assert "jinja-2" in found.found and "make run" in found.fix


@pytest.mark.parametrize(
    ("where", "user", "outcome"),
    [("/bin/x", 1000, Outcome.READY), (None, 0, Outcome.FIXABLE), (None, 1000, Outcome.ADMIN)],
)
def test_capability(where, user, outcome, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    found = doctor.capability(Need("a driver", lambda: where, {"apt-get": "driver"}))
    assert found.outcome == outcome
    assert bool(found.fix) == (where is None)


def test_in_the_conda_environment_every_fix_is_condas(lock, monkeypatch):
    monkeypatch.setenv("CONDA_PREFIX", "/c/envs/drydock")
    monkeypatch.setenv("CONDA_DEFAULT_ENV", "drydock")
    assert doctor.packages(lock, {}).fix == "conda env update -f environment.yml && make run"
    found = doctor.capability(Need("a driver", lambda: None, {"conda": "driver"}))
    assert (found.outcome, found.fix) == (
        Outcome.FIXABLE,
        "conda install -c conda-forge driver",
    )


def test_a_variable_that_names_nothing(monkeypatch):
    monkeypatch.setenv("DRYDOCK_ODBC_DRIVER", "/nowhere.so")
    driver = next(need for need in needs.RUN if "psqlodbc" in need.name)
    found = doctor.capability(driver)
    assert (found.outcome, found.fix) == (Outcome.FIXABLE, "unset DRYDOCK_ODBC_DRIVER")
    assert "/nowhere.so, which is no file" in found.found


@pytest.mark.parametrize(("size", "outcome"), [(50 * GIB, 0), (2 * GIB, 0), (2 * GIB - 1, 1)])
def test_disk_and_memory(size, outcome):
    assert doctor.free_disk(size).outcome == outcome
    assert doctor.memory(size).outcome == outcome


def test_both_ways_to_limit_a_task_are_ready(tmp_path):
    writable = tmp_path / "cgroup.procs"
    writable.touch()
    assert "cgroup" in doctor.limits([str(writable)]).found
    assert "watchdog" in doctor.limits([str(tmp_path / "absent")]).found
    assert doctor.limits([]).outcome == Outcome.READY


def test_a_port_that_was_asked_for_and_is_taken(home, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        number = stranger.getsockname()[1]
        monkeypatch.setenv("DRYDOCK_PORT", str(number))
        found = doctor.port(home)
        assert found == Check("port", Outcome.FIXABLE, f"{number} is taken", "unset DRYDOCK_PORT")
        monkeypatch.delenv("DRYDOCK_PORT")
        monkeypatch.setattr(cloud, "PORT", number)
        assert doctor.port(home).outcome == Outcome.READY
    monkeypatch.setenv("DRYDOCK_PORT", str(number))
    assert doctor.port(home).found == f"{number} is free"


@pytest.mark.parametrize("value", ["http", "-1", "65536", "5566.0"])
def test_a_port_that_is_none(value, home, monkeypatch):
    monkeypatch.setenv("DRYDOCK_PORT", value)
    assert doctor.port(home).outcome == Outcome.FIXABLE


def test_the_port_of_our_own_running_cloud(home):
    info = cloud.start(home, port=0)
    assert doctor.port(home) == Check(
        "port", Outcome.READY, f"{info.port}, the local cloud is running"
    )


def test_home_folder(home, monkeypatch):
    assert doctor.home_folder(home / "new").outcome == Outcome.READY
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    assert doctor.home_folder(closed / "new", as_root=False).outcome == Outcome.READY
    found = doctor.home_folder(closed / "new", as_root=True)
    assert (found.outcome, found.fix) == (Outcome.FIXABLE, "unset DRYDOCK_HOME")
    monkeypatch.delenv("DRYDOCK_HOME")
    assert doctor.home_folder(closed, as_root=True).fix == f"chmod o+x {closed}"


def test_home_folder_that_cannot_be_written(home, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    found = doctor.home_folder(home / "new")
    assert (found.outcome, found.found) == (Outcome.FIXABLE, f"{home} is not writable")


def test_task_address():
    assert doctor.task_address().outcome == Outcome.READY
    found = doctor.task_address("192.0.2.1")  # an address for documentation: never ours
    assert found.outcome == Outcome.ADMIN and found.fix


@pytest.mark.parametrize(("outcomes", "code"), [((0, 0), 0), ((0, 1), 1), ((1, 2, 0), 2)])
def test_the_worst_outcome_is_the_exit_code(outcomes, code):
    assert doctor.exit_code([Check("x", Outcome(o), "") for o in outcomes]) == code


def test_a_problem_is_shown_with_the_command_that_mends_it():
    shown = doctor.render(
        [Check("disk", Outcome.READY, "9 GiB"), Check("x", Outcome.ADMIN, "no", "sudo y")]
    )
    assert [line.split() for line in shown.splitlines()] == [
        ["ready", "disk", "9", "GiB"],
        ["admin", "x", "no"],
        ["type:", "sudo", "y"],
    ]


def test_the_report_names_nobody(monkeypatch):
    monkeypatch.setattr(doctor.getpass, "getuser", lambda: "ada.lovelace")
    monkeypatch.setattr(platform, "node", lambda: "engine-1")
    monkeypatch.setenv("HOME", "/house/ada.lovelace")
    monkeypatch.setenv("DRYDOCK_HOME", "/house/ada.lovelace/lab")
    text = doctor.report(
        [
            Check("home", Outcome.READY, "/house/ada.lovelace/lab"),
            Check("a", Outcome.FIXABLE, "/house/ada.lovelace/x of ada.lovelace on engine-1"),
        ]
    )
    assert "ada" not in text and "engine" not in text
    assert "<home>" in text and "~/x of <hidden> on <hidden>" in text


def test_this_machine_is_ready_and_nothing_was_started(home, capsys):
    assert doctor.main() == 0
    shown = capsys.readouterr().out
    assert re.search(r"ready +Python packages +all \d+ as locked", shown)
    assert "make run" in shown
    assert cloud.status(home) is None
