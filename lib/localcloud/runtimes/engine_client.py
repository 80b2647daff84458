"""The way to a container engine: Docker, Podman, or any other that speaks Docker's API."""

from __future__ import annotations

import io
import os
import platform
import socket
import struct
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container

HOME_LABEL = "dev.drydock.home"
CONTEXT_LABEL = "dev.drydock.context"
PAUSE = "localhost/drydock/pause:1"
CALL_SECONDS = 60
REMOVALS = 10
SOCKETS = ("/var/run/docker.sock", "/run/podman/podman.sock", "{}/podman/podman.sock")
# Machine code of "wait for a signal, for ever", by architecture, with ELF's number for that.
PAUSE_CODE = {
    "x86_64": (62, "b8220000000f05ebf7"),
    "aarch64": (
        183,
        "000080d2010080d2020080d2030080d2040080d2280980d2010000d4f9ffff17",
    ),
}


@dataclass(frozen=True)
class Engine:
    """An engine that answers. ``name`` is for people, such as "Podman Engine 4.3.1".

    ``groups``: it puts containers below a control group that we name. ``here``: it runs on this
    very kernel as root, as we do, so that we can enter its namespaces.
    """

    address: str
    name: str
    groups: bool
    here: bool


def addresses(environment: Mapping[str, str]) -> list[str]:
    """Where an engine may be: DOCKER_HOST alone if it is set, else the sockets that exist."""
    if environment.get("DOCKER_HOST"):
        return [environment["DOCKER_HOST"]]
    own = environment.get("XDG_RUNTIME_DIR", "/run")
    places = dict.fromkeys(place.format(own) for place in SOCKETS)
    return [f"unix://{place}" for place in places if Path(place).is_socket()]


def find(environment: Mapping[str, str], patience: float) -> Engine | None:
    """The first engine that answers within so many seconds."""
    for address in addresses(environment):
        with suppress(DockerException, OSError, ValueError):
            docker.DockerClient(base_url=address, timeout=patience).ping()
            return look(address)
    return None


def look(address: str) -> Engine:
    """What there is to know of the engine at this address. Raises DockerException, OSError."""
    client = docker.DockerClient(base_url=address, timeout=CALL_SECONDS)
    try:
        version, info = client.version(), client.info()
    finally:
        client.close()
    name = (version.get("Components") or [{}])[0].get("Name") or "Docker"
    rootless = any("rootless" in option for option in info.get("SecurityOptions") or [])
    same_machine = (info.get("Name"), info.get("KernelVersion")) == (
        socket.gethostname(),
        platform.release(),
    )
    here = same_machine and not rootless and address.startswith("unix:") and os.geteuid() == 0
    groups = here and info.get("CgroupDriver") == "cgroupfs"
    return Engine(address, f"{name} {version.get('Version', '')}".strip(), groups, here)


def connect(engine: Engine) -> docker.DockerClient:
    return docker.DockerClient(base_url=engine.address, timeout=CALL_SECONDS, max_pool_size=64)


@contextmanager
def plainly(engine: Engine) -> Iterator[None]:
    """Turn what the engine's client raises into an OSError of one line."""
    try:
        yield
    except (requests.ConnectionError, requests.Timeout):
        raise OSError(
            f"the container engine at {engine.address} does not answer: start it again"
        ) from None
    except (DockerException, requests.RequestException) as error:
        raise OSError(one_line(getattr(error, "explanation", None) or str(error))) from None


def one_line(text: str) -> str:
    return " ".join(text.split())


def remove(container: Container) -> None:
    """Remove it with its anonymous volumes, killing it first if it runs."""
    for attempt in range(REMOVALS):
        try:
            container.remove(v=True, force=True)
            return
        except NotFound:
            return
        except APIError:
            # Its program ended in this very moment, and the engine had not noticed yet.
            if attempt == REMOVALS - 1:
                raise
            time.sleep(0.2)


def built_images(client: docker.DockerClient) -> list:
    """The images that `drydock build` made with this engine."""
    return client.images.list(filters={"label": CONTEXT_LABEL})


def pause_image(client: docker.DockerClient) -> str:
    """The id of an image whose program does nothing: its container holds a task's network.

    It is made here, for no registry has to be there: one program of some 130 bytes.
    """
    with suppress(docker.errors.ImageNotFound):
        return client.images.get(PAUSE).id
    program = _elf(*PAUSE_CODE[platform.machine()])
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("pause")
        member.size, member.mode = len(program), 0o755
        tar.addfile(member, io.BytesIO(program))
    client.api.import_image_from_data(archive.getvalue(), repository=PAUSE)
    return client.images.get(PAUSE).id


def _elf(machine: int, code: str) -> bytes:
    """A static 64-bit program of one segment: the headers, then the code."""
    body, base, start = bytes.fromhex(code), 0x400000, 64 + 56
    size = start + len(body)
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack(
        "<HHIQQQIHHHHHH", 2, machine, 1, base + start, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000)
    return identity + header + segment + body
