"""What a Horizontal Pod Autoscaler sees and does, noted as it happens, and what the model says."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from drydock.errors import DrydockError
from drydock.model.scaling import hpa

STEP_SECONDS = 0.25


@dataclass(frozen=True)
class Sample:
    """One look: `seconds` since the first, mean use in percent of the request (None: not measured
    yet), replicas that there are, and replicas that the autoscaler wants."""

    seconds: float
    utilization: int | None
    replicas: int
    wanted: int


@dataclass(frozen=True)
class Mark:
    """What began when: from then on all pods together use `load` thousandths of a core."""

    seconds: float
    words: str
    load: float


class Watch:
    """Looks at one autoscaler again and again. `api` is an AutoscalingV2Api."""

    def __init__(self, api, name: str, namespace: str = "default"):
        self._api, self._name, self._namespace = api, name, namespace
        self._began = time.monotonic()
        self.samples: list[Sample] = []
        self.marks: list[Mark] = []

    def look(self) -> Sample:
        """Note what the autoscaler's status says now."""
        status = self._api.read_namespaced_horizontal_pod_autoscaler(
            self._name, self._namespace
        ).status
        metrics = status.current_metrics or []
        used = metrics[0].resource.current.average_utilization if metrics else None
        self.samples.append(
            Sample(self._now(), used, status.current_replicas or 0, status.desired_replicas or 0)
        )
        return self.samples[-1]

    def mark(self, words: str, load: float) -> None:
        """Note that a load, in thousandths of a core, has begun."""
        self.marks.append(Mark(self._now(), words, load))

    def until(self, condition: Callable[[Sample], bool], seconds: float = 180) -> Sample:
        """Look until the condition holds of a sample; raise DrydockError if it never does."""
        deadline = time.monotonic() + seconds
        while not condition(sample := self.look()):
            if time.monotonic() > deadline:
                raise DrydockError(
                    f"the autoscaler {self._name} is still at {sample.replicas} replicas and "
                    f"{sample.utilization} % after {seconds:g} s: type kubectl describe hpa "
                    f"{self._name}"
                )
            time.sleep(STEP_SECONDS)
        return sample

    def _now(self) -> float:
        return time.monotonic() - self._began


def predicted(watch: Watch, request: int, target: int, least: int, most: int) -> list[int]:
    """Return for each sample what the model wants, from the load of its time and the replicas.

    `request` is a pod's, in thousandths of a core; `target` is in percent of it. The answer is the
    formula's within the limits: it knows the load at once, and no stabilisation window.
    """
    found = []
    for sample in watch.samples:
        load = next((m.load for m in reversed(watch.marks) if m.seconds <= sample.seconds), 0)
        count = max(1, sample.replicas)
        pods = [hpa.Pod(usage=int(load / count), request=request)] * count
        found.append(min(max(hpa.resource_replicas(pods, count, target), least), most))
    return found
