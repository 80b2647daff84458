"""The ECS service as one object: it only puts the parts together."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import moto.ecs.urls

from localcloud import permissions
from localcloud.ecs import interruption, load_balancing, network, places, responses
from localcloud.ecs.endpoints import Endpoints
from localcloud.ecs.events import Events
from localcloud.ecs.models import Item, State, now
from localcloud.ecs.reconciler import Reconciler
from localcloud.ecs.scheduler import Scheduler
from localcloud.home import Home
from localcloud.network import calls, defaults, owners
from localcloud.network.vpc import Place
from localcloud.role_clients import Clients
from localcloud.runtimes.base import Runtime
from localcloud.runtimes.process import ProcessRuntime

LOST = (
    "The local cloud ended while this task was running (killed, or the machine stopped): "
    "run the task again"
)
SHUT_DOWN = "The local cloud was shut down"


class Ecs:
    """ECS in ``home``, reachable at ``endpoint``, with processes for containers or ``runtime``.

    ``register`` puts it in place of moto's before the first call, and has role sessions obey IAM
    policies in every service; ``wsgi`` adds the addresses that
    tasks ask for credentials and metadata, and that of a Spot interruption; ``start`` cleans up
    after a crash and begins to run tasks, ``stop`` ends them. While ``stop`` runs, the server must
    still answer: the last log lines and figures go through it.
    """

    def __init__(self, home: Home, endpoint: str, runtime: Runtime | None = None):
        self.endpoint = endpoint.rstrip("/")
        self.certificates = home.rds / "ca.pem"
        self.state = open_state(home)
        self.runtime = runtime or ProcessRuntime(home.tasks)
        self.clients = Clients(self.endpoint)
        self.addresses = network.Addresses()
        self.endpoints = Endpoints(self)
        self.scheduler = Scheduler(self)
        self.reconciler = Reconciler(self)
        self.events = Events(self)

    def register(self) -> None:
        permissions.install()
        defaults.install()
        moto.ecs.urls.url_paths["{0}/$"] = responses.bound_to(self).dispatch

    def wsgi(self, app: Callable) -> Callable:
        reached = calls.wsgi(app, self.place_of_key)
        return interruption.wsgi(self, self.endpoints.wsgi(reached))

    def place_of_key(self, access_key: str) -> Place | None:
        """Where the task is that this key of its role was made for."""
        task = self.state.get("task", self.clients.session_of(access_key) or "")
        return places.of_task(self.state, task) if task else None

    def place_of_peer(self, peer_port: int, port: int) -> Place | None:
        """Where the task is that holds a connection from one local port to another."""
        key = self.runtime.sandbox_of(peer_port)
        key = key or owners.owner(peer_port, port, self.scheduler.processes())
        task = self.state.get("task", key or "")
        return places.of_task(self.state, task) if task else None

    def place_of_address(self, address: str) -> Place | None:
        """Where the live task is that has this address."""
        for task in list(self.state.tasks()):
            if network.address_of(task) == address and task.wire["lastStatus"] != "STOPPED":
                return places.of_task(self.state, task)
        return None

    def start(self) -> None:
        self.runtime.sweep()
        self.events.start()
        with self.state.lock:
            for task in list(self.state.tasks()):
                if task.wire["lastStatus"] != "STOPPED":
                    task.wire.setdefault("stopCode", "InfrastructureHealth")
                    task.wire.setdefault("stoppedReason", LOST)
                    self.conclude(task)
        self.reconciler.start()

    def stop(self) -> None:
        self.reconciler.stop()
        self.scheduler.close(SHUT_DOWN)
        self.events.stop()
        self.runtime.close()
        self.state.close()

    def conclude(self, task: Item) -> None:
        """Bring a task's record to STOPPED and give back its address."""
        with self.state.lock:
            load_balancing.detach(self, task, wait=False)
            moment, wire = now(), task.wire
            wire.setdefault("stoppingAt", moment)
            wire.setdefault("executionStoppedAt", moment)
            wire.update(lastStatus="STOPPED", desiredStatus="STOPPED", stoppedAt=moment)
            wire["version"] += 1
            for container in wire["containers"]:
                container["lastStatus"] = "STOPPED"
            address = network.detach(task)
            if address:
                self.addresses.give_back(address)
            self.state.note(task)


def open_state(home: Home) -> State:
    """The state on disk, or a new one if what is there cannot be read."""
    path = home.state / "ecs.sqlite"
    try:
        return State(path)
    except (sqlite3.DatabaseError, TypeError, ValueError) as error:
        aside = path.with_name("ecs.sqlite.damaged")
        path.replace(aside)
        for journal in ("-wal", "-shm"):
            path.with_name(path.name + journal).unlink(missing_ok=True)
        home.say(
            f"{path} cannot be read ({error}): moved to {aside.name}; clusters, task definitions, "
            "services and the history of tasks start empty: `make run` makes them again"
        )
        return State(path)
