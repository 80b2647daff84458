"""IAM for role sessions: a request signed with a role's temporary keys obeys the role's policies.

moto's policy engine decides. What is added here: which resource a request is about, and a refusal
worded as AWS words it. Keys without a session token, such as the lab's own, may do everything.
The session token is the proof of identity: the signature itself is not checked.

moto's engine does not evaluate Condition: it takes a condition as met.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import unquote
from xml.sax.saxutils import escape

import xmltodict
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import InvalidClientTokenIdError
from moto.iam.access_control import IAMPolicy, IAMRequest, PermissionResult
from moto.s3.exceptions import BucketAccessDeniedError, S3InvalidTokenError
from moto.secretsmanager.models import secretsmanager_backends
from werkzeug.exceptions import HTTPException

TOKEN = "X-Amz-Security-Token"
# Names under which requests are signed, where IAM's differ.
PREFIXES = {"monitoring": "cloudwatch"}
REST_JSON = {"rds-data"}
# S3 operations that need the permission of another name.
S3_ACTIONS = {"HeadBucket": "ListBucket", "ListBuckets": "ListAllMyBuckets"}


def install() -> None:
    """Have moto ask ``check`` before every operation. Calling it again changes nothing."""

    def ask(response: Any, _: type, resource: str = "*") -> None:
        check(response, resource)

    ActionAuthenticatorMixin._authenticate_and_authorize_action = ask


def check(response: Any, resource: str) -> None:
    """Raise the service's access-denied error unless the caller may do what it asks.

    ``response`` is moto's response object, ``resource`` the ARN that moto names, or "*".
    """
    identity = _identity(response)
    if identity is None:
        return
    request = RoleRequest(response, identity)
    if response.service_name == "s3":
        needs = _s3_needs(response, resource)
    else:
        resources = [resource]
        if resource == "*":
            resources = _resources(request.service, response)
        needs = [(response._get_action(), one) for one in resources]
    for action, one in needs:
        request.require(action, one)


def require(response: Any, service: str, action: str, resource: str) -> None:
    """Raise unless the caller may do what another service does for it, with its rights."""
    identity = _identity(response)
    if identity is not None:
        request = RoleRequest(response, identity)
        request.service = service
        request.require(action, resource)


class RoleRequest(IAMRequest):
    """A request of a role session, as moto's engine wants it."""

    def __init__(self, response: Any, headers: dict[str, str]):
        self._response = response
        super().__init__(
            account_id=response.current_account,
            method=response.method,
            path=response.path,
            data=response.data,
            body=b"",
            headers=headers,
            action="",
        )
        self.service = self._service
        self._resource: str | None = None

    def require(self, action: str, resource: str | None) -> None:
        """Raise unless the role's policies allow the action. Resource None: not known which."""
        self._action = f"{PREFIXES.get(self.service, self.service)}:{action}"
        self._resource = resource
        if resource is not None:
            self.check_action_permitted(resource)
        elif not self._allowed_somewhere():
            self._raise_access_denied()

    def _allowed_somewhere(self) -> bool:
        """Whether the action is allowed on any resource that the policies name."""
        policies = [IAMPolicy(policy) for policy in self._access_key.collect_policies()]
        answers = {
            policy.is_action_permitted(self._action, resource)
            for policy in policies
            for resource in ("*", *_named_resources(policy))
        }
        return PermissionResult.PERMITTED in answers

    def _raise_access_denied(self) -> NoReturn:
        words = (
            f"User: {self._access_key.arn} is not authorized to perform: {self._action} on "
            f"resource: {self._resource or '*'} because no identity-based policy allows the "
            f"{self._action} action"
        )
        raise _denied(self._response, words)

    def _raise_invalid_access_key(self, _: str) -> NoReturn:
        raise S3InvalidTokenError if self._service == "s3" else InvalidClientTokenIdError


class Denied(HTTPException):
    """403 (or 400, as JSON services do) with the body that the client's SDK reads."""

    def __init__(self, status: int, body: str):
        super().__init__(body)
        self.code = status


class S3Denied(BucketAccessDeniedError):
    def __init__(self, bucket: str, message: str):
        super().__init__(bucket)
        self.message = message


def _identity(response: Any) -> dict[str, str] | None:
    """The headers that name a role session, also those of a presigned URL. None: not one."""
    if response.headers.get(TOKEN):
        return response.headers if response.headers.get("Authorization") else None
    query = {name.lower(): values[0] for name, values in response.querystring.items()}
    if not query.get(TOKEN.lower()):
        return None
    # The older of S3's two ways to presign names only the key.
    scope = f"{query.get('awsaccesskeyid')}/-/{response.region}/s3/aws4_request"
    credential = query.get("x-amz-credential", scope)
    return {"Authorization": f"Credential={credential},", TOKEN: query[TOKEN.lower()]}


def _s3_needs(response: Any, resource: str) -> list[tuple[str, str]]:
    """Every (action, ARN) that an S3 request needs."""
    action = response._get_action()
    if response.method == "POST" and action == "DeleteObject":
        listed = xmltodict.parse(response.body)["Delete"].get("Object", [])
        listed = listed if isinstance(listed, list) else [listed]
        return [(action, f"{resource}/{one['Key']}") for one in listed]
    needs = [(S3_ACTIONS.get(action, action), resource)]
    source = response.headers.get("x-amz-copy-source")
    if source:
        path = unquote(source).lstrip("/").partition("?")[0]
        needs.append(("GetObject", f"arn:aws:s3:::{path}"))
    return needs


def _resources(service: str, response: Any) -> list[str | None]:
    """ARNs of what the request is about; [None] where the local cloud cannot tell."""
    find = RESOURCES.get(service)
    if find is None:
        return [None]
    account, region = response.current_account, response.region
    found = find(f"arn:aws:{service}:{region}:{account}", response)
    return found or ["*"]


def _secret(prefix: str, response: Any) -> list[str]:
    name = response._get_param("SecretId")
    if name is None:
        return []
    if name.startswith("arn:"):
        return [name]
    backend = secretsmanager_backends[response.current_account][response.region]
    secret = backend.secrets.get(name)
    return [secret.arn if secret else f"{prefix}:secret:{name}"]


def _parameters(prefix: str, response: Any) -> list[str]:
    names = response._get_param("Names") or [response._get_param("Name")]
    names = [*names, response._get_param("Path")]
    named = [name.split(":parameter")[-1].lstrip("/") for name in names if name]
    return [f"{prefix}:parameter/{name}" for name in named]


def _log_stream(prefix: str, response: Any) -> list[str]:
    group = response._get_param("logGroupName") or ""
    stream = response._get_param("logStreamName") or ""
    return [f"{prefix}:log-group:{group}:log-stream:{stream}"]


def _repository(prefix: str, response: Any) -> list[str]:
    name = response._get_param("repositoryName")
    return [f"{prefix}:repository/{name}"] if name else []


def _cluster(prefix: str, response: Any) -> list[str]:
    try:
        return [str(json.loads(response.body)["resourceArn"])]
    except (ValueError, KeyError, TypeError):
        return []


RESOURCES: dict[str, Callable[[str, Any], list[str]]] = {
    "secretsmanager": _secret,
    "ssm": _parameters,
    "logs": _log_stream,
    "ecr": _repository,
    "rds-data": _cluster,
    "sts": lambda prefix, response: [],
    "iam": lambda prefix, response: [],
}


def _named_resources(policy: IAMPolicy) -> list[str]:
    statements = policy._policy_json["Statement"]
    found: list[str] = []
    for statement in statements if isinstance(statements, list) else [statements]:
        named = statement.get("Resource", [])
        if statement["Effect"] == "Allow":
            found += [named] if isinstance(named, str) else named
    return found


def _denied(response: Any, words: str) -> Exception:
    """The error in the protocol of the service."""
    if response.service_name == "s3":
        return S3Denied(response.data.get("BucketName", ""), words)
    if response.service_name == "ec2":
        error = (
            f"<Error><Code>UnauthorizedOperation</Code><Message>{escape(words)}</Message></Error>"
        )
        return Denied(403, f"<Response><Errors>{error}</Errors></Response>")
    if response.querystring.get("Action"):
        error = f"<Type>Sender</Type><Code>AccessDenied</Code><Message>{escape(words)}</Message>"
        return Denied(403, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>")
    status = 403 if response.service_name in REST_JSON else 400
    return Denied(status, json.dumps({"__type": "AccessDeniedException", "message": words}))
