"""What to bring along, so that thirty people do not download at once: wheels, project, drivers.

drydock bundle ~/drydock-bundle     # with a network, on the same system as the room's machines
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from drydock.errors import DrydockError, WrongInput
from drydock.setup.environment import ROOT
from drydock.setup.needs import jdbc_driver

PROJECT = ("lib", "notebooks", "data", "tests", "workshop", ".ci", ".github", ".gitattributes",
           ".pre-commit-config.yaml", "Makefile", "README.md", "CONTRIBUTING.md", "LICENSE",
           "environment.yml", "pyproject.toml", "requirements.lock", "requirements-bench.lock",
           "requirements-spark.lock")  # fmt: skip
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*_cache", ".ipynb_checkpoints", "*.pyc")
INSTRUCTIONS = """\
# Drydock, without a network

Python {python} on the same kind of system as here. In this folder:

    python{python} -m venv drydock/.venv
    drydock/.venv/bin/pip install --no-index --find-links wheels -r drydock/requirements.lock
    drydock/.venv/bin/pip install --no-index --find-links wheels setuptools
    drydock/.venv/bin/pip install --no-index --no-deps --no-build-isolation -e drydock
    cd drydock && .venv/bin/drydock doctor

PostgreSQL, unixODBC and psqlodbc are packages of the system: `drydock doctor` says what to type.
Where no mirror of them is in reach, install them before.
"""


class BundleFailed(DrydockError):
    """pip could not fetch a wheel; the message is its last line."""

    exit_code = 1


def bundle(to: Path, say: Callable[[str], None] = print, project: Path = ROOT) -> Path:
    """Write the bundle into the folder `to`, which must not be there, and return it.

    BundleFailed if a wheel cannot be fetched; then nothing is left.
    """
    if to.exists():
        raise WrongInput(f"{to} is there already: type another folder")
    aside = to.with_name(f".{to.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        (aside / "wheels").mkdir(parents=True)
        say("fetching the wheels of requirements.lock")
        _wheels(project, aside / "wheels")
        _copy(project, aside / "drydock")
        if jar := jdbc_driver():
            (aside / "drivers").mkdir()
            shutil.copy2(jar, aside / "drivers")
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        (aside / "README.md").write_text(INSTRUCTIONS.format(python=version))
        aside.rename(to)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    size = sum(one.stat().st_size for one in to.rglob("*") if one.is_file())
    say(f"{size / 1e6:,.0f} MB in {to}: README.md there says how to install it")
    return to


def _wheels(project: Path, folder: Path) -> None:
    """All wheels of the lock, and what an editable install of the project needs to be built."""
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder)]
    for what in (["-r", str(project / "requirements.lock")], ["setuptools", "wheel"]):
        done = subprocess.run([*fetch, *what], capture_output=True, text=True)
        if done.returncode:
            words = done.stderr.strip().splitlines() or ["pip gave no reason"]
            raise BundleFailed(f"no bundle was made: {words[-1]}")


def _copy(project: Path, to: Path) -> None:
    to.mkdir()
    for name in PROJECT:
        source = project / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=LEFT_OUT)
        elif source.exists():
            shutil.copy2(source, to / name)
