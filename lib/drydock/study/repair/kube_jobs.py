"""Labs about a Kubernetes Job that counts January and reports the number in S3."""

from kubernetes import client

from drydock.study.repair import making
from drydock.study.repair.counter import Reporting
from drydock.study.repair.kube import NAMESPACE, KubernetesCase
from drydock.study.repair.making import MONTH
from drydock.study.repair.shown import Rule, tidy

NAME, ACCOUNT = "count", "counter"
STUCK_SECONDS = 10.0


class CountingJob(KubernetesCase, Reporting):
    """The Job `count`, whose service account `counter` may read raw/ and write reports/."""

    handy = (
        "kubectl talks to the lab's cluster now; case.job() is the Job's manifest, and "
        "case.run(manifest) puts another in its place; case.core, case.batch: Python's clients"
    )

    def prepare(self) -> None:
        """Bucket, role, service account and association, all in good order."""
        self.open_cluster()
        making.bucket_with_raw(self, MONTH)
        role = self.create_role("task", self.policy())
        self.core.create_namespaced_service_account(NAMESPACE, {"metadata": {"name": ACCOUNT}})
        self.client("eks").create_pod_identity_association(
            clusterName=self.cluster, namespace=NAMESPACE, serviceAccount=ACCOUNT, roleArn=role
        )

    def manifest(self, limit: str, account: str | None) -> dict:
        """The Job with this memory limit and service account."""
        variables = {"LAKE_BUCKET": self.bucket, "MONTH": MONTH}
        container = {
            "name": "main",
            "image": making.image(self, "counter"),
            "env": [{"name": name, "value": value} for name, value in variables.items()],
            "resources": {
                "requests": {"cpu": "100m", "memory": "16Mi"},
                "limits": {"memory": limit},
            },
        }
        pod = {"restartPolicy": "Never", "containers": [container]}
        if account:
            pod["serviceAccountName"] = account
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": NAME},
            "spec": {"backoffLimit": 1, "template": {"spec": pod}},
        }

    def job(self) -> dict:
        """The Job's manifest as it was applied, to change and run again."""
        raise NotImplementedError

    def run(self, manifest: dict) -> None:
        """Remove the Job `count` with its pods and create this one: its template cannot change."""
        name = manifest["metadata"]["name"]
        if self._found(name):
            self.batch.delete_namespaced_job(name, NAMESPACE, propagation_policy="Foreground")
            self.until(lambda: self._found(name) is None)
        self.batch.create_namespaced_job(NAMESPACE, manifest)

    def _found(self, name: str = NAME):
        try:
            return self.batch.read_namespaced_job(name, NAMESPACE)
        except client.ApiException:
            return None

    def ended(self):
        """The Job's condition Complete or Failed; None as long as it has neither."""
        job = self._found()
        conditions = (job.status.conditions if job else None) or []
        return next((c for c in conditions if c.type in ("Complete", "Failed")), None)

    def last_words(self) -> str:
        """The last line that the newest pod of the Job has printed."""
        pods = self.pods(**{"job-name": NAME})
        if not pods:
            return ""
        name = pods[-1].metadata.name
        answer = self.core.read_namespaced_pod_log(name, NAMESPACE, _preload_content=False)
        return (answer.read().decode().strip().splitlines() or [""])[-1]

    def complete(self) -> Rule:
        return Rule("complete", f"The Job {NAME} is Complete", self._why_not_complete)

    def _why_not_complete(self) -> str | None:
        if self._found() is None:
            return f"There is no Job {NAME}."
        if refused := self._refused():
            return refused
        condition = self.until(self.ended)
        if condition is None:
            return "It has not ended."
        if condition.type == "Complete":
            return None
        return tidy(f"It is Failed ({condition.reason}). {self.trouble_of_pods()}")

    def trouble_of_pods(self) -> str:
        """How the newest pod ended, and the last that it said."""
        ends = [
            status.state.terminated
            for pod in self.pods(**{"job-name": NAME})
            for status in pod.status.container_statuses or []
            if status.state.terminated
        ]
        if not ends:
            return "It has no pod."
        told = f"{ends[-1].reason}, exit code {ends[-1].exit_code}"
        if ends[-1].reason == "OOMKilled":  # how far it came differs from run to run
            return told
        said = self.last_words()
        return f"{told}; the last line of the log: {said}" if said else f"{told}; the log is empty"

    def _refused(self) -> str | None:
        """Why the Job cannot make a pod at all, if it says so and goes on to have none."""

        def settled():
            if self.pods(**{"job-name": NAME}) or self.ended():
                return "fine"
            events = self.core.list_namespaced_event(
                NAMESPACE, field_selector=f"involvedObject.name={NAME},reason=FailedCreate"
            ).items
            uid = self._found().metadata.uid
            mine = [one.message for one in events if one.involved_object.uid == uid]
            return mine[-1] if mine else None

        told = self.until(settled, STUCK_SECONDS)
        if told in (None, "fine"):
            return None
        # The pod's name has a random end.
        return f"It cannot make a pod: {told.partition(' is forbidden: ')[2] or told}"

    def belongings(self) -> str:
        return f"{super().belongings()}, Job {NAME}, service account {ACCOUNT}"
