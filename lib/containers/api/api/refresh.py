"""Keeps the store at what the bucket publishes, in a thread of its own."""

import hashlib
import json
import logging
import threading
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from api.manifests import BadMonth, Lake
from api.pages import Pages
from api.store import Store

log = logging.getLogger("api")


@dataclass(frozen=True)
class Status:
    """What is served now, by month in rows, and why there is not more (None = all is well)."""

    rows: dict[str, int]
    problem: str | None


class Refresher:
    """Looks every `seconds` whether manifests have changed, and brings in what they name.

    A failure is kept in `status` and tried again; what was served before stays.
    """

    def __init__(self, lake: Lake, store: Store, seconds: float = 2.0):
        self.lake = lake
        self.store = store
        self.seconds = seconds
        self.status = Status({}, "the data has not been looked for yet")
        # Of the data that is served: the same in every task that serves the same manifests.
        self.version = ""
        # The same flights as written JSON; None when there is no room for that.
        self.pages: Pages | None = None
        self._etags: dict[str, str] = {}
        self._files = {}
        self._stop = threading.Event()
        # A daemon: a download in progress must not hold up the end of the process.
        self._thread = threading.Thread(target=self._run, name="refresh", daemon=True)

    def start(self) -> None:
        """Begin to look, at once and then again and again."""
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> bool:
        """Stop looking; return whether the thread ended within `timeout` seconds."""
        self._stop.set()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            before = self.status.problem
            try:
                self.refresh()
            except (BotoCoreError, ClientError, OSError) as error:
                self._say(f"s3://{self.lake.bucket} cannot be read: {error}")
            except Exception as error:
                log.exception("the refresh failed")
                self._say(f"the refresh failed: {type(error).__name__}; see the log")
            if self.status.problem and self.status.problem != before:
                log.warning(self.status.problem)
            self._stop.wait(self.seconds)

    def refresh(self) -> None:
        """Bring the store and `status` to what is published now.

        All changes found become visible together. A month that does not fit stays as it was.
        """
        published = self.lake.published()
        gone = set(self._etags) - set(published)
        new, problems = {}, {}
        for month, etag in sorted(published.items()):
            if self._etags.get(month) == etag:
                continue
            try:
                new[month] = self.lake.read(month)
            except BadMonth as bad:
                problems[month] = str(bad)
        while new or gone:
            try:
                self.store.replace(new.values(), gone)
                self._write_pages()
                self._replaced(new, gone)
                break
            except BadMonth as bad:
                problems[bad.month] = str(bad)
                del new[bad.month]
        if not published:
            problems[""] = f"s3://{self.lake.bucket} has no published month yet: run the ETL"
        self._say("; ".join(problems.values()) or None)

    def _write_pages(self) -> None:
        self.pages = None
        try:
            with self.store.cursor() as cursor:
                self.pages = Pages.written(cursor, self.lake.cache)
        except OSError as error:
            log.warning("flights are read from the database, as pages cannot be written: %s", error)

    def _say(self, problem: str | None) -> None:
        self.status = Status(self.status.rows, problem)

    def _replaced(self, new: dict, gone: set[str]) -> None:
        rows = {month: n for month, n in self.status.rows.items() if month not in gone}
        for month in gone:
            del self._etags[month], self._files[month]
        for month, (manifest, path) in new.items():
            rows[month] = manifest.rows
            self._etags[month], self._files[month] = manifest.etag, path
        served = json.dumps(sorted(self._etags.items())).encode()
        self.version = hashlib.blake2b(served, digest_size=8).hexdigest()
        self.status = Status(dict(sorted(rows.items())), self.status.problem)
        self.lake.forget_except(set(self._files.values()))
        log.info("serving %d rows of %d months", sum(rows.values()), len(rows))
