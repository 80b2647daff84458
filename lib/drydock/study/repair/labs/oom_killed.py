"""A container whose memory limit is below what its program needs."""

from kubernetes import client

from drydock.study.repair.kube import NAMESPACE
from drydock.study.repair.kube_jobs import ACCOUNT, NAME, CountingJob
from drydock.study.repair.shown import Rule

QUOTA, ALLOWED, LIMIT = "team", "512Mi", "24Mi"


class OomKilled(CountingJob):
    title = "OOMKilled"
    skills = ("1.2.1", "1.2.4", "1.2.7")
    minutes = 10
    asked = (
        "Count the flights of January 2013 with a Job. It ran for a year; since somebody has cut "
        f"the memory limits it fails. The team's quota is {ALLOWED} for all its pods."
    )
    goal = (
        "The Job is Complete and the report is in S3. The quota is as it was, and the container "
        "has a memory limit that fits into it."
    )
    look = (
        "kubectl describe pod: Last State, or containerStatuses[0].state.terminated",
        "kubectl get job count -o yaml: resources of the container",
        "kubectl describe resourcequota team",
    )
    hints = (
        "Exit code 137 is SIGKILL, and Kubernetes says in the reason who sent it. The log does not "
        "help: a killed program writes no last words.",
        "A Python program that has imported boto3 needs more memory than this limit before it "
        "does any work. How much may it have in this namespace?",
        "manifest = case.job(); set limits['memory'] of its container to '256Mi'; "
        "case.run(manifest). A Job's pod template cannot be changed in place.",
    )

    def build(self) -> list[str]:
        self.prepare()
        quota = {"metadata": {"name": QUOTA}, "spec": {"hard": {"limits.memory": ALLOWED}}}
        self.core.create_namespaced_resource_quota(NAMESPACE, quota)
        self.run(self.job())
        condition = self.must(self.ended)
        if condition.type != "Failed":
            raise RuntimeError("the Job has enough memory, and should not")
        return [
            f"the Job: {condition.type}, {condition.reason}: {condition.message}",
            f"its pods: {self.trouble_of_pods()}",
        ]

    def job(self) -> dict:
        return self.manifest(LIMIT, ACCOUNT)

    def rules(self):
        yield self.complete()
        yield self.reported()
        yield Rule("quota", f"The quota is {ALLOWED}", self._why_another_quota)
        yield Rule("limit", "The container has a memory limit", self._why_no_limit)

    def _why_another_quota(self) -> str | None:
        try:
            quota = self.core.read_namespaced_resource_quota(QUOTA, NAMESPACE)
        except client.ApiException:
            return "There is none: other teams share this cluster."
        hard = (quota.spec.hard or {}).get("limits.memory")
        return None if hard == ALLOWED else f"It is {hard}."

    def _why_no_limit(self) -> str | None:
        job = self.batch.read_namespaced_job(NAME, NAMESPACE)
        limits = job.spec.template.spec.containers[0].resources.limits or {}
        return None if "memory" in limits else "It has none."


LAB = OomKilled
