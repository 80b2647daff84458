"""Refuse what AWS's own model of a service does not allow, before moto acts on it.

moto takes what it is given: a value of a wrong type is kept, and every later description fails, or
a missing one ends in a server error after half of the work. AWS answers 400 to both.
"""

from __future__ import annotations

import json
import warnings
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError
from botocore.model import OperationModel, OperationNotFoundError
from botocore.validate import ParamValidator
from moto.core.exceptions import ServiceException
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.responses import TYPE_RESPONSE, ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores, get_service_model
from werkzeug.exceptions import HTTPException

# What each of these services calls a wrong request, and a name of nothing.
CODES = {
    "apigateway": ("BadRequestException", "NotFoundException"),
    "apigatewayv2": ("BadRequestException", "NotFoundException"),
    "cloudformation": ("ValidationError", "ValidationError"),
    "eks": ("InvalidParameterException", "ResourceNotFoundException"),
    "elbv2": ("ValidationError", "ValidationError"),
    "lambda": ("InvalidParameterValueException", "ResourceNotFoundException"),
}
TOKENS = frozenset(("marker", "nexttoken", "position"))
READING = ("Describe", "Get", "List")
# What Python says of a value that is not what moto took for granted.
SURPRISES = (AttributeError, KeyError, IndexError, TypeError, ValueError)
NOT_DONE = 501  # which SDKs do not try again, unlike 500


class Refused(ServiceException):
    """Of a class of our own: moto looks for its own errors in their service's model."""


def install() -> None:
    """Have moto ask before every operation. Calling it again changes nothing."""
    BaseResponse._dispatch = _dispatch
    # moto would warn of every code that a service's model does not name.
    warnings.filterwarnings("ignore", message=r"Exception\(Refused\)")


def _dispatch(
    response: BaseResponse, request: Any, full_url: str | None = None, headers: Any = None
) -> TYPE_RESPONSE:
    service = response.boto3_service_name
    if service not in CODES:
        response.setup_class(request, full_url, headers)
        return response.call_action()
    try:
        response.setup_class(request, full_url, headers)  # some services parse here
    except SURPRISES as error:
        return _refused(response, f"The request cannot be read: {error}")
    operation = _operation(response)
    if operation is None:
        return response.call_action()
    if not hasattr(response, camelcase_to_underscores(operation.name)):
        words = f"The local cloud does not do {operation.name} of {service}."
        _, headers, body = _error(response, "NotImplemented", words)
        return NOT_DONE, {**headers, "status": NOT_DONE}, body
    try:
        given = _parsed(response, request, operation)
    except SURPRISES as error:
        return _refused(response, f"The request cannot be read: {error}")
    if wrong := _problems(given, operation):
        return _refused(response, wrong)
    try:
        return response.call_action()
    except (ServiceException, HTTPException, BotoCoreError):
        raise
    except SURPRISES as error:
        code, words = _explained(error, given, operation)
        if not words:
            raise
        return _error(response, CODES[service][code], words)


def _explained(
    error: Exception, given: dict[str, Any], operation: OperationModel
) -> tuple[int, str]:
    """What in the request surprised moto: which of CODES and the words, or no words."""
    token = next((value for name, value in given.items() if name.lower() in TOKENS), None)
    if token is not None and operation.name.startswith(READING):
        return 0, f"The pagination token {token} is not one that this operation gave."
    if isinstance(error, KeyError) and error.args:
        name = unquote(str(error.args[0]))
        if name in [value for value in given.values() if isinstance(value, str)]:
            return 1, f"There is no {name} for {operation.name}."
        if error.args[0] in _members(operation.input_shape):
            return 0, f"The request lacks a value: {error.args[0]}."
    if isinstance(error, IndexError) and "resourceArn" in given:
        return 1, f"There is no resource {given['resourceArn']}."
    if operation.name.startswith(READING) and "'NoneType' object" in str(error):
        return 1, f"What {operation.name} names does not exist."
    return 0, ""


def _members(shape: Any, inside: frozenset[str] = frozenset()) -> set[str]:
    """The names that a shape and the shapes in it give their values."""
    if shape is None or shape.name in inside:
        return set()
    inside |= {shape.name}
    if shape.type_name == "structure":
        deeper = [_members(one, inside) for one in shape.members.values()]
        return set(shape.members).union(*deeper)
    if shape.type_name == "list":
        return _members(shape.member, inside)
    return _members(shape.value, inside) if shape.type_name == "map" else set()


def _operation(response: BaseResponse) -> OperationModel | None:
    """None: no operation of the service's, which moto answers itself."""
    try:
        return get_service_model(response.boto3_service_name).operation_model(
            response._get_action() or ""
        )
    except OperationNotFoundError:
        return None


def _parsed(response: BaseResponse, request: Any, operation: OperationModel) -> dict[str, Any]:
    protocol = determine_request_protocol(operation.service_model, request.content_type)
    return PROTOCOL_PARSERS[protocol](operation).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": response.uri_match,
        }
    )


def _problems(given: dict[str, Any], operation: OperationModel) -> str:
    """Every difference from the operation's model in one line; empty if there is none."""
    if operation.input_shape is None:
        return ""
    if "patchOperations" in operation.input_shape.members and "patchOperations" not in given:
        return "The request lacks a value: patchOperations."
    report = ParamValidator().validate(given, operation.input_shape)
    return " ".join(report.generate_report().split()) if report.has_errors() else ""


def _refused(response: BaseResponse, words: str) -> TYPE_RESPONSE:
    return _error(response, CODES[response.boto3_service_name][0], words)


def _error(response: BaseResponse, code: str, words: str) -> TYPE_RESPONSE:
    try:
        return response.serialized(ActionResult(Refused(code, words)))
    except AttributeError:  # not even moto's set-up could read the request, a body of bytes
        body = json.dumps({"__type": code, "message": words})
        return 400, {"status": 400, "x-amzn-errortype": code}, body
