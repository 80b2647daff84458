"""From a job run to the Kubernetes Job whose pod runs spark-submit in cluster mode."""

from __future__ import annotations

import itertools
import shlex
from typing import TYPE_CHECKING, Any

from localcloud import arns
from localcloud.eks.web_identity import ANNOTATION
from localcloud.emr.job_runs import JOB_LABEL, driver_name, submitter_name
from localcloud.kubernetes.resources import JOBS, SERVICE_ACCOUNTS

if TYPE_CHECKING:
    from moto.emrcontainers.models import JobRun

    from localcloud.kubernetes.cluster import Cluster

IMAGE = "spark.kubernetes.container.image"
LABEL = "emr-containers.amazonaws.com"
COMPONENTS = ("client", "driver", "executor")
SPARK_DEFAULTS = "spark-defaults"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def settings_of(driver: dict[str, Any], overrides: dict[str, Any]) -> dict[str, str]:
    """Spark's settings by name: spark-defaults, and on top what the parameters say with --conf."""
    found: dict[str, str] = {}
    for one in overrides.get("applicationConfiguration") or []:
        if one["classification"] == SPARK_DEFAULTS:
            found |= one.get("properties") or {}
    words = shlex.split(driver.get("sparkSubmitParameters") or "")
    for option, value in itertools.pairwise(words):
        if option in ("--conf", "-c"):
            name, _, text = value.partition("=")
            found[name] = text
    return found


def submit(cluster: Cluster, namespace: str, run: JobRun) -> None:
    """Create the service accounts where they are not there yet, and the submitter's Job."""
    role = run.execution_role_arn
    accounts = {component: account_name(component, role) for component in COMPONENTS}
    for name in accounts.values():
        if cluster.store.get(SERVICE_ACCOUNTS, namespace, name) is None:
            meta = {"name": name, "annotations": {ANNOTATION: role}}
            document = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
            cluster.registry.create(SERVICE_ACCOUNTS, namespace, document)
    cluster.registry.create(JOBS, namespace, _job(cluster, namespace, run, accounts))


def account_name(component: str, role_arn: str) -> str:
    """As the condition in a job execution role's trust policy has it: the role's name in base 36.

    https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/setting-up-trust-policy.html
    """
    number = int.from_bytes(role_arn.rpartition("/")[2].encode(), "big")
    coded = ""
    while number:
        number, digit = divmod(number, 36)
        coded = DIGITS[digit] + coded
    return f"emr-containers-sa-spark-{component}-{arns.ACCOUNT}-{coded}"


def _job(cluster: Cluster, namespace: str, run: JobRun, accounts: dict[str, str]) -> dict[str, Any]:
    driver = run.job_driver["sparkSubmitJobDriver"]
    labels = {
        f"{LABEL}/virtual-cluster-id": run.virtual_cluster_id,
        JOB_LABEL: run.id,
    }
    container = {
        "name": "job-runner",
        "image": settings_of(driver, run.configuration_overrides or {})[IMAGE],
        "args": _spark_submit(cluster, namespace, run, accounts, labels),
    }
    pod = {
        "metadata": {"labels": {**labels, f"{LABEL}/component": "job-submitter"}},
        "spec": {
            "serviceAccountName": accounts["client"],
            "restartPolicy": "Never",
            "containers": [container],
        },
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": submitter_name(run), "labels": labels},
        "spec": {"backoffLimit": 0, "template": pod},
    }


def _spark_submit(
    cluster: Cluster,
    namespace: str,
    run: JobRun,
    accounts: dict[str, str],
    labels: dict[str, str],
) -> list[str]:
    driver = run.job_driver["sparkSubmitJobDriver"]
    given = settings_of(driver, run.configuration_overrides or {})
    settings = {
        **given,
        "spark.app.name": given.get("spark.app.name", run.name or run.id),
        "spark.kubernetes.namespace": namespace,
        "spark.kubernetes.driver.pod.name": driver_name(run),
        "spark.kubernetes.authenticate.driver.serviceAccountName": accounts["driver"],
        "spark.kubernetes.authenticate.executor.serviceAccountName": accounts["executor"],
        # There is no DNS in a pod here: the API and the driver are found by their addresses.
        "spark.kubernetes.driver.master": f"https://{cluster.address}",
        "spark.kubernetes.executor.useDriverPodIP": "true",
    }
    for component in ("driver", "executor"):
        for name, value in {**labels, f"{LABEL}/component": component}.items():
            settings[f"spark.kubernetes.{component}.label.{name}"] = value
    words = ["spark-submit", "--master", f"k8s://https://{cluster.address}"]
    words += ["--deploy-mode", "cluster"]
    words += _other_parameters(driver.get("sparkSubmitParameters") or "")
    for name, value in settings.items():
        words += ["--conf", f"{name}={value}"]
    return [*words, driver["entryPoint"], *(driver.get("entryPointArguments") or [])]


def _other_parameters(text: str) -> list[str]:
    words, found = iter(shlex.split(text)), []
    for word in words:
        if word in ("--conf", "-c"):
            next(words, None)
        else:
            found.append(word)
    return found
