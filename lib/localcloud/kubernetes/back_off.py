"""Waiting before the next try: of an image's pull, and of a container that crashes.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from localcloud.kubernetes import pace, pod_containers, pod_status
from localcloud.kubernetes.pod_containers import CannotPull

if TYPE_CHECKING:
    from localcloud.kubernetes.pod_status import Run
    from localcloud.kubernetes.pod_worker import PodWorker

FIRST_BACK_OFF, LONGEST_BACK_OFF, FORGIVEN_AFTER = 10.0, 300.0, 600.0


def pull(worker: PodWorker, run: Run) -> Any:
    """The image of a container; None if it is not to be had now, and the worker knows."""
    reference = run.spec["image"]
    known = run.spec["imagePullPolicy"] != "Always" and worker.cluster.kubelet.has(
        worker.pod["spec"]["nodeName"], reference
    )
    if run.spec["imagePullPolicy"] == "Never" and not known:
        words = f'Container image "{reference}" is not present with pull policy of Never'
        run.wait("ErrImageNeverPull", words)
        worker.tell("Warning", "ErrImageNeverPull", words, run)
        worker.retry(run, pace.ours(FIRST_BACK_OFF))
        return None
    if not known:
        worker.tell("Normal", "Pulling", f'Pulling image "{reference}"', run)
    began = time.monotonic()
    try:
        image = pod_containers.pull(worker.cluster, reference)
    except CannotPull as why:
        _not_pulled(worker, run, str(why))
        return None
    if known:
        words = f'Container image "{reference}" already present on machine'
    else:
        took = int((time.monotonic() - began) * 1000)
        words = f'Successfully pulled image "{reference}" in {took}ms'
        worker.cluster.kubelet.remember(worker.pod["spec"]["nodeName"], reference)
    worker.tell("Normal", "Pulled", words, run)
    return image


def _not_pulled(worker: PodWorker, run: Run, why: str) -> None:
    reference = run.spec["image"]
    worker.tell("Warning", "Failed", why, run)
    worker.tell("Warning", "Failed", "Error: ErrImagePull", run)
    run.wait("ErrImagePull", why)
    worker.report()
    run.pull_failures += 1
    delay = min(FIRST_BACK_OFF * 2 ** (run.pull_failures - 1), LONGEST_BACK_OFF)
    worker.tell("Normal", "BackOff", f'Back-off pulling image "{reference}"', run)
    worker.tell("Warning", "Failed", "Error: ImagePullBackOff", run)
    run.wait("ImagePullBackOff", f'Back-off pulling image "{reference}": ErrImagePull: {why}')
    worker.retry(run, pace.ours(delay))


def after_exit(worker: PodWorker, run: Run) -> None:
    """Set when the container may start again, if it may."""
    if not worker.restarts(run) or worker.grace is not None or worker.halted:
        return
    if time.monotonic() - run.began > pace.ours(FORGIVEN_AFTER):
        run.failures = 0
    if run.failures == 0:
        run.failures, run.not_before = 1, 0.0
        return
    seconds = min(FIRST_BACK_OFF * 2 ** (run.failures - 1), LONGEST_BACK_OFF)
    run.failures += 1
    meta = f"{worker.name}_{worker.namespace}({worker.uid})"
    words = f"back-off {_go(seconds)} restarting failed container={run.name} pod={meta}"
    run.wait("CrashLoopBackOff", words)
    short = f"Back-off restarting failed container {run.name} in pod {meta}"
    worker.tell("Warning", "BackOff", short, run)
    worker.retry(run, pace.ours(seconds))


def failed_start(worker: PodWorker, run: Run, error: Exception) -> None:
    """The container's command cannot be executed."""
    words = (
        "failed to create containerd task: failed to create shim task: OCI runtime create "
        "failed: runc create failed: unable to start container process: error during "
        f"container init: {error}"
    )
    run.run(pod_status.identifier(worker.uid, run.name, run.attempt))
    run.end(128, "StartError", words)
    worker.tell("Warning", "Failed", f"Error: {words}", run)
    after_exit(worker, run)


def _go(seconds: float) -> str:
    """As Go prints a duration: 10s, 1m20s, 5m0s."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
