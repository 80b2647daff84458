"""A Job whose pods run under an account that has no role."""

from drydock.study.repair.kube import NAMESPACE
from drydock.study.repair.kube_jobs import ACCOUNT, NAME, CountingJob
from drydock.study.repair.permissions import excess
from drydock.study.repair.shown import Rule


class WrongServiceAccount(CountingJob):
    title = "The pod that is nobody"
    skills = ("1.2.7", "4.1.2", "4.2.1", "4.2.6")
    minutes = 15
    asked = (
        "Count the flights of January 2013 with a Job. An administrator has made a role for it and "
        "associated it by EKS Pod Identity. The program says that it has no credentials."
    )
    goal = (
        f"The Job is Complete and the report is in S3. Its pods run as the service account "
        f"{ACCOUNT}, the only one that has the role, and no key stands anywhere."
    )
    look = (
        "kubectl logs job/count",
        "kubectl get pods -o yaml: serviceAccountName",
        "eks.list_pod_identity_associations: namespace and serviceAccount",
    )
    hints = (
        "The role is good and so is its policy. How does a pod come to a role? Not by the name of "
        "the Job.",
        "A pod runs as a service account, and as `default` when it names none. An association "
        "names one account of one namespace: compare the two.",
        "manifest = case.job(); manifest['spec']['template']['spec']['serviceAccountName'] = "
        "'counter'; case.run(manifest).",
    )

    def build(self) -> list[str]:
        self.prepare()
        self.run(self.job())
        condition = self.must(self.ended)
        if condition.type != "Failed":
            raise RuntimeError("the Job has credentials, and should not")
        return [
            f"the Job: {condition.type}, {condition.reason}",
            f"its pods: {self.trouble_of_pods()}",
        ]

    def job(self) -> dict:
        return self.manifest("256Mi", None)

    def rules(self):
        yield self.complete()
        yield self.reported()
        yield Rule("account", f"Its pods run as {ACCOUNT}", self._why_another_account)
        yield Rule("no_keys", "No access key stands in the Job", self._why_keys)
        yield Rule("alone", f"Only {ACCOUNT} has a role", self._why_others)
        yield Rule("least_privilege", "The role may do what it could before", self._why_too_much)

    def _pod_spec(self):
        return self.batch.read_namespaced_job(NAME, NAMESPACE).spec.template.spec

    def _why_another_account(self) -> str | None:
        account = self._pod_spec().service_account_name or "default"
        return None if account == ACCOUNT else f"They run as {account}."

    def _why_keys(self) -> str | None:
        names = {
            one.name for container in self._pod_spec().containers for one in container.env or []
        }
        if names & {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}:
            return "Keys that never expire stand in it, for everybody who may read Jobs."
        return None

    def _why_others(self) -> str | None:
        listed = self.client("eks").list_pod_identity_associations(clusterName=self.cluster)
        accounts = {one["serviceAccount"] for one in listed["associations"]} - {ACCOUNT}
        if accounts:
            return f"{', '.join(sorted(accounts))} has one too: every pod that names no account."
        return None

    def _why_too_much(self) -> str | None:
        mine = f"arn:aws:s3:::{self.bucket}"
        unwanted = [
            ("s3:GetObject", "arn:aws:s3:::payroll/2013.csv", "read every other bucket"),
            ("s3:DeleteObject", f"{mine}/raw/flights/2013-01.csv.gz", "delete raw objects"),
        ]
        return excess(self.lab, self.task_role, unwanted)


LAB = WrongServiceAccount
