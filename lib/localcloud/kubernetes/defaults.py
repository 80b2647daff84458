"""What Kubernetes fills in where a manifest says nothing: pkg/apis/*/v1/defaults.go."""

from __future__ import annotations

import base64
from typing import Any

from localcloud.kubernetes import quantities, sizes

Object = dict[str, Any]
TERMINATION_LOG = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
NO_EXECUTE = [
    {
        "effect": "NoExecute",
        "key": f"node.kubernetes.io/{what}",
        "operator": "Exists",
        "tolerationSeconds": 300,
    }
    for what in ("not-ready", "unreachable")
]
UP = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
DOWN = {
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}


def fill(kind: str, document: Object) -> None:
    found = KINDS.get(kind)
    if found:
        found(document)


def pod_spec(spec: Object) -> None:
    _set(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )
    for container in [*spec.get("initContainers", []), *spec.get("containers", [])]:
        _container(container)
    for volume in spec.get("volumes", []):
        if set(volume) == {"name"}:
            volume["emptyDir"] = {}
        for kind in ("configMap", "secret", "projected", "downwardAPI"):
            if kind in volume:
                volume[kind].setdefault("defaultMode", 0o644)


def _container(container: Object) -> None:
    latest = ":" not in container.get("image", "").rpartition("/")[2]
    latest = latest or container.get("image", "").endswith(":latest")
    _set(container, imagePullPolicy="Always" if latest else "IfNotPresent", resources={})
    _set(container, **TERMINATION_LOG)
    for port in container.get("ports", []):
        _set(port, protocol="TCP")
    resources = container["resources"]
    for amounts in (resources.get("limits"), resources.get("requests")):
        for name, value in (amounts or {}).items():
            amounts[name] = _canonical(name, value)
    if resources.get("limits"):
        resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _set(container[name], **PROBE)
            if "httpGet" in container[name]:
                _set(container[name]["httpGet"], path="/", scheme="HTTP")
    for variable in container.get("env", []):
        field = variable.get("valueFrom", {}).get("fieldRef")
        if field:
            _set(field, apiVersion="v1")


def _canonical(name: str, value: str) -> str:
    try:
        if name == "cpu":
            return quantities.cpu(quantities.milli(value))
        return value
    except ValueError:
        return value  # the rules will tell


def _pod(pod: Object) -> None:
    spec = pod["spec"]
    pod_spec(spec)
    _set(
        spec,
        serviceAccountName="default",
        enableServiceLinks=True,
        preemptionPolicy="PreemptLowerPriority",
        priority=0,
    )
    spec["serviceAccount"] = spec["serviceAccountName"]
    known = {(one.get("key"), one.get("effect")) for one in spec.get("tolerations", [])}
    more = [dict(one) for one in NO_EXECUTE if (one["key"], one["effect"]) not in known]
    spec["tolerations"] = [*spec.get("tolerations", []), *more]
    status = pod.setdefault("status", {})
    _set(status, phase="Pending", qosClass=sizes.qos(spec))


def _job(job: Object) -> None:
    spec = job["spec"]
    # Without completions but with a parallelism any success ends the Job (a work queue).
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    _set(spec, parallelism=1, completionMode="NonIndexed", suspend=False)
    if "backoffLimitPerIndex" in spec:
        _set(spec, backoffLimit=2**31 - 1)
    _set(spec, backoffLimit=6, manualSelector=False, podReplacementPolicy="TerminatingOrFailed")
    if "podFailurePolicy" in spec:
        spec["podReplacementPolicy"] = "Failed"
    if spec["manualSelector"] is False:
        del spec["manualSelector"]
    pod_spec(spec["template"].setdefault("spec", {}))


def _cron_job(job: Object) -> None:
    _set(
        job["spec"],
        concurrencyPolicy="Allow",
        suspend=False,
        successfulJobsHistoryLimit=3,
        failedJobsHistoryLimit=1,
    )
    template = job["spec"]["jobTemplate"].get("spec", {}).get("template", {})
    pod_spec(template.setdefault("spec", {}))


def _deployment(deployment: Object) -> None:
    spec = deployment["spec"]
    _set(
        spec,
        replicas=1,
        revisionHistoryLimit=10,
        progressDeadlineSeconds=600,
        strategy={"type": "RollingUpdate"},
    )
    _set(spec["strategy"], type="RollingUpdate")
    if spec["strategy"]["type"] == "RollingUpdate":
        _set(spec["strategy"], rollingUpdate={})
        _set(spec["strategy"]["rollingUpdate"], maxUnavailable="25%", maxSurge="25%")
    pod_spec(spec["template"].setdefault("spec", {}))


def _replica_set(replicas: Object) -> None:
    _set(replicas["spec"], replicas=1)
    pod_spec(replicas["spec"].setdefault("template", {}).setdefault("spec", {}))


def _service(service: Object) -> None:
    spec = service.setdefault("spec", {})
    _set(spec, type="ClusterIP", sessionAffinity="None", internalTrafficPolicy="Cluster")
    _set(spec, ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
    for port in spec.get("ports", []):
        _set(port, protocol="TCP", targetPort=port["port"])
    service.setdefault("status", {}).setdefault("loadBalancer", {})


def _secret(secret: Object) -> None:
    _set(secret, type="Opaque")
    plain = secret.pop("stringData", {})
    if plain:
        encoded = {name: base64.b64encode(v.encode()).decode() for name, v in plain.items()}
        secret["data"] = {**secret.get("data", {}), **encoded}


def _namespace(namespace: Object) -> None:
    namespace.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    namespace.setdefault("status", {"phase": "Active"})
    labels = namespace["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = namespace["metadata"]["name"]


def _volume_claim(claim: Object) -> None:
    _set(claim["spec"], volumeMode="Filesystem")
    _set(claim.setdefault("status", {}), phase="Pending")


def _autoscaler(autoscaler: Object) -> None:
    spec = autoscaler["spec"]
    _set(autoscaler.setdefault("status", {}), desiredReplicas=0)
    _set(spec, minReplicas=1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    if "behavior" in spec:
        behavior = spec["behavior"]
        for name, usual in (("scaleUp", UP), ("scaleDown", DOWN)):
            behavior[name] = {**usual, **behavior.get(name, {})}


def _set(document: Object, **values: Any) -> None:
    for name, value in values.items():
        document.setdefault(name, value)


KINDS = {
    "Pod": _pod,
    "Job": _job,
    "CronJob": _cron_job,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "Service": _service,
    "Secret": _secret,
    "Namespace": _namespace,
    "HorizontalPodAutoscaler": _autoscaler,
    "PersistentVolumeClaim": _volume_claim,
}
