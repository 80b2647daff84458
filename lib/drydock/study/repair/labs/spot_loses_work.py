"""Fargate Spot takes a task away that has kept nothing of its work."""

import functools
import json
import shutil
import time
from pathlib import Path

import httpx

from drydock.images import build
from drydock.pipeline import raw_data
from drydock.study.repair import making
from drydock.study.repair.batch import BatchCase
from drydock.study.repair.shown import Rule

MONTHS = raw_data.MONTHS[:5]
STOP_SECONDS = 2
# What a month takes: long while Spot shall come in between, on a busy machine too.
SECONDS, SECONDS_IN_PEACE = 1.5, 0.2
WAIT_SECONDS = 60


class SpotLosesWork(BatchCase):
    title = "Spot takes it all back"
    skills = ("1.1.11", "1.2.1", "1.2.4", "1.3.2")
    minutes = 25
    asked = (
        f"Report the number of flights of {len(MONTHS)} months with one long task on Fargate Spot, "
        "which costs about a third. In the last nights Spot has taken the task back each time "
        "before its end, and each time it began at the first month again."
    )
    goal = (
        "A task that Spot interrupts leaves the reports of the months it has finished, and a task "
        "that is started again counts only the rest. case.check() tries just that: it starts your "
        "newest revision on Spot, interrupts it, and starts it once more."
    )
    look = (
        "case.program: the program, a file of yours to change",
        "ecs.describe_tasks: stopCode and exit code of the interrupted task",
        "s3.list_objects_v2(Prefix='reports/')",
    )
    hints = (
        "Spot gives two minutes' notice at most, and a long job needs hours. What must be in S3 "
        "before the notice comes?",
        "Report each month as soon as it is counted, and before counting look at which reports are "
        "there already. One PUT is atomic: a report is there or it is not.",
        "In main(): list reports/, skip the months that have one, and call report(month, rows) "
        "inside the loop. Then image = case.build_image(), put it into the container of "
        "case.definition(), register, and check.",
    )

    @property
    def program(self) -> Path:
        """The file that the learner changes."""
        return self.folder / "program" / "months.py"

    def build_image(self) -> str:
        """Build the learner's program into the lab's repository; the URI of the image."""
        return build(self.lab, self.repository, self.program.parent)

    @property
    def run_task(self) -> dict:
        """The parameters of `ecs.run_task` that launch the newest revision on Fargate Spot."""
        parameters = super().run_task
        del parameters["launchType"]
        return parameters | {
            "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
        }

    def build(self) -> list[str]:
        making.cluster_and_logs(self)
        making.bucket_with_raw(self, *MONTHS)
        making.execution_role(self)
        making.role(self.lab, self.task_role, self._policy())
        shutil.copytree(making.PROGRAMS / "months", self.program.parent)
        variables = {"LAKE_BUCKET": self.bucket, "MONTHS": " ".join(MONTHS)}
        variables["SECONDS"] = str(SECONDS)
        container = {
            "name": self.container,
            "image": self.build_image(),
            "essential": True,
            "environment": [{"name": name, "value": value} for name, value in variables.items()],
            "logConfiguration": making.logs_to(self, self.container),
            "stopTimeout": STOP_SECONDS,
            "linuxParameters": {"initProcessEnabled": True},
        }
        making.register(self, making.fargate(self, container))
        task = self._interrupted()
        return [
            *self.seen_of(task)[:2],
            f"its log tells of the first months; S3 has {len(self._reports())} of {len(MONTHS)} "
            "reports",
        ]

    def _policy(self) -> dict:
        bucket = f"arn:aws:s3:::{self.bucket}"
        allowed = (
            ("s3:ListBucket", bucket),
            ("s3:GetObject", f"{bucket}/*"),
            ("s3:PutObject", f"{bucket}/reports/*"),
        )
        statements = [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in allowed]
        return {"Version": "2012-10-17", "Statement": statements}

    def rules(self):
        yield Rule(
            "kept",
            "An interrupted task leaves reports of the months that it has finished",
            self._why_nothing_kept,
        )
        yield Rule(
            "finished",
            "A second task ends with exit code 0, and all reports are right",
            self._why_not_finished,
        )
        yield Rule(
            "not_again",
            "The second task has left the first one's reports alone",
            self._why_again,
        )

    def _why_nothing_kept(self) -> str | None:
        self._empty_reports()
        task = self._interrupted()
        self._kept = self._reports()
        if self._kept and len(self._kept) < len(MONTHS):
            return None
        if self._kept:
            return "It went on to its end after the notice: a job of hours could not."
        if task["stopCode"] == "SpotInterruption":
            return "There is none in reports/: all that it had counted is lost."
        told = self.log(task)[-1:] or [task["stoppedReason"]]
        return f"It ended before Spot could interrupt it, without a report: {told[0]}"

    def _why_not_finished(self) -> str | None:
        task = self.stopped(self._started(SECONDS_IN_PEACE))
        code = self.main_container(task).get("exitCode")
        if code != 0:
            return f"It ended with exit code {code}: {(self.log(task) or ['no log'])[-1]}"
        wrong = [month for month in MONTHS if self._rows(month) != _rows_of(month)]
        return f"The report of {wrong[0]} is missing or wrong." if wrong else None

    def _why_again(self) -> str | None:
        now = self._reports()
        again = [key for key, written in self._kept.items() if now.get(key) != written]
        if not again:
            return None
        return f"{again[0]} was written twice: its month was counted again."

    def _interrupted(self) -> dict:
        """Run a task on Spot, interrupt it in its work, and return it as it stopped."""
        arn = self._started(SECONDS)
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            task = self.stopped(arn, seconds=0)
            # At work: it has reported a month, or says that it has counted the second.
            at_work = self._reports() or any(MONTHS[1] in line for line in self.log(task))
            if task["lastStatus"] == "STOPPED" or at_work:
                break
            time.sleep(0.2)
        httpx.post(
            f"{self.lab.endpoint}/_localcloud/ecs/spot-interruption",
            json={"cluster": self.cluster, "task": arn},
            trust_env=False,
        )
        return self.stopped(arn)

    def _started(self, seconds: float) -> str:
        """The ARN of a new task of the newest revision, in which a month takes so long."""
        override = {"name": self.container}
        override["environment"] = [{"name": "SECONDS", "value": str(seconds)}]
        answer = self.client("ecs").run_task(
            **self.run_task, overrides={"containerOverrides": [override]}
        )
        return answer["tasks"][0]["taskArn"]

    def _reports(self) -> dict:
        """Key and time of each report."""
        listed = self.client("s3").list_objects_v2(Bucket=self.bucket, Prefix="reports/")
        return {item["Key"]: item["LastModified"] for item in listed.get("Contents", [])}

    def _empty_reports(self) -> None:
        for key in self._reports():
            self.client("s3").delete_object(Bucket=self.bucket, Key=key)

    def _rows(self, month: str) -> int | None:
        s3 = self.client("s3")
        try:
            answer = s3.get_object(Bucket=self.bucket, Key=f"reports/{month}.json")
            return json.load(answer["Body"])["rows"]
        except (s3.exceptions.NoSuchKey, ValueError, KeyError):
            return None

    def belongings(self) -> str:
        return f"{super().belongings()}, bucket {self.bucket}, repository {self.repository}"


@functools.cache
def _rows_of(month: str) -> int:
    return raw_data.totals(making.raw_objects(*MONTHS)[month])["rows"]


LAB = SpotLosesWork
