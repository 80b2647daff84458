"""A command in a message is spelled so that it can be typed: the real command where it can be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from live import temporary_home

from drydock.as_typed import as_typed


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An environment in ./.venv that is not on PATH, and its folder's path."""
    program = tmp_path / ".venv" / "bin" / "drydock"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_path_from_here_when_the_shell_does_not_find_it(place):
    said = "drydock: broken; type: drydock run --month 2013-01, or `drydock reset --all`"
    path = ".venv/bin/drydock"
    assert as_typed(said) == (
        f"drydock: broken; type: {path} run --month 2013-01, or `{path} reset --all`"
    )


def test_the_whole_path_from_elsewhere(place, monkeypatch):
    monkeypatch.chdir("/usr")
    assert as_typed("`drydock up`") == f"`{place}/.venv/bin/drydock up`"


def test_its_name_when_the_shell_finds_it(place, monkeypatch):
    monkeypatch.setenv("PATH", f"{place}/.venv/bin:/bin")
    assert as_typed("`drydock up`") == "`drydock up`"


def test_make_puts_it_on_path_for_itself_only(place, monkeypatch):
    monkeypatch.setenv("PATH", f"{place}/.venv/bin:/bin")
    monkeypatch.setenv("DRYDOCK_TYPED_PATH", "/bin")
    assert as_typed("`drydock up`") == "`.venv/bin/drydock up`"


def test_another_environments_one_is_not_taken(place, monkeypatch):
    other = place / "other"
    other.mkdir()
    (other / "drydock").write_text("#!/bin/sh\n")
    (other / "drydock").chmod(0o755)
    monkeypatch.setenv("PATH", f"{other}:/bin")
    assert as_typed("`drydock up`") == "`.venv/bin/drydock up`"


@pytest.mark.parametrize(
    "said", ["/var/lib/drydock run", "the bucket drydock-1 down", "drydock/etl", "drydock runs"]
)
def test_other_words_stay_as_they_are(place, said):
    assert as_typed(said) == said


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("status",), 0, "not running: `{} up` starts it"),
        (("run", "--month", "2014-01"), 2, "type for instance: {} run --month 2013-01"),
    ],
)
def test_the_command_says_it_so(words, code, said):
    with temporary_home() as home:
        done = subprocess.run(
            [sys.executable, "-m", "drydock.cli", *words],
            env=os.environ | {"DRYDOCK_HOME": str(home), "DRYDOCK_TYPED_PATH": "/bin"},
            capture_output=True,
            text=True,
            cwd="/usr",
        )
    assert done.returncode == code
    assert said.format(Path(sys.prefix, "bin", "drydock")) in done.stdout + done.stderr
