"""The environment of a pod's container, in the order in which the kubelet puts it together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localcloud import arns
from localcloud.kubernetes.pod_volumes import NotYet, contents, field_of, resource_field
from localcloud.kubernetes.resources import CONFIG_MAPS, SECRETS, SERVICES

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Object

REFERENCE = re.compile(r"\$(\$|\(([^()]+)\))")
SOURCES = {"configMapRef": CONFIG_MAPS, "secretRef": SECRETS}
KEYS = {"configMapKeyRef": CONFIG_MAPS, "secretKeyRef": SECRETS}
WORDS = {"ConfigMap": "configmap", "Secret": "secret"}


def environment(cluster: Cluster, pod: Object, container: Object) -> dict[str, str]:
    """Raises NotYet."""
    address = pod["status"]["podIP"]
    found = {
        "HOSTNAME": pod["metadata"]["name"],
        "HOST": address,
        "AWS_ENDPOINT_URL": cluster.footing.endpoint,
        "AWS_REGION": arns.REGION,
        "AWS_DEFAULT_REGION": arns.REGION,
        **_services(cluster, pod),
    }
    given: dict[str, str] = {}
    for source in container.get("envFrom", []):
        given |= _whole(cluster, pod, source)
    for variable in container.get("env", []):
        value = _value(cluster, pod, container, variable, {**found, **given})
        if value is not None:
            given[variable["name"]] = value
    return {**found, **given}


def expand(text: str, known: dict[str, str]) -> str:
    """$(NAME) becomes the variable's value, $$ a dollar; what is unknown stays."""

    def replaced(match: re.Match) -> str:
        return "$" if match[1] == "$" else known.get(match[2], match[0])

    return REFERENCE.sub(replaced, text)


def _services(cluster: Cluster, pod: Object) -> dict[str, str]:
    host, _, port = cluster.address.rpartition(":")
    found = {
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": port,
        "KUBERNETES_SERVICE_PORT_HTTPS": port,
    }
    if not pod["spec"].get("enableServiceLinks", True):
        return found
    for service in cluster.store.list(SERVICES, pod["metadata"]["namespace"]):
        spec, name = service["spec"], service["metadata"]["name"].upper().replace("-", "_")
        if spec.get("clusterIP") in (None, "None") or not spec.get("ports"):
            continue
        found[f"{name}_SERVICE_HOST"] = spec["clusterIP"]
        found[f"{name}_SERVICE_PORT"] = str(spec["ports"][0]["port"])
    return found


def _whole(cluster: Cluster, pod: Object, source: Object) -> dict[str, str]:
    kind = next(name for name in source if name in SOURCES)
    found = _source(cluster, pod, SOURCES[kind], source[kind])
    prefix = source.get("prefix", "")
    return {prefix + key: value.decode() for key, value in (found or {}).items()}


def _source(cluster: Cluster, pod: Object, resource, reference: Object) -> dict | None:
    found = cluster.store.get(resource, pod["metadata"]["namespace"], reference["name"])
    if found is None and not reference.get("optional"):
        raise NotYet(f'{WORDS[resource.kind]} "{reference["name"]}" not found')
    return None if found is None else contents(found)


def _value(
    cluster: Cluster, pod: Object, container: Object, variable: Object, known: dict[str, str]
) -> str | None:
    source = variable.get("valueFrom")
    if not source:
        return expand(variable.get("value", ""), known)
    if "fieldRef" in source:
        return field_of(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return resource_field(container, source["resourceFieldRef"])
    kind = next(name for name in source if name in KEYS)
    reference = source[kind]
    found = _source(cluster, pod, KEYS[kind], reference)
    if found is None or reference["key"] not in found:
        if reference.get("optional"):
            return None
        namespace = pod["metadata"]["namespace"]
        place = f"{KEYS[kind].kind} {namespace}/{reference['name']}"
        raise NotYet(f"couldn't find key {reference['key']} in {place}")
    return found[reference["key"]].decode()
