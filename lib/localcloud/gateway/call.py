"""One request to an API: what routing, authorisers, integrations and logs need to know of it."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Call:
    """``path`` is without the stage, ``sent_path`` as the client asked. ``noted`` holds $context
    variables. ``integrating`` is set when what goes wrong from there is the integration's."""

    request: web.BaseRequest
    account: str
    region: str
    api: Any
    stage: Any
    path: str
    body: bytes = b""
    route: Any = None
    variables: dict[str, str] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    noted: dict[str, Any] = field(default_factory=dict)
    integrating: bool = False
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        moment = dt.datetime.now(dt.UTC)
        self.noted |= {
            "requestId": str(uuid.uuid4()),
            "apiId": self.api.api_id,
            "stage": self.stage.name if self.stage else "-",
            "httpMethod": self.request.method,
            "path": self.sent_path,
            "protocol": "HTTP/1.1",
            "identity.sourceIp": self.request.remote,
            "identity.userAgent": self.request.headers.get("User-Agent", "-"),
            "requestTime": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(moment.timestamp() * 1000),
            "domainName": self.request.headers.get("Host", "-"),
            "accountId": self.account,
        }

    @property
    def sent_path(self) -> str:
        return self.request.raw_path.partition("?")[0]

    @property
    def query(self) -> str:
        return self.request.raw_path.partition("?")[2]

    def value_of(self, source: str) -> str:
        """What a mapping's right side stands for; text without $ stands for itself."""
        if source == "$request.path":
            return self.path
        for prefix, values in (
            ("$request.path.", self.variables),
            ("$request.header.", self.request.headers),
            ("$request.querystring.", self.request.rel_url.query),
            ("$context.", self.noted),
            ("$stageVariables.", self.stage.stage_variables if self.stage else {}),
        ):
            if source.startswith(prefix):
                return str(values.get(source.removeprefix(prefix), ""))
        return source

    def ended(self, status: int, length: int, error: str) -> None:
        self.noted |= {
            "status": status,
            "responseLength": length,
            "responseLatency": int((time.monotonic() - self.started) * 1000),
            "routeKey": self.route.route_key if self.route else "-",
            "error.message": error or "-",
            "integrationErrorMessage": error if error and self.integrating else "-",
        }
