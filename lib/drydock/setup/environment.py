"""The Python environment of the workbook: where it is, and what is installed in it.

Standard library only: the bootstrap runs it before anything is installed.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from drydock.errors import DrydockError
from drydock.setup import needs, system_packages

ROOT = Path(__file__).resolve().parents[3]
OLDEST = (3, 11)


class InstallFailed(DrydockError):
    """pip or venv did not finish; the message carries its own last complaint."""

    exit_code = 1


@dataclass(frozen=True)
class Environment:
    """A folder with its own Python, and whether this project made it (and so may rebuild it)."""

    prefix: Path
    ours: bool

    @property
    def python(self) -> Path:
        """The interpreter in it."""
        return self.prefix / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """Says what was installed last. Missing, or `unfinished`, when that did not end well."""
        return self.prefix / "drydock-installed.json"

    @property
    def unfinished(self) -> Path:
        """Exists from the first to the last moment of an installation."""
        return self.prefix / "drydock-unfinished"

    def installed(self) -> dict[str, str]:
        """Return the stamp's content, empty when there is none."""
        try:
            return json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def version(self) -> str | None:
        """Return the version of its Python, or None when it does not start with pip at hand."""
        asked = "import sys, importlib.util as u; u.find_spec('pip') or sys.exit(1); "
        asked += "print('%d.%d.%d' % sys.version_info[:3])"
        try:
            done = subprocess.run(
                [self.python, "-I", "-c", asked], capture_output=True, text=True, timeout=30
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None


def choose(root: Path = ROOT, variables: Mapping[str, str] = os.environ) -> Environment:
    """Return the active conda environment when it is the project's, else `.venv` in the project."""
    if conda := system_packages.conda_environment(variables):
        return Environment(conda, ours=False)
    return Environment(root / ".venv", ours=True)


def prepare(
    env: Environment, say: Callable[[str], None], root: Path = ROOT, more: Collection[str] = ()
):
    """Bring the environment to what the lock files say; do nothing when it is there already.

    `more` names groups that have a lock file of their own: "spark", "bench".
    """
    locks = [root / "requirements.lock"]
    for group in ("spark", "bench"):
        lock = root / f"requirements-{group}.lock"
        # What only some commands need stays once it is there: nobody pays for it twice.
        if group in more or lock.name in env.installed():
            locks.append(lock)
    version = _make_sound(env, say)
    wanted = {"python": version, "prefix": str(env.prefix)}
    wanted |= {file.name: _digest(file) for file in [*locks, root / "pyproject.toml"]}
    done = env.installed()
    repair = env.unfinished.exists()
    if done == wanted and not repair:
        return
    env.unfinished.touch()
    for lock in locks:
        if repair or done.get(lock.name) != wanted[lock.name] or done.get("python") != version:
            _install_lock(env, lock, say, repair)
    say("Installing the project itself, editable")
    _pip(env, "install", "--no-deps", "--editable", str(root))
    env.stamp.write_text(json.dumps(wanted, indent=2), encoding="utf-8")
    env.unfinished.unlink()


def command_environment(env: Environment) -> dict[str, str]:
    """Return the variables under which a command finds this environment's programs first."""
    variables = dict(os.environ, PATH=f"{env.prefix / 'bin'}{os.pathsep}{os.environ['PATH']}")
    variables.setdefault("DRYDOCK_TYPED_PATH", os.environ["PATH"])  # for as_typed
    if env.ours:
        variables["VIRTUAL_ENV"] = str(env.prefix)
    variables.pop("PYTHONHOME", None)
    return variables


def _make_sound(env: Environment, say: Callable[[str], None]) -> str:
    """Return the environment's Python version; create or rebuild one of our own that has none."""
    version = env.version()
    if not env.ours:
        if version is None:
            raise InstallFailed(
                "the active conda environment has no working Python with pip; type: "
                "conda env update -f environment.yml"
            )
        return version
    fault = _fault(env, version)
    if fault is None:
        return version
    if env.prefix.exists():
        say(f"Rebuilding {env.prefix.name}: {fault}")
    else:
        say(f"Creating {env.prefix.name} with Python {sys.version.split()[0]}")
    system_packages.ensure([needs.VENV], say)
    shutil.rmtree(env.prefix, ignore_errors=True)
    env.prefix.mkdir(parents=True)
    env.unfinished.touch()
    _run([sys.executable, "-m", "venv", str(env.prefix)], "python -m venv")
    version = env.version()
    if version is None:
        raise InstallFailed(f"{env.prefix} was created, but its Python does not start")
    return version


def _fault(env: Environment, version: str | None) -> str | None:
    """Return why our own environment cannot be used as it is, or None."""
    if version is None:
        return "its Python does not start"
    if tuple(map(int, version.split("."))) < OLDEST:
        return f"it has Python {version}"
    if env.unfinished.exists():
        return "its installation was interrupted"
    if env.installed().get("prefix", str(env.prefix)) != str(env.prefix):
        return "the project folder was moved"
    return None


def _install_lock(env: Environment, lock: Path, say: Callable[[str], None], repair: bool) -> None:
    count = len(re.findall(r"^\S+==", lock.read_text(encoding="utf-8"), re.MULTILINE))
    say(f"Installing {count} packages from {lock.name}, about a minute")
    # Half a package passes for a whole one with pip; only a repair has reason to look.
    again = ["--ignore-installed"] if repair and not env.ours else []
    _pip(env, "install", "--require-hashes", *again, "-r", str(lock))


def _pip(env: Environment, *arguments: str) -> None:
    command = [str(env.python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    _run([*command, *arguments], "pip")


def _run(command: list[str], name: str) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        complaints = [line for line in lines if line.startswith("ERROR:")] or lines
        last = complaints[-1] if complaints else f"exit code {done.returncode}"
        raise InstallFailed(f"{name} failed: {last}. Once that is mended, type the same again")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
