"""Finding PostgreSQL, and saying what to type when it cannot run."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from localcloud.rds import binaries as module
from localcloud.rds.binaries import Account, PostgresUnusable, binaries, folder_closed_to
from localcloud.rds.classes import max_connections, memory_bytes


def fake_postgres(folder):
    folder.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine where PostgreSQL is nowhere, and nobody drops privileges."""
    monkeypatch.delenv("DRYDOCK_POSTGRES_BIN", raising=False)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    monkeypatch.setattr(module, "_installed", lambda: [])
    monkeypatch.setattr(module, "account", lambda: None)
    return tmp_path


def test_a_machine_without_postgres_is_told_what_to_install(bare):
    with pytest.raises(PostgresUnusable, match=r"apt-get install postgresql.*conda install"):
        binaries()


def test_the_variable_comes_first_and_must_be_right(bare, monkeypatch):
    fake_postgres(bare / "path")
    assert binaries() == bare / "path"
    monkeypatch.setenv("CONDA_PREFIX", str(bare / "conda"))
    assert binaries() == bare / "path"
    conda = fake_postgres(bare / "conda" / "bin")
    assert binaries() == conda
    monkeypatch.setenv("DRYDOCK_POSTGRES_BIN", str(bare / "empty"))
    with pytest.raises(
        PostgresUnusable, match=f"DRYDOCK_POSTGRES_BIN={bare}/empty holds no initdb"
    ):
        binaries()
    own = fake_postgres(bare / "own")
    monkeypatch.setenv("DRYDOCK_POSTGRES_BIN", str(own))
    assert binaries() == own


def test_a_folder_is_closed_to_who_may_not_enter_any_part_of_it(tmp_path):
    stranger = Account("stranger", os.getuid() + 4711, os.getgid() + 4711)
    (inner := tmp_path / "a" / "b").mkdir(parents=True)
    for folder in (inner, *inner.parents):
        if folder.stat().st_uid == os.getuid() and Path(tempfile.gettempdir()) in folder.parents:
            folder.chmod(0o711)
    assert folder_closed_to(stranger, inner) is None
    inner.parent.chmod(0o700)
    assert folder_closed_to(stranger, inner) == inner.parent
    assert folder_closed_to(None, inner) is None


@pytest.mark.parametrize(
    ("name", "connections"),
    [("db.t4g.micro", 112), ("db.t3.medium", 450), ("db.m5.large", 901), ("db.r6g.2xlarge", 5000)],
)
def test_connections_that_a_class_allows(name, connections):
    assert max_connections(name) == connections


@pytest.mark.parametrize("name", ["", "micro", "db.t4g", "db.t4g.nano", "t4g.micro"])
def test_a_class_that_is_none(name):
    assert memory_bytes(name) is None
