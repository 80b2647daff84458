"""The database's security group does not let the task in."""

from drydock.pipeline.lookup_database import INSTANCE
from drydock.study.repair import making, networks
from drydock.study.repair.etl import EtlCase
from drydock.study.repair.shown import Rule

PORT = 5432


class PortClosed(EtlCase):
    title = "The database does not answer"
    skills = ("1.2.2", "1.2.7", "4.1.1")
    minutes = 15
    asked = (
        "Curate the flights of January 2013. The task has been given a security group of its own, "
        "and the database one for its visitors. Since then the task waits and gives up."
    )
    goal = (
        f"A task ends with exit code 0, January is published, and the database's new group lets in "
        f"the task's group on PostgreSQL's port {PORT}, and nobody else on no other port."
    )
    look = (
        "the log of the task, and how long it ran (on AWS a connect can wait for two minutes)",
        "ec2.describe_security_groups: IpPermissions of both groups; a rule for 5432 also covers "
        "the port that a database of the local cloud really has",
        "rds.describe_db_instances: VpcSecurityGroups",
    )
    hints = (
        "No password was refused: there was no answer at all. Something on the way has dropped the "
        "packets. What stands between a task and a database in the same VPC?",
        "A security group lets in only what an ingress rule names. Rules of the database's group "
        "matter here, and a rule may name another security group as the source.",
        "ec2.authorize_security_group_ingress(GroupId=case.database_group, IpPermissions=[{"
        "'IpProtocol': 'tcp', 'FromPort': 5432, 'ToPort': 5432, 'UserIdGroupPairs': [{'GroupId': "
        "case.task_group}]}]). Then run the task.",
    )

    @property
    def database_group(self) -> str:
        """Id of the security group that the lab has given to the database."""
        return networks.group_named(self, self._names[0])["GroupId"]

    @property
    def task_group(self) -> str:
        """Id of the task's security group."""
        return networks.group_named(self, self._names[1])["GroupId"]

    @property
    def _names(self) -> tuple[str, str]:
        return f"{self.prefix}-database", f"{self.prefix}-task"

    def network(self) -> dict:
        network = self.lab.network()
        network["awsvpcConfiguration"]["securityGroups"] = [self.task_group]
        return network

    def build(self) -> list[str]:
        definition = self.etl()
        [used, *_] = networks.database_groups(self)
        groups = self.client("ec2").describe_security_groups(GroupIds=[used])["SecurityGroups"]
        names = zip(self._names, ("visitors of the database", "the task"), strict=True)
        visitors, _ = [networks.group(self, name, groups[0]["VpcId"], what) for name, what in names]
        networks.set_database_groups(self, [*networks.database_groups(self), visitors])
        making.register(self, definition)
        return self.seen_of(self.launch())

    def clean(self) -> None:
        networks.clean(self, *self._names)

    def rules(self):
        yield from self.etl_rules()
        yield Rule(
            "door",
            f"The group {self._names[0]} lets in the group {self._names[1]} on port {PORT}",
            self._why_shut,
        )
        yield Rule(
            "least_privilege",
            "It lets in nobody else, and on no other port",
            self._why_too_open,
        )

    def _ports(self) -> set[int]:
        """PostgreSQL's usual port, and the one that this instance really has."""
        found = self.client("rds").describe_db_instances(DBInstanceIdentifier=INSTANCE)
        return {PORT, found["DBInstances"][0]["Endpoint"]["Port"]}

    def _permissions(self) -> list[dict]:
        return networks.group_named(self, self._names[0])["IpPermissions"]

    def _why_shut(self) -> str | None:
        for rule in self._permissions():
            sources = [pair["GroupId"] for pair in rule.get("UserIdGroupPairs", [])]
            covered = rule["IpProtocol"] == "-1" or any(
                rule["FromPort"] <= port <= rule["ToPort"] for port in self._ports()
            )
            if self.task_group in sources and covered:
                return None
        return "No ingress rule of it names the task's group and this port."

    def _why_too_open(self) -> str | None:
        for rule in self._permissions():
            if rule.get("IpRanges") or rule.get("Ipv6Ranges") or rule.get("PrefixListIds"):
                return "It lets in addresses, whoever has them, and not only the task's group."
            if {pair["GroupId"] for pair in rule["UserIdGroupPairs"]} != {self.task_group}:
                return "It lets in another group too."
            if rule["IpProtocol"] != "tcp" or rule["FromPort"] != rule["ToPort"]:
                return "It opens more ports than one."
        return None

    def belongings(self) -> str:
        return f"{super().belongings()}, security groups {' and '.join(self._names)}"


LAB = PortClosed
