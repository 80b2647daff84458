"""The kinds that are served, each with its names and the parts of its address."""

from __future__ import annotations

from dataclasses import dataclass

from localcloud.kubernetes import custom


@dataclass(frozen=True)
class Resource:
    """``subresources`` are what may follow the name in an address; ``has_status`` means that a
    plain write leaves the status alone."""

    group: str
    version: str
    kind: str
    plural: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    subresources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = (
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch",
    )

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def has_status(self) -> bool:
        return "status" in self.subresources

    @property
    def key(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


CREATE = ("create",)
READ = ("get", "list")
ALL = ("all",)

NAMESPACES = Resource("", "v1", "Namespace", "namespaces", ("ns",), False, ("status",))
NODES = Resource("", "v1", "Node", "nodes", ("no",), False, ("status",))
PODS = Resource(
    "", "v1", "Pod", "pods", ("po",), True, ("status", "log", "eviction", "binding", "exec"), ALL
)
SERVICES = Resource("", "v1", "Service", "services", ("svc",), True, ("status",), ALL)
ENDPOINTS = Resource("", "v1", "Endpoints", "endpoints", ("ep",))
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", ("cm",))
SECRETS = Resource("", "v1", "Secret", "secrets")
SERVICE_ACCOUNTS = Resource(
    "", "v1", "ServiceAccount", "serviceaccounts", ("sa",), True, ("token",)
)
EVENTS = Resource("", "v1", "Event", "events", ("ev",))
QUOTAS = Resource("", "v1", "ResourceQuota", "resourcequotas", ("quota",), True, ("status",))
DEPLOYMENTS = Resource(
    "apps", "v1", "Deployment", "deployments", ("deploy",), True, ("status", "scale"), ALL
)
REPLICA_SETS = Resource(
    "apps", "v1", "ReplicaSet", "replicasets", ("rs",), True, ("status", "scale"), ALL
)
JOBS = Resource("batch", "v1", "Job", "jobs", (), True, ("status",), ALL)
CRON_JOBS = Resource("batch", "v1", "CronJob", "cronjobs", ("cj",), True, ("status",), ALL)
AUTOSCALERS = Resource(
    "autoscaling",
    "v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
    ("hpa",),
    True,
    ("status",),
    ALL,
)
BUDGETS = Resource(
    "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", ("pdb",), True, ("status",)
)
SLICES = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
# Kept, and never bound: as on EKS without a driver for volumes.
VOLUME_CLAIMS = Resource(
    "", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", ("pvc",), True, ("status",)
)
# Kept, and not enforced: as on EKS, where the network plugin enforces them only when told to.
NETWORK_POLICIES = Resource(
    "networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", ("netpol",)
)

CUSTOM = tuple(Resource(**one) for one in custom.names())
STORED = (
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    ENDPOINTS,
    CONFIG_MAPS,
    SECRETS,
    SERVICE_ACCOUNTS,
    EVENTS,
    QUOTAS,
    DEPLOYMENTS,
    REPLICA_SETS,
    JOBS,
    CRON_JOBS,
    AUTOSCALERS,
    BUDGETS,
    SLICES,
    VOLUME_CLAIMS,
    NETWORK_POLICIES,
    *CUSTOM,
)
# Answered from what is measured or asked, never stored.
POD_METRICS = Resource("metrics.k8s.io", "v1beta1", "PodMetrics", "pods", verbs=READ)
NODE_METRICS = Resource(
    "metrics.k8s.io", "v1beta1", "NodeMetrics", "nodes", namespaced=False, verbs=READ
)
SELF_REVIEWS = Resource(
    "authentication.k8s.io",
    "v1",
    "SelfSubjectReview",
    "selfsubjectreviews",
    namespaced=False,
    verbs=CREATE,
)
ACCESS_REVIEWS = Resource(
    "authorization.k8s.io",
    "v1",
    "SelfSubjectAccessReview",
    "selfsubjectaccessreviews",
    namespaced=False,
    verbs=CREATE,
)
SERVED = (*STORED, POD_METRICS, NODE_METRICS, SELF_REVIEWS, ACCESS_REVIEWS)
# What a subresource takes and gives, where that is not the resource itself.
OTHER_KINDS = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "binding": ("", "v1", "Binding"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
}
BY_PATH = {(r.group, r.version, r.plural): r for r in SERVED}
BY_KIND = {(r.group, r.kind): r for r in SERVED}


def of_kind(api_version: str, kind: str) -> Resource | None:
    """The resource that an ownerReference or a scaleTargetRef names."""
    return BY_KIND.get((api_version.rpartition("/")[0], kind))
