"""What a task cannot reach keeps it from starting, in the words of AWS.

On AWS the agent tries for minutes; here it gives up after GIVE_UP_SECONDS. The wording is what
users report of Fargate, for instance github.com/doctorray117/minecraft-ondemand/issues/74 (ECR),
github.com/aws-samples/serverless-jenkins-on-aws-fargate/issues/7 (SSM) and ECS's developer guide,
"Resolve Amazon ECS ResourceInitializationError errors" and "CannotPullContainer task errors". The
address in it stands for whatever the service's name resolves to (RFC 5737).
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from localcloud import arns
from localcloud.ecs import places
from localcloud.ecs.models import Item
from localcloud.failures import cannot_initialise, cannot_pull
from localcloud.network import reachability
from localcloud.network.vpc import Place

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

GIVE_UP_SECONDS = 2.0
TIMED_OUT = "dial tcp 203.0.113.10:443: i/o timeout"
CHECK = "Please check your task network configuration."
CANCELLED = "RequestCanceled: request context canceled caused by: context deadline exceeded"
EXECUTION = "unable to pull secrets or registry auth: execution resource retrieval failed"
ECR = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/")


class Paths:
    """The way out that a task's agent has. Each check raises TaskFailed if it is closed."""

    def __init__(self, ecs: Ecs, task: Item):
        self._place: Place | None = places.of_agent(ecs.state, task)

    def check_secret(self, source: str) -> None:
        """To Secrets Manager or SSM, for a secret's ``valueFrom``."""
        manager = source.startswith("arn:") and source.split(":")[2] == "secretsmanager"
        if self._open("secretsmanager" if manager else "ssm"):
            return
        if manager:
            what = "unable to retrieve secret from asm: service call has been retried 5 time(s): "
            what += f"failed to fetch secret {source} from secrets manager"
        else:
            what = "unable to retrieve secrets from ssm: service call has been retried 5 time(s)"
        raise cannot_initialise(f"{EXECUTION}: {what}: {CANCELLED}. {CHECK}")

    def check_image(self, reference: str) -> None:
        """To the image's registry; ECR takes three: its API, its registry, and S3 for layers."""
        name, _, digest = reference.partition("@")
        host, _, name = name.partition("/")
        name, _, tag = name.partition(":")
        manifest = f"https://{host}/v2/{name}/manifests/{digest or tag or 'latest'}"
        retried = (
            f"pull image manifest has been retried 5 time(s): failed to resolve ref {reference}"
        )
        no_manifest = f'{retried}: failed to do request: Head "{manifest}": {TIMED_OUT}'
        if not ECR.match(reference):
            if not self._open(None):
                raise cannot_pull(no_manifest)
            return
        if not self._open("ecr.api"):
            url = f"https://api.ecr.{arns.REGION}.amazonaws.com/"
            raise cannot_initialise(
                f"{EXECUTION}: unable to retrieve ecr registry auth: service call has been retried "
                f'3 time(s): RequestError: send request failed caused by: Post "{url}": '
                f"{TIMED_OUT}. {CHECK}"
            )
        if not self._open("ecr.dkr"):
            raise cannot_pull(no_manifest)
        if not self._open("s3"):
            layers = f"prod-{arns.REGION}-starport-layer-bucket.s3.{arns.REGION}.amazonaws.com"
            raise cannot_pull(
                "ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: "
                f'failed to do request: Get "https://{layers}/": {TIMED_OUT}'
            )

    def check_logs(self, definition: dict[str, Any]) -> None:
        """To CloudWatch Logs, if the container logs there."""
        driver = definition.get("logConfiguration", {}).get("logDriver")
        if driver != "awslogs" or self._open("logs"):
            return
        url = f"https://logs.{arns.REGION}.amazonaws.com/"
        raise cannot_initialise(
            "failed to validate logger args: create stream has been retried 1 times: failed to "
            "create Cloudwatch log stream: RequestError: send request failed caused by: Post "
            f'"{url}": {TIMED_OUT} : exit status 1'
        )

    def _open(self, service: str | None) -> bool:
        """Whether there is a way to the service, or to the internet; a closed one takes time."""
        if self._place is None:
            return True
        if service is None:
            found = reachability.to_internet(places.ec2(), self._place, reachability.HTTPS)
        else:
            found = reachability.to_service(places.ec2(), self._place, service)
        if not found:
            time.sleep(GIVE_UP_SECONDS)
        return bool(found)
