"""What an image is without a container engine: a folder with a Dockerfile.

`drydock build` names that folder in the manifest's annotation. ENTRYPOINT, CMD and ENV of the
Dockerfile's last stage are honoured; RUN and COPY are skipped, because the folder itself is the
working directory and the project's Python environment is the base image. HEALTHCHECK plays no
part: ECS looks only at a task definition's own check.
"""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockerfile_parse import DockerfileParser

from localcloud.failures import cannot_pull
from localcloud.images import registry
from localcloud.role_clients import Clients

CONTEXT_ANNOTATION = "dev.drydock.context"
# Where the machine keeps the software that stands in for the image's own.
FROM_HOST = ("LD_LIBRARY_PATH", "CONDA_PREFIX", "JAVA_HOME", "ODBCSYSINI", "ODBCINI")
NOT_FROM_IMAGE = ("PATH", "HOME", "TMPDIR", "HOST")


@dataclass(frozen=True)
class Image:
    """What to run and where."""

    digest: str
    context: Path
    entry_point: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)


def pull(clients: Clients, execution_role: str | None, reference: str) -> Image:
    """Raises TaskFailed."""
    if not registry.REFERENCE.fullmatch(reference):
        raise registry.not_resolved(
            reference,
            "no container engine here, so only images that `drydock build` registered in ECR can "
            "run",
        )
    return read_folder(registry.look_up(clients, execution_role, reference), reference)


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


def read_folder(stored: registry.Stored, reference: str) -> Image:
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


def environment(image: Image, scratch: Path) -> dict[str, str]:
    """What an image would give. Of the server's own environment only where software is."""
    for folder in (scratch / "home", scratch / "tmp"):
        folder.mkdir(parents=True)
    binaries = Path(sys.executable).parent
    return {
        **{key: os.environ[key] for key in FROM_HOST if key in os.environ},
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        **{k: v for k, v in image.environment.items() if k not in NOT_FROM_IMAGE},
        "PATH": f"{binaries}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch / "tmp"),
    }
