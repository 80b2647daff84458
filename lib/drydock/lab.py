"""open_lab(): the one door to the cloud that a lesson works on."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import boto3
from botocore.config import Config

from drydock import cloud
from drydock.errors import WrongInput

CLUSTER = "drydock"


@dataclass(frozen=True)
class Lab:
    """A cloud to work on, and the names that every lesson uses in it.

    `client("ecs")` is a plain boto3 client. `home` is where the local cloud keeps its state.
    `where` is "local cloud", "AWS", or the address of another cloud.
    """

    endpoint: str | None
    region: str
    home: Path
    credentials: dict[str, str]
    where: str = "local cloud"

    def __repr__(self) -> str:
        # No address: a stored notebook output must be the same on every machine.
        return f"Lab({self.where}, {self.region}, account {self.account_id})"

    @cached_property
    def session(self) -> boto3.Session:
        """The boto3 session behind `client`, with this lab's region and credentials only."""
        return boto3.Session(region_name=self.region, **self.credentials)

    def client(self, service: str):
        """Return a boto3 client, for instance `lab.client("ecs")`."""
        # A proxy that is set for the internet could not reach a cloud on this machine.
        proxies = {} if self.endpoint else None
        config = Config(retries={"mode": "standard", "max_attempts": 4}, proxies=proxies)
        return self.session.client(service, endpoint_url=self.endpoint, config=config)

    @cached_property
    def account_id(self) -> str:
        """The twelve digits of the account, as STS tells them."""
        return self.client("sts").get_caller_identity()["Account"]

    @property
    def bucket(self) -> str:
        """The bucket that holds raw, curated and quarantined rows."""
        return f"drydock-{self.account_id}"

    @property
    def certificates(self) -> Path:
        """The certificate bundle that the lab's databases are verified with."""
        return self.home / "rds" / "ca.pem"

    def invoke_url(self, rest_api_id: str, stage: str) -> str:
        """Return where a stage of a REST API is called.

        AWS makes it of the API's id. The local cloud tells it in a tag of the API.
        """
        found = self.client("apigateway").get_rest_api(restApiId=rest_api_id)
        usual = f"https://{rest_api_id}.execute-api.{self.region}.amazonaws.com"
        return f"{found.get('tags', {}).get('localcloud:endpoint', usual)}/{stage}"

    def network(self) -> dict:
        """Return an awsvpc networkConfiguration in the account's default VPC.

        Its subnets are public: without a public IP address a task has no way out of them.
        """
        ec2 = self.client("ec2")
        subnets = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])
        groups = ec2.describe_security_groups(
            Filters=[
                {"Name": "group-name", "Values": ["default"]},
                {"Name": "vpc-id", "Values": [subnets["Subnets"][0]["VpcId"]]},
            ]
        )
        return {
            "awsvpcConfiguration": {
                "subnets": sorted(s["SubnetId"] for s in subnets["Subnets"])[:2],
                "securityGroups": [groups["SecurityGroups"][0]["GroupId"]],
                "assignPublicIp": "ENABLED",
            }
        }


def open_lab(target: str = "local") -> Lab:
    """Open a cloud and return its Lab: the "local" one, "aws", or one by its "http://..." address.

    The local cloud is started when it is not running. On AWS the lab works with your credentials,
    and what it makes costs money: `drydock aws up` says how much. Raises CloudError, AccountError
    or WrongInput, whose message says what to type next.
    """
    if target != "local":
        return _elsewhere(target)
    info = cloud.start()
    variables = cloud.environment(info)
    return Lab(
        endpoint=info.endpoint,
        region=variables["AWS_DEFAULT_REGION"],
        home=Path(info.home),
        credentials={
            "aws_access_key_id": variables["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": variables["AWS_SECRET_ACCESS_KEY"],
        },
    )


def _elsewhere(target: str) -> Lab:
    from drydock.account import access  # seldom used

    if target != "aws" and not target.startswith(("http://", "https://")):
        raise WrongInput(f'target is {target!r}: type "local", "aws" or "http://127.0.0.1:5566"')
    account = access.open_account(endpoint=None if target == "aws" else target)
    return Lab(
        endpoint=account.endpoint,
        region=account.region,
        home=cloud.home_path(),
        credentials=access.LOCAL_KEYS if account.local else {},
        where=account.endpoint or "AWS",
    )
