"""Which runtime this machine uses: DRYDOCK_RUNTIME=auto, container or process.

``auto`` takes containers only where an engine answers and holds images that `drydock build` made
with it. An engine alone changes nothing: with no image built, no task could start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localcloud.runtimes.base import Runtime
from localcloud.runtimes.process import ProcessRuntime

if TYPE_CHECKING:
    from localcloud.runtimes.engine_client import Engine

VARIABLE = "DRYDOCK_RUNTIME"
KINDS = ("auto", "container", "process")
# An engine that was asked for may be busy; one that nobody asked for must not delay a start.
PATIENCE_SECONDS = {"auto": 3.0, "container": 15.0}


class NoSuchRuntime(Exception):
    """Why the runtime that was asked for cannot be had, in one line."""


@dataclass(frozen=True)
class Choice:
    """``kind`` is "container" or "process"; ``why`` is for people, in one line. ``engine`` may be
    there without being used."""

    kind: str
    why: str
    engine: Engine | None = None

    def runtime(self, root: Path) -> Runtime:
        if self.kind == "process":
            return ProcessRuntime(root)
        from localcloud.runtimes.engine import EngineRuntime

        return EngineRuntime(root, self.engine)

    def shown(self) -> dict[str, str | None]:
        """For `drydock status` and `drydock build`."""
        address = self.engine.address if self.engine else None
        return {"kind": self.kind, "why": self.why, "engine": address}


def choose(environment: Mapping[str, str]) -> Choice:
    """Raises NoSuchRuntime."""
    wanted = environment.get(VARIABLE) or "auto"
    if wanted not in KINDS:
        raise NoSuchRuntime(
            f"{VARIABLE}={wanted} is not a runtime: set it to auto, container or process, or "
            "unset it"
        )
    if wanted == "process":
        return Choice("process", f"{VARIABLE}=process")
    # Docker's client is slow to import, and mostly not needed.
    from localcloud.runtimes import engine_client

    engine = engine_client.find(environment, PATIENCE_SECONDS[wanted])
    if engine is None:
        if wanted == "container":
            tried = ", ".join(engine_client.addresses(environment)) or "no socket of one is there"
            raise NoSuchRuntime(
                f"{VARIABLE}=container, but no container engine answers ({tried}): start Docker or "
                "`podman system service`, name its socket in DOCKER_HOST, or unset "
                f"{VARIABLE}"
            )
        return Choice("process", "no container engine answers")
    limits = _what_it_lacks(engine)
    if wanted == "container":
        return Choice("container", f"{VARIABLE}=container, {engine.name}{limits}", engine)
    client = engine_client.connect(engine)
    try:
        built = engine_client.built_images(client)
    finally:
        client.close()
    if not built:
        why = f"{engine.name} answers, but holds no image: see `drydock build --help`"
        return Choice("process", why, engine)
    return Choice("container", f"{engine.name} holds images that were built{limits}", engine)


def _what_it_lacks(engine: Engine) -> str:
    lacks = []
    if not engine.here:
        lacks.append("tasks share the engine's network")
    if not engine.groups:
        lacks.append("limits hold for each container, not for its task")
    lacks.append("a task's disk is as large as the engine's")
    return "; " + "; ".join(lacks)
