"""Where PostgreSQL's programs are, and as whom they run."""

import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

INSTALL = (
    "install it with `apt-get install postgresql` or `conda install -c conda-forge postgresql`, "
    "or set DRYDOCK_POSTGRES_BIN to the folder that holds initdb and postgres"
)


class PostgresUnusable(Exception):
    """PostgreSQL cannot run here; the message is one line with the command that helps."""


@dataclass(frozen=True)
class Account:
    """The user that PostgreSQL runs as, when we are root, which it refuses to run as."""

    name: str
    uid: int
    gid: int


@lru_cache
def account() -> Account | None:
    """None: as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise PostgresUnusable("PostgreSQL does not run as root: add a user with `useradd -r postgres`")


def folder_closed_to(user: Account | None, folder: Path) -> Path | None:
    """The first folder on the way down that this user may not enter."""
    if user is None:
        return None
    for step in [*reversed(folder.resolve().parents), folder.resolve()]:
        status = step.stat()
        if status.st_uid == user.uid:
            bit = stat.S_IXUSR
        elif status.st_gid == user.gid:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if not status.st_mode & bit:
            return step
    return None


def check_enterable(folder: Path) -> None:
    """Raises PostgresUnusable with the chmod to type."""
    user = account()
    if closed := folder_closed_to(user, folder):
        raise PostgresUnusable(
            f"PostgreSQL runs as user {user.name} here, who cannot enter {closed}: "
            f"`chmod o+x {closed}`, or set DRYDOCK_HOME to another folder"
        )


def binaries() -> Path:
    """The folder of initdb and postgres. Raises PostgresUnusable."""
    found = [folder for folder in _candidates() if _holds_postgres(folder)]
    for folder in found:
        if not folder_closed_to(account(), folder):
            return folder
    if found:
        check_enterable(found[0])
    raise PostgresUnusable(f"PostgreSQL is not on this machine: {INSTALL}")


def _candidates() -> list[Path]:
    if given := os.environ.get("DRYDOCK_POSTGRES_BIN"):
        if not _holds_postgres(Path(given)):
            raise PostgresUnusable(
                f"DRYDOCK_POSTGRES_BIN={given} holds no initdb and postgres: correct or unset it"
            )
        return [Path(given)]
    folders = [Path(sys.prefix) / "bin"]
    if conda := os.environ.get("CONDA_PREFIX"):
        folders.append(Path(conda) / "bin")
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).resolve().parent)
    return folders + _installed()


def _installed() -> list[Path]:
    """Debian's and Red Hat's folders, the newest first."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    major = {folder: int(re.search(r"\d+|$", folder.parent.name).group() or 0) for folder in found}
    return sorted(found, key=major.get, reverse=True)


def _holds_postgres(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres"))


@lru_cache
def engine_version(folder: Path) -> str:
    """For instance "15.13"."""
    said = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    return re.search(r"\d+(\.\d+)?", said.stdout).group()


@lru_cache
def asks_directories(folder: Path) -> bool:
    """Whether PostgreSQL is built with LDAP, which not every package is."""
    return b"ldap_simple_bind_s" in (folder / "postgres").read_bytes()
