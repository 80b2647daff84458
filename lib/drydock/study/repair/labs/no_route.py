"""A private subnet without any way to ECR, CloudWatch Logs or S3."""

from drydock.study.repair import making, networks
from drydock.study.repair.counter import CounterCase
from drydock.study.repair.shown import Rule


class NoRoute(CounterCase):
    title = "The subnet that leads nowhere"
    skills = ("1.2.7", "4.1.2", "4.1.5")
    minutes = 20
    asked = (
        "Count the flights of January 2013 in a new VPC. By order of the security team its subnet "
        "has no way to the internet, and shall have none. No task starts there."
    )
    goal = (
        "A task in this subnet ends with exit code 0 and the report is in S3, while the VPC still "
        "has neither an internet gateway nor a NAT gateway: AWS services are reached by VPC "
        "endpoints."
    )
    look = (
        "ecs.describe_tasks: stoppedReason (here it takes seconds, on AWS minutes)",
        "ec2.describe_route_tables, ec2.describe_vpc_endpoints",
        "Amazon ECS interface VPC endpoints in the ECS developer guide",
    )
    hints = (
        "The roles are right. The message ends in a timeout, not in a refusal: what was asked "
        "never got an answer. Which addresses does a task need before its program starts?",
        "It needs ecr.api and ecr.dkr for the image, s3 for the image's layers and its own "
        "objects, logs for its log. S3 has a gateway endpoint, which is a route; the others have "
        "interface endpoints, which stand in a subnet.",
        "ec2.create_vpc_endpoint four times: com.amazonaws.us-east-1.s3 with VpcEndpointType="
        "'Gateway' and RouteTableIds=[case.route_table]; .ecr.api, .ecr.dkr and .logs with "
        "'Interface', SubnetIds=[case.subnet] and PrivateDnsEnabled=True. Then run the task.",
    )

    @property
    def vpc(self) -> str:
        """Id of the lab's VPC."""
        return networks.vpc_of(self)

    @property
    def subnet(self) -> str:
        """Id of its one subnet."""
        return networks.subnet_of(self)

    @property
    def route_table(self) -> str:
        """Id of the subnet's route table."""
        return networks.route_table_of(self)

    def network(self) -> dict:
        return {"awsvpcConfiguration": {"subnets": [self.subnet], "assignPublicIp": "DISABLED"}}

    def build(self) -> list[str]:
        networks.private_vpc(self)
        making.register(self, making.fargate(self, self.counter()))
        return self.seen_of(self.launch())

    def clean(self) -> None:
        networks.clean(self)

    def rules(self):
        yield from self.counter_rules()
        yield Rule("subnet", "The task ran in the lab's own subnet", self._why_other_subnet)
        yield Rule(
            "private",
            "The VPC has no internet gateway and no NAT gateway",
            self._why_not_private,
        )

    def _why_other_subnet(self) -> str | None:
        details = self.newest_task()["attachments"][0]["details"]
        used = next(d["value"] for d in details if d["name"] == "subnetId")
        return None if used == self.subnet else "It ran in another subnet."

    def _why_not_private(self) -> str | None:
        ec2 = self.client("ec2")
        attached = [{"Name": "attachment.vpc-id", "Values": [self.vpc]}]
        if ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
            return "An internet gateway is attached to it."
        inside = [{"Name": "vpc-id", "Values": [self.vpc]}]
        gateways = ec2.describe_nat_gateways(Filter=inside)["NatGateways"]
        if [gateway for gateway in gateways if gateway["State"] != "deleted"]:
            return "It has a NAT gateway."
        return None

    def belongings(self) -> str:
        return f"{super().belongings()}, VPC, subnet and route table tagged {self.prefix}"


LAB = NoRoute
