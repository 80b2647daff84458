"""Installs what is missing, or says which command does.

Standard library only: the bootstrap runs it before anything is installed.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from drydock.setup.needs import ENGINE, Need, PackagesMissing, browser, missing

APT_CONFIGURATION = Path("/etc/postgresql-common")
APT_LISTS = Path("/var/lib/apt/lists")
OS_RELEASE = Path("/etc/os-release")
ENGINE_SOCKETS = ("/var/run/docker.sock", "/run/podman/podman.sock")
CONDA_NAME = "drydock"  # the name in environment.yml


def conda_environment(variables: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder of the active conda environment when it is the project's."""
    conda = variables.get("CONDA_PREFIX")
    if conda and Path(variables.get("CONDA_DEFAULT_ENV", conda)).name == CONDA_NAME:
        return Path(conda)
    return None


def command_for(needs: list[Need]) -> str:
    """Return the command that installs them, as this user has to type it."""
    from_conda = [need for need in needs if _is_for_conda(need)]
    others = [need for need in needs if need not in from_conda]
    commands = []
    if from_conda:
        commands.append(f"conda install -c conda-forge {_package_names(from_conda, 'conda')}")
    if others:
        commands.append(_system_command(others))
    return " && ".join(commands)


def ensure(needs: Iterable[Need], say: Callable[[str], None]) -> None:
    """Install what is missing through apt-get when this is root, else raise with the command."""
    absent = missing(needs)
    if not absent:
        return
    what = ", ".join(need.name for need in absent)
    if browser in [need.found for need in absent] and _is_ubuntu():
        raise PackagesMissing(
            "missing on this machine: Chromium, which Ubuntu has as a snap only. Type: "
            "sudo snap install chromium, or install Google Chrome's .deb; then type the same again"
        )
    if not _installs_itself() or any(map(_is_for_conda, absent)):
        raise PackagesMissing(
            f"missing on this machine: {what}. Type this, then the same again:\n"
            f"  {command_for(absent)}"
        )
    say(f"Installing {what} with apt-get")
    _apt_install(absent)
    still = missing(absent)
    if still:
        names = ", ".join(need.name for need in still)
        raise PackagesMissing(f"apt-get finished, yet {names} cannot be found; install it yourself")


def try_engine(say: Callable[[str], None]) -> None:
    """Install a container engine for the tests where this can; say so when it does not work."""
    absent = missing(ENGINE)
    if not absent or not _installs_itself() or _engine_answers():
        return
    names = _package_names(absent, "apt-get")
    say(f"Installing {names} with apt-get: the tests of containers need a container engine")
    try:
        _apt_install(absent)
    except PackagesMissing as error:
        say(f"{error}; the tests of containers are skipped")


def _apt_install(needs: list[Need]) -> None:
    names = _package_names(needs, "apt-get").split()
    with _no_default_cluster(needs):
        if any(APT_LISTS.glob("*_Packages*")) and _apt_get("install", *names) is None:
            return
        problem = _apt_get("update") or _apt_get("install", *names)
    if problem:
        raise PackagesMissing(f"apt-get could not install {' '.join(names)}: {problem}")


def _apt_get(action: str, *names: str) -> str | None:
    """Run apt-get and return its last complaint, or None when all went well."""
    # "update" reports an unreachable mirror as a warning and ends with 0, hence Error-Mode.
    options = ["-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=1"]
    options += ["-o", "APT::Update::Error-Mode=any"] if action == "update" else []
    options += ["-y", "--no-install-recommends"] if action == "install" else []
    done = subprocess.run(
        ["apt-get", action, *options, *names],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode == 0:
        return None
    lines = done.stdout.splitlines()
    complaints = [line[2:].strip() for line in lines if line.startswith("E:")]
    return (complaints or lines or [f"exit code {done.returncode}"])[0]


@contextmanager
def _no_default_cluster(needs: list[Need]) -> Iterator[None]:
    """While PostgreSQL is being installed, keep Debian from starting a server of its own on 5432.

    Only written when the machine had no PostgreSQL server, and taken away again afterwards, so
    that whoever installs another version later gets what Debian promises.
    """
    file = APT_CONFIGURATION / "createcluster.d" / "drydock.conf"
    if any(need.packages.get("apt-get") == "postgresql" for need in needs):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("create_main_cluster = false\n", encoding="utf-8")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _manager() -> str | None:
    managers = ("brew",) if sys.platform == "darwin" else ("apt-get", "dnf")
    return next(filter(shutil.which, managers), None)


def _installs_itself() -> bool:
    return _manager() == "apt-get" and os.geteuid() == 0


def _is_for_conda(need: Need) -> bool:
    return conda_environment() is not None and "conda" in need.packages


def _is_ubuntu() -> bool:
    try:
        return "\nID=ubuntu\n" in "\n" + OS_RELEASE.read_text(encoding="utf-8")
    except OSError:
        return False


def _system_command(needs: list[Need]) -> str:
    manager = _manager()
    names = _package_names(needs, manager)
    if manager == "brew":
        return f"brew install {names}"
    if manager is None:
        return "conda env create -f environment.yml && conda activate drydock"
    steps = [f"{manager} install -y {names}"]
    if manager == "apt-get":
        steps.insert(0, "apt-get update")
    if os.geteuid() == 0:
        return " && ".join(steps)
    if shutil.which("sudo"):
        return " && ".join(f"sudo {step}" for step in steps)
    return f'su -c "{" && ".join(steps)}"'


def _package_names(needs: list[Need], manager: str | None) -> str:
    return " ".join(need.packages.get(manager or "", need.name) for need in needs)


def _engine_answers() -> bool:
    """Whether a container engine listens; the client is not installed yet, so by its socket."""
    named = os.environ.get("DOCKER_HOST", "")
    if named.startswith("tcp://"):
        return True
    places = [named.removeprefix("unix://")] if named else ENGINE_SOCKETS
    for place in places:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(place) == 0:
                return True
    return False
