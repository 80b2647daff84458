"""Images in ECR, and what one is without a container engine: a folder with a Dockerfile.

`drydock build` names that folder in the manifest's annotation. ENTRYPOINT, CMD and ENV of the
Dockerfile's last stage are honoured; RUN and COPY are skipped, because the folder itself is the
working directory and the project's Python environment is the base image. HEALTHCHECK plays no
part: ECS looks only at a task definition's own check.
"""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from dockerfile_parse import DockerfileParser

from localcloud.ecs.failures import TaskFailed, cannot_initialise, cannot_pull
from localcloud.ecs.roles import Clients

CONTEXT_ANNOTATION = "dev.drydock.context"
REFERENCE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/"
    r"(?P<repository>[^:@]+)(:(?P<tag>[^@]+))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)
MANIFEST_TYPES = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]


@dataclass(frozen=True)
class Image:
    """What to run and where."""

    digest: str
    context: Path
    entry_point: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stored:
    """What ECR holds of an image: its digest, and its manifest's annotations."""

    digest: str
    annotations: dict[str, str]


def look_up(clients: Clients, execution_role: str | None, reference: str) -> Stored:
    """Find an image of ECR with the execution role's permissions. Raises TaskFailed."""
    match = REFERENCE.fullmatch(reference)
    _log_in(clients, execution_role)
    wanted = {"imageTag": match["tag"] or "latest"}
    if match["digest"]:
        wanted = {"imageDigest": match["digest"]}
    try:
        answer = clients.get("ecr", execution_role).batch_get_image(
            registryId=match["account"],
            repositoryName=match["repository"],
            imageIds=[wanted],
            acceptedMediaTypes=MANIFEST_TYPES,
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "RepositoryNotFoundException":
            raise not_resolved(reference, f"{reference}: not found") from None
        raise not_resolved(reference, f"failed to authorize: {code}: 403 Forbidden") from None
    except BotoCoreError as error:
        raise not_resolved(reference, str(error)) from None
    if not answer["images"]:
        raise not_resolved(reference, f"{reference}: not found")
    found = answer["images"][0]
    annotations = json.loads(found["imageManifest"]).get("annotations") or {}
    return Stored(found["imageId"]["imageDigest"], annotations)


def not_resolved(reference: str, detail: str) -> TaskFailed:
    return cannot_pull(
        f"pull image manifest has been retried 1 time(s): failed to resolve ref {reference}: "
        f"{detail}"
    )


def _log_in(clients: Clients, execution_role: str | None) -> None:
    try:
        clients.get("ecr", execution_role).get_authorization_token()
    except ClientError as error:
        said = error.response["Error"]
        raise cannot_initialise(
            "unable to pull secrets or registry auth: execution resource retrieval failed: unable "
            "to retrieve ecr registry auth: service call has been retried 1 time(s): "
            f"{said['Code']}: {said['Message']}"
        ) from None
    except BotoCoreError as error:
        raise cannot_initialise(f"unable to pull secrets or registry auth: {error}") from None


def command_line(image: Image, definition: dict[str, Any]) -> list[str]:
    """The image's entry point and command with the container definition's own on top."""
    entry, command = image.entry_point, image.command
    if definition.get("entryPoint"):
        entry, command = definition["entryPoint"], []
    if definition.get("command"):
        command = definition["command"]
    words = [*entry, *command]
    if words and words[0] in ("python", "python3"):
        words[0] = sys.executable
    return words


def read_folder(stored: Stored, reference: str) -> Image:
    """The image that the folder of its annotation stands for. Raises TaskFailed."""
    context = stored.annotations.get(CONTEXT_ANNOTATION)
    if context is None:
        raise cannot_pull(
            f"{reference} was not built by `drydock build`, and there is no container engine here "
            "that could run it"
        )
    dockerfile = Path(context) / "Dockerfile"
    if not dockerfile.is_file():
        raise cannot_pull(f"{reference}: {dockerfile} is gone: run `drydock build` again")
    parser = DockerfileParser(fileobj=io.BytesIO(dockerfile.read_bytes()))
    last = _last_stage(parser.structure)
    return Image(
        digest=stored.digest,
        context=Path(context),
        entry_point=_words(last.get("ENTRYPOINT")),
        command=_words(last.get("CMD")),
        environment=dict(parser.envs),
    )


def _last_stage(structure: list[dict[str, Any]]) -> dict[str, str]:
    """The last value of each instruction after the last FROM."""
    values: dict[str, str] = {}
    for step in structure:
        if step["instruction"] == "FROM":
            values.clear()
        elif step["instruction"] != "COMMENT":
            values[step["instruction"]] = step["value"]
    return values


def _words(value: str | None) -> list[str]:
    """Exec form is a JSON list; anything else is a command for the shell."""
    if not value:
        return []
    try:
        words = json.loads(value)
    except ValueError:
        words = None
    return words if isinstance(words, list) else ["/bin/sh", "-c", value]
