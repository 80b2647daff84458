"""Other people's ECS clients, each in a virtual environment of its own, in the user's cache."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import platformdirs
import pytest

from drydock import cloud as local_cloud

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "localcloud" / "ecs"))

from ecs_lab import Lab  # noqa: E402

INSTALL_SECONDS = 280


@pytest.fixture(scope="session")
def lab(cloud, tmp_path_factory):
    return Lab(cloud, tmp_path_factory.mktemp("clients")).set_up()


@pytest.fixture(scope="session")
def install():
    """Returns a function from PyPI requirements to the folder of an environment's programs.

    It is made once and kept; a test is skipped, with pip's last words, if it cannot be made.
    """

    def made(name, *requirements):
        folder = platformdirs.user_cache_path("drydock") / "clients" / name
        done = folder / "installed.txt"
        if not done.exists() or done.read_text() != "\n".join(requirements):
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            try:
                pip = subprocess.run(
                    [folder / "bin" / "pip", "install", "--quiet", *requirements],
                    capture_output=True,
                    text=True,
                    timeout=INSTALL_SECONDS,
                )
            except subprocess.TimeoutExpired:
                pytest.skip(f"{name} was not installed within {INSTALL_SECONDS} s")
            if pip.returncode:
                pytest.skip(f"{name} cannot be installed: {pip.stderr.strip()[-300:]}")
            done.write_text("\n".join(requirements))
        return folder / "bin"

    return made


@pytest.fixture(scope="session")
def run(cloud, lab, tmp_path_factory):
    """Runs a program as a person does who has typed `eval "$(drydock up)"`; returns its output."""
    home = tmp_path_factory.mktemp("person")

    def ran(*command, fails=False, **options):
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PYTHON"))},
            **local_cloud.environment(cloud),
            "HOME": str(home),
            "AWS_PAGER": "",
        }
        done = subprocess.run(
            [str(word) for word in command],
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            **options,
        )
        assert bool(done.returncode) == fails, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + (done.stderr if fails else "")

    return ran
