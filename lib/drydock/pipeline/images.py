"""Container images of the lab: a folder with a Dockerfile, put into ECR.

Without a container engine no layer is built. The image that ECR then holds is an OCI manifest
without layers, whose annotation names the folder; the local cloud reads that folder's Dockerfile
and runs its program. A changed file gives another digest, as a rebuilt image would.
"""

import contextlib
import hashlib
import json
from pathlib import Path

from drydock.errors import WrongInput
from drydock.lab import Lab

CONTAINERS = Path(__file__).parents[2] / "containers"
CONTEXT_ANNOTATION = "dev.drydock.context"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def build(lab: Lab, repository: str, folder: Path, tag: str = "1") -> str:
    """Put the image of `folder` into ECR as `repository:tag`; return its URI, pinned by digest.

    The repository is created when it is missing. Building twice without a change does nothing.
    """
    if not (folder / "Dockerfile").is_file():
        raise WrongInput(f"{folder} has no Dockerfile; name a folder under {CONTAINERS}")
    ecr = lab.client("ecr")
    uri = _repository_uri(ecr, repository)
    manifest = _manifest(folder)
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
    return f"{uri}@{digest}"


def _repository_uri(ecr, repository: str) -> str:
    try:
        found = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
        return found[0]["repositoryUri"]
    except ecr.exceptions.RepositoryNotFoundException:
        return ecr.create_repository(repositoryName=repository)["repository"]["repositoryUri"]


def _manifest(folder: Path) -> str:
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
            "annotations": {CONTEXT_ANNOTATION: str(folder.resolve())},
        },
        sort_keys=True,
    )
