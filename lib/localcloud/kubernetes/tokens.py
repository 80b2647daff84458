"""Who calls: bearer tokens as `aws eks get-token` makes them, and those of service accounts.

An EKS token is a presigned sts:GetCallerIdentity for the cluster's name. It is asked of STS, as
EKS's authenticator does, so that its keys, its age and the cluster that it names really count.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from localcloud.kubernetes import errors

PREFIX = "k8s-aws-v1."
REMEMBERED_SECONDS = 60.0
Identify = Callable[[str, str], dict[str, Any] | None]
"""From a presigned URL and a cluster's name to the user, or None."""


class Tokens:
    def __init__(self, cluster: str, issuer: str, key: RSAKey, identify: Identify):
        self.cluster, self.issuer, self.key = cluster, issuer, key
        self._identify = identify
        self._known: dict[str, tuple[float, dict[str, Any]]] = {}

    def user(self, authorization: str) -> dict[str, Any]:
        """username, groups and the like. Raises ApiError Unauthorized."""
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer" or not token:
            raise errors.unauthorized()
        held = self._known.get(token)
        if held and held[0] > time.monotonic():
            return held[1]
        found = self._aws(token) if token.startswith(PREFIX) else self._account(token)
        if found is None:
            raise errors.unauthorized()
        if len(self._known) > 1000:
            self._known.clear()
        self._known[token] = (time.monotonic() + REMEMBERED_SECONDS, found)
        return found

    def _aws(self, token: str) -> dict[str, Any] | None:
        text = token.removeprefix(PREFIX)
        try:
            url = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        except ValueError:
            return None
        return self._identify(url, self.cluster)

    def _account(self, token: str) -> dict[str, Any] | None:
        try:
            claims = jwt.decode(token, self.key, algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            return None
        if not self.is_current(claims) or self.issuer not in claims["aud"]:
            return None
        namespace = claims["sub"].split(":")[2]
        return {
            "username": claims["sub"],
            "groups": [
                "system:serviceaccounts",
                f"system:serviceaccounts:{namespace}",
                "system:authenticated",
            ],
        }

    def is_current(self, claims: dict[str, Any]) -> bool:
        return claims.get("exp", 0) > time.time() and claims.get("iss") == self.issuer

    def issue(
        self, account: dict[str, Any], audiences: list[str], seconds: int, pod: Any = None
    ) -> tuple[str, str]:
        """A signed token of a service account, and when it ends."""
        meta, ends = account["metadata"], int(time.time()) + seconds
        about: dict[str, Any] = {
            "namespace": meta["namespace"],
            "serviceaccount": {"name": meta["name"], "uid": meta["uid"]},
        }
        if pod:
            about["pod"] = {"name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
        claims = {
            "iss": self.issuer,
            "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
            "aud": audiences or [self.issuer],
            "exp": ends,
            "iat": int(time.time()),
            "nbf": int(time.time()),
            "jti": secrets.token_hex(16),
            "kubernetes.io": about,
        }
        token = jwt.encode({"alg": "RS256", "kid": self.key.thumbprint()}, claims, self.key)
        return token, datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
