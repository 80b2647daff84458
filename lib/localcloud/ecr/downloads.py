"""Addresses that give a layer's bytes to whoever has one, for an hour, as S3's presigned ones."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, urlencode

from localcloud.ecr.layers import LayerFiles

PREFIX = "/_localcloud/ecr/layers/"
SECONDS_OF_AN_ADDRESS = 3600


class Downloads:
    def __init__(self, files: LayerFiles):
        self._files = files
        self._secret = secrets.token_bytes(32)

    def address(self, host: str, digest: str) -> str:
        """``host`` is how the asking client reaches the server: name and port."""
        expires = str(int(time.time()) + SECONDS_OF_AN_ADDRESS)
        query = urlencode({"expires": expires, "signature": self._signature(digest, expires)})
        return f"http://{host}{PREFIX}{digest}?{query}"

    def wsgi(self, app: Callable) -> Callable:
        """``app`` with the addresses in front of it."""

        def front(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "")
            if not path.startswith(PREFIX):
                return app(environ, start_response)
            status, body = self._answer(path.removeprefix(PREFIX), environ["QUERY_STRING"])
            start_response(status, [("Content-Type", "application/octet-stream")])
            return [body]

        return front

    def _answer(self, digest: str, query: str) -> tuple[str, bytes]:
        given = {name: values[0] for name, values in parse_qs(query).items()}
        expires, signature = given.get("expires", ""), given.get("signature", "")
        if not hmac.compare_digest(self._signature(digest, expires).encode(), signature.encode()):
            return "403 Forbidden", b"The address is not one that get_download_url_for_layer gave\n"
        if int(expires) < time.time():
            return "403 Forbidden", b"Request has expired: call get_download_url_for_layer again\n"
        try:
            return "200 OK", self._files.file(digest).read_bytes()
        except OSError:
            return "404 Not Found", b"The layer is gone\n"

    def _signature(self, digest: str, expires: str) -> str:
        return hmac.new(self._secret, f"{digest} {expires}".encode(), hashlib.sha256).hexdigest()
