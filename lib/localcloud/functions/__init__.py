"""AWS Lambda functions that really run, each execution environment in a process of its own.

moto keeps functions and their policies. See README.md for what is honoured and what is not.
"""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

import moto.awslambda.urls as urls

from localcloud.functions import pace, records
from localcloud.functions.environment import Environment, Outcome, revision
from localcloud.functions.events import Events
from localcloud.functions.responses import Responses
from localcloud.functions.rules import ALL_TAKEN, RESERVED_TAKEN, TooManyRequests
from localcloud.home import Home
from localcloud.role_clients import Clients
from localcloud.runtimes.process import ProcessRuntime

IDLE_SECONDS = 300.0
LOOK_SECONDS = 1.0
# What a new account of AWS may run at once, in all its functions.
MOST_AT_ONCE = 10


class Functions:
    """``register`` puts it in place of moto's; ``start`` cleans up after a crash; ``stop`` ends
    every environment."""

    def __init__(self, home: Home, endpoint: str, clients: Clients):
        self.endpoint, self.clients = endpoint, clients
        self._folder = home.path / "functions"
        self._lock = threading.RLock()
        self._runtime: ProcessRuntime | None = None
        self._idle: list[Environment] = []
        self._busy: list[tuple[str, Environment | None]] = []
        self._closed = threading.Event()
        self._pace = pace.factor()
        self.events = Events(self, self._pace)

    def register(self) -> None:
        Responses.functions = self
        records.install()
        for path in urls.url_paths:
            urls.url_paths[path] = Responses.dispatch

    @property
    def runtime(self) -> ProcessRuntime:
        """Made when the first function runs: most lessons have none."""
        with self._lock:
            if self._runtime is None:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                self._runtime = ProcessRuntime(self._folder)
            return self._runtime

    def start(self) -> None:
        """What an earlier server left behind is killed."""
        if self._folder.exists():
            self.runtime.sweep()
        threading.Thread(target=self._tidy, name="functions", daemon=True).start()
        self.events.start()

    def stop(self) -> None:
        self._closed.set()
        self.events.stop()
        with self._lock:
            ending = self._idle + [one for _, one in self._busy if one]
            self._idle = []
        for environment in ending:
            environment.close()
        if self._runtime:
            self._runtime.close()

    def invoke(self, function: Any, payload: bytes, request_id: str | None = None) -> Outcome:
        """Run it, in a warm environment if there is one. Raises TooManyRequests."""
        name = function.function_name
        place: list[Any] = [name, None]
        with self._lock:
            running = [one for one, _ in self._busy]
            reserved = function.reserved_concurrency
            if self._closed.is_set() or len(running) >= MOST_AT_ONCE:
                raise TooManyRequests(ALL_TAKEN)
            if reserved is not None and running.count(name) >= int(reserved):
                raise TooManyRequests(RESERVED_TAKEN)
            place[1] = self._warm(function)
            self._busy.append(place)
        try:
            if place[1] is None:
                place[1] = Environment(self, function)
            return place[1].invoke(payload, request_id or str(uuid.uuid4()))
        finally:
            with self._lock:
                self._busy.remove(place)
                environment = place[1]
                keep = environment and environment.alive and not self._closed.is_set()
                if keep:
                    self._idle.append(environment)
            if environment and not keep:
                environment.close()

    def forget(self, name: str) -> None:
        """End the idle environments of a function that is deleted or changed."""
        self._end(lambda one: one.function.function_name == name)

    def _warm(self, function: Any) -> Environment | None:
        for one in self._idle:
            same = one.function.function_arn == function.function_arn
            if same and one.made_for == revision(function) and one.lasts(function.timeout):
                self._idle.remove(one)
                return one
        return None

    def _tidy(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            old = time.monotonic() - IDLE_SECONDS / self._pace
            self._end(lambda one, old=old: one.idle_since < old)

    def _end(self, which: Any) -> None:
        with self._lock:
            ending = [one for one in self._idle if which(one)]
            self._idle = [one for one in self._idle if one not in ending]
        for environment in ending:
            environment.close()
