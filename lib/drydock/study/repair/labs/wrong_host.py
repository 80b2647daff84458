"""The secret names a host that does not exist."""

from drydock.pipeline.lookup_database import INSTANCE
from drydock.study.repair import making
from drydock.study.repair.reading import ReadingCase
from drydock.study.repair.shown import Rule

# .invalid is a name that no DNS ever answers: RFC 6761.
OLD_HOST = "drydock-lookup-blue.us-east-1.rds.invalid"


class WrongHost(ReadingCase):
    title = "A host that nobody knows"
    skills = ("1.2.2", "1.2.7", "4.2.2")
    minutes = 10
    asked = (
        "Count the rows of the weather table. The database was moved to a new instance last week, "
        "and the old one deleted. Since then the task ends at once."
    )
    goal = (
        "A task ends with exit code 0 and tells all rows, and the lab's own secret holds the "
        "endpoint that RDS tells for drydock-lookup, so that the next task finds it too."
    )
    look = (
        "the last line of the task's log: was a connection refused, or not even tried?",
        "rds.describe_db_instances: Endpoint",
        "secretsmanager.get_secret_value: host and port; do not print the password",
    )
    hints = (
        "A name comes before an address. Which step fails when a name is not known, and who "
        "told the program that name?",
        "host is a part of the secret's JSON. RDS tells the right one in "
        "describe_db_instances, as Endpoint: Address and Port.",
        "json.loads the SecretString, set host and port to the Endpoint's Address and Port, "
        "secretsmanager.put_secret_value with json.dumps of the whole, and run the task again.",
    )

    def build(self) -> list[str]:
        making.register(self, self.reader({}, host=OLD_HOST))
        return self.seen_of(self.launch())

    def rules(self):
        yield from self.reading_rules()
        yield Rule(
            "endpoint",
            f"host and port of the secret are the endpoint of {INSTANCE}",
            self._why_another_place,
        )

    def _why_another_place(self) -> str | None:
        found = self.client("rds").describe_db_instances(DBInstanceIdentifier=INSTANCE)
        endpoint, secret = found["DBInstances"][0]["Endpoint"], self.stored()
        if (secret.host, secret.port) != (endpoint["Address"], endpoint["Port"]):
            return f"The secret names the host {secret.host}."
        return None


LAB = WrongHost
