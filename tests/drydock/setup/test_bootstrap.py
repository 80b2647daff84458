"""The set-up on a project of its own: real virtual environments, a tiny lock file, no network."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_project import PROJECT, make_project, make_wheel

from drydock.setup import environment, needs, steps, system_packages
from drydock.setup.environment import Environment, InstallFailed, choose, prepare
from drydock.setup.needs import PackagesMissing


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A project that is set up; tests work on copies."""
    root = tmp_path_factory.mktemp("built") / "project"
    make_project(root)
    with pytest.MonkeyPatch.context() as patch:
        offline(patch, root)
        said = run_setup(root)
    assert [line.split()[0] for line in said] == ["Creating", "Installing", "Installing"]
    return root


@pytest.fixture
def project(built, tmp_path, monkeypatch):
    """The project, set up, in the same place for every test so that its paths stay true."""
    kept = tmp_path / "kept"
    shutil.copytree(built, kept, symlinks=True)
    offline(monkeypatch, built)
    yield built
    shutil.rmtree(built)
    shutil.move(kept, built)


def offline(patch, root):
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("PIP_FIND_LINKS", str(root / "wheels"))
    for name in ("CONDA_PREFIX", "CONDA_DEFAULT_ENV"):
        patch.delenv(name, raising=False)


def run_setup(root, env=None):
    said = []
    prepare(env or choose(root), said.append, root=root)
    return said


def answer(root, code):
    python = root / ".venv" / "bin" / "python"
    return subprocess.check_output([python, "-c", code], text=True).strip()


def command(root, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, str(root / "lib" / "drydock" / "setup" / "bootstrap.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        **options,
    )


def finished(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


# --- the Python environment -----------------------------------------------------------------


def test_the_locked_package_and_the_project_itself_are_there(project):
    assert answer(project, "import tinything; print(tinything.version)") == "1.0"
    assert answer(project, "import drydock; print(drydock.__file__)").startswith(str(project))


def test_a_second_run_has_nothing_to_do(project):
    assert run_setup(project) == []


def test_a_changed_lock_is_installed(project):
    (project / "requirements.lock").write_text(make_wheel(project / "wheels", "2.0"))
    said = run_setup(project)
    assert said[0].startswith("Installing 1 packages from requirements.lock")
    assert answer(project, "import tinything; print(tinything.version)") == "2.0"
    assert run_setup(project) == []


def test_a_changed_project_is_installed_without_its_packages(project):
    (project / "pyproject.toml").write_text(PROJECT + "description = 'changed'\n")
    assert run_setup(project) == ["Installing the project itself, editable"]


def test_an_interrupted_installation_is_started_afresh(project):
    env = choose(project)
    env.unfinished.touch()
    half = next((env.prefix / "lib").glob("python*/site-packages/tinything.py"))
    half.unlink()  # pip would take what is left for the whole package
    said = run_setup(project)
    assert said[0] == "Rebuilding .venv: its installation was interrupted"
    assert answer(project, "import tinything; print(tinything.version)") == "1.0"
    assert not env.unfinished.exists()


def test_an_environment_whose_python_moved_away_is_rebuilt(project):
    python = project / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert run_setup(project)[0] == "Rebuilding .venv: its Python does not start"
    assert answer(project, "import tinything; print(tinything.version)") == "1.0"


def test_an_environment_without_pip_is_rebuilt(project):
    for pip in (project / ".venv" / "lib").glob("python*/site-packages/pip"):
        shutil.rmtree(pip)
    assert run_setup(project)[0] == "Rebuilding .venv: its Python does not start"


def test_a_project_that_was_moved_is_set_up_again(project, tmp_path, monkeypatch):
    moved = tmp_path / "elsewhere"
    shutil.copytree(project, moved, symlinks=True)
    offline(monkeypatch, moved)
    assert run_setup(moved)[0] == "Rebuilding .venv: the project folder was moved"
    assert answer(moved, "import drydock; print(drydock.__file__)").startswith(str(moved))


def test_a_package_that_is_not_what_was_locked_is_refused_in_one_line(project):
    lock = project / "requirements.lock"
    right = make_wheel(project / "wheels", "2.0")
    lock.write_text(right[:-5] + "0000\n")
    with pytest.raises(InstallFailed, match=r"^pip failed: .*type the same again$") as caught:
        run_setup(project)
    assert "\n" not in str(caught.value)
    lock.write_text(right)
    assert run_setup(project)[0].startswith("Rebuilding")
    assert run_setup(project) == []


def test_an_empty_stamp_only_costs_another_installation(project):
    choose(project).stamp.write_text("")
    assert [line.split()[0] for line in run_setup(project)] == ["Installing", "Installing"]


@pytest.mark.parametrize(
    ("variables", "ours"),
    [
        ({}, True),
        ({"CONDA_PREFIX": "/c/envs/drydock", "CONDA_DEFAULT_ENV": "drydock"}, False),
        ({"CONDA_PREFIX": "/c/envs/drydock", "CONDA_DEFAULT_ENV": "/c/envs/drydock"}, False),
        ({"CONDA_PREFIX": "/c/envs/drydock"}, False),
        ({"CONDA_PREFIX": "/c", "CONDA_DEFAULT_ENV": "base"}, True),
        ({"CONDA_PREFIX": "/c/envs/other", "CONDA_DEFAULT_ENV": "other"}, True),
    ],
)
def test_the_conda_environment_is_used_only_when_it_is_the_projects(variables, ours, tmp_path):
    env = choose(tmp_path, variables)
    assert env.ours is ours
    assert env.prefix == (tmp_path / ".venv" if ours else Path(variables["CONDA_PREFIX"]))


def test_an_environment_that_is_not_ours_is_mended_in_place(project):
    conda = Environment(project / ".venv", ours=False)
    conda.unfinished.touch()
    mark = conda.prefix / "made-by-somebody-else"
    mark.touch()
    half = next((conda.prefix / "lib").glob("python*/site-packages/tinything.py"))
    half.unlink()
    assert run_setup(project, conda)[0].startswith("Installing 1 packages")
    assert mark.exists()
    assert answer(project, "import tinything; print(tinything.version)") == "1.0"


def test_a_conda_environment_without_python_is_not_touched(project, tmp_path):
    empty = Environment(tmp_path / "empty", ours=False)
    with pytest.raises(InstallFailed, match="conda env update"):
        run_setup(project, empty)
    assert not empty.prefix.exists()


def test_a_missing_venv_module_names_its_package_and_harms_nothing(project, monkeypatch):
    env = choose(project)
    env.unfinished.touch()
    absent = needs.Need("venv", lambda: None, {"apt-get": "python3.11-venv"})
    monkeypatch.setattr(needs, "VENV", absent)
    monkeypatch.setattr(system_packages, "_manager", lambda: "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PackagesMissing, match=r"apt-get install -y python3\.11-venv"):
        run_setup(project)
    assert env.python.exists()


# --- the command ----------------------------------------------------------------------------


def test_the_command_runs_in_the_environment_and_its_exit_code_comes_back(project):
    code = "import sys, tinything; print(sys.prefix); sys.exit(7)"
    status, out, err = finished(command(project, "--", "python", "-c", code))
    assert (status, out.strip(), err) == (7, str(project / ".venv"), "")


def test_what_the_set_up_says_is_not_in_what_the_command_prints(project):
    shutil.rmtree(project / ".venv")
    status, out, err = finished(command(project, "--", "python", "-c", "print('{}')"))
    assert (status, out) == (0, "{}\n")
    assert {line.split(":")[0] for line in err.splitlines()} == {"set-up"}


def test_one_command_names_all_that_is_missing(tmp_path, monkeypatch):
    absent = [needs.Need(name, lambda: None, {"apt-get": name}) for name in ("server", "venv")]
    monkeypatch.setattr(needs, "RUN", absent[:1])
    monkeypatch.setattr(needs, "VENV", absent[1])
    monkeypatch.setattr(environment, "choose", lambda: Environment(tmp_path / ".venv", ours=True))
    monkeypatch.setattr(system_packages, "_manager", lambda: "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PackagesMissing, match="apt-get install -y server venv"):
        steps.set_up(test=False, spark=False, bench=False)
    assert not (tmp_path / ".venv").exists()


def test_nothing_to_do_takes_no_noticeable_time(project):
    finished(command(project))
    start = time.perf_counter()
    assert finished(command(project)) == (0, "", "")
    assert time.perf_counter() - start < 5  # 0.15 s on an idle machine; pip alone takes longer


def test_an_unknown_command_is_one_line(project):
    status, _, err = finished(command(project, "--", "no-such-program"))
    assert status == 127
    assert err == "drydock: cannot run no-such-program: No such file or directory\n"


def test_the_second_of_two_at_once_waits_and_says_so(project):
    held = os.open(project, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    process = command(project)
    try:
        first = process.stderr.readline()
        assert "under way; waiting" in first
        assert process.poll() is None
    finally:
        os.close(held)
    assert finished(process)[0] == 0


def test_ctrl_c_leaves_what_the_next_run_repairs(project, monkeypatch):
    (project / "requirements.lock").write_text(make_wheel(project / "wheels", "3.0"))
    with socket.create_server(("127.0.0.1", 0)) as silent:  # an index that never answers
        stuck = {**os.environ, "PIP_FIND_LINKS": "", "PIP_NO_INDEX": "0", "PIP_RETRIES": "0"}
        stuck["PIP_INDEX_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        process = command(project, env=stuck, start_new_session=True)
        silent.settimeout(60)
        silent.accept()
        os.killpg(process.pid, signal.SIGINT)
        status, _, err = finished(process)
    assert status == 130
    assert err.splitlines()[1:] == ["drydock: set-up interrupted; type the same again to go on"]
    status, out, err = finished(command(project))
    assert (status, out) == (0, "")
    assert "Rebuilding .venv: its installation was interrupted" in err
    assert answer(project, "import tinything; print(tinything.version)") == "3.0"


def test_a_lock_file_that_is_not_there_is_one_line(project):
    (project / "requirements.lock").unlink()
    status, _, err = finished(command(project))
    assert status == 1
    assert err.count("\n") == 1 and "requirements.lock" in err


def test_the_stamp_tells_what_is_installed(project):
    stamp = json.loads(choose(project).stamp.read_text())
    assert stamp["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(stamp) == {"python", "prefix", "requirements.lock", "pyproject.toml"}
