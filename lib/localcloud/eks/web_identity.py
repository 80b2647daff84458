"""IAM roles for service accounts: a token of the cluster's OpenID issuer against a role's keys.

As EKS's webhook does it, the annotation eks.amazonaws.com/role-arn of a service account gives its
pods two variables and a token. moto hands out keys for any token; here the token's signature, its
audience and the role's trust policy are checked first.
"""

from __future__ import annotations

import fnmatch
import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from localcloud.eks import roles
from localcloud.eks.pod_identity import claims_of, inject
from localcloud.kubernetes.resources import PODS, SERVICE_ACCOUNTS

if TYPE_CHECKING:
    from localcloud.eks.plane import Eks
    from localcloud.kubernetes.cluster import Cluster

ANNOTATION = "eks.amazonaws.com/role-arn"
FOLDER = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
AUDIENCE = "sts.amazonaws.com"
OPERATION = "AssumeRoleWithWebIdentity"


def admit(cluster: Cluster, resource: Any, pod: dict, before: dict | None) -> None:
    if resource is not PODS or before is not None:
        return
    name = pod["spec"]["serviceAccountName"]
    account = cluster.store.get(SERVICE_ACCOUNTS, pod["metadata"]["namespace"], name)
    role = ((account or {}).get("metadata", {}).get("annotations") or {}).get(ANNOTATION)
    if role:
        variables = {
            "AWS_STS_REGIONAL_ENDPOINTS": "regional",
            "AWS_ROLE_ARN": role,
            "AWS_WEB_IDENTITY_TOKEN_FILE": f"{FOLDER}/token",
        }
        inject(pod, "aws-iam-token", FOLDER, "token", AUDIENCE, variables)


def wsgi(eks: Eks, app: Callable) -> Callable:
    def front(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        kind = environ.get("CONTENT_TYPE", "")
        form = environ.get("PATH_INFO") == "/" and kind.startswith(
            "application/x-www-form-urlencoded"
        )
        if not form or environ.get("REQUEST_METHOD") != "POST":
            return app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        given = {
            name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()
        }
        if given.get("Action") != OPERATION:
            return app(environ, start_response)
        refusal = why_not(eks, given.get("WebIdentityToken", ""), given.get("RoleArn", ""))
        if refusal is None:
            return app(environ, start_response)
        return _refuse(start_response, *refusal)

    return front


def why_not(eks: Eks, token: str, role: str) -> tuple[str, str, str] | None:
    """HTTP status, code and message of STS's refusal; None if the role may be assumed."""
    found = claims_of(eks, token, AUDIENCE)
    if found is None:
        words = "No OpenIDConnect provider found in your account for the token, or it is not valid"
        return "400 Bad Request", "InvalidIdentityToken", words
    cluster, claims = found
    issuer = cluster.tokens.issuer.removeprefix("https://")
    for statement in roles.statements(role) or []:
        if _allows(statement, issuer, claims):
            return None
    return "403 Forbidden", "AccessDenied", f"Not authorized to perform sts:{OPERATION}"


def _allows(statement: dict[str, Any], issuer: str, claims: dict[str, Any]) -> bool:
    principal = statement.get("Principal", {})
    provider = principal.get("Federated", "") if isinstance(principal, dict) else ""
    if statement.get("Effect") != "Allow" or not provider.endswith(f"oidc-provider/{issuer}"):
        return False
    known = {f"{issuer}:sub": claims["sub"], f"{issuer}:aud": AUDIENCE}
    for operator, wanted in (statement.get("Condition") or {}).items():
        for name, values in wanted.items():
            values = [values] if isinstance(values, str) else values
            value = known.get(name, "")
            like = operator == "StringLike"
            good = any(fnmatch.fnmatchcase(value, v) if like else value == v for v in values)
            if not good:
                return False
    return True


def _refuse(start_response: Callable, status: str, code: str, message: str) -> list[bytes]:
    body = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{escape(message)}</Message></Error></ErrorResponse>"
    ).encode()
    start_response(status, [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
    return [body]
