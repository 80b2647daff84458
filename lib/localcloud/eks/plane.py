"""The EKS service as one object: it only puts the parts together."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import moto.eks.urls
from moto.eks.models import Cluster as Record
from moto.eks.models import eks_backends

from localcloud import arns, karpenter
from localcloud.eks import callers, fargate, nodegroups, pod_identity, web_identity
from localcloud.eks.responses import PATHS, Responses
from localcloud.home import Home
from localcloud.kubernetes.cluster import Cluster, Footing
from localcloud.network import doors

if TYPE_CHECKING:
    from localcloud.ecs import Ecs

ISSUER = f"https://oidc.eks.{arns.REGION}.amazonaws.com/id/"


class Eks:
    """Clusters of ``home``, whose pods run as ECS's tasks do.

    ``register`` puts it in place of moto's; ``wsgi`` adds the addresses at which pods ask for
    credentials; ``start`` opens the clusters that there were, and must come after ECS's, whose
    runtime cleans up; ``stop`` ends their pods and must come before ECS's.
    """

    def __init__(self, home: Home, ecs: Ecs):
        self._folder = home.state / "kubernetes"
        self._ecs = ecs
        self.clusters: dict[str, Cluster] = {}

    def register(self) -> None:
        Responses.eks = self
        for path in (*moto.eks.urls.url_paths, *PATHS):
            moto.eks.urls.url_paths[path] = Responses.dispatch

    def wsgi(self, app: Callable) -> Callable:
        return pod_identity.wsgi(self, web_identity.wsgi(self, app))

    @property
    def backend(self) -> Any:
        return eks_backends[arns.ACCOUNT][arns.REGION]

    @property
    def clients(self) -> Any:
        return self._ecs.clients

    def start(self) -> None:
        # Not []: that would start moto's EKS where nobody has used it.
        backend = eks_backends[arns.ACCOUNT].get(arns.REGION)
        for record in backend.clusters.values() if backend else ():
            self.open(record)
        for cluster in self.clusters.values():
            nodegroups.sync(self, cluster.name)

    def open(self, record: Record) -> Cluster:
        """Serve a cluster; its record says from then on where."""
        issuer = record.identity["oidc"]["issuer"]
        if not getattr(record, "served", False):
            issuer = ISSUER + secrets.token_hex(16).upper()
        footing = Footing(
            self._ecs.runtime,
            self._ecs.addresses,
            self._ecs.clients,
            self._ecs.endpoint,
            self._ecs.certificates,
            self._doors,
        )
        cluster = Cluster(
            record.name,
            self._folder / record.name,
            footing,
            issuer,
            lambda url, name: callers.identify(self, url, name),
        )
        cluster.registry.admissions += [
            partial(fargate.admit, self, cluster),
            partial(pod_identity.admit, self, cluster),
            partial(web_identity.admit, cluster),
        ]
        cluster.parts += [fargate.Fargate(cluster), *karpenter.parts(cluster)]
        cluster.start(getattr(record, "served", 0))
        record.served = cluster.port
        record.identity = {"oidc": {"issuer": issuer}}
        record.endpoint = f"https://{cluster.address}"
        record.certificate_authority = {"data": base64.b64encode(cluster.certificate).decode()}
        self.clusters[record.name] = cluster
        return cluster

    def _doors(self) -> set[tuple[str, int]]:
        endpoint = urlsplit(self._ecs.endpoint)
        return {(endpoint.hostname, endpoint.port), *doors.databases()}

    def close(self, name: str) -> None:
        """The cluster was deleted."""
        cluster = self.clusters.pop(name, None)
        if cluster:
            cluster.remove()

    def of_issuer(self, issuer: str) -> Cluster | None:
        found = [c for c in self.clusters.values() if c.tokens.issuer == issuer]
        return found[0] if found else None

    def stop(self) -> None:
        for cluster in self.clusters.values():
            cluster.stop()
