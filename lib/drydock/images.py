"""Container images of the lab: a folder with a Dockerfile, put into ECR.

With a container engine the image is really built, and ECR holds its manifest; its layers stay in
the engine's own store, which stands in for that of ECR. Without one no layer is built: the image
that ECR then holds is a manifest without layers, whose annotation names the folder, and the local
cloud runs that folder's program. A changed file gives another digest, as a rebuilt image would.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drydock import cloud
from drydock.errors import WrongInput
from drydock.lab import Lab

CONTAINERS = Path(__file__).parents[1] / "containers"
CONTEXT_ANNOTATION = "dev.drydock.context"
IMAGE_ANNOTATION = "dev.drydock.image"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
BASE_VARIABLE = "DRYDOCK_BASE"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """What `build_image` has put into ECR. `uri` is pinned by digest; sizes are in bytes.

    `engine_id` is None where only the folder was registered.
    """

    uri: str
    engine_id: str | None = None
    size: int = 0
    layers: int = 0


def build(lab: Lab, repository: str, folder: Path, tag: str = "1") -> str:
    """Put the image of `folder` into ECR as `repository:tag`; return its URI, pinned by digest.

    It is really built where this lab's tasks run in containers. The repository is created when it
    is missing. Building twice without a change does nothing.
    """
    runtime = cloud.runtime(lab.endpoint)
    engine = runtime["engine"] if runtime["kind"] == "container" else None
    return build_image(lab, repository, folder, tag, engine).uri


def build_image(
    lab: Lab,
    repository: str,
    folder: Path,
    tag: str = "1",
    engine: str | None = None,
    base: str | None = None,
    say: Say = lambda line: None,
) -> Built:
    """Build with the engine at this address, or register the folder where it is None.

    `base` replaces the Dockerfile's own base image (its ARG BASE), as does DRYDOCK_BASE. Raises
    WrongInput without a Dockerfile, and BuildError.
    """
    folder = folder.resolve()
    if not (folder / "Dockerfile").is_file():
        raise WrongInput(
            f"{folder} has no Dockerfile; name a folder that has one, for instance "
            f"{CONTAINERS / 'etl'}"
        )
    ecr = lab.client("ecr")
    uri = _repository_uri(ecr, repository)
    if engine is None:
        manifest = _manifest_of_folder(folder)
        return Built(f"{uri}@{_put(ecr, repository, tag, manifest)}")

    from drydock import image_builds  # imports the engine's client: slow, only here

    with image_builds.connected(engine) as client:
        image = image_builds.build(
            client, folder, f"{uri}:{tag}", base or os.environ.get(BASE_VARIABLE), say
        )
        stored = _stored(ecr, repository, tag)
        if stored and json.loads(stored)["annotations"].get(IMAGE_ANNOTATION) == image.id:
            manifest = stored
        else:
            say("reading its manifest for ECR")
            manifest = json.dumps(
                {
                    **image_builds.manifest(client, image),
                    "annotations": {
                        CONTEXT_ANNOTATION: str(folder),
                        IMAGE_ANNOTATION: image.id,
                    },
                },
                sort_keys=True,
            )
    digest = _put(ecr, repository, tag, manifest)
    layers = json.loads(manifest)["layers"]
    size = sum(layer["size"] for layer in layers)
    return Built(f"{uri}@{digest}", image.id, size, len(layers))


def _put(ecr, repository: str, tag: str, manifest: str) -> str:
    # As in every registry, the digest of an image is the SHA-256 of its manifest.
    digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    with contextlib.suppress(ecr.exceptions.ImageAlreadyExistsException):
        ecr.put_image(
            repositoryName=repository,
            imageTag=tag,
            imageManifest=manifest,
            imageManifestMediaType=MANIFEST_TYPE,
            imageDigest=digest,
        )
    return digest


def _stored(ecr, repository: str, tag: str) -> str | None:
    """The manifest that ECR holds under this tag, if it is one of ours."""
    found = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])["images"]
    manifest = found[0]["imageManifest"] if found else "{}"
    return manifest if "annotations" in json.loads(manifest) else None


def _repository_uri(ecr, repository: str) -> str:
    # Creating comes first: whoever looked before creating could be overtaken by another build.
    try:
        return ecr.create_repository(repositoryName=repository)["repository"]["repositoryUri"]
    except ecr.exceptions.RepositoryAlreadyExistsException:
        found = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
        return found[0]["repositoryUri"]


def _manifest_of_folder(folder: Path) -> str:
    """Return the OCI manifest of `folder`: its content's digest, and where it is."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {
                "mediaType": "application/vnd.oci.empty.v1+json",
                "digest": f"sha256:{digest.hexdigest()}",
                "size": 2,
            },
            "layers": [],
            "annotations": {CONTEXT_ANNOTATION: str(folder)},
        },
        sort_keys=True,
    )
