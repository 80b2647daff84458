"""The task role may read the bucket and not write it."""

from drydock.study.repair import making
from drydock.study.repair.etl import EtlCase
from drydock.study.repair.permissions import excess
from drydock.study.repair.shown import Rule


class RoleWithoutS3(EtlCase):
    title = "AccessDenied inside the task"
    skills = ("1.2.7", "4.1.2", "4.2.1", "4.2.6")
    minutes = 15
    asked = (
        "Curate the flights of January 2013. The security team has cut the task role down to what "
        "they think an ETL needs: reading."
    )
    goal = (
        "A task ends with exit code 0 and January is published. The task role may read raw/, write "
        "below curated/ and quarantine/, and do nothing else: no other bucket, no change to raw/."
    )
    look = (
        "the log of the task: which key, read or written",
        "iam.get_role_policy of the task role",
        "iam.list_attached_role_policies: what else the role has",
    )
    hints = (
        "This time the program ran and says itself what it was refused. A program in a task acts "
        "with one of the task's two roles. Which?",
        "The task role lacks what writing needs. The program puts objects below curated/ and "
        "quarantine/, reads them back to compare, lists and removes what it replaces.",
        "iam.put_role_policy on the task role: s3:ListBucket on the bucket; s3:GetObject on raw/*, "
        "curated/* and quarantine/*; s3:PutObject and s3:DeleteObject on curated/* and "
        "quarantine/* only. Then run the task again.",
    )

    def build(self) -> list[str]:
        making.register(self, self.etl(task=self._reading_only()))
        return self.seen_of(self.launch())

    def _reading_only(self) -> dict:
        bucket = f"arn:aws:s3:::{self.bucket}"
        statement = {
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:GetObject"],
            "Resource": [bucket, f"{bucket}/*"],
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

    def rules(self):
        yield from self.etl_rules()
        yield Rule(
            "least_privilege",
            f"The role {self.task_role} may write curated/ and quarantine/ and nothing else",
            self._why_too_much,
        )

    def _why_too_much(self) -> str | None:
        mine, other = f"arn:aws:s3:::{self.bucket}", "arn:aws:s3:::payroll"
        secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:payroll-a1b2c3"
        unwanted = [
            ("s3:GetObject", f"{other}/2013.csv", "read every other bucket"),
            ("s3:PutObject", f"{other}/2013.csv", "write every other bucket"),
            ("s3:DeleteBucket", mine, "delete the bucket"),
            ("s3:PutObject", f"{mine}/raw/flights/2013-01.csv.gz", "overwrite raw objects"),
            ("s3:DeleteObject", f"{mine}/raw/flights/2013-01.csv.gz", "delete raw objects"),
            (
                "secretsmanager:GetSecretValue",
                secret,
                "read secrets",
            ),
        ]
        return excess(self.lab, self.task_role, unwanted)


LAB = RoleWithoutS3
