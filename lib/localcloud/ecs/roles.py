"""May ECS assume the roles of a task?"""

from __future__ import annotations

from contextlib import suppress

from moto.core.exceptions import ServiceException
from moto.iam.models import iam_backends
from werkzeug.exceptions import HTTPException

from localcloud import arns, trust
from localcloud.ecs import errors

TRUSTED_SERVICE = "ecs-tasks.amazonaws.com"


def require_assumable(role_arn: str) -> None:
    """Raise ECS's ClientException unless the role exists and trusts ECS tasks."""
    with suppress(ServiceException, HTTPException):
        role = iam_backends[arns.ACCOUNT]["aws"].get_role_by_arn(role_arn)
        if trust.trusts(role.assume_role_policy_document, TRUSTED_SERVICE):
            return
    raise errors.client_error(
        f"ECS was unable to assume the role '{role_arn}' that was provided for this task. Please "
        "verify that the role being passed has the proper trust relationship and permissions and "
        "that your IAM user has permissions to pass this role."
    )
