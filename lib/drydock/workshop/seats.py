"""Seats: many learners on one machine, each with an account and a local cloud of their own.

workshop/jupyterhub_config.py uses this. Every learner is a Unix user of the group drydock-room, so
that files, processes and the database are that user's alone. Ports are free ones: nobody shares.
"""

import grp
import os
import pwd
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from drydock.errors import WrongInput

GROUP = "drydock-room"
NAME = re.compile(r"[a-z][a-z0-9-]{1,30}")
MEMORY = "1536M"  # of one learner: JupyterLab, a kernel, the local cloud, its tasks and PostgreSQL


def variables(name: str, home: Path) -> dict[str, str]:
    """Return the variables that keep a learner's local cloud, lessons and progress apart.

    `home` is the account's own folder. Port 0 takes any that is free.
    """
    check(name)
    return {
        "DRYDOCK_HOME": str(home / "drydock"),
        "DRYDOCK_LESSONS": str(home / "lessons"),
        "DRYDOCK_LEARNER": name,
        "DRYDOCK_PORT": "0",
    }


def check(name: str) -> None:
    """Raise WrongInput unless `name` may be a learner's: it becomes an account and a folder."""
    if not NAME.fullmatch(name):
        raise WrongInput(
            f"{name!r} is no learner's name: type 2 to 31 of a-z, 0-9 and -, a letter first"
        )


def account(name: str) -> pwd.struct_passwd:
    """Return the learner's account, and make it first if it is not there; this needs root.

    WrongInput for the name of an account that this room has not made, such as root.
    """
    check(name)
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        _run("groupadd", "--force", GROUP)
        _run("useradd", "--create-home", "--gid", GROUP, "--shell", "/bin/bash", name)
        found = pwd.getpwnam(name)
        os.chmod(found.pw_dir, 0o700)
        return found
    if not is_seat(found):
        raise WrongInput(f"{name} is an account of this machine: take another name")
    return found


def closed(path: Path) -> Path | None:
    """Return the first folder on the way to `path` that other accounts may not pass, or None.

    The Python of an administrator's own folder is the usual one.
    """
    whole = path.resolve()
    for folder in (*reversed(whole.parents), whole):
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


def is_seat(found: pwd.struct_passwd) -> bool:
    """Whether an account is one that this room has made."""
    try:
        return found.pw_gid == grp.getgrnam(GROUP).gr_gid
    except KeyError:
        return False


def taken() -> list[pwd.struct_passwd]:
    """Return the accounts of this room, by name."""
    return sorted((one for one in pwd.getpwall() if is_seat(one)), key=lambda one: one.pw_name)


def sit(arguments: list[str], environment: Mapping[str, str] = os.environ) -> None:
    """Make the learner's copies of the lessons, then become JupyterHub's single-user server."""
    from drydock import notebooks
    from drydock.study import copies

    copies.ready()
    paths = [str(notebooks.SETTINGS), *filter(None, [environment.get("JUPYTER_CONFIG_PATH")])]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(paths)
    os.chdir(copies.folder())
    os.execv(sys.executable, [sys.executable, "-m", "jupyterhub.singleuser", *arguments])


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["no reason given"]
        raise WrongInput(f"{command[0]} failed: {words[-1]}; run the hub as root")


if __name__ == "__main__":
    sit(sys.argv[1:])
