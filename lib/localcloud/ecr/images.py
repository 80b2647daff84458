"""Images: what put_image demands, and what becomes of tags and layers."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from moto.ecr.exceptions import ImageAlreadyExistsException
from moto.ecr.models import Image, Repository, RepoTagMutability

from localcloud.ecr import errors, manifests

TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
IMMUTABLE = (RepoTagMutability.IMMUTABLE, RepoTagMutability.IMMUTABLE_WITH_EXCLUSION)


def put(
    repository: Repository,
    text: str,
    tag: str | None,
    media_type: str | None = None,
    digest: str | None = None,
) -> Image:
    """Put a manifest into the repository, or give one that is there another tag."""
    manifest = manifests.parse(text)
    media_type = media_type or manifest.get("mediaType")
    if not media_type:
        raise errors.invalid(
            "ImageManifest", "a manifest without mediaType needs the imageManifestMediaType"
        )
    if tag is not None and not TAG.fullmatch(tag):
        raise errors.invalid("imageTag", f"must satisfy regular expression '{TAG.pattern}'")
    calculated = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    if digest and digest != calculated:
        raise errors.wrong_digest(digest, calculated)
    _check_parts(repository, manifest)
    same = find(repository, {"imageDigest": calculated})
    tagged = find(repository, {"imageTag": tag}) if tag else None
    if tagged and not _may_move(repository, tag):
        raise errors.tag_is_immutable(repository, tag)
    if same and (tag is None or same is tagged):
        raise ImageAlreadyExistsException(
            registry_id=repository.registry_id,
            repository_name=repository.name,
            digest=calculated,
            image_tag=tag or "null",
        )
    if tagged:
        untag(tagged, tag)
    if same:
        same.update_tag(tag)
        return same
    image = Image(repository.account_id, tag, text, repository.name, media_type, calculated)
    repository.images.append(image)
    return image


def _check_parts(repository: Repository, manifest: dict[str, Any]) -> None:
    missing = [d for d in manifests.layers(manifest) if d not in repository.layers]
    if missing:
        raise errors.layers_not_found(repository, missing)
    there = {image.image_digest for image in repository.images}
    missing = [digest for digest in manifests.children(manifest) if digest not in there]
    if missing:
        raise errors.images_not_found(repository, missing)


def _may_move(repository: Repository, tag: str) -> bool:
    """Whether the tag may be taken from one image and given to another."""
    filters = repository.image_tag_mutability_exclusion_filters or []
    excluded = any(matches(tag, one["filter"]) for one in filters)
    return excluded if repository.image_tag_mutability in IMMUTABLE else not excluded


def matches(tag: str, pattern: str) -> bool:
    """Whether a tag is of this pattern, in which only * has a meaning."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), tag) is not None


def find(repository: Repository, image_id: dict[str, str]) -> Image | None:
    """The image with this digest, this tag, or both."""
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    for image in repository.images:
        if (not digest or image.image_digest == digest) and (not tag or tag in image.image_tags):
            return image
    return None


def untag(image: Image, tag: str) -> None:
    image.image_tags.remove(tag)
    image.image_tag = image.image_tags[-1] if image.image_tags else None


def get(repository: Repository, image_ids: list[dict[str, str]]) -> dict[str, Any]:
    """What BatchGetImage answers."""
    found, failures = [], []
    for image_id in image_ids:
        image, failure = _asked_for(repository, image_id)
        if failure:
            failures.append(failure)
            continue
        named = {"imageDigest": image.image_digest}
        if tag := image_id.get("imageTag") or image.image_tag:
            named["imageTag"] = tag
        found.append(
            {
                "registryId": repository.registry_id,
                "repositoryName": repository.name,
                "imageId": named,
                "imageManifest": image.image_manifest,
                "imageManifestMediaType": image.image_manifest_media_type,
            }
        )
    return {"images": found, "failures": failures}


def delete(repository: Repository, image_ids: list[dict[str, str]]) -> dict[str, Any]:
    """What BatchDeleteImage does: without its last tag, or asked by digest, an image goes."""
    gone, failures = [], []
    for image_id in image_ids:
        image, failure = _asked_for(repository, image_id)
        if failure:
            failures.append(failure)
            continue
        digest, tag = image.image_digest, image_id.get("imageTag")
        if tag and "imageDigest" not in image_id and len(image.image_tags) > 1:
            untag(image, tag)
            gone.append({"imageDigest": digest, "imageTag": tag})
        elif digest in manifests.in_an_index(repository):
            failures.append(
                _failure(
                    image_id,
                    "ImageReferencedByManifestList",
                    "Requested image referenced by manifest list: "
                    f"[{', '.join(_indexes(repository, digest))}]",
                )
            )
        else:
            tags = image.image_tags or [None]
            gone += [{"imageDigest": digest, **({"imageTag": t} if t else {})} for t in tags]
            remove(repository, image)
    return {"imageIds": gone, "failures": failures}


def _indexes(repository: Repository, digest: str) -> list[str]:
    return [
        image.image_digest
        for image in repository.images
        if digest in manifests.children(manifests.of(image))
    ]


def _asked_for(
    repository: Repository, image_id: dict[str, str]
) -> tuple[Image, None] | tuple[None, dict[str, Any]]:
    digest = image_id.get("imageDigest")
    if not digest and not image_id.get("imageTag"):
        return None, _failure(
            image_id,
            "MissingDigestAndTag",
            "Invalid request parameters: both tag and digest cannot be null",
        )
    if digest and not DIGEST.fullmatch(digest):
        return None, _failure(
            image_id,
            "InvalidImageDigest",
            "Invalid request parameters: image digest should satisfy the regex "
            "'[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
        )
    image = find(repository, image_id)
    if image is None:
        return None, _failure(image_id, "ImageNotFound", "Requested image not found")
    return image, None


def _failure(image_id: dict[str, str], code: str, reason: str) -> dict[str, Any]:
    return {"imageId": image_id, "failureCode": code, "failureReason": reason}


def remove(repository: Repository, image: Image) -> None:
    """Take an image out, and the layers that only it had."""
    repository.images.remove(image)
    kept = {d for other in repository.images for d in manifests.layers(manifests.of(other))}
    for digest in manifests.layers(manifests.of(image)):
        if digest not in kept:
            repository.layers.pop(digest, None)


def detail(repository: Repository, image: Image) -> dict[str, Any]:
    """One row of DescribeImages."""
    manifest = manifests.of(image)
    row = {
        "registryId": repository.registry_id,
        "repositoryName": repository.name,
        "imageDigest": image.image_digest,
        "imageSizeInBytes": manifests.size(repository, manifest),
        "imagePushedAt": image.image_pushed_at,
        "imageManifestMediaType": image.image_manifest_media_type,
    }
    if image.image_tags:
        row["imageTags"] = image.image_tags
    if kind := (manifest.get("config") or {}).get("mediaType"):
        row["artifactMediaType"] = kind
    if (repository.image_scanning_configuration or {}).get("scanOnPush"):
        row["imageScanStatus"] = {"status": "FAILED", "description": errors.NO_SCANNER}
    return row
