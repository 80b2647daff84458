"""RDS Proxy: what moto records of each proxy, and the pgbouncer that really pools behind it.

A proxy has a loopback address of its own and PostgreSQL's usual port, as its endpoint on AWS has no
other. It lets in the users whose secrets it was given, with the passwords in them, and logs in to
the database as they do; only SCRAM verifiers are on its disk. Unlike RDS Proxy, which pins a
session that sets something to its connection, pgbouncer shares it all the same.
"""

from __future__ import annotations

import json
import queue
import random
import shutil
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import moto.rds.models as moto_rds
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends

from localcloud.home import Home
from localcloud.network import defaults, reachability
from localcloud.network.vpc import Place
from localcloud.rds import parameters
from localcloud.rds.binaries import PostgresUnusable
from localcloud.rds.door import Door
from localcloud.rds.instances import PROXIES, Instances
from localcloud.rds.pgbouncer import Pgbouncer, Pooling
from localcloud.rds.placing import USUAL_PORT
from localcloud.rds.ports import is_free
from localcloud.rds.scram import matches

LOOK_EVERY = 1.0  # seconds between looks at secrets and processes
STAGES = ("AWSCURRENT", "AWSPREVIOUS", "AWSPENDING")
READ = "secretsmanager:GetSecretValue"


class Target(moto_rds.DBProxyTarget):
    """A registered DB instance, and whether the proxy can really work with it."""

    health: dict[str, str] | None = None

    @property
    def target_health(self) -> dict[str, str]:
        return self.health or {"State": "REGISTERING"}


class Proxy(moto_rds.DBProxy):
    """moto's record of a proxy, with the address where it really listens."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.endpoint = free_address()
        self.status = "creating"

    @property
    def group(self) -> moto_rds.DBProxyTargetGroup:
        return self.proxy_target_groups["default"]


def free_address() -> str:
    """A loopback address on which nobody has PostgreSQL's port. Raises PostgresUnusable."""
    for _ in range(20):
        numbers = (random.randint(64, 127), random.randint(0, 255), random.randint(1, 254))
        address = "127." + ".".join(map(str, numbers))
        if is_free(USUAL_PORT, address):
            return address
    raise PostgresUnusable(
        "an RDS Proxy needs a loopback address of its own, which only Linux gives to everybody"
    )


class Proxies:
    """Every proxy's pgbouncer and door; one thread starts them, looks after them, and ends them."""

    def __init__(self, home: Home, instances: Instances):
        self._folder = home.rds / PROXIES
        self._instances = instances
        self._running: dict[str, Running] = {}
        self._wake: queue.Queue[bool] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="rds-proxies", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def look(self) -> None:
        """Look at once: something was asked for."""
        self._wake.put(True)

    def end(self) -> None:
        self._wake.put(False)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            self._look()
            with suppress(queue.Empty):
                going = self._wake.get(timeout=LOOK_EVERY)
        for running in self._running.values():
            running.stop()

    def _look(self) -> None:
        wanted = {
            proxy.unique_id: proxy
            for _, _, backend in list(moto_rds.rds_backends.iter_backends())
            for proxy in list(backend.db_proxies.values())
            if isinstance(proxy, Proxy)
        }
        for gone in set(self._running) - set(wanted):
            self._running.pop(gone).remove()
        for name, proxy in wanted.items():
            if name not in self._running:
                self._running[name] = Running(proxy, self._folder / name, self._instances)
            self._running[name].look()


class Running:
    """One proxy at work."""

    def __init__(self, proxy: Proxy, folder: Path, instances: Instances):
        self._proxy = proxy
        self._folder = folder
        self._instances = instances
        self._pgbouncer = Pgbouncer(folder, instances.authority(), proxy.endpoint)
        self._door: Door | None = None
        self._pooling: Pooling | None = None

    def look(self) -> None:
        """Have pgbouncer do what is asked of the proxy now."""
        try:
            pooling = self._wanted()
            if pooling != self._pooling or not self._pgbouncer.is_running():
                self._pgbouncer.apply(pooling)
                self._close_unless_to(self._pgbouncer.port)
                self._pooling = pooling
            if self._door is None or not self._door.is_open():
                self._open()
            self._proxy.status = "available"
        except Exception as error:
            if not isinstance(error, PostgresUnusable | OSError):
                traceback.print_exc()
            if self._proxy.status != "incompatible-network":
                words = f"RDS Proxy {self._proxy.db_proxy_name} does not run: {error}"
                print(words, file=sys.stderr, flush=True)
            self._proxy.status = "incompatible-network"

    def stop(self) -> None:
        if self._door:
            self._door.close()
        self._pgbouncer.stop()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _open(self) -> None:
        proxy = self._proxy
        if not is_free(USUAL_PORT, proxy.endpoint):
            raise PostgresUnusable(f"{proxy.endpoint}:{USUAL_PORT} is taken: delete and create it")
        self._door = Door(proxy.endpoint, USUAL_PORT, self._pgbouncer.port, self._admits)

    def _close_unless_to(self, port: int) -> None:
        if self._door and self._door.internal_port != port:
            self._door.close()

    def _admits(self, peer_port: int) -> bool:
        place = self._instances.place_of_peer(peer_port, USUAL_PORT)
        if place is None:
            return True
        proxy = self._proxy
        own = Place(tuple(proxy.vpc_subnet_ids), tuple(proxy.vpc_security_group_ids))
        ec2 = defaults.backend(proxy.account_id, proxy.region)
        return bool(reachability.to_place(ec2, place, own, USUAL_PORT, USUAL_PORT))

    def _wanted(self) -> Pooling:
        proxy, group = self._proxy, self._proxy.group
        instance = verifiers = None
        for target in group.targets:
            instance = proxy.backend.databases.get(target.rds_resource_id)
            verifiers, target.health = self._known_users(instance)
            target.port = instance.port if instance else USUAL_PORT
        most = int(parameters.values(instance)["max_connections"]) if instance else 1
        return Pooling(
            database_port=instance.port if instance else None,
            connections=max(1, most * int(group.max_connections) // 100),
            borrow_timeout=int(group.borrow_timeout),
            idle_timeout=int(proxy.idle_client_timeout),
            require_tls=bool(proxy.require_tls),
            verifiers=tuple(sorted((verifiers or {}).items())),
        )

    def _known_users(self, instance: Any) -> tuple[dict[str, str], dict[str, str]]:
        """The users whose secrets fit the database, with their verifiers; the target's health."""
        if instance is None or instance.status != "available":
            words = "the DB instance is not available"
            return dict(self._pooling.verifiers if self._pooling else ()), _ill(
                "UNREACHABLE", words
            )
        passwords: list[tuple[str, str]] = []
        for auth in self._proxy.auth:
            arn = auth["SecretArn"]
            if not _may_read(self._proxy, arn):
                return {}, _ill("AUTH_FAILURE", f"{self._proxy.role_arn} may not {READ} {arn}")
            passwords += _passwords(self._proxy, arn)
        stored = self._instances.keeper(instance).postgres.verifiers(user for user, _ in passwords)
        fitting = {
            user: stored[user]
            for user, password in passwords
            if matches(password, stored.get(user))
        }
        if not fitting:
            return {}, _ill("AUTH_FAILURE", "no secret has a user and password of this database")
        return fitting, {"State": "AVAILABLE"}


def _ill(reason: str, words: str) -> dict[str, str]:
    return {"State": "UNAVAILABLE", "Reason": reason, "Description": words}


def _passwords(proxy: Proxy, arn: str) -> list[tuple[str, str]]:
    """User and password of the secret's versions, as a rotation may be under way."""
    backend = secretsmanager_backends[proxy.account_id][proxy.region]
    found = []
    for stage in STAGES:
        with suppress(Exception):  # there is no such version, or it has no value yet
            values = json.loads(backend.get_secret_value(arn, None, stage)["SecretString"])
            found.append((values["username"], values["password"]))
    return found


def _may_read(proxy: Proxy, arn: str) -> bool:
    iam, name = iam_backends[proxy.account_id]["aws"], proxy.role_arn.rpartition("/")[2]
    try:
        policies = [iam.get_role_policy(name, one)[1] for one in iam.list_role_policies(name)]
        policies += iam.list_attached_role_policies(name)[0]
    except Exception:  # moto's own for a role that is not there
        return False
    answers = {IAMPolicy(policy).is_action_permitted(READ, arn) for policy in policies}
    return PermissionResult.PERMITTED in answers and PermissionResult.DENIED not in answers
