"""One Kubernetes cluster: it only puts the parts together."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from joserfc.jwk import RSAKey

from localcloud.authority import Authority
from localcloud.kubernetes import errors, garbage, jobs, service_accounts, sizes
from localcloud.kubernetes.api import Api
from localcloud.kubernetes.autoscaler import Autoscaler
from localcloud.kubernetes.budgets import Budgets
from localcloud.kubernetes.cron_jobs import CronJobs
from localcloud.kubernetes.deployments import Deployments
from localcloud.kubernetes.front import ApiServer
from localcloud.kubernetes.garbage import Garbage
from localcloud.kubernetes.jobs import Jobs
from localcloud.kubernetes.kubelet import ENDED, Kubelet
from localcloud.kubernetes.metrics import Metrics
from localcloud.kubernetes.quotas import Quotas
from localcloud.kubernetes.recorder import Recorder
from localcloud.kubernetes.registry import Registry
from localcloud.kubernetes.replica_sets import ReplicaSets
from localcloud.kubernetes.resources import (
    CONFIG_MAPS,
    NAMESPACES,
    NODES,
    PODS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Resource,
)
from localcloud.kubernetes.scheduler import Scheduler
from localcloud.kubernetes.services import Services
from localcloud.kubernetes.store import Object, Store, now
from localcloud.kubernetes.tokens import Identify, Tokens
from localcloud.runtimes.base import Runtime

HOST = "127.0.0.1"
FIRST_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


@dataclass(frozen=True)
class Footing:
    """What clusters share with ECS: how containers run, where the local cloud answers.

    ``reach`` gives the addresses and ports of the local cloud itself and of its databases.
    """

    runtime: Runtime
    addresses: Any
    clients: Any
    endpoint: str
    certificates: Path
    reach: Callable[[], set[tuple[str, int]]]


class Cluster:
    """``folder`` keeps its state, ``start`` opens its API, ``stop`` ends its pods.

    ``port`` is that of its last run, taken again if it is free; 0 for any.
    """

    def __init__(self, name: str, folder: Path, footing: Footing, issuer: str, identify: Identify):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.name, self.folder, self.footing = name, folder, footing
        self.logs, self.pods = folder / "logs", folder / "pods"
        shutil.rmtree(self.pods, ignore_errors=True)
        self.stopping = threading.Event()
        self.store = Store(folder / "objects.sqlite")
        self.registry = Registry(self.store)
        self.registry.admissions += [jobs.admit, partial(service_accounts.admit, self.store)]
        self.recorder = Recorder(self.store)
        self.tokens = Tokens(name, issuer, _signing_key(folder / "issuer.json"), identify)
        self.authority = Authority(folder, "Drydock local Kubernetes CA")
        self.kubelet = Kubelet(self)
        self.scheduler = Scheduler(self)
        self.metrics = Metrics(self)
        services = Services(self)
        quotas = Quotas(self)
        self.registry.admissions += [services.admit, quotas.admit]
        self.parts: list[Any] = [
            Garbage(self),
            self.scheduler,
            Jobs(self),
            ReplicaSets(self),
            Deployments(self),
            CronJobs(self),
            Budgets(self),
            quotas,
            services,
            self.kubelet,
            self.metrics,
            Autoscaler(self),
        ]
        self.api = Api(self)
        self.address = ""
        self._server: ApiServer | None = None

    @property
    def certificate(self) -> bytes:
        """The authority that the API's certificate is verified with, as PEM."""
        return self.authority.bundle.read_bytes()

    def start(self, port: int = 0) -> None:
        listening = _listen(port)
        self.address = f"{HOST}:{listening.getsockname()[1]}"
        self._set_up()
        self.store.subscribe(self._told)
        # Nothing may change before every part has seen what there is.
        for part in self.parts:
            part.start()
        for part in self.parts:
            for controller in part.controllers:
                controller.start()
        certificate, key = self.folder / "api.pem", self.folder / "api.key"
        self.authority.issue(certificate, key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        self._server = ApiServer(listening, context, self.api.answer)
        threading.Thread(
            target=self._server.serve_forever, args=[0.05], name=f"api-{self.name}", daemon=True
        ).start()

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def _set_up(self) -> None:
        """What every new cluster has."""
        for name in FIRST_NAMESPACES:
            if self.store.get(NAMESPACES, "", name) is None:
                self.registry.create(
                    NAMESPACES, "", {"metadata": {"name": name}, **_of(NAMESPACES)}
                )
        for namespace in self.store.list(NAMESPACES):
            self._furnish(namespace["metadata"]["name"])

    def _told(self, change: Any) -> None:
        meta = change.object["metadata"]
        if change.resource is NAMESPACES and change.kind == "ADDED":
            self._furnish(meta["name"])
        elif change.resource is PODS and change.kind == "DELETED":
            shutil.rmtree(self.logs / meta["uid"], ignore_errors=True)

    def _furnish(self, namespace: str) -> None:
        """A new namespace has an account for its pods, and what this API is verified with."""
        if self.store.get(SERVICE_ACCOUNTS, namespace, "default") is None:
            account = {"metadata": {"name": "default"}, **_of(SERVICE_ACCOUNTS)}
            self.registry.create(SERVICE_ACCOUNTS, namespace, account)
        if self.store.get(CONFIG_MAPS, namespace, "kube-root-ca.crt") is None:
            data = {"ca.crt": self.certificate.decode()}
            trust = {"metadata": {"name": "kube-root-ca.crt"}, "data": data, **_of(CONFIG_MAPS)}
            self.registry.create(CONFIG_MAPS, namespace, trust)

    def delete(self, resource: Resource, namespace: str, name: str, options: Object) -> Object:
        """With all that follows from it. Raises ApiError."""
        if resource is NAMESPACES and name in FIRST_NAMESPACES[:3]:
            raise errors.forbidden(resource, name, "this namespace may not be deleted")
        with self.store.together():
            found = self.store.need(resource, namespace, name)
            if options.get("propagationPolicy") == "Orphan" and not options.get("dryRun"):
                garbage.orphan(self, found)
                options = {k: v for k, v in options.items() if k != "propagationPolicy"}
            return self.registry.delete(resource, namespace, name, options)

    def allocatable(self, node: str) -> dict[str, int]:
        found = self.store.get(NODES, "", node)
        return (
            sizes.amounts(found["status"]["allocatable"])
            if found
            else {"cpu": 1000, "memory": 2**30}
        )

    def reach(self, uid: str) -> set[tuple[str, int]]:
        """What a pod's own network leads to: the local cloud, its databases, this API, the
        Services, every other pod."""
        doors = {*self.footing.reach(), (HOST, self.port)}
        for service in self.store.list(SERVICES):
            address = service["spec"].get("clusterIP", "")
            if "." in address:
                doors |= {(address, one["port"]) for one in service["spec"].get("ports", [])}
        for pod in self.store.list(PODS):
            address = pod["status"].get("podIP")
            ended = pod["status"].get("phase") in ENDED
            if pod["metadata"]["uid"] == uid or not address or ended:
                continue
            for container in pod["spec"]["containers"]:
                doors |= {(address, one["containerPort"]) for one in container.get("ports", [])}
        return doors

    def measured(self, resource: Resource, namespace: str) -> list[Object]:
        """metrics.k8s.io."""
        return self.metrics.listed(resource, namespace)

    now = staticmethod(now)

    def stop(self) -> None:
        self.stopping.set()
        for part in self.parts:
            for controller in part.controllers:
                controller.stop()
        for part in self.parts:
            if hasattr(part, "stop"):
                part.stop()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        self.store.close()

    def remove(self) -> None:
        """Stop it, and delete its state."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _of(resource: Resource) -> Object:
    return {"kind": resource.kind, "apiVersion": resource.api_version}


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError:
        listening.bind((HOST, 0))
    listening.listen(128)
    return listening


def _signing_key(path: Path) -> RSAKey:
    """The key behind the cluster's OpenID issuer; made once."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(json.dumps(RSAKey.generate_key(2048).as_dict(private=True)))
    return RSAKey.import_key(json.loads(path.read_text()))
