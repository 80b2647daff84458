"""Pods that ask for more CPU than their node has left."""

from drydock.study.repair.kube import DeploymentCase, trouble
from drydock.study.repair.shown import Rule

ASKED, LEAST = "900m", 20


class PendingCpu(DeploymentCase):
    title = "Pending for ever"
    skills = ("1.2.1", "1.2.4", "1.2.7")
    minutes = 10
    replicas = 3
    asked = (
        "Run three pods of a small web server on one m5.large. Two of them run, and the third has "
        "been waiting since the morning. The machine is idle."
    )
    goal = (
        "All three pods are available on the one node that is paid for. Each still requests CPU, "
        f"at least {LEAST}m, so that the scheduler knows what it promises."
    )
    look = (
        "kubectl get pods; kubectl describe pod: the event FailedScheduling",
        "kubectl describe node: Allocatable, and Allocated resources",
        "kubectl top pods: what they really use",
    )
    hints = (
        "A pod that is Pending has no log, for it never ran. The scheduler's own words stand in "
        "its events.",
        "The scheduler adds up requests and not use. How much CPU does each pod request, and how "
        "many of them fit into what the node has to give?",
        "kubectl set resources deployment/web --requests=cpu=50m. A rolling update starts new pods "
        "before it ends old ones, so two new ones must fit beside the two that run.",
    )

    def build(self) -> list[str]:
        self.open_cluster()
        resources = {"requests": {"cpu": ASKED, "memory": "64Mi"}, "limits": {"memory": "128Mi"}}
        self.create(self.web(self.image(), resources=resources))
        return [
            "2 of 3 pods run",
            *self.must(self._one_waits),
            "kubectl top nodes: some percent of its CPU",
        ]

    def _one_waits(self) -> list[str] | None:
        pods = self.pods(app="web")
        running = [pod for pod in pods if pod.status.phase == "Running"]
        told = [words for pod in pods if (words := trouble(pod))]
        return told if len(running) == 2 and len(told) == 1 else None

    def rules(self):
        yield self.available()
        yield self.machines()
        yield Rule("requests", f"Each requests at least {LEAST}m of CPU", self._why_no_request)

    def _why_no_request(self) -> str | None:
        [container] = self.deployment().spec.template.spec.containers
        asked = (container.resources.requests or {}).get("cpu")
        if asked is None:
            return "It requests none: the next pod is put beside it however busy it is."
        thousandths = float(asked[:-1]) if asked.endswith("m") else float(asked) * 1000
        return None if thousandths >= LEAST else f"It requests {asked}: that is no promise."


LAB = PendingCpu
