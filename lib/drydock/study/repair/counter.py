"""Labs about a small program that counts a month's rows and reports the number in S3."""

import json
from collections.abc import Iterator

from drydock.study.repair import making
from drydock.study.repair.batch import BatchCase
from drydock.study.repair.case import Case
from drydock.study.repair.making import MONTH
from drydock.study.repair.shown import Rule


class Reporting(Case):
    """What the program leaves in the lab's bucket, and what its role may do for that."""

    def policy(self) -> dict:
        """Allow raw objects to be read and reports to be written."""
        bucket = f"arn:aws:s3:::{self.bucket}"
        read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{bucket}/raw/*"}
        write = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{bucket}/reports/*"}
        return {"Version": "2012-10-17", "Statement": [read, write]}

    def reported(self) -> Rule:
        """The report in S3 tells the rows of the source."""
        rows = making.raw_totals(MONTH)["rows"]
        return Rule(
            "reported",
            f"s3://{self.bucket}/reports/{MONTH}.json tells {rows:,} rows",
            self._why_not_reported,
        )

    def report(self) -> dict | None:
        s3 = self.client("s3")
        try:
            answer = s3.get_object(Bucket=self.bucket, Key=f"reports/{MONTH}.json")
        except s3.exceptions.NoSuchKey:
            return None
        return json.load(answer["Body"])

    def _why_not_reported(self) -> str | None:
        report = self.report()
        if report is None:
            return "There is no such object."
        if report.get("rows") != making.raw_totals(MONTH)["rows"]:
            return f"It tells {report.get('rows')!r}."
        return None

    def belongings(self) -> str:
        return f"{super().belongings()}, bucket {self.bucket}"


class CounterCase(Reporting, BatchCase):
    """The program reads January 2013 and puts its row count into reports/2013-01.json."""

    def counter(self, **more) -> dict:
        """Make all that the program needs, in good order; its container definition."""
        making.cluster_and_logs(self)
        making.bucket_with_raw(self, MONTH)
        making.execution_role(self)
        making.role(self.lab, self.task_role, self.policy())
        variables = {"LAKE_BUCKET": self.bucket, "MONTH": MONTH}
        return {
            "name": self.container,
            "image": making.image(self, "counter"),
            "essential": True,
            "environment": [{"name": name, "value": value} for name, value in variables.items()],
            "logConfiguration": making.logs_to(self, self.container),
            **more,
        }

    def counter_rules(self) -> Iterator[Rule]:
        yield from self.batch_rules()
        yield self.reported()
