"""What a container image is: layers, a config and a manifest, each named by its own SHA-256.

No engine and no network is needed to make one. The formats are those of the OCI image
specification 1.1 (https://github.com/opencontainers/image-spec). The same content gives the same
tar, and so the same diff ID, on every machine: modification times are 0, owners are root, entries
are sorted. The digest of a compressed layer also depends on the build of zlib: compare it within
one machine only.
"""

from drydock.oci.cache import Step, compare, steps
from drydock.oci.images import CONFIG_TYPE, INDEX_TYPE, MANIFEST_TYPE, Image, image, index
from drydock.oci.layers import LAYER_TYPE, Layer, digest, layer, read
from drydock.oci.view import Found, apply, find, sizes

__all__ = [
    "CONFIG_TYPE",
    "INDEX_TYPE",
    "LAYER_TYPE",
    "MANIFEST_TYPE",
    "Found",
    "Image",
    "Layer",
    "Step",
    "apply",
    "compare",
    "digest",
    "find",
    "image",
    "index",
    "layer",
    "read",
    "sizes",
    "steps",
]
