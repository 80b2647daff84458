"""The bundle: whole or not there at all, and it installs without a network."""

import subprocess
import sys

import pytest

from drydock.errors import WrongInput
from drydock.workshop import bundle


@pytest.fixture
def project(tmp_path):
    """A project whose lock asks for nothing, so that no network is needed."""
    folder = tmp_path / "project"
    (folder / "lib" / "__pycache__").mkdir(parents=True)
    (folder / "lib" / "module.py").write_text("x = 1\n")
    (folder / "my-lessons").mkdir()
    (folder / "requirements.lock").write_text("")
    return folder


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")


def test_a_wheel_that_cannot_be_fetched_leaves_nothing(project, offline, tmp_path):
    with pytest.raises(bundle.BundleFailed, match="no bundle was made: ERROR: No matching"):
        bundle.bundle(tmp_path / "out", lambda _: None, project)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["project"]


def test_a_folder_that_is_there_stays_as_it_is(project, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(WrongInput, match="is there already"):
        bundle.bundle(tmp_path / "out", lambda _: None, project)


def test_the_project_is_in_it_without_caches_and_somebodys_own_copies(
    project, tmp_path, monkeypatch
):
    monkeypatch.setattr(bundle, "_wheels", lambda *_: None)
    said = []
    made = bundle.bundle(tmp_path / "out", said.append, project)
    assert (made / "drydock" / "lib" / "module.py").read_text() == "x = 1\n"
    assert not list(made.rglob("__pycache__")) and not list(made.rglob("my-lessons"))
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"{version} -m venv" in (made / "README.md").read_text()
    assert "README.md there says" in said[-1]


def test_each_name_that_is_brought_along_is_there():
    missing = [name for name in bundle.PROJECT if not (bundle.ROOT / name).exists()]
    assert missing == []
    tracked = subprocess.run(
        ["git", "ls-tree", "--name-only", "HEAD"], cwd=bundle.ROOT, capture_output=True, text=True
    )
    if tracked.returncode == 0:
        assert set(tracked.stdout.split()) <= {*bundle.PROJECT, ".gitignore"}
