"""What the workbook needs from the system besides Python, each found by what works, not by name.

Standard library only: the bootstrap runs it before anything is installed.
"""

import ctypes
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from drydock.errors import DrydockError


class PackagesMissing(DrydockError):
    """A system package is missing and this user, or this system, cannot get it by itself."""

    exit_code = 2


class WrongVariable(PackagesMissing):
    """A variable names a place of a system package where the package is not."""

    def __init__(self, variable: str, fault: str):
        super().__init__(f"{variable} names {os.environ[variable]}, {fault}; unset it")
        self.variable = variable


@dataclass(frozen=True)
class Need:
    """A capability: `found` returns where it is, or None; `packages` names it for each manager."""

    name: str
    found: Callable[[], str | None]
    packages: dict[str, str]


def postgres_server() -> str | None:
    """Return the path of PostgreSQL's server: DRYDOCK_POSTGRES_BIN, or the newest that is found.

    Raises WrongVariable.
    """
    if folder := os.environ.get("DRYDOCK_POSTGRES_BIN"):
        if not all(os.access(Path(folder, name), os.X_OK) for name in ("initdb", "postgres")):
            raise WrongVariable("DRYDOCK_POSTGRES_BIN", "which holds no initdb and postgres")
        return str(Path(folder, "postgres"))
    return shutil.which("postgres") or _newest(
        f"{sys.prefix}/bin/postgres",
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
    """Return the path of psqlodbc's Unicode library: DRYDOCK_ODBC_DRIVER, or where it is found.

    Raises WrongVariable.
    """
    if named := os.environ.get("DRYDOCK_ODBC_DRIVER"):
        if not Path(named).is_file():
            raise WrongVariable("DRYDOCK_ODBC_DRIVER", "which is no file")
        return named
    return _newest(
        f"{sys.prefix}/lib/psqlodbcw.so",
        "/usr/lib/*/odbc/psqlodbcw.so",
        "/usr/lib64/psqlodbcw.so",
        "/usr/lib/psqlodbcw.so",
        "/opt/homebrew/lib/psqlodbcw.so",
    )


def pgbouncer() -> str | None:
    """Return the path of pgbouncer: DRYDOCK_PGBOUNCER, or where it is found.

    Raises WrongVariable.
    """
    if named := os.environ.get("DRYDOCK_PGBOUNCER"):
        if not os.access(named, os.X_OK):
            raise WrongVariable("DRYDOCK_PGBOUNCER", "which is no program")
        return named
    places = os.pathsep.join([f"{sys.prefix}/bin", os.environ.get("PATH", ""), "/usr/sbin"])
    return shutil.which("pgbouncer", path=places)


def browser() -> str | None:
    """Return the path of Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def java() -> str | None:
    """Return the path of a Java launcher."""
    return shutil.which("java")


def jdbc_driver() -> str | None:
    """Return the path of PostgreSQL's JDBC driver, as DRYDOCK_JDBC_JAR or a package has it."""
    named = os.environ.get("DRYDOCK_JDBC_JAR")
    return named or _newest("/usr/share/java/postgresql*.jar", f"{sys.prefix}/share/java/*pg*.jar")


JAVA = Need(
    "Java",
    java,
    {
        "apt-get": "default-jre-headless",
        "dnf": "java-21-headless",
        "brew": "openjdk",
        "conda": "openjdk",
    },
)
RUN = (
    Need(
        "PostgreSQL's server",
        postgres_server,
        {
            "apt-get": "postgresql",
            "dnf": "postgresql-server",
            "brew": "postgresql@17",
            "conda": "postgresql",
        },
    ),
    Need(
        "unixODBC",
        odbc_manager,
        {"apt-get": "unixodbc", "dnf": "unixODBC", "brew": "unixodbc", "conda": "unixodbc"},
    ),
    Need(
        "psqlodbc, PostgreSQL's ODBC driver",
        postgres_odbc_driver,
        {
            "apt-get": "odbc-postgresql",
            "dnf": "postgresql-odbc",
            "brew": "psqlodbc",
            "conda": "psqlodbc",
        },
    ),
    Need(
        "pgbouncer, RDS Proxy's stand-in",
        pgbouncer,
        {
            "apt-get": "pgbouncer",
            "dnf": "pgbouncer",
            "brew": "pgbouncer",
            "conda": "pgbouncer",
        },
    ),
)
TEST = (
    Need("Chromium", browser, {"apt-get": "chromium", "dnf": "chromium"}),
    JAVA,
    Need(
        "PostgreSQL's JDBC driver",
        jdbc_driver,
        {"apt-get": "libpostgresql-jdbc-java", "dnf": "postgresql-jdbc", "conda": "pgjdbc"},
    ),
)
# The tests of containers use them; where they are not, those tests are skipped.
ENGINE = tuple(
    Need(name, partial(shutil.which, name), {"apt-get": name})
    for name in ("podman", "runc", "mmdebstrap")
)
SPARK = (JAVA,)
VENV = Need(
    "Python's venv module",
    lambda: _module("ensurepip"),
    {"apt-get": f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"},
)


def missing(needs: Iterable[Need]) -> list[Need]:
    """Return the needs that nothing on this machine fills."""
    return [need for need in needs if need.found() is None]


def _newest(*patterns: str) -> str | None:
    for pattern in patterns:
        found = [str(path) for path in Path("/").glob(pattern.lstrip("/"))]
        if found:
            return max(found, key=lambda path: [int(digits) for digits in re.findall(r"\d+", path)])
    return None


def _module(name: str) -> str | None:
    return name if find_spec(name) else None
