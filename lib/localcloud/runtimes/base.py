"""The interface of a runtime: a sandbox holds the limits, containers run inside it.

A sandbox is what ECS calls a task and Kubernetes a pod: containers that share one CPU and
memory allowance, and that are removed together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"

LogBatch = list[tuple[int, str]]
"""Lines in order, each with the epoch millisecond at which it was read."""


class CannotStart(Exception):
    """The container's command could not be executed; the message says why, in one line."""


@dataclass(frozen=True)
class Mount:
    """Something of the outside at ``target`` in a container: a path of this machine, or a volume
    of the sandbox (a plain name, shared by all its containers and removed with it)."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Network:
    """A sandbox's own network, where a runtime can make one.

    ``address`` is a loopback address, the same inside and outside, and ``ports`` are TCP ports
    there that the sandbox serves to the outside. ``reach`` tells, as often as it is asked, which
    addresses and ports outside may be connected to; inside they have the same address.
    """

    address: str
    ports: tuple[int, ...]
    reach: Callable[[], set[tuple[str, int]]]


@dataclass(frozen=True)
class ContainerSpec:
    """What to run.

    ``environment`` is all that the process gets. ``memory_mib`` is the container's own hard
    limit inside the sandbox's, if it has one. ``stop_timeout`` is in seconds. ``log`` is called
    from one thread with batches of lines in order; it has seen every line before ``wait``
    returns a status.

    The rest is for an engine: the image's id, what replaces its entry point, mounts, and further
    settings as Docker's client names them. There ``environment`` comes on top of the image's, and
    an empty command or working directory means the image's.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    working_directory: Path | None
    log: Callable[[LogBatch], None]
    memory_mib: int | None = None
    stop_timeout: float = 30.0
    image: str | None = None
    entry_point: list[str] = field(default_factory=list)
    mounts: tuple[Mount, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExitStatus:
    """``code`` is the process's own, or 128 + signal; ``reason`` is None unless it ran out of
    memory, or the engine that ran it was lost."""

    code: int
    reason: str | None = None


@dataclass(frozen=True)
class Usage:
    """CPU seconds so far, memory now, and the highest memory seen, in bytes, without page cache
    that the kernel could drop."""

    cpu_seconds: float = 0.0
    memory_peak_bytes: int = 0
    memory_bytes: int = 0


class Container(Protocol):
    """A started command with all its descendants."""

    pid: int

    def wait(self, timeout: float | None = None) -> ExitStatus | None:
        """The exit status, or None if it still runs after ``timeout`` seconds."""

    def execute(self, command: list[str], timeout: float) -> int | None:
        """Run another command beside it, under the same limits, with its output dropped.

        Its exit code; None if it had to be killed after ``timeout`` seconds or cannot be executed.
        """

    def attached(self, command: list[str], streams: list[int], tty: bool) -> Container:
        """Run another command beside it, under the same limits, with these three file descriptors
        as its standard streams; with ``tty`` they are a terminal. Raises CannotStart."""

    def stop(self) -> None:
        """SIGTERM now, SIGKILL after the spec's ``stop_timeout``. Returns when it has ended."""

    def kill(self) -> None:
        """SIGKILL to the whole tree. Returns when it has ended."""


class Sandbox(Protocol):
    """A shared allowance of CPU and memory, and a scratch directory.

    A container's own part is ``directory / name``; its HOME and TMPDIR belong there.
    """

    directory: Path

    def start(self, spec: ContainerSpec) -> Container:
        """Run the spec. Raises CannotStart if its command cannot be executed."""

    def usage(self) -> Usage:
        """Of all its containers together; still answers after they have ended."""

    def remove(self) -> None:
        """Kill what is left and delete every trace, the scratch directory too."""


class Runtime(Protocol):
    """A way to run sandboxes. ``kind`` is "process" or "container"."""

    kind: str

    def sandbox(
        self,
        name: str,
        cpu: float,
        memory_mib: int,
        disk_gib: int | None = None,
        network: Network | None = None,
    ) -> Sandbox:
        """A new one with ``cpu`` vCPU and ``memory_mib`` MiB. No two live ones share a name.

        With ``disk_gib`` its directory is a disk of that size, where the machine allows it.
        Without a network of its own, or where none can be made, it uses this machine's.
        """

    def sandbox_of(self, peer_port: int) -> str | None:
        """The name of the sandbox whose connection comes out of its own network by this local
        port; None if there is none such."""

    def sweep(self) -> None:
        """Kill and delete whatever an earlier server process left behind."""

    def close(self) -> None:
        """Stop the runtime's own threads. Sandboxes must have been removed."""
