"""What an image is with a container engine: layers in the engine's store."""

from __future__ import annotations

from dataclasses import dataclass

from localcloud.ecr.manifests import IMAGE_ANNOTATION
from localcloud.failures import cannot_pull
from localcloud.images import registry
from localcloud.role_clients import Clients
from localcloud.runtimes.engine import EngineRuntime


@dataclass(frozen=True)
class BuiltImage:
    """An image in the engine's store. ``digest`` is its manifest's in ECR."""

    digest: str
    engine_id: str


def pull(
    runtime: EngineRuntime, clients: Clients, execution_role: str | None, reference: str
) -> BuiltImage:
    """ECR says whether the image is there and may be pulled; its layers are in the engine's store.

    What is not in ECR the engine has, or fetches from its registry. Raises TaskFailed.
    """
    if not registry.REFERENCE.fullmatch(reference):
        try:
            found = runtime.find_image(reference) or runtime.pull_image(reference)
        except OSError as error:
            raise registry.not_resolved(reference, str(error)) from None
        return BuiltImage(found, found)
    stored = registry.look_up(clients, execution_role, reference)
    engine_id = stored.annotations.get(IMAGE_ANNOTATION)
    if engine_id is None:
        raise cannot_pull(
            f"{reference} was registered without a container engine, and tasks run in containers "
            "here: run `drydock build` again"
        )
    if runtime.find_image(engine_id) is None:
        raise cannot_pull(
            f"{reference}: its layers are no longer in the engine's image store: run "
            "`drydock build` again"
        )
    return BuiltImage(stored.digest, engine_id)
