"""EKS Pod Identity: a service account's pods get the credentials of the associated role.

As EKS's webhook does it, a new pod gets two variables and a token; an SDK shows the token at the
address and gets keys. https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.errors import JoseError

from localcloud.eks.responses import kept
from localcloud.kubernetes.resources import PODS

if TYPE_CHECKING:
    from localcloud.eks.plane import Eks
    from localcloud.kubernetes.cluster import Cluster

PATH = "/_localcloud/pod-identity/v1/credentials"
AUDIENCE = "pods.eks.amazonaws.com"
FOLDER = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
FILE = "eks-pod-identity-token"
SECONDS = 86400


def association(eks: Eks, cluster: str, namespace: str, account: str) -> dict[str, Any] | None:
    for one in kept(eks.backend, "associations").get(cluster, {}).values():
        if (one["namespace"], one["serviceAccount"]) == (namespace, account):
            return one
    return None


def admit(eks: Eks, cluster: Cluster, resource: Any, pod: dict, before: dict | None) -> None:
    if resource is not PODS or before is not None:
        return
    account = pod["spec"]["serviceAccountName"]
    if association(eks, cluster.name, pod["metadata"]["namespace"], account):
        variables = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": cluster.footing.endpoint + PATH,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{FOLDER}/{FILE}",
        }
        inject(pod, FILE, FOLDER, FILE, AUDIENCE, variables)


def inject(
    pod: dict, volume: str, folder: str, file: str, audience: str, variables: dict[str, str]
) -> None:
    """Give every container the variables, and a token for the audience."""
    token = {"audience": audience, "expirationSeconds": SECONDS, "path": file}
    source = {"sources": [{"serviceAccountToken": token}], "defaultMode": 0o644}
    pod["spec"].setdefault("volumes", []).append({"name": volume, "projected": source})
    for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
        known = {one["name"] for one in container.get("env", [])}
        more = [{"name": k, "value": v} for k, v in variables.items() if k not in known]
        container["env"] = [*container.get("env", []), *more]
        mount = {"name": volume, "mountPath": folder, "readOnly": True}
        container["volumeMounts"] = [*container.get("volumeMounts", []), mount]


def wsgi(eks: Eks, app: Callable) -> Callable:
    def front(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return app(environ, start_response)
        status, answer = credentials(eks, environ.get("HTTP_AUTHORIZATION", ""))
        body = json.dumps(answer).encode()
        length = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(status, length)
        return [body]

    return front


def credentials(eks: Eks, token: str) -> tuple[str, dict[str, Any]]:
    """What the agent on the node answers."""
    found = claims_of(eks, token, AUDIENCE)
    if found is None:
        return "401 Unauthorized", {"message": "the service account token is not valid"}
    cluster, claims = found
    _, _, namespace, account = claims["sub"].split(":")
    one = association(eks, cluster.name, namespace, account)
    if one is None:
        words = f"no association for service account {namespace}/{account} in {cluster.name}"
        return "404 Not Found", {"message": words}
    pod = claims["kubernetes.io"].get("pod", {}).get("name", account)
    keys = eks.clients.credentials(one["roleArn"], f"eks-{cluster.name}-{pod}"[:64])
    return "200 OK", {
        "AccessKeyId": keys["AccessKeyId"],
        "SecretAccessKey": keys["SecretAccessKey"],
        "Token": keys["SessionToken"],
        "AccountId": one["roleArn"].split(":")[4],
        "Expiration": keys["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def claims_of(eks: Eks, token: str, audience: str) -> tuple[Cluster, dict[str, Any]] | None:
    """The cluster that signed a token for the audience, and what the token says."""
    for cluster in list(eks.clusters.values()):
        try:
            claims = jwt.decode(token, cluster.tokens.key, algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            continue
        if audience in claims["aud"] and cluster.tokens.is_current(claims):
            return cluster, claims
    return None
