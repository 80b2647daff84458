"""The ServiceAccount admission controller: a pod finds its token where every client looks.

https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-token-volume
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.kubernetes.registry import suffix
from localcloud.kubernetes.resources import PODS, SERVICE_ACCOUNTS, Resource

if TYPE_CHECKING:
    from localcloud.kubernetes.store import Object, Store

FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3607
AUTHORITY = "kube-root-ca.crt"
NAMESPACE = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}


def admit(store: Store, resource: Resource, pod: Object, before: Object | None) -> None:
    """Give each container of a new pod the token, the authority and the namespace, unless the pod
    or its service account says not to, or the container has something else in that place."""
    if resource is not PODS or before is not None or not _wanted(store, pod):
        return
    spec = pod["spec"]
    bare = [
        container
        for container in [*spec.get("initContainers", []), *spec["containers"]]
        if FOLDER not in [mount["mountPath"] for mount in container.get("volumeMounts", [])]
    ]
    if not bare:
        return
    name = f"kube-api-access-{suffix()}"
    sources = [
        {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": AUTHORITY, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": NAMESPACE}]}},
    ]
    volume = {"name": name, "projected": {"sources": sources, "defaultMode": 0o644}}
    spec["volumes"] = [*spec.get("volumes", []), volume]
    for container in bare:
        mount = {"name": name, "mountPath": FOLDER, "readOnly": True}
        container["volumeMounts"] = [*container.get("volumeMounts", []), mount]


def _wanted(store: Store, pod: Object) -> bool:
    said = pod["spec"].get("automountServiceAccountToken")
    if said is None:
        name = pod["spec"].get("serviceAccountName", "default")
        account = store.get(SERVICE_ACCOUNTS, pod["metadata"]["namespace"], name)
        said = (account or {}).get("automountServiceAccountToken")
    return said is not False
