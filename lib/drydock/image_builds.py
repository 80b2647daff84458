"""Building an image with a container engine: any that speaks Docker's API."""

import hashlib
import json
import re
import tarfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import requests
from docker.errors import APIError, BuildError, DockerException
from docker.models.images import Image

from drydock.errors import DrydockError

CONTEXT_LABEL = "dev.drydock.context"
SILENCE_SECONDS = 900  # a step that downloads may say nothing for a while
SHOWN_LINES = 3
STEP = re.compile(r"step (?P<number>\d+)/(?P<count>\d+) ?: (?P<instruction>.*)", re.IGNORECASE)
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"

Say = Callable[[str], None]


class BuildFailed(DrydockError):
    """An image could not be built: which step, what it said last, what to type next."""


@contextmanager
def connected(engine: str) -> Iterator[docker.DockerClient]:
    """A client of the engine at this address. Raises BuildFailed when it is away, or goes away."""
    gone = BuildFailed(
        f"the container engine at {engine} stopped answering; start it again, then type the same "
        "command"
    )
    try:
        client = docker.DockerClient(base_url=engine, timeout=SILENCE_SECONDS)
    except DockerException:
        raise gone from None
    try:
        yield client
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
        raise gone from None
    except DockerException as error:
        words = getattr(error, "explanation", None) or str(error)
        raise BuildFailed(
            f"the container engine at {engine} said: {_one_line(words)}; type: drydock status"
        ) from None
    finally:
        client.close()


def build(
    client: docker.DockerClient, folder: Path, reference: str, base: str | None, say: Say
) -> Image:
    """Build `folder` and tag it; `say` gets each step as it begins. Raises BuildFailed."""
    labels = {CONTEXT_LABEL: str(folder)}
    for _ in lines(client, folder, reference, base, say, labels=labels):
        pass
    return client.images.get(reference)


def lines(
    client: docker.DockerClient,
    folder: Path,
    reference: str,
    base: str | None,
    say: Say,
    **options: object,
) -> Iterator[str]:
    """Build as `build` does, giving each line that the engine says. `options` go to the engine."""
    step, last = "", deque(maxlen=SHOWN_LINES)
    try:
        messages = client.api.build(
            path=str(folder),
            tag=reference,
            buildargs={"BASE": base} if base else {},
            network_mode="host",  # package indexes are reached as from this machine
            rm=True,
            decode=True,
            **options,
        )
        for message in messages:
            if "error" in message:
                raise _failed(folder, step, [*last, message["error"]])
            line = message.get("stream", "").strip()
            yield line
            found = STEP.match(line)
            if found:
                step = f"step {found['number']} of {found['count']}, {found['instruction']}"
                last.clear()
                say(step)
            elif line:
                last.append(line)
    except (APIError, BuildError, TypeError) as error:
        raise _failed(folder, step, [getattr(error, "explanation", None) or str(error)]) from None


def manifest(client: docker.DockerClient, image: Image) -> dict:
    """The image's OCI manifest, as a push of its layers as they are would make it.

    Layers are named by the digest of their uncompressed content, and that is their size too; a
    push to AWS compresses them.
    """
    sizes: dict[str, int] = {}
    documents: dict[str, bytes] = {}
    content = _Stream(client.api.get_image(image.id))
    with tarfile.open(fileobj=content, mode="r|") as archive:
        for member in archive:
            if member.isfile() and member.size < 1 << 20:
                documents[member.name] = archive.extractfile(member).read()
            sizes[member.name] = member.size
    # The file that describes the archive names the others; see the OCI image specification and
    # "docker image save".
    names = json.loads(documents["manifest.json"])[0]
    config = documents[names["Config"]]
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {
            "mediaType": CONFIG_TYPE,
            "digest": f"sha256:{hashlib.sha256(config).hexdigest()}",
            "size": len(config),
        },
        "layers": [
            {"mediaType": LAYER_TYPE, "digest": digest, "size": sizes[name]}
            for digest, name in zip(image.attrs["RootFS"]["Layers"], names["Layers"], strict=True)
        ],
    }


def _failed(folder: Path, step: str, lines: Iterable[str]) -> BuildFailed:
    said = " | ".join(dict.fromkeys(_one_line(line) for line in lines if line))
    where = f"{folder / 'Dockerfile'}: {step or 'before the first step'}"
    return BuildFailed(f"{where}: {said}; mend it, then type: drydock build {folder}")


def _one_line(text: str) -> str:
    return " ".join(text.split())


class _Stream:
    """Chunks as a file that can only be read onwards."""

    def __init__(self, chunks: Iterable[bytes]):
        self._chunks, self._rest = iter(chunks), b""

    def read(self, size: int) -> bytes:
        parts, missing = [self._rest], size - len(self._rest)
        while missing > 0 and (chunk := next(self._chunks, None)) is not None:
            parts.append(chunk)
            missing -= len(chunk)
        whole = b"".join(parts)
        self._rest = whole[size:]
        return whole[:size]
