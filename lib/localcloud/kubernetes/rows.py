"""The cells of one object in `kubectl get`, as Kubernetes' printers fill them.

Source: kubernetes/kubernetes, pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from localcloud.kubernetes import selectors
from localcloud.kubernetes.ages import UNKNOWN, age, duration, moment

Object = dict[str, Any]
NONE = "<none>"


def _name(one: Object) -> str:
    return one["metadata"]["name"]


def _age(one: Object) -> str:
    return age(one["metadata"].get("creationTimestamp"))


def default(one: Object) -> list[Any]:
    return [_name(one), _age(one)]


def pod(pod: Object) -> list[Any]:
    status = pod.get("status", {})
    states = status.get("containerStatuses", [])
    ready = sum(state["ready"] for state in states)
    restarts = sum(state["restartCount"] for state in states)
    ended = [s.get("lastState", {}).get("terminated", {}).get("finishedAt") for s in states]
    last = max((at for at in ended if at), default=None)
    shown = f"{restarts} ({age(last)} ago)" if restarts and last else str(restarts)
    total = len(pod["spec"]["containers"])
    address = status.get("podIP") or NONE
    node = pod["spec"].get("nodeName") or NONE
    return [
        _name(pod),
        f"{ready}/{total}",
        pod_state(pod),
        shown,
        _age(pod),
        address,
        node,
        NONE,
        NONE,
    ]


def pod_state(pod: Object) -> str:
    """The word in the STATUS column."""
    status = pod.get("status", {})
    word = status.get("reason") or status.get("phase", "Pending")
    waiting = _init_state(pod, status)
    if waiting:
        word = waiting
    else:
        for state in reversed(status.get("containerStatuses", [])):
            now = state.get("state", {})
            if now.get("waiting", {}).get("reason"):
                word = now["waiting"]["reason"]
            elif "terminated" in now:
                code = now["terminated"].get("exitCode")
                word = now["terminated"].get("reason") or f"ExitCode:{code}"
        running = any(
            s.get("state", {}).get("running") for s in status.get("containerStatuses", [])
        )
        if word == "Completed" and running:
            word = "Running" if _is_ready(status) else "NotReady"
    if "deletionTimestamp" in pod["metadata"]:
        word = "Terminating"
    return word


def _init_state(pod: Object, status: Object) -> str | None:
    total = len(pod["spec"].get("initContainers", []))
    for at, state in enumerate(status.get("initContainerStatuses", [])):
        now = state.get("state", {})
        ended = now.get("terminated")
        if ended and ended["exitCode"] == 0:
            continue
        if ended:
            return "Init:" + (ended.get("reason") or f"ExitCode:{ended['exitCode']}")
        reason = now.get("waiting", {}).get("reason")
        if reason and reason != "PodInitializing":
            return f"Init:{reason}"
        return f"Init:{at}/{total}"
    return None


def _is_ready(status: Object) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))


def job(job: Object) -> list[Any]:
    spec, status = job["spec"], job.get("status", {})
    done = status.get("succeeded", 0)
    completions = spec.get("completions")
    if completions is None:
        together = spec["parallelism"]
        shown = f"{done}/1 of {together}" if together > 1 else f"{done}/1"
    else:
        shown = f"{done}/{completions}"
    took = ""
    if status.get("startTime"):
        end = moment(status["completionTime"]) if "completionTime" in status else datetime.now(UTC)
        took = duration((end - moment(status["startTime"])).total_seconds())
    conditions = {c["type"] for c in status.get("conditions", []) if c["status"] == "True"}
    words = ("Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet")
    state = next((word for word in words if word in conditions), "Running")
    if "deletionTimestamp" in job["metadata"]:
        state = "Terminating"
    selector = selectors.as_text(spec.get("selector"))
    return [_name(job), state, shown, took, _age(job), *_containers(spec["template"]), selector]


def _containers(template: Object) -> list[str]:
    containers = template["spec"].get("containers", [])
    return [",".join(c["name"] for c in containers), ",".join(c["image"] for c in containers)]


def deployment(one: Object) -> list[Any]:
    spec, status = one["spec"], one.get("status", {})
    ready = f"{status.get('readyReplicas', 0)}/{spec['replicas']}"
    selector = selectors.as_text(spec["selector"])
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    return [_name(one), ready, *counts, _age(one), *_containers(spec["template"]), selector]


def replica_set(one: Object) -> list[Any]:
    spec, status = one["spec"], one.get("status", {})
    counts = [spec["replicas"], status.get("replicas", 0), status.get("readyReplicas", 0)]
    selector = selectors.as_text(spec["selector"])
    return [_name(one), *counts, _age(one), *_containers(spec["template"]), selector]


def service(one: Object) -> list[Any]:
    spec = one["spec"]
    ports = ",".join(f"{p['port']}/{p['protocol']}" for p in spec.get("ports", [])) or NONE
    chosen = ",".join(f"{k}={v}" for k, v in sorted(spec.get("selector", {}).items())) or NONE
    address = spec.get("clusterIP") or NONE
    return [_name(one), spec["type"], address, NONE, ports, _age(one), chosen]


def node(node: Object) -> list[Any]:
    status, labels = node.get("status", {}), node["metadata"].get("labels", {})
    ready = {c["type"]: c["status"] for c in status.get("conditions", [])}.get("Ready")
    word = "Ready" if ready == "True" else "NotReady"
    if node.get("spec", {}).get("unschedulable"):
        word += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    roles = ",".join(n.removeprefix(prefix) for n in labels if n.startswith(prefix)) or NONE
    info = status.get("nodeInfo", {})
    addresses = {a["type"]: a["address"] for a in status.get("addresses", [])}
    return [
        _name(node),
        word,
        roles,
        _age(node),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        info.get("osImage", UNKNOWN),
        info.get("kernelVersion", UNKNOWN),
        info.get("containerRuntimeVersion", UNKNOWN),
    ]


def event(event: Object) -> list[Any]:
    about = event["involvedObject"]
    target = f"{about.get('kind', '').lower()}/{about.get('name', '')}"
    return [
        age(event.get("lastTimestamp")),
        event.get("type", ""),
        event.get("reason", ""),
        target,
        about.get("fieldPath", ""),
        event.get("source", {}).get("component", ""),
        event.get("message", "").strip(),
        age(event.get("firstTimestamp")),
        event.get("count", 1),
        _name(event),
    ]


def namespace(one: Object) -> list[Any]:
    return [_name(one), one.get("status", {}).get("phase", "Active"), _age(one)]


def autoscaler(one: Object) -> list[Any]:
    spec, status = one["spec"], one.get("status", {})
    target = f"{spec['scaleTargetRef']['kind']}/{spec['scaleTargetRef']['name']}"
    shown = ", ".join(_metric(metric, status) for metric in spec.get("metrics", []))
    replicas = status.get("currentReplicas", 0)
    return [
        _name(one),
        target,
        shown or NONE,
        str(spec["minReplicas"]),
        spec["maxReplicas"],
        replicas,
        _age(one),
    ]


def _metric(metric: Object, status: Object) -> str:
    if metric["type"] != "Resource":
        return f"{UNKNOWN}/{UNKNOWN}"
    name, target = metric["resource"]["name"], metric["resource"]["target"]
    now = next(
        (
            m["resource"]["current"]
            for m in status.get("currentMetrics") or []
            if m.get("resource", {}).get("name") == name
        ),
        {},
    )
    if target["type"] == "Utilization":
        used = now.get("averageUtilization")
        return f"{name}: {UNKNOWN if used is None else f'{used}%'}/{target['averageUtilization']}%"
    return f"{name}: {now.get('averageValue', UNKNOWN)}/{target.get('averageValue', UNKNOWN)}"


def cron_job(one: Object) -> list[Any]:
    spec, status = one["spec"], one.get("status", {})
    last = status.get("lastScheduleTime")
    return [
        _name(one),
        spec["schedule"],
        spec.get("timeZone", NONE),
        str(spec["suspend"]),
        len(status.get("active", [])),
        age(last) if last else NONE,
        _age(one),
    ]


def secret(one: Object) -> list[Any]:
    return [_name(one), one["type"], len(one.get("data", {})), _age(one)]


def config_map(one: Object) -> list[Any]:
    return [_name(one), len(one.get("data", {})) + len(one.get("binaryData", {})), _age(one)]


def budget(one: Object) -> list[Any]:
    spec = one["spec"]
    limits = [str(spec.get(name, "N/A")) for name in ("minAvailable", "maxUnavailable")]
    return [_name(one), *limits, one.get("status", {}).get("disruptionsAllowed", 0), _age(one)]


def endpoints(one: Object) -> list[Any]:
    found = [
        f"{a['ip']}:{p['port']}"
        for subset in one.get("subsets", [])
        for a in subset.get("addresses", [])
        for p in subset.get("ports", [])
    ]
    return [_name(one), ",".join(found) or NONE, _age(one)]
