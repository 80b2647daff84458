"""Images as ECR holds them: found with a role's permissions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.failures import TaskFailed, cannot_initialise, cannot_pull
from localcloud.role_clients import Clients

REFERENCE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/"
    r"(?P<repository>[^:@]+)(:(?P<tag>[^@]+))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)
MANIFEST_TYPES = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]


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
