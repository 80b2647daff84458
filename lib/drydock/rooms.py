"""The home of a local cloud, and the folders in it that the local cloud has made."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import platformdirs

ROOMS = {
    "state": "buckets, secrets, roles, clusters",
    "objects": "S3 objects",
    "rds": "databases",
    "tasks": "scratch of tasks",
    "glue": "scratch of Glue runs",
    "runs": "run reports",
    "repair": "break-and-repair labs",
    "set-aside": "what could not be read",
}


def home_path(home: str | Path | None = None) -> Path:
    """The folder that keeps everything: as given, DRYDOCK_HOME, or the user's data folder.

    For root it is /var/lib/drydock: PostgreSQL runs as another user, who could not enter /root.
    """
    given = home or os.environ.get("DRYDOCK_HOME")
    if given:
        return Path(given).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/drydock")
    return platformdirs.user_data_path("drydock")


def lines(home: Path) -> list[str]:
    """What there is, and how large it is."""
    return [
        f"{_megabytes(home / room):>8.1f} MB  {room}: {content}"
        for room, content in ROOMS.items()
        if (home / room).exists()
    ]


def remove(home: Path) -> None:
    """Remove what the local cloud has made. What somebody else has put there stays."""
    for room in ROOMS:
        shutil.rmtree(home / room, ignore_errors=True)
    for file in (*home.glob("server.*"), *home.glob("*.lock")):
        file.unlink(missing_ok=True)
    with suppress(OSError):  # it holds something of somebody else's
        home.rmdir()


def _megabytes(folder: Path) -> float:
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # a running server and its tasks remove files meanwhile
                total += os.lstat(os.path.join(where, name)).st_size
    return total / 1e6
