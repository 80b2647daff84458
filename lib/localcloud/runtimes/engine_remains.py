"""What a server that was killed has left with a container engine: containers and volumes.

Every one has a label with the root of its runtime, and a note in that root says which engines have
some: so the next server finds them, also if it runs tasks as processes or with another engine.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from localcloud.runtimes import engine_groups

NOTE = ".engines"


def note(root: Path, address: str) -> None:
    """A runtime of this root begins to use the engine at ``address``."""
    _write(root, [*_noted(root), address])


def forget(root: Path, address: str) -> None:
    """Nothing of this root is left there."""
    _write(root, [one for one in _noted(root) if one != address])


def sweep(root: Path) -> None:
    """Remove what runtimes of this root left. With an engine that does not answer it stays, and
    the note of it with it, but for processes that we can end ourselves."""
    engine_groups.remove(f"/{engine_groups.name_for(root)}")
    for address in _noted(root):
        # Docker's client is slow to import, and mostly not needed.
        from docker.errors import DockerException

        try:
            _sweep_engine(root, address)
        except (DockerException, OSError) as error:
            print(
                f"The container engine at {address} may still hold containers of {root}: {error}",
                file=sys.stderr,
            )
        else:
            forget(root, address)


def _noted(root: Path) -> list[str]:
    with suppress(OSError):
        return (root / NOTE).read_text().splitlines()
    return []


def _write(root: Path, addresses: list[str]) -> None:
    if addresses:
        (root / NOTE).write_text("".join(f"{one}\n" for one in dict.fromkeys(addresses)))
    else:
        (root / NOTE).unlink(missing_ok=True)


def _sweep_engine(root: Path, address: str) -> None:
    import docker
    from docker.errors import APIError

    from localcloud.runtimes import engine_client

    client = docker.DockerClient(base_url=address, timeout=engine_client.CALL_SECONDS)
    mine = {"label": f"{engine_client.HOME_LABEL}={root}"}
    try:
        found = client.containers.list(all=True, filters=mine, ignore_removed=True)
        # The newest first: the one that holds a network cannot go before those that use it.
        for container in sorted(found, key=lambda one: one.attrs["Created"], reverse=True):
            engine_client.remove(container)
        for volume in client.volumes.list(filters=mine):
            with suppress(APIError):
                volume.remove(force=True)
    finally:
        client.close()
