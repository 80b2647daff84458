"""One pull for every service: a folder without a container engine, an image that was built with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localcloud.images import folders
from localcloud.role_clients import Clients

if TYPE_CHECKING:
    from localcloud.images.built import BuiltImage

    PulledImage = folders.Image | BuiltImage


def pull(runtime: Any, clients: Clients, role: str | None, reference: str) -> PulledImage:
    """``role`` needs the permissions of an execution role. Raises TaskFailed."""
    if runtime.kind == "process":
        return folders.pull(clients, role, reference)
    # Only where there is an engine: Docker's client takes its time to import.
    from localcloud.images import built

    return built.pull(runtime, clients, role, reference)
