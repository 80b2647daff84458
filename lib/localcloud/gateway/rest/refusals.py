"""What a REST API itself answers: status, message and x-amzn-ErrorType of each kind.

Kinds and statuses:
https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
A throttled function: 500 (https://repost.aws/knowledge-center/api-gateway-internal-server-error).
Both read on 2026-11-23.
"""

from __future__ import annotations

import json

from aiohttp import web

INTERNAL = "Internal server error"
KINDS = {
    "ACCESS_DENIED": (403, "Forbidden", "AccessDeniedException"),
    "API_CONFIGURATION_ERROR": (500, INTERNAL, "InternalServerErrorException"),
    "BAD_INTEGRATION_ANSWER": (502, INTERNAL, "InternalServerErrorException"),
    "BAD_REQUEST_PARAMETERS": (400, "Missing required request parameters", "BadRequestException"),
    "INTEGRATION_FAILURE": (
        504,
        "Network error communicating with endpoint",
        "InternalServerErrorException",
    ),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out", "InternalServerErrorException"),
    "INVALID_API_KEY": (403, "Forbidden", "ForbiddenException"),
    "INVALID_SIGNATURE": (
        403,
        "The request signature we calculated does not match the signature you provided. Check "
        "your AWS Secret Access Key and signing method. Consult the service documentation for "
        "details.",
        "InvalidSignatureException",
    ),
    "MISSING_AUTHENTICATION_TOKEN": (
        403,
        "Missing Authentication Token",
        "MissingAuthenticationTokenException",
    ),
    "QUOTA_EXCEEDED": (429, "Limit Exceeded", "LimitExceededException"),
    "REQUEST_TOO_LARGE": (
        413,
        "HTTP content length exceeded 10485760 bytes.",
        "RequestTooLargeException",
    ),
    "THROTTLED": (429, "Too Many Requests", "TooManyRequestsException"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Unsupported Media Type", "BadRequestException"),
    "UNKNOWN_STAGE": (403, "Forbidden", "ForbiddenException"),
}


class Declined(Exception):
    """The request goes no further. ``why`` is for the access log, ``message`` for the caller."""

    def __init__(self, kind: str, why: str = "", message: str = ""):
        super().__init__(why or kind)
        self.status, self.message, self.error = KINDS[kind]
        self.message = message or self.message

    def answer(self) -> web.Response:
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": self.error}
        if self.status == 413:
            headers["Connection"] = "close"
        body = json.dumps({"message": self.message}, separators=(",", ":"))
        return web.Response(status=self.status, body=body.encode(), headers=headers)
