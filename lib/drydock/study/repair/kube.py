"""Labs on Kubernetes: each has an EKS cluster of its own, with one node group."""

import contextlib
import json
import time
from collections.abc import Callable

from kubernetes import client, config

from drydock import kubeconfig
from drydock.study.repair import making
from drydock.study.repair.case import Case
from drydock.study.repair.cleaning import remove_role
from drydock.study.repair.shown import Rule, tidy

NAMESPACE = "default"
MACHINE = "m5.large"
WAIT_SECONDS, STEP_SECONDS = 60.0, 0.15
STUCK_SECONDS = 10.0  # a trouble that stays so long will stay
TRUSTED = {
    "cluster": ("eks.amazonaws.com", ["sts:AssumeRole"]),
    "node": ("ec2.amazonaws.com", ["sts:AssumeRole"]),
    "task": ("pods.eks.amazonaws.com", ["sts:AssumeRole", "sts:TagSession"]),
}


class KubernetesCase(Case):
    """A lab in the namespace default of a cluster with one m5.large."""

    lesson = "4"
    handy = (
        "kubectl talks to the lab's cluster now; case.core, case.apps, case.batch and case.scaling "
        "are Python's clients of it"
    )
    nodes = 1

    def open_cluster(self) -> None:
        """Make the cluster with its nodes, and let kubectl and the Python clients use it."""
        eks = self.client("eks")
        subnets = self.lab.network()["awsvpcConfiguration"]["subnets"]
        eks.create_cluster(
            name=self.cluster,
            roleArn=self.create_role("cluster"),
            resourcesVpcConfig={"subnetIds": subnets},
        )
        eks.create_nodegroup(
            clusterName=self.cluster,
            nodegroupName="workers",
            subnets=subnets,
            instanceTypes=[MACHINE],
            nodeRole=self.create_role("node"),
            scalingConfig={"minSize": 1, "maxSize": 4, "desiredSize": self.nodes},
        )
        self._connect()

    def create_role(self, purpose: str, policy: dict | None = None) -> str:
        """A role for "cluster", "node" or "task" (a pod's), with an inline policy; its ARN."""
        service, actions = TRUSTED[purpose]
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": actions}
        trust = {"Version": "2012-10-17", "Statement": [statement]}
        iam, name = self.client("iam"), f"{self.prefix}-{purpose}"
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        if policy:
            iam.put_role_policy(RoleName=name, PolicyName="lab", PolicyDocument=json.dumps(policy))
        return made["Role"]["Arn"]

    def clean(self) -> None:
        eks = self.client("eks")
        with contextlib.suppress(eks.exceptions.ResourceNotFoundException):
            for group in eks.list_nodegroups(clusterName=self.cluster)["nodegroups"]:
                eks.delete_nodegroup(clusterName=self.cluster, nodegroupName=group)
            eks.delete_cluster(name=self.cluster)
        kubeconfig.path(self.lab.home, self.cluster).unlink(missing_ok=True)
        for purpose in ("cluster", "node"):
            remove_role(self, f"{self.prefix}-{purpose}")
        self._api = None

    # Kubernetes' Python client of the lab's cluster.
    _api: client.ApiClient | None = None

    def _connect(self) -> client.ApiClient:
        kubeconfig.update(self.lab, self.cluster)
        file = kubeconfig.path(self.lab.home, self.cluster)
        self._api = config.new_client_from_config(str(file))
        return self._api

    @property
    def api(self) -> client.ApiClient:
        return self._api or self._connect()

    @property
    def core(self) -> client.CoreV1Api:
        return client.CoreV1Api(self.api)

    @property
    def apps(self) -> client.AppsV1Api:
        return client.AppsV1Api(self.api)

    @property
    def batch(self) -> client.BatchV1Api:
        return client.BatchV1Api(self.api)

    @property
    def scaling(self) -> client.AutoscalingV2Api:
        return client.AutoscalingV2Api(self.api)

    # What labs look at.
    def pods(self, **labels: str) -> list:
        """The pods with these labels that are not going away, oldest first."""
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        found = self.core.list_namespaced_pod(NAMESPACE, label_selector=selector).items
        living = [pod for pod in found if pod.metadata.deletion_timestamp is None]
        return sorted(living, key=lambda pod: pod.metadata.creation_timestamp)

    def until(self, condition: Callable, seconds: float = WAIT_SECONDS):
        """Wait for a value that is true; None if none comes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(STEP_SECONDS)
        return None

    def must(self, condition: Callable):
        """As `until`, for what a lab's own symptoms need."""
        found = self.until(condition)
        if found is None:
            raise RuntimeError(f"the lab {self.name} does not fail as it should")
        return found

    def machines(self) -> Rule:
        return Rule("one_machine", "The cluster has its one node", self._why_more_machines)

    def _why_more_machines(self) -> str | None:
        count = len(self.core.list_node().items)
        return None if count == self.nodes else f"It has {count}: each is paid for."

    def belongings(self) -> str:
        return f"EKS cluster {self.cluster}, namespace {NAMESPACE}"


def container_state(pod):
    """The state of a pod's first container; None before it has one."""
    statuses = pod.status.container_statuses
    return statuses[0].state if statuses else None


def trouble(pod) -> str | None:
    """What is wrong with a pod, in Kubernetes' words, without names that differ from run to run."""
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            return f"Pending: {condition.message.partition(' preemption')[0]}"
    state = container_state(pod)
    if state and state.waiting and state.waiting.reason not in ("ContainerCreating", None):
        return state.waiting.reason
    if state and state.terminated and state.terminated.exit_code:
        return f"{state.terminated.reason}, exit code {state.terminated.exit_code}"
    return None


class DeploymentCase(KubernetesCase):
    """A lab about the Deployment `web` of the program lib/containers/labs/web."""

    replicas = 2

    def web(self, image: str, **container) -> dict:
        """The Deployment of the program with these parts of its container."""
        labels = {"app": "web"}
        probe = {"httpGet": {"path": "/healthz", "port": 8000}, "periodSeconds": 1}
        spec = {
            "terminationGracePeriodSeconds": 2,
            "containers": [{"name": "web", "image": image, "readinessProbe": probe, **container}],
        }
        return {
            "metadata": {"name": "web"},
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": spec},
            },
        }

    def image(self) -> str:
        return making.image(self, "web")

    def create(self, deployment: dict) -> None:
        self.apps.create_namespaced_deployment(NAMESPACE, deployment)

    def deployment(self):
        """The Deployment `web` as it is now; None if it is gone."""
        try:
            return self.apps.read_namespaced_deployment("web", NAMESPACE)
        except client.ApiException:
            return None

    def available(self) -> Rule:
        return Rule(
            "available",
            f"The Deployment web has {self.replicas} pods, all available and of its newest version",
            self._why_not_available,
        )

    def _why_not_available(self) -> str | None:
        deadline = time.monotonic() + WAIT_SECONDS
        seen, since = self._not_yet(), time.monotonic()
        while seen:
            told, in_trouble, _ = seen
            now = time.monotonic()
            if now > deadline or (in_trouble and now > since + STUCK_SECONDS):
                return tidy(told)
            time.sleep(STEP_SECONDS)
            before, seen = seen, self._not_yet()
            if seen != before:
                since = time.monotonic()
        return None

    def _not_yet(self) -> tuple[str, bool, tuple] | None:
        """Why it is not steady, whether that is a trouble, and how far it is; None if it is."""
        found = self.deployment()
        if found is None:
            return "There is no Deployment web.", True, ()
        if found.spec.replicas != self.replicas:
            return f"It wants {found.spec.replicas} pods, not {self.replicas}.", True, ()
        status = found.status
        counts = (status.updated_replicas, status.available_replicas, status.replicas)
        current = status.observed_generation == found.metadata.generation
        if current and counts == (self.replicas,) * 3:
            return None
        troubles = sorted({told for pod in self.pods(app="web") if (told := trouble(pod))})
        told = f"{status.available_replicas or 0} are available. {'; '.join(troubles)}"
        return told, bool(troubles), counts
