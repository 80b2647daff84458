"""One pod's life on its node, in a thread of its own: from its volumes to its last exit code."""

from __future__ import annotations

import queue
import threading
import time
import traceback
from typing import TYPE_CHECKING

from localcloud.kubernetes import (
    back_off,
    errors,
    pod_containers,
    pod_logs,
    pod_sandbox,
    pod_status,
    probes,
)
from localcloud.kubernetes.ages import moment
from localcloud.kubernetes.errors import ApiError
from localcloud.kubernetes.pod_containers import Parts
from localcloud.kubernetes.pod_status import Run
from localcloud.kubernetes.pod_volumes import NotYet, Volumes
from localcloud.kubernetes.resources import PODS
from localcloud.runtimes.base import CannotStart, Container, Sandbox, Usage

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Object

RETRY_SECONDS = 1.0
LOOK_SECONDS = 60.0
EXIT, WAKE = "exit", "wake"


class PodWorker:
    """Other threads only put events into its queue, ask it to stop, or read its usage."""

    def __init__(self, cluster: Cluster, pod: Object):
        meta = pod["metadata"]
        self.uid, self.namespace, self.name = meta["uid"], meta["namespace"], meta["name"]
        self.runs = [Run(c, init=True) for c in pod["spec"].get("initContainers", [])]
        self.runs += [Run(c, init=False) for c in pod["spec"]["containers"]]
        self.sandbox: Sandbox | None = None
        self.ended: Object | None = None
        self.grace: float | None = None
        self.cluster, self.pod = cluster, pod
        self._events: queue.Queue[tuple[str, Run | None]] = queue.Queue()
        self.halted = False
        self._volumes = Volumes(cluster, pod, cluster.pods / meta["uid"])
        self._mounted = False
        self._thread = threading.Thread(target=self._run, name=f"pod-{self.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def delete(self, grace: float) -> None:
        """End it within ``grace`` seconds; its object goes when it has ended."""
        self.grace = grace if self.grace is None else min(grace, self.grace)
        self._events.put((WAKE, None))

    def halt(self) -> None:
        """The server stops: end the containers, and leave the pod's object as it is."""
        self.halted = True
        self._events.put((WAKE, None))

    def join(self) -> None:
        self._thread.join()

    def wake(self) -> None:
        self._events.put((WAKE, None))

    def mounts(self, container: Object) -> dict:
        """The folders behind a container's mounted paths."""
        return self._volumes.mounts(container)

    def usage(self) -> Usage | None:
        return self.sandbox.usage() if self.sandbox else None

    # the loop -----------------------------------------------------------------------------------
    def _run(self) -> None:
        try:
            self._provision()
            while not self._over():
                self._start_what_is_due()
                self.report()
                self._wait()
        except ApiError as error:
            if error.code != 404:
                traceback.print_exc()
        except Exception as error:
            traceback.print_exc()
            self.ended = {"reason": "Error", "message": f"kubelet: {error!r}: see the server's log"}
        finally:
            self._finish()

    def _over(self) -> bool:
        if self.halted or self.grace is not None or self.ended:
            return True
        deadline = self.pod["spec"].get("activeDeadlineSeconds")
        began = self.pod["status"].get("startTime")
        if deadline and began and time.time() - moment(began).timestamp() > deadline:
            words = "Pod was active on the node longer than the specified deadline"
            self.ended = {"reason": "DeadlineExceeded", "message": words}
            return True
        return pod_status.phase(self.pod, self.runs) in ("Succeeded", "Failed")

    def _provision(self) -> None:
        address = self.cluster.footing.addresses.take()

        def begin(pod: Object) -> None:
            pod["status"].setdefault("startTime", self.cluster.now())
            pod["status"].update(podIP=address, podIPs=[{"ip": address}], hostIP=address)
            pod["status"]["hostIPs"] = [{"ip": address}]
            pod_status.write(pod, self.runs)

        self._change(begin)
        self._address = address

    def _start_what_is_due(self) -> None:
        if not self._mount():
            return
        for run in self._wanted():
            if run.live is None and time.monotonic() >= run.not_before:
                self._start(run)

    def _mount(self) -> bool:
        if self._mounted:
            return True
        try:
            self._volumes.make()
            self._mounted = True
        except NotYet as why:
            self.tell("Warning", "FailedMount", str(why))
            self.retry(self.runs[0], RETRY_SECONDS)
        return self._mounted

    def _wanted(self) -> list[Run]:
        """What should be running now: the next init container, or all the others."""
        for run in self.runs:
            if run.init and not run.succeeded:
                for other in self.runs:
                    if not other.init and not other.started_once:
                        other.wait("PodInitializing")
                return [run] if self.restarts(run) else []
        return [run for run in self.runs if not run.init and self.restarts(run)]

    def restarts(self, run: Run) -> bool:
        if not run.started_once or not (run.ended or "waiting" in run.state):
            return True
        policy = self.pod["spec"]["restartPolicy"]
        if run.init:
            return policy != "Never" and not run.succeeded
        code = (run.ended or run.last.get("terminated") or {}).get("exitCode", 0)
        return policy == "Always" or (policy == "OnFailure" and code != 0)

    def _wait(self) -> None:
        """Sleep until something happens or is due."""
        soon = [run.not_before for run in self.runs if run.live is None and run.not_before]
        timeout = min([LOOK_SECONDS, *(at - time.monotonic() for at in soon if at)])
        deadline = self.pod["spec"].get("activeDeadlineSeconds")
        if deadline:
            began = moment(self.pod["status"]["startTime"]).timestamp()
            timeout = min(timeout, began + deadline - time.time() + 0.01)
        try:
            kind, run = self._events.get(timeout=max(0.01, timeout))
        except queue.Empty:
            return
        if kind == EXIT:
            self._record_exit(run)

    # a container --------------------------------------------------------------------------------
    def _start(self, run: Run) -> None:
        if run.ended or run.last:
            run.attempt += bool(run.started_once)
        with self.cluster.kubelet.turn:
            if self.grace is not None or self.halted:
                return
            image = back_off.pull(self, run)
            if image is None:
                return
            run.image_id = image.digest
            try:
                spec = pod_containers.spec(
                    self.cluster, self.pod, run.spec, image, self._open(), self._parts(run)
                )
                run.live = self._open().start(spec)
            except NotYet as why:
                run.wait("CreateContainerConfigError", str(why))
                self.tell("Warning", "Failed", f"Error: {why}", run)
                self.retry(run, RETRY_SECONDS)
                return
            except (CannotStart, OSError) as error:
                back_off.failed_start(self, run, error)
                return
        run.not_before, run.began = 0.0, time.monotonic()
        run.run(pod_status.identifier(self.uid, run.name, run.attempt))
        run.started = "startupProbe" not in run.spec
        run.ready = run.started and "readinessProbe" not in run.spec and not run.init
        self.tell("Normal", "Created", "Container created", run)
        self.tell("Normal", "Started", "Container started", run)
        threading.Thread(target=self._follow, args=(run, run.live), daemon=True).start()
        probes.watch(self, run, run.live, self.pod["status"]["podIP"])

    def _open(self) -> Sandbox:
        if self.sandbox is None:
            self.sandbox = pod_sandbox.make(self.cluster, self.pod, self._address)
        return self.sandbox

    def _parts(self, run: Run) -> Parts:
        path = pod_logs.path_of(self.cluster.logs, self.uid, run.name, run.attempt)
        name = pod_containers.plain_name(run.name, run.attempt)
        grace = self.pod["spec"]["terminationGracePeriodSeconds"]
        return Parts(name, self._volumes, pod_logs.LogFile(path), grace)

    def _follow(self, run: Run, live: Container) -> None:
        live.wait()
        self._events.put((EXIT, run))

    def _record_exit(self, run: Run) -> None:
        if run.live is None:
            return
        status = run.live.wait()
        reason = "OOMKilled" if status.reason else "Completed" if status.code == 0 else "Error"
        message = ""
        if run.spec["terminationMessagePolicy"] == "FallbackToLogsOnError" and status.code:
            path = pod_logs.path_of(self.cluster.logs, self.uid, run.name, run.attempt)
            message = pod_logs.tail_of(path)
        run.end(status.code, reason, message)
        back_off.after_exit(self, run)

    def restart(self, run: Run, live: Container, why: str) -> None:
        """A probe says that the container must go."""
        if run.live is live:
            self.tell("Normal", "Killing", why, run)
            live.stop()

    def retry(self, run: Run, seconds: float) -> None:
        run.not_before = time.monotonic() + seconds

    # the end ------------------------------------------------------------------------------------
    def _finish(self) -> None:
        try:
            self._stop_containers()
            if not self.halted:
                self.report()
        except ApiError:
            pass  # deleted meanwhile
        finally:
            if self.sandbox:
                self.sandbox.remove()
                self.sandbox = None
            if hasattr(self, "_address"):
                self.cluster.footing.addresses.give_back(self._address)
            self._volumes.remove()
            self.cluster.kubelet.ended(self)

    def _stop_containers(self) -> None:
        live = [run for run in self.runs if run.live]
        grace = 1.0 if self.halted else self.grace
        if grace is None:
            grace = self.pod["spec"]["terminationGracePeriodSeconds"]
        stopping = []
        for run in live:
            if not self.halted:
                self.tell("Normal", "Killing", f"Stopping container {run.name}", run)
            stopping.append(threading.Thread(target=run.live.stop, daemon=True))
            stopping[-1].start()
        until = time.monotonic() + grace
        for run in live:
            if run.live.wait(max(0.0, until - time.monotonic())) is None:
                run.live.kill()
            self._record_exit(run)

    # telling ------------------------------------------------------------------------------------
    def report(self) -> None:
        self._change(lambda pod: pod_status.write(pod, self.runs, self.ended))

    def _change(self, edit) -> None:
        def same(pod: Object) -> None:
            if pod["metadata"]["uid"] != self.uid:
                raise errors.not_found(PODS, self.name)
            edit(pod)

        self.pod = self.cluster.store.change(PODS, self.namespace, self.name, same)

    def tell(self, kind: str, reason: str, message: str, run: Run | None = None) -> None:
        path = None
        if run:
            part = "initContainers" if run.init else "containers"
            path = f"spec.{part}{{{run.name}}}"
        self.cluster.recorder.event(self.pod, kind, reason, message, "kubelet", field_path=path)
