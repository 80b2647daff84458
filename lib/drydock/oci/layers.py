"""One layer of an image: a tar archive of changed files, and what lies under it (layer.md)."""

import functools
import gzip
import hashlib
import io
import posixpath
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drydock.errors import WrongInput

TAR_TYPE = "application/vnd.oci.image.layer.v1.tar"
LAYER_TYPE = f"{TAR_TYPE}+gzip"
GZIP_MAGIC = b"\x1f\x8b"
WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
GZIP = 31  # zlib's window bits for a gzip wrapper
# A file's content and whether it may be executed
Content = tuple[bytes, bool]


def digest(data: bytes) -> str:
    """The name of these bytes in a registry: ``sha256:`` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True)
class Layer:
    """One tar archive of changes: ``tar`` as it is applied, ``blob`` as a registry stores it."""

    tar: bytes = field(repr=False)
    blob: bytes = field(repr=False)
    created_by: str = ""

    @functools.cached_property
    def diff_id(self) -> str:
        """The digest of the uncompressed tar: what the config names."""
        return digest(self.tar)

    @functools.cached_property
    def digest(self) -> str:
        """The digest of the compressed blob: what the manifest names."""
        return digest(self.blob)

    @property
    def descriptor(self) -> dict[str, Any]:
        kind = LAYER_TYPE if self.blob.startswith(GZIP_MAGIC) else TAR_TYPE
        return {"mediaType": kind, "digest": self.digest, "size": len(self.blob)}

    def files(self) -> dict[str, bytes]:
        """What its tar holds, by path: whiteouts are empty files, a symlink is ``-> target``."""
        return dict(_entries(self.tar))


def layer(
    content: Mapping[str, bytes] | Path,
    *,
    under: str = "",
    removed: Sequence[str] = (),
    created_by: str = "",
    compressed: bool = True,
) -> Layer:
    """Make a layer of files: a mapping of path to bytes, or everything in a folder.

    under: the folder of the image into which they go. removed: paths of lower layers that this
    one deletes, each by a whiteout. Files are 0644, or 0755 if they can be executed in the folder.
    compressed: as a registry mostly stores it; plain, the blob is the tar, the same everywhere.
    Raises WrongInput for a path that an image cannot have, or a folder that is not there.
    """
    files = _folder(content) if isinstance(content, Path) else _mapping(content)
    # The spec wants whiteouts before their siblings.
    entries: dict[str, Content] = {_whiteout(path): (b"", False) for path in sorted(set(removed))}
    for path, kept in sorted((_clean(posixpath.join(under, p)), c) for p, c in files.items()):
        if path in entries:
            raise WrongInput(f"{path} is in the layer twice")
        if any(parent in entries for parent in parents(path)):
            raise WrongInput(f"{path} is in a folder that is a file of the same layer")
        entries[path] = kept
    tar = _tar(entries)
    return Layer(tar, _gzip(tar) if compressed else tar, created_by)


def read(blob: bytes, created_by: str = "") -> Layer:
    """The layer in a downloaded blob: tar or tar+gzip. Raises WrongInput if it is neither."""
    try:
        tar = gzip.decompress(blob) if blob.startswith(GZIP_MAGIC) else blob
        list(_entries(tar))
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise WrongInput(f"{digest(blob)} is not a layer (a tar or tar+gzip): {error}") from None
    return Layer(tar, blob, created_by)


def _mapping(content: Mapping[str, bytes]) -> dict[str, Content]:
    for path, data in content.items():
        if not isinstance(data, bytes):
            raise WrongInput(f"{path}: a file's content is bytes; write .encode() after a text")
    return {path: (data, False) for path, data in content.items()}


def _folder(folder: Path) -> dict[str, Content]:
    if not folder.is_dir():
        raise WrongInput(f"{folder} is not a folder")
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in folder.rglob("*")
        if path.is_file()
    }


def _clean(path: str) -> str:
    cleaned = posixpath.normpath(path.lstrip("/"))
    words = cleaned.split("/")
    if cleaned == "." or ".." in words:
        raise WrongInput(f"{path!r} is not a path inside an image")
    if any(word.startswith(WHITEOUT) for word in words):
        raise WrongInput(f"{path!r}: names that begin with {WHITEOUT} mark deletions in layers")
    return cleaned


def parents(path: str) -> Iterator[str]:
    """The folders that a path is in."""
    while path := posixpath.dirname(path):
        yield path


def _whiteout(path: str) -> str:
    folder, name = posixpath.split(_clean(path))
    return posixpath.join(folder, WHITEOUT + name)


def _tar(entries: Mapping[str, Content]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, (content, executable) in entries.items():
            # A new TarInfo is root's and of 1970.
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755 if executable else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _gzip(tar: bytes) -> bytes:
    packer = zlib.compressobj(6, wbits=GZIP)  # its header carries no time and no name
    return packer.compress(tar) + packer.flush()


def _entries(tar: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
        for entry in archive:
            path = posixpath.normpath(entry.name).lstrip("/")
            if entry.issym():
                yield path, f"-> {entry.linkname}".encode()
            elif entry.isfile() or entry.islnk():
                yield path, archive.extractfile(entry).read()
