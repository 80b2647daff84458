"""Amazon EMR on EKS (`emr-containers`): virtual clusters, and job runs that really run on Spark.

A job run is what it is on AWS: a Kubernetes Job whose pod runs `spark-submit` in cluster mode, the
driver pod that Spark then asks for, and the executor pods that the driver asks for, all in the
virtual cluster's namespace. moto keeps the books. See README.md for what is not there.
"""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING, Any

import moto.emrcontainers.urls as urls
from moto.emrcontainers.models import JobRun, emrcontainers_backends

from localcloud import arns
from localcloud.emr import job_runs
from localcloud.emr.monitoring import Monitoring
from localcloud.emr.responses import Responses

if TYPE_CHECKING:
    from localcloud.eks import Eks

LOOK_SECONDS = 0.25


class Emr:
    """``register`` puts it in place of moto's; ``start`` goes on with the runs that there were;
    ``stop`` must come before EKS's."""

    def __init__(self, eks: Eks):
        self.eks = eks
        self.lock = threading.Lock()  # a run is looked at before or after a request, never amid
        self._monitoring: dict[str, Monitoring] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="emr", daemon=True)

    def register(self) -> None:
        Responses.emr = self
        for path in urls.url_paths:
            urls.url_paths[path] = Responses.dispatch

    @property
    def backend(self) -> Any:
        return emrcontainers_backends[arns.ACCOUNT][arns.REGION]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            # Not []: that would start moto's EMR where nobody has used it.
            backend = emrcontainers_backends[arns.ACCOUNT].get(arns.REGION)
            for run in list(backend.job_runs.values()) if backend else ():
                if run.state in job_runs.LIVE:
                    self._look_safely(run)

    def _look_safely(self, run: JobRun) -> None:
        try:
            with self.lock:
                self._look(run)
        except Exception:
            traceback.print_exc()

    def _look(self, run: JobRun) -> None:
        virtual = self.backend.virtual_clusters[run.virtual_cluster_id]
        cluster = self.eks.clusters.get(virtual.container_provider_id)
        if cluster is None:
            job_runs.fail(run, "CLUSTER_UNAVAILABLE", "The EKS cluster was deleted.")
            return
        if run.id not in self._monitoring:
            self._monitoring[run.id] = Monitoring(self.eks.clients, cluster, virtual, run)
        monitoring = self._monitoring[run.id]
        monitoring.collect()
        if job_runs.advance(cluster, virtual.namespace, run):
            monitoring.collect()
            monitoring.finish()
            del self._monitoring[run.id]
