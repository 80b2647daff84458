"""What a manifest says: which layers and which images it is made of, and how large it is."""

from __future__ import annotations

import json
from typing import Any

from moto.ecr.models import Image, Repository

from localcloud.ecr import errors

# `drydock build` with a container engine names the engine's image so.
IMAGE_ANNOTATION = "dev.drydock.image"


def parse(text: str) -> dict[str, Any]:
    """The manifest as a dictionary. Raises InvalidParameterException where it cannot be one."""
    try:
        manifest = json.loads(text)
    except ValueError:
        raise errors.invalid("ImageManifest", "Invalid JSON syntax") from None
    if not isinstance(manifest, dict):
        raise errors.invalid("ImageManifest", "Invalid JSON syntax")
    for name in ("layers", "manifests"):
        parts = manifest.get(name, [])
        if not isinstance(parts, list) or not all(map(_is_descriptor, parts)):
            raise errors.invalid(
                "ImageManifest", f"each of the {name} must have a digest and a size in bytes"
            )
    if manifest.get("layers") and not _is_descriptor(manifest.get("config")):
        raise errors.invalid("ImageManifest", "the config must have a digest and a size in bytes")
    if not isinstance(manifest.get("annotations", {}), dict):
        raise errors.invalid("ImageManifest", "the annotations must be an object")
    return manifest


def _is_descriptor(part: Any) -> bool:
    return (
        isinstance(part, dict)
        and isinstance(part.get("digest"), str)
        and isinstance(part.get("size"), int)
    )


def layers(manifest: dict[str, Any]) -> list[str]:
    """The blobs that have to be uploaded before it.

    What `drydock build` puts needs none: without a container engine the image has no layers, and
    its config is only a name; with one, the engine's own store keeps the layers.
    """
    if IMAGE_ANNOTATION in manifest.get("annotations", {}):
        return []
    found = manifest.get("layers") or []
    return [part["digest"] for part in [manifest["config"], *found]] if found else []


def children(manifest: dict[str, Any]) -> list[str]:
    """The images of an index, or manifest list."""
    return [part["digest"] for part in manifest.get("manifests", [])]


def size(repository: Repository, manifest: dict[str, Any]) -> int:
    """Bytes of the compressed layers; for an index, those of the largest of its images."""
    if "manifests" not in manifest:
        return sum(part["size"] for part in manifest.get("layers", []))
    named = set(children(manifest))
    sizes = [
        size(repository, of(image)) for image in repository.images if image.image_digest in named
    ]
    return max(sizes, default=0)


def of(image: Image) -> dict[str, Any]:
    return json.loads(image.image_manifest)


def in_an_index(repository: Repository) -> set[str]:
    """Digests of the images that an index of the repository refers to."""
    return {digest for image in repository.images for digest in children(of(image))}
