"""JWT authorisers: signature by the issuer's published keys, then issuer, audience, times, scopes.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

from __future__ import annotations

import re
import time
from typing import Any

import aiohttp
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from localcloud.gateway.refusals import Refused

ALGORITHMS = ["RS256", "RS384", "RS512"]
KEEP_SECONDS = 7200.0
AGAIN_SECONDS = 10.0
COGNITO = re.compile(r"https://cognito-idp\.[\w-]+\.amazonaws\.com/([\w-]+)")


class Tokens:
    """Checks tokens; ``endpoint`` is where the local cloud's own user pools publish their keys."""

    def __init__(self, endpoint: str, session: aiohttp.ClientSession):
        self._endpoint, self._session = endpoint, session
        self._keys: dict[str, tuple[float, KeySet]] = {}

    async def check(self, authorizer: Any, header: str, scopes: list[str]) -> dict[str, Any]:
        """The claims of the token in a header. Raises Refused: 401, or 403 for want of scope."""
        word, _, rest = header.partition(" ")
        token = rest.strip() if word.lower() == "bearer" else header.strip()
        if not token:
            raise Refused(401, "no token", {"www-authenticate": "Bearer"})
        settings = authorizer.jwt_config or {}
        issuer = settings.get("issuer") or settings.get("Issuer", "")
        audience = settings.get("audience") or settings.get("Audience") or []
        claims = await self._verified(issuer, token)
        self._check_claims(claims, issuer, audience)
        granted = str(claims.get("scope", claims.get("scp", ""))).split()
        if scopes and not set(scopes) & set(granted):
            wanted = " ".join(scopes)
            raise Refused(
                403,
                "insufficient scope",
                {"www-authenticate": f'Bearer scope="{wanted}" error="insufficient_scope"'},
            )
        return claims

    async def _verified(self, issuer: str, token: str) -> dict[str, Any]:
        try:
            return self._decoded(token, await self._keys_of(issuer, KEEP_SECONDS))
        except (JoseError, ValueError):
            pass
        try:  # the issuer may have new keys
            return self._decoded(token, await self._keys_of(issuer, AGAIN_SECONDS))
        except (JoseError, ValueError) as error:
            raise _invalid(f"the token is not valid: {type(error).__name__}") from None

    @staticmethod
    def _decoded(token: str, keys: KeySet) -> dict[str, Any]:
        return jwt.decode(token, keys, algorithms=ALGORITHMS).claims

    @staticmethod
    def _check_claims(claims: dict[str, Any], issuer: str, audience: list[str]) -> None:
        now = time.time()
        if claims.get("iss") != issuer:
            raise _invalid("the token's issuer is another")
        meant = claims.get("aud") or claims.get("client_id") or []
        meant = [meant] if isinstance(meant, str) else meant
        if not set(meant) & set(audience):
            raise _invalid("the token is for another audience")
        try:
            if float(claims["exp"]) <= now:
                raise _invalid("the token has expired")
            if float(claims.get("nbf", 0)) > now or float(claims.get("iat", 0)) > now:
                raise _invalid("the token is not valid yet")
        except (KeyError, TypeError, ValueError):
            raise _invalid("the token's times are no numbers") from None

    async def _keys_of(self, issuer: str, at_most: float) -> KeySet:
        known = self._keys.get(issuer)
        if known and time.monotonic() - known[0] < at_most:
            return known[1]
        try:
            pool = COGNITO.fullmatch(issuer)
            if pool:
                address = f"{self._endpoint}/{pool[1]}/.well-known/jwks.json"
            else:
                found = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                address = found["jwks_uri"]
            keys = KeySet.import_key_set(await self._get(address))
        except (aiohttp.ClientError, OSError, TimeoutError, KeyError, ValueError, JoseError):
            raise _invalid(f"the keys of {issuer} cannot be read") from None
        self._keys[issuer] = (time.monotonic(), keys)
        return keys

    async def _get(self, address: str) -> Any:
        timeout = aiohttp.ClientTimeout(total=5)
        async with self._session.get(address, timeout=timeout) as answer:
            answer.raise_for_status()
            return await answer.json(content_type=None)


def _invalid(why: str) -> Refused:
    said = f'Bearer scope="" error="invalid_token" error_description="{why}"'
    return Refused(401, why, {"www-authenticate": said})
