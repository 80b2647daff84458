"""AWS Glue jobs that really run: PySpark in local mode, or Python alone, as a process of its own.

moto keeps the jobs, and the rest of Glue (the Data Catalog, crawlers, ...) as its bookkeeping. See
README.md for what is honoured and what is not.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Callable

import moto.glue.urls as urls
from moto.glue.models import glue_backends

from localcloud import arns
from localcloud.glue.credentials import Credentials
from localcloud.glue.job_runs import LIVE, RUNNING, STARTING, STOPPING, JobRun
from localcloud.glue.responses import Responses
from localcloud.glue.work import Work
from localcloud.home import Home
from localcloud.role_clients import Clients
from localcloud.runtimes.process import ProcessRuntime
from localcloud.storage import Storage

LOST = "The local cloud ended while this run was running: start it again"
CLOSE_SECONDS = 10.0


class Glue:
    """``register`` puts it in place of moto's; ``start`` cleans up after a crash; ``stop`` ends
    what runs. ``wsgi`` adds the address that runs ask for their role's credentials."""

    def __init__(self, home: Home, endpoint: str, clients: Clients, storage: Storage):
        self.endpoint, self.clients = endpoint, clients
        self.certificates = home.rds / "ca.pem"
        self.lock = threading.RLock()
        self.credentials = Credentials(clients, endpoint)
        self._folder, self._storage = home.path / "glue", storage
        self._runtime: ProcessRuntime | None = None
        self._works: dict[str, Work] = {}

    def register(self) -> None:
        Responses.glue = self
        urls.url_paths["{0}/$"] = Responses.dispatch

    def wsgi(self, app: Callable) -> Callable:
        return self.credentials.wsgi(app)

    @property
    def runtime(self) -> ProcessRuntime:
        """Made when the first run starts: most lessons have none."""
        with self.lock:
            if self._runtime is None:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                self._runtime = ProcessRuntime(self._folder)
            return self._runtime

    def start(self) -> None:
        """What an earlier server left behind is killed, and its runs have FAILED."""
        if self._folder.exists():
            self.runtime.sweep()
        backend = glue_backends[arns.ACCOUNT].get(arns.REGION)
        for job in backend.jobs.values() if backend else ():
            for run in job.job_runs:
                if run.state in LIVE:
                    self.note(run, "FAILED", LOST)

    def stop(self) -> None:
        with self.lock:
            works = list(self._works.values())
        for work in works:
            work.request_stop(LOST)
        for work in works:
            work.thread.join(CLOSE_SECONDS)
        if self._runtime:
            self._runtime.close()

    def launch(self, run: JobRun) -> None:
        with self.lock:
            work = self._works[run.job_run_id] = Work(self, run)
        work.thread.start()

    def request_stop(self, run: JobRun) -> bool:
        """False if it has ended, or is being stopped already."""
        with self.lock:
            work = self._works.get(run.job_run_id)
            if work is None or run.state not in (STARTING, RUNNING):
                return False
            work.request_stop()
            self.note(run, STOPPING)
        return True

    def note(self, run: JobRun, state: str, error: str = "") -> None:
        """Keep the run's new state, on the disk too before anybody sees it."""
        with self.lock:
            run.become(state, error)
            try:
                self._storage.save_backends()
            except (OSError, sqlite3.Error) as failure:
                self._storage.save_soon()  # which goes on trying
                print(f"Cannot save job run {run.job_run_id} yet: {failure}", file=sys.stderr)

    def conclude(self, run: JobRun, state: str, error: str) -> None:
        """The run has ended; one that failed is tried again, as often as its job says."""
        with self.lock:
            self.note(run, state, error)
            self._works.pop(run.job_run_id, None)
            backend = glue_backends[arns.ACCOUNT][arns.REGION]
            job = backend.jobs.get(run.job_name)
            again = state == "FAILED" and error != LOST and job is not None
            if not again or run.attempt >= (run.settings.get("MaxRetries") or 0):
                return
            following = JobRun(run.settings, run.arguments, run)
            job.job_runs.append(following)
        self.launch(following)
