"""A container that ends at once, again and again: its ConfigMap has the setting in other words."""

from drydock.study.repair.kube import NAMESPACE, DeploymentCase, container_state
from drydock.study.repair.shown import Rule


class CrashLoop(DeploymentCase):
    title = "CrashLoopBackOff"
    skills = ("1.2.1", "1.2.7", "1.3.2")
    minutes = 10
    asked = (
        "Run version 2 of a web server. Its settings are in a ConfigMap, which the operations team "
        "has written. The pods are Running, says the dashboard; nobody gets an answer."
    )
    goal = (
        "Both pods are available and run version 2, and the setting that it needs comes from the "
        "ConfigMap web, where the operations team can change it."
    )
    look = (
        "kubectl get pods: STATUS and RESTARTS",
        "kubectl logs deployment/web --previous",
        "kubectl get configmap web -o yaml",
    )
    hints = (
        "CrashLoopBackOff is Kubernetes' word for: it ended, I started it, it ended. Why it ended "
        "only the program knows, and it has said so.",
        "The log names a setting. Compare it, letter by letter, with the keys of the ConfigMap "
        "that the container takes all its variables from.",
        'kubectl patch configmap web --type merge -p \'{"data": {"RATE_LIMIT": "100"}}\'. The '
        "variables are read when a container starts: the next restart, or kubectl rollout restart.",
    )

    def build(self) -> list[str]:
        self.open_cluster()
        data = {"VERSION": "2", "RATE-LIMIT": "100"}
        self.core.create_namespaced_config_map(
            NAMESPACE, {"metadata": {"name": "web"}, "data": data}
        )
        self.create(self.web(self.image(), envFrom=[{"configMapRef": {"name": "web"}}]))
        return self.must(self._seen)

    def _seen(self) -> list[str] | None:
        pods = self.pods(app="web")
        states = [container_state(pod) for pod in pods]
        reasons = {one.waiting.reason for one in states if one and one.waiting}
        if len(pods) < self.replicas or reasons != {"CrashLoopBackOff"}:
            return None
        ended = pods[0].status.container_statuses[0].last_state.terminated
        name = pods[0].metadata.name
        answer = self.core.read_namespaced_pod_log(name, NAMESPACE, _preload_content=False)
        said = answer.read().decode().strip()
        if not ended or not said:
            return None
        return [
            f"phase {pods[0].status.phase}, reason CrashLoopBackOff, RESTARTS grows",
            f"last state: {ended.reason}, exit code {ended.exit_code}",
            f"last line of the log: {said.splitlines()[-1]}",
        ]

    def rules(self):
        yield self.available()
        yield Rule("version", "They run version 2", self._why_other_version)
        yield Rule(
            "from_config_map",
            "RATE_LIMIT comes from the ConfigMap web",
            self._why_not_from_config_map,
        )

    def _container(self):
        return self.deployment().spec.template.spec.containers[0]

    def _literals(self) -> set[str]:
        return {one.name for one in self._container().env or [] if one.value is not None}

    def _config_map(self) -> dict[str, str]:
        return self.core.read_namespaced_config_map("web", NAMESPACE).data or {}

    def _why_other_version(self) -> str | None:
        literal = {one.name: one.value for one in self._container().env or []}
        version = {**self._config_map(), **literal}.get("VERSION", "1")
        return None if version == "2" else f"They run version {version}."

    def _why_not_from_config_map(self) -> str | None:
        if "RATE_LIMIT" in self._literals():
            return "It stands in the Deployment: who changes the ConfigMap changes nothing."
        return None if "RATE_LIMIT" in self._config_map() else "The ConfigMap lacks it."


LAB = CrashLoop
