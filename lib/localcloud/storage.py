"""What moto keeps in memory, kept over a restart and a SIGKILL.

One SQLite database (state/moto.sqlite) holds one row for each moto backend, and for S3, whose
state grows with its objects, one row for each bucket, object and upload. A row is written in the
request that changed it, before that is answered. Services that change at every breath or are
large (SLOW) are written a moment later instead.

Writes are not forced to the disk one by one: they survive the death of the server, and after a
power cut the database is consistent but may lack the last moments.
"""

import hashlib
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Iterator

import moto
from moto.core.base_backend import BackendDict
from moto.core.common_models import BaseModel

from localcloud import objects, pickling
from localcloud.bucket_rows import bucket_rows, files_in_use, restore_buckets
from localcloud.home import Home

# Written in the background: log events and metrics come many times a second, EC2 and SSM bring
# nearly a megabyte of defaults along, STS sessions die with the tasks that use them.
SLOW = frozenset({"logs", "cloudwatch", "ec2", "ssm", "sts", "autoscaling"})
# These keep their own state, or none.
NOT_OURS = frozenset({"s3", "ecs", "moto_api", "instance_metadata"})
BACKGROUND_DELAY = 0.3  # seconds
RETRY_DELAY = 2.0  # after a save that failed, as with a full disk
SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS rows (
    service TEXT, account TEXT, region TEXT, bucket TEXT, kind TEXT, name TEXT, data BLOB,
    PRIMARY KEY (service, account, region, bucket, kind, name)) WITHOUT ROWID;
"""
# service, account, region, and for S3: bucket, kind ("bucket", "key", "upload"), name
RowId = tuple[str, str, str, str, str, str]


class Storage:
    """The rows of one home. Make it before the first moto backend exists."""

    def __init__(self, home: Home):
        self._home = home
        self._path = home.state / "moto.sqlite"
        self._saving = threading.RLock()
        self._digests: dict[RowId, bytes] = {}
        self._complained: set[str] = set()
        self._due = threading.Event()
        self._closing = threading.Event()
        # moto remembers every object it ever made, for a dashboard; that would be our memory leak
        BaseModel.__new__ = lambda cls, *_, **__: object.__new__(cls)
        objects.install(home.objects)
        self._database = self._open()
        self._restore()
        self._thread = threading.Thread(
            target=self._save_in_background, name="storage", daemon=True
        )
        self._thread.start()

    def _open(self) -> sqlite3.Connection:
        try:
            database = self._connect()
            written_by = database.execute("SELECT value FROM about WHERE name='moto'").fetchone()
            sound = database.execute("PRAGMA quick_check").fetchone() == ("ok",)
        except sqlite3.DatabaseError:
            written_by, sound = None, False
        if sound and written_by in (None, (moto.__version__,)):
            return self._stamp(database)
        if sound:
            database.close()
            why = f"The state was written by moto {written_by[0]}, and this is {moto.__version__}"
        else:
            why = f"The state in {self._path} is damaged"
        self._home.set_aside(why)
        return self._stamp(self._connect())

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.executescript(SCHEMA)
        return database

    @staticmethod
    def _stamp(database: sqlite3.Connection) -> sqlite3.Connection:
        database.execute("INSERT OR REPLACE INTO about VALUES ('moto', ?)", (moto.__version__,))
        return database

    # ---------------------------------------------------------------------------- restoring
    def _restore(self) -> None:
        rows = self._database.execute("SELECT * FROM rows").fetchall()
        unreadable: list[RowId] = []
        buckets: dict[RowId, object] = {}
        for *row_id, data in rows:
            row_id = tuple(row_id)
            self._digests[row_id] = digest(data)
            try:
                content = pickling.loads(data)
                if row_id[0] == "s3":
                    buckets[row_id] = content
                else:
                    pickling.restore_backend(*row_id[:3], content)
            except Exception:
                traceback.print_exc()
                unreadable.append(row_id)
        unreadable += restore_buckets(buckets)
        for row_id in unreadable:
            self._set_row_aside(row_id)
        objects.files.keep_only(files_in_use())

    def _set_row_aside(self, row_id: RowId) -> None:
        kept = self._home.state / f"unreadable-{'-'.join(filter(None, row_id))}".replace("/", "_")
        where = "service=? AND account=? AND region=? AND bucket=? AND kind=? AND name=?"
        data = self._database.execute(f"SELECT data FROM rows WHERE {where}", row_id).fetchone()
        kept.with_name(kept.name[:200]).write_bytes(data[0])
        self._database.execute(f"DELETE FROM rows WHERE {where}", row_id)
        del self._digests[row_id]
        what = f"s3://{row_id[3]}/{row_id[5]}" if row_id[0] == "s3" else f"The state of {row_id[0]}"
        self._home.say(f"{what} could not be read and is left out; its record is in {kept}")

    # ---------------------------------------------------------------------------- saving
    def save_objects(self, touched: objects.Touched) -> None:
        """Write what S3 changed. Raises OSError or sqlite3.Error if that is not possible."""
        with self._saving:
            try:
                touched.update(objects.leftover.take())
                self._write(bucket_rows(touched, set(self._digests)))
            except BaseException:
                objects.leftover.update(touched)
                raise

    def save_backends(self, slow: bool = False) -> None:
        """Write every backend that changed; the slow ones only if asked to."""
        with self._saving:
            self._write(
                (row_id, self._pickled(row_id, backend))
                for row_id, backend in live_backends()
                if slow or row_id[0] not in SLOW
            )

    def save_soon(self) -> None:
        self._due.set()

    def close(self) -> None:
        self._closing.set()
        self._due.set()
        self._thread.join()
        self._save_all()
        objects.files.sweep(older_than=0)
        self._database.close()

    def _save_all(self) -> None:
        self.save_objects(objects.Touched())
        self.save_backends(slow=True)

    def _write(self, rows: Iterator[tuple[RowId, bytes | None]]) -> None:
        """Write the rows that differ from what is there, all or none; None deletes a row."""
        changed = {}
        for row_id, data in rows:
            if data is None and row_id in self._digests:
                changed[row_id] = None
            elif data is not None and self._digests.get(row_id) != digest(data):
                changed[row_id] = data
        if not changed:
            return
        gone = [row_id for row_id, data in changed.items() if data is None]
        new = [(*row_id, data) for row_id, data in changed.items() if data is not None]
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany(
                "DELETE FROM rows WHERE (service, account, region, bucket, kind, name) = "
                "(?, ?, ?, ?, ?, ?)",
                gone,
            )
            self._database.executemany("REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", new)
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise
        for row_id, data in changed.items():
            if data is None:
                del self._digests[row_id]
            else:
                self._digests[row_id] = digest(data)

    def _pickled(self, row_id: RowId, backend: object) -> bytes | None:
        try:
            return pickling.dumps(backend.__dict__)
        except pickling.NotPicklable as error:
            if row_id[0] not in self._complained:
                self._complained.add(row_id[0])
                print(f"{row_id[0]} is not kept over a restart: {error}", file=sys.stderr)
            return None

    def _save_in_background(self) -> None:
        while self._due.wait() and not self._closing.wait(BACKGROUND_DELAY):
            self._due.clear()
            began, pause = time.monotonic(), 0.0
            try:
                self._save_all()
                objects.files.sweep()
            except Exception as error:
                self._due.set()  # what could not be saved is still due
                pause = RETRY_DELAY
                print(f"Cannot save to {self._path}: {error}", file=sys.stderr, flush=True)
            # At most a tenth of the time goes into saving, however large the state is.
            self._closing.wait(max(pause, 9 * (time.monotonic() - began)))


def digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def live_backends() -> Iterator[tuple[RowId, object]]:
    for service_backends in list(BackendDict._instances):
        service = pickling.service_of(service_backends.backend)
        if service in NOT_OURS:
            continue
        for account, regions in list(service_backends.items()):
            for region, backend in list(regions.items()):
                yield (service, account, region, "", "", ""), backend
