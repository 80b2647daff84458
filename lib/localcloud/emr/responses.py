"""EMR on EKS on the wire: moto parses and keeps the books, and what a request asks for happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.config.exceptions import ValidationException
from moto.core.responses import ActionResult
from moto.emrcontainers.exceptions import ResourceNotFoundException
from moto.emrcontainers.models import VirtualCluster
from moto.emrcontainers.responses import EMRContainersResponse

from localcloud.eks.roles import statements
from localcloud.emr import job_runs, submission
from localcloud.emr.job_runs import now
from localcloud.kubernetes.errors import ApiError
from localcloud.kubernetes.resources import NAMESPACES

if TYPE_CHECKING:
    from localcloud.emr import Emr
    from localcloud.kubernetes.cluster import Cluster

MONITORING = ("persistentAppUI", "cloudWatchMonitoringConfiguration", "s3MonitoringConfiguration")


class Responses(EMRContainersResponse):
    emr: Emr  # set when the service is registered

    def create_virtual_cluster(self) -> ActionResult:
        provider = self._get_param("containerProvider")
        cluster = self.emr.eks.clusters.get(provider["id"])
        if cluster is None:
            raise ValidationException(f"EKS cluster {provider['id']} doesn't exist.")
        namespace = provider["info"]["eksInfo"]["namespace"]
        if cluster.store.get(NAMESPACES, "", namespace) is None:
            raise ValidationException(
                f"Namespace {namespace} doesn't exist in EKS cluster {provider['id']}."
            )
        backend = self.emr.backend
        for one in backend.virtual_clusters.values():
            place = (one.container_provider_id, one.namespace)
            if one.state == "RUNNING" and place == (provider["id"], namespace):
                raise ValidationException("A virtual cluster already exists in the given namespace")
        # Not moto's own operation, for which a namespace is taken in all EKS clusters at once.
        made = VirtualCluster(
            self._get_param("name"),
            provider,
            self._get_param("clientToken"),
            backend.account_id,
            backend.region_name,
            backend.partition,
            self._get_param("tags"),
        )
        made.created_at = now()
        backend.virtual_clusters[made.id] = made
        return ActionResult({"id": made.id, "name": made.name, "arn": made.arn})

    def delete_virtual_cluster(self) -> ActionResult:
        wanted = self._get_param("id")
        live = [
            run
            for run in self.emr.backend.job_runs.values()
            if run.virtual_cluster_id == wanted and run.state in job_runs.LIVE
        ]
        if live:
            raise ValidationException(
                f"Virtual cluster {wanted} has {len(live)} job run(s) that have not ended."
            )
        return super().delete_virtual_cluster()

    def start_job_run(self) -> ActionResult:
        driver, overrides = self._get_param("jobDriver"), self._get_param("configurationOverrides")
        _check(driver or {}, overrides or {})
        if self._get_param("retryPolicyConfiguration"):
            raise ValidationException("The local cloud does not retry job runs: start it again.")
        role = self._get_param("executionRoleArn")
        if statements(role) is None:
            raise ValidationException(f"Execution role {role} doesn't exist.")
        virtual = self.emr.backend.virtual_clusters.get(self._get_param("virtualClusterId"))
        if virtual is not None and virtual.state != "RUNNING":
            raise ValidationException(f"Virtual cluster {virtual.id} is {virtual.state}.")
        cluster = self._cluster(virtual) if virtual is not None else None
        with self.emr.lock:
            answer = super().start_job_run()
            run = list(self.emr.backend.job_runs.values())[-1]
            run.state, run.created_at = "PENDING", now()
            try:
                submission.submit(cluster, virtual.namespace, run)
            except ApiError as error:
                job_runs.fail(run, "VALIDATION_ERROR", str(error))
        return answer

    def cancel_job_run(self) -> ActionResult:
        which = self._get_param("id"), self._get_param("virtualClusterId")
        run = self.emr.backend.describe_job_run(*which)
        if run.state not in job_runs.LIVE or run.state == "CANCEL_PENDING":
            raise ValidationException(f"Job run {run.id} is not in a cancellable state")
        virtual = self.emr.backend.virtual_clusters[run.virtual_cluster_id]
        with self.emr.lock:
            job_runs.cancel(self._cluster(virtual), virtual.namespace, run)
        return ActionResult({"id": run.id, "virtualClusterId": run.virtual_cluster_id})

    def _cluster(self, virtual: Any) -> Cluster:
        cluster = self.emr.eks.clusters.get(virtual.container_provider_id)
        if cluster is None:
            raise ResourceNotFoundException(
                f"EKS cluster {virtual.container_provider_id} doesn't exist."
            )
        return cluster


def _check(driver: dict[str, Any], overrides: dict[str, Any]) -> None:
    """Raises ValidationException for what is wrong, and for what the local cloud cannot do."""
    if "sparkSubmitJobDriver" not in driver:
        raise ValidationException("The local cloud runs jobs with a sparkSubmitJobDriver only.")
    for one in overrides.get("applicationConfiguration") or []:
        if one["classification"] != submission.SPARK_DEFAULTS:
            raise ValidationException(
                f"The local cloud honours the classification {submission.SPARK_DEFAULTS} only, "
                f"not {one['classification']}."
            )
    for name in overrides.get("monitoringConfiguration") or {}:
        if name not in MONITORING:
            raise ValidationException(f"The local cloud has no {name}.")
    spark = driver["sparkSubmitJobDriver"]
    try:
        settings = submission.settings_of(spark, overrides)
    except ValueError as error:
        raise ValidationException(f"sparkSubmitParameters: {error}") from None
    if submission.IMAGE not in settings:
        raise ValidationException(
            "The images of EMR's releases are AWS's own and cannot run here: build one with Spark "
            f"in it and name it, --conf {submission.IMAGE}=URI, as for a custom image on AWS."
        )
