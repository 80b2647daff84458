"""Layers: their bytes are files, and moto's repository only knows which it has, and how large.

``state/ecr/layers`` holds one file for each layer, named by its SHA-256 and shared by all
repositories; ``state/ecr/uploads`` one for each upload under way.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moto.ecr.exceptions import InvalidLayerPartException, UploadNotFoundException
from moto.ecr.models import DEFAULT_LAYER_PART_SIZE, LayerUpload, Repository, ecr_backends
from moto.moto_api._internal import mock_random

from localcloud.ecr import errors
from localcloud.home import Home

SMALLEST_PART = 5 * 1024 * 1024  # bytes; the last part may be smaller
# A file that no repository needs stays for a while: the change that made it unneeded is on the
# disk by then, and whoever was reading it is done.
SECONDS_UNTIL_REMOVED = 30.0
SECONDS_OF_AN_UPLOAD = 24 * 3600.0


@dataclass
class Upload:
    """A layer that is being uploaded. ``size`` is what was acknowledged, in bytes."""

    upload_id: str
    size: int = 0
    last_part: int = 0
    has_small_part: bool = False
    started: float = field(default_factory=time.time)


class LayerFiles:
    """The files of all layers of all repositories. ``lock`` is held around every change."""

    def __init__(self, home: Home):
        self._layers = home.state / "ecr" / "layers"
        self._uploads = home.state / "ecr" / "uploads"
        self.lock = threading.RLock()
        self._unneeded: dict[Path, float] = {}  # since when

    # ------------------------------------------------------------------------------ uploading
    def initiate(self, repository: Repository) -> dict[str, Any]:
        self._uploads.mkdir(parents=True, exist_ok=True)
        self._layers.mkdir(exist_ok=True)
        upload = Upload(str(mock_random.uuid4()))
        self._upload_file(upload).touch()
        repository.uploads[upload.upload_id] = upload
        return {"uploadId": upload.upload_id, "partSize": DEFAULT_LAYER_PART_SIZE}

    def add_part(
        self, repository: Repository, upload_id: str, first: int, last: int, part: bytes
    ) -> int:
        """Append a part and answer the position of the last byte received."""
        upload = self._upload(repository, upload_id)
        if first != upload.size or last - first + 1 != len(part) or not part:
            raise InvalidLayerPartException(
                repository.registry_id, repository.name, upload_id, upload.size - 1
            )
        with open(self._upload_file(upload), "r+b") as file:
            # More may be there than was acknowledged, if a server was killed in between.
            file.truncate(first)
            file.seek(first)
            file.write(part)
        upload.has_small_part |= 0 < upload.last_part < SMALLEST_PART
        upload.last_part = len(part)
        upload.size += len(part)
        return last

    def complete(self, repository: Repository, upload_id: str, digests: list[str]) -> str:
        """Make the upload a layer, if its bytes are what they were said to be; its digest."""
        upload = self._upload(repository, upload_id)
        if upload.size == 0:
            raise errors.empty_upload(repository, upload_id)
        if upload.has_small_part:
            raise errors.part_too_small(upload_id)
        with open(self._upload_file(upload), "rb") as file:
            digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        if digest not in digests:
            raise errors.wrong_layer(digest, digests)
        del repository.uploads[upload_id]
        if digest in repository.layers:
            raise errors.layer_exists(repository, digest)
        os.replace(self._upload_file(upload), self.file(digest))
        repository.layers[digest] = upload.size
        return digest

    def _upload(self, repository: Repository, upload_id: str) -> Upload:
        upload = repository.uploads.get(upload_id)
        if upload is None:
            raise UploadNotFoundException(upload_id, repository.name, repository.registry_id)
        return upload

    def _upload_file(self, upload: Upload) -> Path:
        return self._uploads / upload.upload_id

    def file(self, digest: str) -> Path:
        return self._layers / digest.removeprefix("sha256:")

    # ------------------------------------------------------------------------------ cleaning up
    def settle(self) -> None:
        """After a start: forget what has no file, and remove the files that nothing refers to."""
        for repository in repositories():
            for digest, size in list(repository.layers.items()):
                if _size(self.file(digest)) != size:
                    del repository.layers[digest]
            for upload_id, upload in list(repository.uploads.items()):
                if isinstance(upload, LayerUpload) or _size(self._upload_file(upload)) is None:
                    del repository.uploads[upload_id]
        self.sweep(older_than=0)

    def sweep(self, older_than: float = SECONDS_UNTIL_REMOVED) -> None:
        """Remove the files that no repository has needed for that many seconds."""
        with self.lock:
            present = {path for folder in (self._layers, self._uploads) for path in _paths(folder)}
            unneeded = present - self._needed()
            now = time.monotonic()
            self._unneeded = {path: self._unneeded.get(path, now) for path in unneeded}
            for path, since in list(self._unneeded.items()):
                if now - since >= older_than:
                    path.unlink()
                    del self._unneeded[path]

    def _needed(self) -> set[Path]:
        needed = set()
        for repository in repositories():
            needed |= {self.file(digest) for digest in repository.layers}
            for upload in list(repository.uploads.values()):
                if time.time() - upload.started > SECONDS_OF_AN_UPLOAD:
                    del repository.uploads[upload.upload_id]
                else:
                    needed.add(self._upload_file(upload))
        return needed


def repositories() -> Iterator[Repository]:
    """Every repository of every account and region."""
    for _, _, backend in list(ecr_backends.iter_backends()):
        yield from list(backend.repositories.values())


def _paths(folder: Path) -> Iterator[Path]:
    return folder.iterdir() if folder.is_dir() else iter(())


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
