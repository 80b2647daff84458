"""Seats of a room: names that are safe, variables that keep learners apart, a hub that says why."""

import os
import pwd
from pathlib import Path

import pytest
import yaml
from traitlets.config import Config

from drydock import notebooks
from drydock.errors import WrongInput
from drydock.workshop import seats

HUB = notebooks.ROOT / "workshop" / "jupyterhub_config.py"


def test_two_learners_share_nothing():
    one, other = (seats.variables(name, Path("/home") / name) for name in ("ann", "bob"))
    assert set(one) == {"DRYDOCK_HOME", "DRYDOCK_LESSONS", "DRYDOCK_LEARNER", "DRYDOCK_PORT"}
    assert {name for name in one if one[name] == other[name]} == {"DRYDOCK_PORT"}
    assert one["DRYDOCK_PORT"] == "0"  # any that is free


@pytest.mark.parametrize(
    "name", ["", "a", "Ann", "../x", "-rf", "a" * 32, "ann bob", "1ann", "ann\n"]
)
def test_a_name_that_is_no_account_is_refused(name):
    for refused in (seats.check, seats.account):
        with pytest.raises(WrongInput, match="no learner's name"):
            refused(name)


def test_an_account_of_the_machine_is_never_a_seat():
    found = pwd.getpwuid(os.geteuid()).pw_name
    with pytest.raises(WrongInput, match=f"{found} is an account of this machine"):
        seats.account(found)
    assert found not in [one.pw_name for one in seats.taken()]


def test_a_folder_that_others_may_not_pass_is_named(tmp_path):
    tmp_path.chmod(0o711)
    inner = tmp_path / "private" / "bin"
    inner.mkdir(parents=True)
    inner.parent.chmod(0o700)
    assert seats.closed(inner) in (inner.parent, *inner.parent.parents)
    assert seats.closed(Path("/usr/bin")) is None


def configured(monkeypatch, password):
    monkeypatch.setenv("DRYDOCK_ROOM_PASSWORD", password)
    monkeypatch.setattr(seats, "closed", lambda path: None)
    names = {"get_config": lambda: config} if (config := Config()) is not None else {}
    exec(compile(HUB.read_text(), str(HUB), "exec"), names)
    return config


def test_the_hub_gives_each_learner_an_account_and_a_cloud(monkeypatch):
    config = configured(monkeypatch, "harbour-2013")
    assert config.JupyterHub.authenticator_class == "shared-password"
    assert config.Authenticator.username_pattern == seats.NAME.pattern
    assert config.JupyterHub.spawner_class in ("systemd", "localprocess")

    class Spawner:
        user = type("User", (), {"name": "ann"})

    mine = pwd.getpwuid(os.geteuid())
    monkeypatch.setattr(seats, "account", lambda name: mine)
    spawner = Spawner()
    config.Spawner.pre_spawn_hook(spawner)
    wanted = seats.variables("ann", Path(mine.pw_dir))
    assert wanted.items() <= spawner.environment.items()
    assert spawner.notebook_dir == wanted["DRYDOCK_LESSONS"]


def test_a_hub_without_a_password_or_with_a_closed_python_does_not_start(monkeypatch):
    with pytest.raises(SystemExit, match="set DRYDOCK_ROOM_PASSWORD"):
        configured(monkeypatch, "short")
    monkeypatch.setenv("DRYDOCK_ROOM_PASSWORD", "harbour-2013")
    monkeypatch.setattr(seats, "closed", lambda path: Path("/private"))
    with pytest.raises(SystemExit, match="/private is closed to them"):
        exec(HUB.read_text(), {"get_config": Config})


def test_the_charts_values_name_the_same_variables_and_names():
    values = yaml.safe_load(HUB.with_name("zero-to-jupyterhub.yaml").read_text())
    variables = seats.variables("ann", Path("/home/jovyan"))
    given = values["singleuser"]["extraEnv"]
    assert {name: given[name].replace("{username}", "ann") for name in variables} == variables
    assert values["hub"]["config"]["Authenticator"]["username_pattern"] == seats.NAME.pattern
    assert values["singleuser"]["cmd"][-1] == "drydock.workshop.seats"
