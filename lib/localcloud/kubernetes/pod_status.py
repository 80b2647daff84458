"""A pod's status as its kubelet tells it: containers' states, conditions, phase."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from localcloud.kubernetes import sizes
from localcloud.kubernetes.store import now
from localcloud.runtimes.base import Container

Object = dict[str, Any]


@dataclass
class Run:
    """One container of a pod: what runs now, what ran before."""

    spec: Object
    init: bool
    attempt: int = 0
    started_once: bool = False
    state: Object = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last: Object = field(default_factory=dict)
    live: Container | None = None
    ready: bool = False
    started: bool = False
    image_id: str = ""
    identifier: str = ""
    began: float = 0.0
    not_before: float = 0.0
    failures: int = 0
    pull_failures: int = 0

    @property
    def name(self) -> str:
        return self.spec["name"]

    @property
    def ended(self) -> Object | None:
        return self.state.get("terminated")

    @property
    def succeeded(self) -> bool:
        return bool(self.ended) and self.ended["exitCode"] == 0

    def wait(self, reason: str, message: str = "") -> None:
        """The container is not running, and this is why."""
        if self.ended:
            self.last = {"terminated": self.ended}
        self.state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
        self.ready = self.started = False

    def run(self, identifier: str) -> None:
        if self.ended:
            self.last = {"terminated": self.ended}
        self.identifier = f"containerd://{identifier}"
        self.state = {"running": {"startedAt": now()}}
        self.started_once = True

    def end(self, code: int, reason: str, message: str = "") -> None:
        began = self.state.get("running", {}).get("startedAt", now())
        found = {
            "exitCode": code,
            "reason": reason,
            "startedAt": began,
            "finishedAt": now(),
            "containerID": self.identifier,
        }
        self.state = {"terminated": {**found, **({"message": message} if message else {})}}
        self.live, self.ready, self.started = None, False, False

    def shown(self) -> Object:
        return {
            "name": self.name,
            "image": self.spec["image"],
            "imageID": self.image_id,
            "restartCount": self.attempt,
            "ready": self.ready or (self.init and self.succeeded),
            "started": self.started,
            "state": self.state,
            "lastState": self.last,
            **({"containerID": self.identifier} if self.identifier else {}),
        }


def phase(pod: Object, runs: list[Run]) -> str:
    policy = pod["spec"]["restartPolicy"]
    inits = [run for run in runs if run.init]
    mains = [run for run in runs if not run.init]
    failed = [run for run in inits if run.ended and not run.succeeded]
    if failed and policy == "Never":
        return "Failed"
    if any(not run.succeeded for run in inits):
        return "Pending"
    if not any(run.started_once for run in mains):
        return "Pending"
    if any(not run.ended for run in mains) or policy == "Always":
        return "Running"
    if all(run.succeeded for run in mains):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def write(pod: Object, runs: list[Run], extra: Object | None = None) -> None:
    """Put the status into the pod. ``extra`` is a reason and message that end it."""
    status = pod["status"]
    mains = [run for run in runs if not run.init]
    now_in = phase(pod, runs) if extra is None else "Failed"
    ready = now_in == "Running" and all(run.ready for run in mains)
    done = all(run.succeeded for run in runs if run.init)
    status["phase"] = now_in
    status["containerStatuses"] = [run.shown() for run in mains]
    if len(mains) < len(runs):
        status["initContainerStatuses"] = [run.shown() for run in runs if run.init]
    status["qosClass"] = sizes.qos(pod["spec"])
    for name, value in (extra or {}).items():
        status[name] = value
    why = "PodCompleted" if now_in == "Succeeded" else "ContainersNotReady"
    unready = [run.name for run in mains if not run.ready]
    message = f"containers with unready status: [{' '.join(unready)}]"
    lacking = None if ready else (why, message if why != "PodCompleted" else "")
    if now_in == "Failed":
        lacking = ("PodFailed", "")
    incomplete = [run.name for run in runs if run.init and not run.succeeded]
    words = f"containers with incomplete status: [{' '.join(incomplete)}]"
    started = bool(status.get("podIP"))
    condition(pod, "PodReadyToStartContainers", started and now_in in ("Running", "Pending"))
    condition(pod, "Initialized", done, None if done else ("ContainersNotInitialized", words))
    condition(pod, "Ready", ready, lacking)
    condition(pod, "ContainersReady", ready, lacking)


def condition(pod: Object, kind: str, holds: bool, why: tuple[str, str] | None = None) -> None:
    conditions = pod["status"].setdefault("conditions", [])
    status = "True" if holds else "False"
    wanted = {"reason": why[0], "message": why[1]} if why else {}
    wanted = {name: value for name, value in wanted.items() if value}
    for one in conditions:
        if one["type"] == kind:
            if one["status"] != status:
                one["lastTransitionTime"] = now()
            one["status"] = status
            for name in ("reason", "message"):
                one.pop(name, None)
            one.update(wanted)
            return
    moment = {"lastProbeTime": None, "lastTransitionTime": now()}
    conditions.append({"type": kind, "status": status, **moment, **wanted})


def identifier(uid: str, name: str, attempt: int) -> str:
    return hashlib.sha256(f"{uid}/{name}/{attempt}".encode()).hexdigest()
