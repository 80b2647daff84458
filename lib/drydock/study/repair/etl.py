"""Labs about the pipeline's own ETL task, on a real month, in a bucket of the lab's own."""

import json
from collections.abc import Iterator

from drydock.images import CONTAINERS, build
from drydock.pipeline.etl_tasks import etl_task_definition
from drydock.pipeline.roles import lake_policy, read_secret_policy
from drydock.study.repair import making
from drydock.study.repair.batch import BatchCase
from drydock.study.repair.making import MONTH
from drydock.study.repair.shown import Rule


class EtlCase(BatchCase):
    """The ETL curates January 2013; its manifest in S3 proves it."""

    container = "etl"

    def etl(
        self, execution: dict | None = None, task: dict | None = None, **secret: str | int
    ) -> dict:
        """Make all that the ETL needs, in good order, and return its task definition.

        `execution` and `task` are policies to use instead of the right ones, {} for none; `secret`
        are values of the database's secret to change.
        """
        making.cluster_and_logs(self)
        making.bucket_with_raw(self, MONTH)
        making.lookup_instance(self.lab)
        secret_arn = making.secret_of_reader(self, **secret)
        roles = {
            "execution": making.execution_role(
                self, read_secret_policy(secret_arn) if execution is None else execution
            ),
            "task": making.role(
                self.lab, self.task_role, lake_policy(self.bucket) if task is None else task
            ),
        }
        image = build(self.lab, "drydock/etl", CONTAINERS / "etl")
        document = etl_task_definition(self.lab, image, roles, secret_arn)
        document["family"] = self.family
        [container] = document["containerDefinitions"]
        container["command"] = [MONTH]
        container["logConfiguration"] = making.logs_to(self, self.container)
        for variable in container["environment"]:
            if variable["name"] == "LAKE_BUCKET":
                variable["value"] = self.bucket
        return document

    def published(self) -> Rule:
        """The month's manifest tells the rows of the source."""
        rows = making.raw_totals(MONTH)["rows"]
        return Rule(
            "published",
            f"All {rows:,} rows of {MONTH} are published in s3://{self.bucket}/curated/",
            self._why_not_published,
        )

    def etl_rules(self) -> Iterator[Rule]:
        yield from self.batch_rules()
        yield self.published()

    def _why_not_published(self) -> str | None:
        s3, source = self.client("s3"), making.raw_totals(MONTH)
        try:
            body = s3.get_object(Bucket=self.bucket, Key=f"curated/_manifests/{MONTH}.json")
            manifest = json.load(body["Body"])
            s3.head_object(Bucket=self.bucket, Key=manifest["file"]["key"])
        except s3.exceptions.ClientError:
            return f"There is no manifest of {MONTH} with its Parquet file."
        if manifest["rows"]["curated"] != source["rows"]:
            return f"The manifest tells of {manifest['rows']['curated']:,} rows."
        if manifest["cancelled"] != source["cancelled"]:
            return "The cancelled flights are not those of the source."
        return None

    def belongings(self) -> str:
        return f"{super().belongings()}, bucket {self.bucket}"
