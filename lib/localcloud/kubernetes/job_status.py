"""What a Job's pods add up to: its counts, its indexes, its conditions."""

from __future__ import annotations

from typing import Any

from localcloud.kubernetes.store import now

Object = dict[str, Any]
TRACKING = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
ENDED = ("Succeeded", "Failed")


class Count:
    """The pods of a Job, counted; brings the counts of its status up to date.

    ``new_ends`` are pods that had not been counted before. ``failures`` is what backoffLimit is
    compared with, ``fatal`` the message of a podFailurePolicy rule FailJob.
    """

    def __init__(self, job: Object, pods: list[Object]):
        self._job, self._spec, self._status = job, job["spec"], job["status"]
        self.indexed = self._spec["completionMode"] == "Indexed"
        self.fatal: str | None = None
        self.new_ends: list[Object] = []
        self.active = [p for p in pods if _active(p)]
        going = [p for p in pods if "deletionTimestamp" in p["metadata"] and _phase(p) not in ENDED]
        self._going = going
        self._done = read_indexes(self._status.get("completedIndexes", ""))
        ended = [p for p in pods if _phase(p) in ENDED or _gone(p)]
        for pod in ended:
            if TRACKING in pod["metadata"].get("finalizers", []):
                self._add(pod)
        self._status["active"] = len(self.active)
        self._status["ready"] = sum(_ready(pod) for pod in self.active)
        self._status["terminating"] = len(going)
        self._status["uncountedTerminatedPods"] = {}
        if self.indexed:
            self._status["completedIndexes"] = write_indexes(self._done)
            self._status["succeeded"] = len(self._done)
        self.failures = self._status.get("failed", 0)
        if self._spec["template"]["spec"]["restartPolicy"] == "OnFailure":
            self.failures += sum(_restarts(pod) for pod in self.active)
        failed = [p for p in ended if _phase(p) == "Failed" and not self._ignored(p)]
        last_good = max((_end(p) for p in ended if _phase(p) == "Succeeded"), default="")
        recent = [p for p in failed if _end(p) > last_good]
        self.failures_in_a_row = len(recent)
        self.last_failure = max((_end(p) for p in recent), default=None)

    def _add(self, pod: Object) -> None:
        self.new_ends.append(pod)
        if _phase(pod) == "Succeeded":
            self._status["succeeded"] = self._status.get("succeeded", 0) + 1
            if self.indexed:
                self._done.add(index_of(pod))
            return
        if not self._ignored(pod):
            self._status["failed"] = self._status.get("failed", 0) + 1

    def _ignored(self, pod: Object) -> bool:
        """Lost with the server, or ignored by the podFailurePolicy."""
        if _condition(pod, "DisruptionTarget"):
            return True
        for at, rule in enumerate(self._spec.get("podFailurePolicy", {}).get("rules", [])):
            if not _rule_matches(rule, pod):
                continue
            if rule["action"] == "FailJob":
                self.fatal = _fatal(rule, pod, at)
            return rule["action"] == "Ignore"
        return False

    def is_complete(self) -> bool:
        done, completions = self._status.get("succeeded", 0), self._spec.get("completions")
        if completions is None:
            return done > 0 and not self.active
        return done >= completions

    def wanted(self) -> int:
        """How many pods should be active now."""
        done, completions = self._status.get("succeeded", 0), self._spec.get("completions")
        parallelism = self._spec["parallelism"]
        if completions is None:
            return len(self.active) if done else parallelism
        # A pod on its way out still holds its place, if the Job waits for failed pods only.
        held = len(self._going) if self._spec.get("podReplacementPolicy") == "Failed" else 0
        return max(0, min(parallelism, completions - done) - held)

    def next_indexes(self, number: int) -> list[int | None]:
        if not self.indexed:
            return [None] * number
        busy = {index_of(pod) for pod in self.active}
        free = (i for i in range(self._spec["completions"]) if i not in self._done | busy)
        return [index for index, _ in zip(free, range(number), strict=False)]


def index_of(pod: Object) -> int:
    return int(pod["metadata"]["annotations"][INDEX])


def read_indexes(text: str) -> set[int]:
    """0-2,5 is {0, 1, 2, 5}."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def write_indexes(indexes: set[int]) -> str:
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(f"{a}" if a == b else f"{a}{',' if b == a + 1 else '-'}{b}" for a, b in runs)


def untracked(pod: Object) -> None:
    finalizers = [f for f in pod["metadata"].get("finalizers", []) if f != TRACKING]
    if finalizers:
        pod["metadata"]["finalizers"] = finalizers
    else:
        pod["metadata"].pop("finalizers", None)


def finished(job: Object) -> str | None:
    """When the Job completed or failed."""
    for one in job.get("status", {}).get("conditions", []):
        if one["type"] in ("Complete", "Failed") and one["status"] == "True":
            return one["lastTransitionTime"]
    return None


def conclude(job: Object, kind: str, reason: str, message: str) -> None:
    first = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
    for name in (first, kind):
        set_condition(job, name, reason, message)
    if kind == "Complete":
        job["status"]["completionTime"] = now()


def set_condition(job: Object, kind: str, reason: str, message: str, status: str = "True") -> bool:
    """Whether that is new."""
    conditions = job["status"].setdefault("conditions", [])
    for one in conditions:
        if one["type"] == kind and one["status"] == status:
            return False
    moment = {"lastProbeTime": now(), "lastTransitionTime": now()}
    found = {"type": kind, "status": status, "reason": reason, "message": message, **moment}
    job["status"]["conditions"] = [c for c in conditions if c["type"] != kind] + [found]
    return True


def unset(job: Object, kind: str, reason: str, message: str) -> bool:
    known = {c["type"]: c["status"] for c in job["status"].get("conditions", [])}
    return known.get(kind) == "True" and set_condition(job, kind, reason, message, "False")


def _phase(pod: Object) -> str:
    return pod["status"].get("phase", "Pending")


def _active(pod: Object) -> bool:
    return _phase(pod) not in ENDED and "deletionTimestamp" not in pod["metadata"]


def _gone(pod: Object) -> bool:
    """Deleted before it ended, and its containers have gone."""
    meta = pod["metadata"]
    return "deletionTimestamp" in meta and not meta.get("deletionGracePeriodSeconds")


def _ready(pod: Object) -> bool:
    return _condition(pod, "Ready")


def _condition(pod: Object, kind: str) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(c["type"] == kind and c["status"] == "True" for c in conditions)


def _restarts(pod: Object) -> int:
    return sum(one["restartCount"] for one in pod["status"].get("containerStatuses", []))


def _end(pod: Object) -> str:
    states = pod["status"].get("containerStatuses", [])
    ended = [s["state"].get("terminated", {}).get("finishedAt") for s in states]
    return max((at for at in ended if at), default=pod["metadata"]["creationTimestamp"])


def _rule_matches(rule: Object, pod: Object) -> bool:
    if "onExitCodes" in rule:
        return _exit_code(rule["onExitCodes"], pod) is not None
    return any(
        one["type"] == wanted["type"] and one["status"] == wanted.get("status", "True")
        for wanted in rule.get("onPodConditions", [])
        for one in pod["status"].get("conditions", [])
    )


def _exit_code(wanted: Object, pod: Object) -> tuple[str, int] | None:
    for state in pod["status"].get("containerStatuses", []):
        code = state["state"].get("terminated", {}).get("exitCode", 0)
        if wanted.get("containerName", state["name"]) != state["name"] or code == 0:
            continue
        if (code in wanted["values"]) is (wanted["operator"] == "In"):
            return state["name"], code
    return None


def _fatal(rule: Object, pod: Object, at: int) -> str:
    name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    if "onExitCodes" in rule:
        container, code = _exit_code(rule["onExitCodes"], pod)
        return (
            f"Container {container} for pod {name} failed with exit code {code} matching FailJob "
            f"rule at index {at}"
        )
    kind = rule["onPodConditions"][0]["type"]
    return f"Pod {name} has condition {kind} matching FailJob rule at index {at}"
