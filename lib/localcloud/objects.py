"""S3 on disk: an object's bytes are a file, and what a request touched is known.

moto keeps the bytes in memory and replaces or drops them before a request is answered. Here a
replaced file stays until the change that replaced it is safely recorded, so that a server killed
in between still has the old object.
"""

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import moto.s3.models as s3
from moto.s3.responses import S3Response
from moto.s3.utils import _VersionedKeyStore
from moto.utilities.utils import md5_hash
from werkzeug.datastructures import MultiDict

# A reader that found an object just before it was replaced has this long to open its file.
SECONDS_UNTIL_REMOVED = 30.0
# One of these is held while an object is put: its condition, such as If-Match, holds until then.
_putting = [threading.Lock() for _ in range(64)]


class ObjectFiles:
    """The folder of object files, and those in it that are no longer needed."""

    def __init__(self) -> None:
        self.folder = Path()
        self._unneeded: list[tuple[float, Path]] = []

    def write(self, value: bytes) -> str:
        name = uuid.uuid4().hex
        path = self.folder / name
        try:
            path.write_bytes(value)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return name

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def drop(self, name: str) -> None:
        self._unneeded.append((time.monotonic(), self.folder / name))

    def sweep(self, older_than: float = SECONDS_UNTIL_REMOVED) -> None:
        """Remove files that were dropped, and whose drop is recorded, that many seconds ago."""
        limit = time.monotonic() - older_than
        while self._unneeded and self._unneeded[0][0] <= limit:
            self._unneeded.pop(0)[1].unlink(missing_ok=True)

    def keep_only(self, names: set[str]) -> None:
        """Remove files that nothing refers to: left by a server that was killed."""
        for entry in os.scandir(self.folder):
            if entry.name not in names:
                os.unlink(entry.path)


files = ObjectFiles()


class FileKey(s3.FakeKey):
    """An S3 object (or one part of an upload) whose bytes are a file."""

    # moto's constructor wants to set a buffer; the file takes its place.
    _value_buffer = property(lambda self: None, lambda self, buffer: None)
    file: str | None = None

    @property
    def value(self) -> bytes:
        return files.read(self.file) if self.file else b""

    @value.setter
    def value(self, new_value: bytes) -> None:
        if isinstance(new_value, str):
            new_value = new_value.encode()
        former, self.file = self.file, files.write(new_value)
        self.contentsize = len(new_value)
        if former:
            files.drop(former)

    @property
    def etag(self) -> str:
        if self._etag is None:
            self._etag = md5_hash(self.value).hexdigest()
        return f'"{self._etag}"'

    def dispose(self, garbage: bool = False) -> None:
        # The name stays: somebody may be about to read the object that this one was.
        if self.file and not self.disposed:
            files.drop(self.file)
        self.disposed = True

    def __del__(self) -> None:
        # Forgetting a Python object must not remove a file: deepcopy shares it.
        pass

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.lock = threading.Lock()

    def is_whole(self) -> bool:
        """Does its file hold as many bytes as were acknowledged?"""
        try:
            return (files.folder / self.file).stat().st_size == self.contentsize
        except OSError:
            return False


# --------------------------------------------------------------------------------------------
# what a request touched
# --------------------------------------------------------------------------------------------
class Touched:
    """Names looked at or changed in each key store and upload store.

    Every change of an object, also of its tags or its ACL, starts by looking it up. So what was
    looked up in a writing request, compared with what was saved, is what has to be saved.
    """

    def __init__(self) -> None:
        self._names: dict[int, set[str]] = {}
        self._lock = threading.Lock()

    def add(self, store: dict, name: str) -> None:
        with self._lock:
            self._names.setdefault(id(store), set()).add(name)

    def pop(self, store: dict) -> set[str]:
        with self._lock:
            return self._names.pop(id(store), set())

    def take(self) -> "Touched":
        """All of it, leaving none."""
        taken = Touched()
        with self._lock:
            taken._names, self._names = self._names, {}
        return taken

    def update(self, other: "Touched") -> None:
        with self._lock:
            for store, names in other._names.items():
                self._names.setdefault(store, set()).update(names)


class _Watch(threading.local):
    touched: Touched | None = None


_watch = _Watch()
# Touched outside of a request (a notification's thread), or by one that could not be saved.
leftover = Touched()


@contextmanager
def watched() -> Iterator[Touched]:
    """Collect what this thread touches."""
    _watch.touched = Touched()
    try:
        yield _watch.touched
    finally:
        _watch.touched = None


class KeyStore(_VersionedKeyStore):
    """A bucket's objects by key, each a list of versions."""

    def __getitem__(self, name: str) -> Any:
        if _watch.touched is not None:
            _watch.touched.add(self, name)
        return super().__getitem__(name)

    def getlist(self, name: str, default: Any = None) -> Any:
        if _watch.touched is not None:
            _watch.touched.add(self, name)
        return super().getlist(name, default)

    def __setitem__(self, name: str, value: Any) -> None:
        (_watch.touched or leftover).add(self, name)
        super().__setitem__(name, value)

    def setlist(self, name: str, versions: Any) -> None:
        (_watch.touched or leftover).add(self, name)
        super().setlist(name, versions)

    def pop(self, name: str) -> None:
        (_watch.touched or leftover).add(self, name)
        super().pop(name)


class UploadStore(s3.MultipartDict):
    """A bucket's multipart uploads in progress, by upload id."""

    def __getitem__(self, name: str) -> Any:
        if _watch.touched is not None:
            _watch.touched.add(self, name)
        return super().__getitem__(name)

    def __setitem__(self, name: str, upload: Any) -> None:
        (_watch.touched or leftover).add(self, name)
        super().__setitem__(name, upload)

    def __delitem__(self, name: str) -> None:
        (_watch.touched or leftover).add(self, name)
        super().__delitem__(name)


def install(folder: Path) -> None:
    """Let moto's S3 make its objects and stores from the classes above."""
    files.folder = folder
    s3.FakeKey = FileKey
    s3._VersionedKeyStore = KeyStore
    s3.MultipartDict = UploadStore
    S3Response.setup_class = _with_whole_body(S3Response.setup_class)
    S3Response.put_object = _one_at_a_time(S3Response.put_object)


def _with_whole_body(setup: Callable[..., None]) -> Callable[..., None]:
    """What is put is no form, whatever its content type: parsed as one, its bytes would be gone."""

    def setup_class(response: S3Response, request: Any, *arguments: Any) -> None:
        if request.method == "PUT":
            request.get_data()
            request.__dict__ |= {"form": MultiDict(), "files": MultiDict()}
        setup(response, request, *arguments)

    return setup_class


def _one_at_a_time(put: Callable[[S3Response], Any]) -> Callable[[S3Response], Any]:
    """Of two conditional writes of one key at most one succeeds, as in S3."""

    def put_object(response: S3Response) -> Any:
        key = (response.bucket_name, response.parse_key_name())
        with _putting[hash(key) % len(_putting)]:
            return put(response)

    return put_object
