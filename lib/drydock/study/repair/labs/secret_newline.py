"""The password in the secret ends with a line break that nobody sees."""

import json

from drydock.connect.secrets import read_secret
from drydock.pipeline.lookup_database import READER_SECRET
from drydock.study.repair import making
from drydock.study.repair.etl import EtlCase
from drydock.study.repair.shown import Rule


class SecretNewline(EtlCase):
    title = "The right password, refused"
    skills = ("1.2.2", "4.1.3", "4.2.2")
    minutes = 10
    asked = (
        "Curate the flights of January 2013. The database's password was copied into a new secret "
        "yesterday, from a file, and is the right one: everybody has looked at it."
    )
    goal = (
        "A task ends with exit code 0, January is published, and the lab's secret holds what logs "
        "in. The password of the database stays as it is: the pipeline uses it too."
    )
    look = (
        "the log of the task",
        "secretsmanager.get_secret_value, and repr() of the parts; do not print a password into "
        "a notebook that others will read: len() and .isprintable() tell enough",
    )
    hints = (
        "The agent could read the secret, the network is open, the user exists. What is left to "
        "be wrong? Not all characters can be seen.",
        "echo and many editors end a file with a line break. Look at len() of the password, and "
        "compare it with that of the same password after .strip().",
        "json.loads the SecretString, strip the password, secretsmanager.put_secret_value with "
        "json.dumps of the whole again. A running task would keep the old value; run a new one.",
    )

    def build(self) -> list[str]:
        definition = self.etl()
        password = read_secret(self.client("secretsmanager"), READER_SECRET).password
        self._store({"password": f"{password}\n"})
        making.register(self, definition)
        return self.seen_of(self.launch())

    def _store(self, changed: dict) -> None:
        secrets = self.client("secretsmanager")
        text = secrets.get_secret_value(SecretId=self.secret)["SecretString"]
        changed = json.dumps(json.loads(text) | changed)
        secrets.put_secret_value(SecretId=self.secret, SecretString=changed)

    def rules(self):
        yield from self.etl_rules()
        yield Rule(
            "from_secret",
            f"The task takes its password from the secret {self.secret}",
            self._why_elsewhere,
        )
        yield Rule(
            "same_password",
            "The secret agrees with the pipeline's: the database's password was not changed",
            self._why_another,
        )

    def _why_elsewhere(self) -> str | None:
        [container] = self.definition()["containerDefinitions"]
        sources = [s["valueFrom"] for s in container["secrets"] if s["name"] == "DB_SECRET"]
        if not sources:
            return "The definition does not name it under `secrets`."
        if self.secret not in sources[0]:
            return "The definition names another secret; its owner will change it one day."
        return None

    def _why_another(self) -> str | None:
        secrets = self.client("secretsmanager")
        pipelines = read_secret(secrets, READER_SECRET)
        if read_secret(secrets, self.secret).password != pipelines.password:
            return "The two secrets hold different passwords: one of the programs is locked out."
        return None


LAB = SecretNewline
