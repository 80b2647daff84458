"""ECR's errors, with the codes of AWS, and its words where they are known."""

from __future__ import annotations

from collections.abc import Iterable

from moto.core.exceptions import ServiceException
from moto.ecr.models import Repository


class EcrError(ServiceException):
    """An error that a caller sees; ``code`` is a shape name of the ECR API."""

    def __init__(self, code: str, message: str):
        super().__init__(code, message)


def invalid(parameter: str, constraint: str) -> EcrError:
    return EcrError(
        "InvalidParameterException",
        f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'",
    )


def where(repository: Repository) -> str:
    return (
        f"repository with name '{repository.name}' "
        f"in the registry with id '{repository.registry_id}'"
    )


def layers_not_found(repository: Repository, digests: Iterable[str]) -> EcrError:
    return EcrError(
        "LayersNotFoundException",
        f"Layers with digests '[{', '.join(digests)}]' required for pushing image into "
        f"{where(repository)} do not exist",
    )


def images_not_found(repository: Repository, digests: Iterable[str]) -> EcrError:
    return EcrError(
        "ReferencedImagesNotFoundException",
        f"Images with digests '[{', '.join(digests)}]' required for pushing image into "
        f"{where(repository)} do not exist",
    )


def layer_not_found(repository: Repository, digest: str) -> EcrError:
    return EcrError(
        "LayersNotFoundException",
        f"The layer with digest '{digest}' does not exist within the {where(repository)}",
    )


def layer_inaccessible(repository: Repository, digest: str) -> EcrError:
    return EcrError(
        "LayerInaccessibleException",
        f"The layer with digest '{digest}' in the {where(repository)} is not available because "
        "it is not associated with an image: put_image with a manifest that names it comes first",
    )


def tag_is_immutable(repository: Repository, tag: str) -> EcrError:
    return EcrError(
        "ImageTagAlreadyExistsException",
        f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot "
        "be overwritten because the repository is immutable.",
    )


def wrong_digest(given: str, calculated: str) -> EcrError:
    return EcrError(
        "ImageDigestDoesNotMatchException",
        f"The specified image digest '{given}' does not match the digest that Amazon ECR "
        f"calculated for the image: '{calculated}'",
    )


def empty_upload(repository: Repository, upload_id: str) -> EcrError:
    return EcrError(
        "EmptyUploadException",
        f"The upload with id '{upload_id}' in the {where(repository)} cannot be completed "
        "because it does not have any parts",
    )


def part_too_small(upload_id: str) -> EcrError:
    return EcrError(
        "LayerPartTooSmallException",
        f"Layer parts must be at least 5 MiB in size, but for the last one: upload '{upload_id}'",
    )


def wrong_layer(calculated: str, given: list[str]) -> EcrError:
    return EcrError(
        "InvalidLayerException",
        f"The layer digest calculation performed by Amazon ECR upon receipt of the image layer, "
        f"'{calculated}', does not match the digest specified, '{', '.join(given)}'",
    )


def layer_exists(repository: Repository, digest: str) -> EcrError:
    return EcrError(
        "LayerAlreadyExistsException",
        f"The image layer with digest '{digest}' already exists in the {where(repository)}",
    )


def no_preview(repository: Repository) -> EcrError:
    return EcrError(
        "LifecyclePolicyPreviewNotFoundException",
        f"There is no lifecycle policy preview for the {where(repository)}: "
        "start_lifecycle_policy_preview makes one",
    )


def no_findings(repository: Repository, image: str) -> EcrError:
    return EcrError(
        "ScanNotFoundException",
        f"Image scan does not exist for the image with '{image}' in the {where(repository)}. "
        f"{NO_SCANNER}",
    )


def no_scanner() -> EcrError:
    return EcrError("ValidationException", NO_SCANNER)


NO_SCANNER = (
    "The local cloud has no database of vulnerabilities, so it scans no image and makes no "
    "findings up. On AWS call start_image_scan on the pushed image (or set scanOnPush), wait with "
    "the image_scan_complete waiter, and read describe_image_scan_findings"
)
