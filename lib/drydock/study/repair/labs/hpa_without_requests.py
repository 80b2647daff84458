"""An autoscaler that has no whole to take a percentage of."""

from drydock.images import CONTAINERS, build
from drydock.study.repair.kube import NAMESPACE, KubernetesCase
from drydock.study.repair.shown import Rule

TARGET, MOST = 60, 4
RATE, MILLISECONDS = 20, 12  # together 240 thousandths of a core


class HpaWithoutRequests(KubernetesCase):
    title = "The autoscaler that does nothing"
    skills = ("1.2.1", "1.2.4", "1.2.7")
    minutes = 15
    asked = (
        "A worker is under load and should become several: an autoscaler was made for it, with a "
        f"target of {TARGET} % and at most {MOST} pods. There is still one."
    )
    goal = (
        "The autoscaler itself brings more pods under this load, with the same target and limits "
        "as now."
    )
    look = (
        "kubectl get hpa worker: TARGETS",
        "kubectl describe hpa worker: conditions and events",
        "kubectl get deployment worker -o yaml: resources",
    )
    hints = (
        "TARGETS shows <unknown>: the autoscaler has no number to compare. Its events say which "
        "one is missing.",
        f"{TARGET} % is a share of something. Of what? A container has two numbers for CPU, and "
        "this one has neither.",
        "kubectl set resources deployment/worker --requests=cpu=100m: the load of some 240 "
        "thousandths is then far above the target.",
    )

    def build(self) -> list[str]:
        self.open_cluster()
        image = build(self.lab, self.repository, CONTAINERS / "pod")
        worker = {
            "name": "worker",
            "image": image,
            "args": ["serve", str(MILLISECONDS)],
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8000}, "periodSeconds": 1},
        }
        labels = {"app": "worker"}
        spec = {"terminationGracePeriodSeconds": 2, "containers": [worker]}
        template = {"metadata": {"labels": labels}, "spec": spec}
        deployment = {"selector": {"matchLabels": labels}, "template": template, "replicas": 1}
        named = {"name": "worker"}
        self.apps.create_namespaced_deployment(NAMESPACE, {"metadata": named, "spec": deployment})
        ports = [{"port": 80, "targetPort": 8000}]
        self.core.create_namespaced_service(
            NAMESPACE, {"metadata": named, "spec": {"selector": labels, "ports": ports}}
        )
        resource = {
            "name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": TARGET},
        }
        scaler = {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "worker"},
            "minReplicas": 1,
            "maxReplicas": MOST,
            "metrics": [{"type": "Resource", "resource": resource}],
        }
        self.scaling.create_namespaced_horizontal_pod_autoscaler(
            NAMESPACE, {"metadata": named, "spec": scaler}
        )
        caller = {"name": "caller", "image": image, "args": ["call", "worker", str(RATE)]}
        self.core.create_namespaced_pod(
            NAMESPACE, {"metadata": {"name": "load"}, "spec": {"containers": [caller]}}
        )
        return self.must(self._seen)

    def _scaler(self):
        return self.scaling.read_namespaced_horizontal_pod_autoscaler("worker", NAMESPACE)

    def _seen(self) -> list[str] | None:
        for condition in self._scaler().status.conditions or []:
            if condition.type == "ScalingActive" and condition.status == "False":
                message = condition.message.partition(" of Pod ")[0]
                return [
                    f"TARGETS: cpu: <unknown>/{TARGET}%, REPLICAS: 1",
                    f"ScalingActive False, {condition.reason}: {message} of Pod worker-…",
                ]
        return None

    def rules(self):
        yield Rule("grows", "The autoscaler has brought more pods", self._why_not_grown)
        yield Rule("same", f"It still has 1 to {MOST} pods and {TARGET} %", self._why_changed)
        yield Rule("load", "The load is still there", self._why_no_load)

    def _why_not_grown(self) -> str | None:
        def grown() -> bool:
            status = self._scaler().status
            rescaled = status.last_scale_time is not None
            return rescaled and (status.current_replicas or 0) > 1

        if self.until(grown, 20):
            return None
        status = self._scaler().status
        active = next(c for c in status.conditions if c.type == "ScalingActive")
        if active.status == "False":
            return f"It is not active: {active.reason}."
        used = status.current_metrics[0].resource.current.average_utilization
        return "It sees less than its target." if used <= TARGET else "It has not acted yet."

    def _why_changed(self) -> str | None:
        spec = self._scaler().spec
        target = spec.metrics[0].resource.target
        now = (spec.min_replicas, spec.max_replicas, target.average_utilization)
        return None if now == (1, MOST, TARGET) else f"It has {now[0]} to {now[1]}, {now[2]} %."

    def _why_no_load(self) -> str | None:
        found = [pod for pod in self.pods() if pod.metadata.name == "load"]
        running = found and found[0].status.phase == "Running"
        return None if running else "The pod load does not run."

    def belongings(self) -> str:
        return f"{super().belongings()}, Deployment, Service and HPA worker, pod load"


LAB = HpaWithoutRequests
