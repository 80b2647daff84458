"""The execution role may not read the secret that the task definition names."""

from drydock.study.repair import making
from drydock.study.repair.etl import EtlCase
from drydock.study.repair.permissions import excess
from drydock.study.repair.shown import Rule


class SecretDenied(EtlCase):
    title = "The secret that nobody may read"
    skills = ("4.1.2", "4.2.2", "4.2.6")
    minutes = 15
    asked = (
        "Curate the flights of January 2013. A colleague has set up new roles for the task, with "
        "AWS's own policy for the execution role, and says that this should be all."
    )
    goal = (
        "A task ends with exit code 0, January is published, the password still comes from "
        "Secrets Manager, and the execution role may read this one secret and no other."
    )
    look = (
        "ecs.describe_tasks: stoppedReason",
        "iam.list_role_policies, iam.list_attached_role_policies, iam.get_role_policy",
        "secretsmanager.describe_secret: its ARN",
    )
    hints = (
        "The program never ran: there is no exit code and no log. Who needs the password before "
        "the program exists?",
        "The agent reads `secrets` with the execution role. AmazonECSTaskExecutionRolePolicy lets "
        "it pull images and write logs; secrets are not part of it.",
        "iam.put_role_policy on the execution role: Allow secretsmanager:GetSecretValue on the ARN "
        "of the secret that secretsmanager.describe_secret tells. Then run the task again.",
    )

    def build(self) -> list[str]:
        making.register(self, self.etl(execution={}))
        return self.seen_of(self.launch())

    def rules(self):
        yield from self.etl_rules()
        yield Rule(
            "from_secret",
            "DB_SECRET comes from Secrets Manager, not from the task definition's environment",
            self._why_not_secret,
        )
        yield Rule(
            "least_privilege",
            f"The role {self.execution_role} may read this secret and no other, and only read it",
            self._why_too_much,
        )

    def _why_not_secret(self) -> str | None:
        [container] = self.definition()["containerDefinitions"]
        if any(pair["name"] == "DB_SECRET" for pair in container["environment"]):
            return (
                "DB_SECRET is in the environment: everybody who may call "
                "describe_task_definition can read the password."
            )
        sources = {secret["name"]: secret["valueFrom"] for secret in container["secrets"]}
        if self.secret not in sources.get("DB_SECRET", ""):
            return f"The definition takes DB_SECRET from elsewhere than {self.secret}."
        return None

    def _why_too_much(self) -> str | None:
        secrets = f"arn:aws:secretsmanager:{self.lab.region}:{self.lab.account_id}:secret:"
        mine = self.client("secretsmanager").describe_secret(SecretId=self.secret)["ARN"]
        read, other = "secretsmanager:GetSecretValue", f"{secrets}payroll-a1b2c3"
        unwanted = [
            (read, other, "read every other secret"),
            ("secretsmanager:DeleteSecret", mine, "delete the secret"),
            ("secretsmanager:PutSecretValue", mine, "change the secret"),
            ("s3:GetObject", "arn:aws:s3:::payroll/2013.csv", "read any bucket"),
        ]
        if problem := excess(self.lab, self.execution_role, unwanted):
            return problem
        return excess(self.lab, self.task_role, [(read, mine, "read the secret")])


LAB = SecretDenied
