"""moto's apigatewayv2 operations, with what it lacks: addresses, checks of input, real effects."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import moto.apigatewayv2.models as models
from moto.apigatewayv2.exceptions import APIGatewayV2Error
from moto.apigatewayv2.responses import ApiGatewayV2Response as Responses
from moto.core.utils import camelcase_to_underscores

from localcloud.gateway.doors import new_endpoint

if TYPE_CHECKING:
    from localcloud.gateway import Gateway

Backend = models.ApiGatewayV2Backend
METHODS = "ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT"
ROUTE_KEY = re.compile(rf"\$default|(?:{METHODS}) /\S*")
LEAST_MILLIS, MOST_MILLIS = 50, 30_000
CHANGED = ("create_api", "delete_api", "update_api", "create_route", "create_integration")
CHANGED += ("update_integration", "create_authorizer", "reimport_api")


class BadRequest(APIGatewayV2Error):
    def __init__(self, message: str):
        super().__init__("BadRequestException", message)


def install(gateway: Gateway) -> None:
    """Put the mended operations in place of moto's."""
    original = _originals()

    def create_api(self: Backend, **options: Any) -> Any:
        if options.get("protocol_type") != "HTTP":
            raise BadRequest("The local cloud has HTTP APIs only: use ProtocolType HTTP")
        api = original["create_api"](self, **options)
        api.api_endpoint = new_endpoint()
        gateway.sync()
        return api

    def delete_api(self: Backend, api_id: str) -> None:
        original["delete_api"](self, api_id)
        gateway.sync()

    def update_api(self: Backend, *args: Any, **options: Any) -> Any:
        try:
            return original["update_api"](self, *args, **options)
        finally:
            gateway.sync()

    def create_route(self: Backend, api_id: str, **options: Any) -> Any:
        key = options.get("route_key") or ""
        if not ROUTE_KEY.fullmatch(key):
            raise BadRequest(f"Invalid route key {key}: use a method and a path, or $default")
        routes = self.get_api(api_id).routes.values()
        if any(route.route_key == key for route in routes):
            raise _conflict(f"Route with key {key} already exists for this API")
        return original["create_route"](self, api_id, **options)

    def create_integration(self: Backend, api_id: str, **options: Any) -> Any:
        _check_timeout(options.get("timeout_in_millis"))
        kind, connection = options.get("integration_type"), options.get("connection_type")
        if kind == "AWS_PROXY":
            _check_function(options)
            return original["create_integration"](self, api_id, **options)
        if kind != "HTTP_PROXY":
            raise _no_integration(kind)
        if connection == "VPC_LINK":
            self.get_vpc_link(options.get("connection_id"))
            if ":listener/" not in (options.get("integration_uri") or ""):
                raise BadRequest("A private integration needs the ARN of a listener")
        elif not re.match(r"https?://[^/]+", options.get("integration_uri") or ""):
            raise BadRequest("Invalid HTTP endpoint specified for URI")
        return original["create_integration"](self, api_id, **options)

    def update_integration(self: Backend, *args: Any, **options: Any) -> Any:
        _check_timeout(options.get("timeout_in_millis"))
        known = self.get_integration(options["api_id"], options["integration_id"])
        names = ("integration_type", "integration_uri", "payload_format_version", "credentials_arn")
        merged = {name: options.get(name) or getattr(known, name) for name in names}
        if merged["integration_type"] == "AWS_PROXY":
            _check_function(merged)
        elif merged["integration_type"] != "HTTP_PROXY":
            raise _no_integration(merged["integration_type"])
        return original["update_integration"](self, *args, **options)

    def create_authorizer(self: Backend, *args: Any, **options: Any) -> Any:
        kind = options.get("authorizer_type")
        settings = options.get("jwt_config") or {}
        if kind != "JWT":
            raise BadRequest(f"The local cloud has no {kind} authorizers: use JWT, or AWS_IAM")
        if not settings.get("issuer") or not settings.get("audience"):
            raise BadRequest("A JWT authorizer needs an issuer and an audience")
        return original["create_authorizer"](self, *args, **options)

    def reimport_api(self: Backend, *_: Any) -> Any:
        raise BadRequest("The local cloud imports no APIs: use CreateRoute and CreateIntegration")

    Responses.update_stage = _update_stage
    for name, method in list(locals().items()):
        if name in CHANGED:
            setattr(Backend, name, method)


def _update_stage(self: Responses) -> Any:
    """UpdateStage, which moto lacks: what is given replaces what was."""
    _, _, _, api_id, _, name = self.path.rstrip("/").split("/")
    stage = self.apigatewayv2_backend.get_stage(unquote(api_id), unquote(name))
    for key, value in json.loads(self.body or "{}").items():
        attribute = camelcase_to_underscores(key)
        if key == "stageName" or not hasattr(stage, attribute):
            raise BadRequest(f"The local cloud cannot change {key} of a stage")
        setattr(stage, attribute, value)
    stage.updated = datetime.now()
    return 200, {}, json.dumps(stage.to_json())


def _conflict(message: str) -> APIGatewayV2Error:
    error = APIGatewayV2Error("ConflictException", message)
    error.code = 409
    return error


def _no_integration(kind: Any) -> BadRequest:
    return BadRequest(f"The local cloud has no {kind} integrations: use HTTP_PROXY or AWS_PROXY")


def _check_function(options: dict[str, Any]) -> None:
    if ":function:" not in (options.get("integration_uri") or ""):
        raise BadRequest("The local cloud's AWS_PROXY integrations need the ARN of a function")
    if options.get("payload_format_version") not in ("1.0", "2.0"):
        raise BadRequest("PayloadFormatVersion must be 1.0 or 2.0")
    if options.get("credentials_arn"):
        raise BadRequest("Leave CredentialsArn out, and call lambda's AddPermission instead")


def _check_timeout(millis: Any) -> None:
    if millis is not None and not LEAST_MILLIS <= int(millis) <= MOST_MILLIS:
        raise BadRequest(
            f"Timeout should be between {LEAST_MILLIS} ms and {MOST_MILLIS} ms, not {millis}"
        )


def _originals() -> dict[str, Callable]:
    """moto's own methods, also when ours are in their place already."""
    if "_moto" not in Backend.__dict__:
        Backend._moto = {name: getattr(Backend, name) for name in CHANGED}
    return Backend._moto
