"""The config, the manifest and the index that make an image of layers.

As the OCI image specification says in config.md, manifest.md and image-index.md.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drydock.errors import WrongInput
from drydock.oci.layers import Layer, digest

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Image:
    """An image for one platform. ``config`` and ``manifest`` are the bytes that get digested."""

    layers: tuple[Layer, ...]
    config: bytes = field(repr=False)
    manifest: bytes = field(repr=False)
    platform: Mapping[str, str]

    @property
    def digest(self) -> str:
        """What ``repository@sha256:...`` pins."""
        return digest(self.manifest)

    @property
    def size(self) -> int:
        """Bytes to download: the sum of the compressed layers, as ECR reports it."""
        return sum(len(layer.blob) for layer in self.layers)

    @property
    def blobs(self) -> dict[str, bytes]:
        """All that has to be in the repository before the manifest, by digest."""
        blobs = {layer.digest: layer.blob for layer in self.layers}
        return {**blobs, digest(self.config): self.config}


def image(
    layers: Sequence[Layer],
    config: Mapping[str, Any] | None = None,
    *,
    architecture: str = "amd64",
    variant: str | None = None,
) -> Image:
    """Put layers, lowest first, and settings together.

    config: the spec's names, for instance ``{"Env": ["A=1"], "Entrypoint": ["python"], "User":
    "1000"}``. architecture: Go's name, ``amd64`` or ``arm64`` (with variant ``v8``).
    """
    platform = {"architecture": architecture, "os": "linux"}
    if variant:
        platform["variant"] = variant
    written = _json(
        {
            **platform,
            "config": dict(config or {}),
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
            "history": [{"created_by": layer.created_by} for layer in layers],
        }
    )
    about = {"mediaType": CONFIG_TYPE, "digest": digest(written), "size": len(written)}
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": about,
            "layers": [layer.descriptor for layer in layers],
        }
    )
    return Image(tuple(layers), written, manifest, platform)


def index(images: Sequence[Image]) -> bytes:
    """An image index: one name for an image of several platforms. Its name is ``digest(index)``.

    Raises WrongInput when two images are of the same platform.
    """
    platforms = [json.dumps(image.platform, sort_keys=True) for image in images]
    if len(set(platforms)) < len(platforms):
        raise WrongInput("an index names each platform once; give the images other architectures")
    manifests = [
        {
            "mediaType": MANIFEST_TYPE,
            "digest": image.digest,
            "size": len(image.manifest),
            "platform": dict(image.platform),
        }
        for image in images
    ]
    return _json({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": manifests})


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
