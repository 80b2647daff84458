"""What the workbook needs from the system besides Python: found by what works, not by package name.

Standard library only: the bootstrap runs it before anything is installed.
"""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from drydock.errors import DrydockError

APT_CONFIGURATION = Path("/etc/postgresql-common")
APT_LISTS = Path("/var/lib/apt/lists")


class PackagesMissing(DrydockError):
    """A system package is missing and this user, or this system, cannot get it by itself."""

    exit_code = 2


@dataclass(frozen=True)
class Need:
    """A capability: `found` returns where it is, or None; `packages` names it for each manager."""

    name: str
    found: Callable[[], str | None]
    packages: dict[str, str]


def postgres_server() -> str | None:
    """Return the path of the newest PostgreSQL server program on this machine."""
    return shutil.which("postgres") or _newest(
        "/usr/lib/postgresql/*/bin/postgres",
        "/usr/pgsql-*/bin/postgres",
        "/opt/homebrew/opt/postgresql@*/bin/postgres",
    )


def odbc_manager() -> str | None:
    """Return the name of the unixODBC library when it can be loaded."""
    for name in ("libodbc.so.2", "libodbc.2.dylib"):
        for candidate in (name, f"{sys.prefix}/lib/{name}"):
            try:
                ctypes.CDLL(candidate)
            except OSError:
                continue
            return candidate
    return None


def postgres_odbc_driver() -> str | None:
    """Return the path of psqlodbc, PostgreSQL's Unicode ODBC driver."""
    return _newest(
        f"{sys.prefix}/lib/psqlodbcw.so",
        "/usr/lib/*/odbc/psqlodbcw.so",
        "/usr/lib64/psqlodbcw.so",
        "/usr/lib/psqlodbcw.so",
        "/opt/homebrew/lib/psqlodbcw.so",
    )


def browser() -> str | None:
    """Return the path of Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def java() -> str | None:
    """Return the path of a Java launcher."""
    return shutil.which("java")


RUN = (
    Need(
        "PostgreSQL's server",
        postgres_server,
        {"apt-get": "postgresql", "dnf": "postgresql-server", "brew": "postgresql@17"},
    ),
    Need("unixODBC", odbc_manager, {"apt-get": "unixodbc", "dnf": "unixODBC", "brew": "unixodbc"}),
    Need(
        "psqlodbc, PostgreSQL's ODBC driver",
        postgres_odbc_driver,
        {"apt-get": "odbc-postgresql", "dnf": "postgresql-odbc", "brew": "psqlodbc"},
    ),
)
TEST = (Need("Chromium", browser, {"apt-get": "chromium", "dnf": "chromium"}),)
BENCH = (
    Need(
        "Java",
        java,
        {"apt-get": "default-jre-headless", "dnf": "java-21-headless", "brew": "openjdk"},
    ),
)
VENV = Need(
    "Python's venv module",
    lambda: _module("ensurepip"),
    {"apt-get": f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"},
)


def missing(needs: Iterable[Need]) -> list[Need]:
    """Return the needs that nothing on this machine fills."""
    return [need for need in needs if need.found() is None]


def command_for(needs: list[Need]) -> str:
    """Return the command that an administrator types to install them."""
    manager = _manager()
    names = _package_names(needs, manager)
    sudo = "" if os.geteuid() == 0 else "sudo "
    if manager == "apt-get":
        return f"{sudo}apt-get update && {sudo}apt-get install -y {names}"
    if manager == "dnf":
        return f"{sudo}dnf install -y {names}"
    if manager == "brew":
        return f"brew install {names}"
    return "conda env create -f environment.yml && conda activate drydock"


def ensure(needs: Iterable[Need], say: Callable[[str], None]) -> None:
    """Install what is missing through apt-get when this is root, else raise with the command."""
    absent = missing(needs)
    if not absent:
        return
    what = ", ".join(need.name for need in absent)
    if _manager() != "apt-get" or os.geteuid() != 0:
        raise PackagesMissing(f"missing on this machine: {what}. Type: {command_for(absent)}")
    say(f"Installing {what} with apt-get")
    _apt_install(absent)
    still = missing(absent)
    if still:
        names = ", ".join(need.name for need in still)
        raise PackagesMissing(
            f"apt-get finished, yet {names} cannot be found; see `drydock doctor`"
        )


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


def _package_names(needs: list[Need], manager: str | None) -> str:
    return " ".join(need.packages.get(manager or "", need.name) for need in needs)


def _newest(*patterns: str) -> str | None:
    for pattern in patterns:
        found = [str(path) for path in Path("/").glob(pattern.lstrip("/"))]
        if found:
            return max(found, key=lambda path: [int(digits) for digits in re.findall(r"\d+", path)])
    return None


def _module(name: str) -> str | None:
    return name if find_spec(name) else None
