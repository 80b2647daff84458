"""What moto forgets when something of a REST API is removed."""

from __future__ import annotations

from typing import Any

import moto.apigateway.exceptions as exceptions
import moto.apigateway.models as models

Backend = models.APIGatewayBackend


def install() -> None:
    """Put the mended operations in place of moto's. Calling it again changes nothing."""
    Backend.delete_resource = _delete_resource
    Backend.delete_method_response = _delete_method_response
    if not hasattr(Backend, "_removes_integration_response"):
        Backend._removes_integration_response = Backend.delete_integration_response
    Backend.delete_integration_response = _delete_integration_response


def _delete_resource(self: Backend, function_id: str, resource_id: str) -> Any:
    """With the resources below it: one without its parent would break every listing."""
    api, removed = self.get_rest_api(function_id), self.get_resource(function_id, resource_id)
    if removed.parent_id is None:
        raise exceptions.BadRequestException("The root resource can't be deleted")
    going = {resource_id}
    while more := {one.id for one in api.resources.values() if one.parent_id in going} - going:
        going |= more
    for one in going:
        del api.resources[one]
    return removed


def _delete_method_response(
    self: Backend, function_id: str, resource_id: str, method_type: str, response_code: str
) -> Any:
    method = self.get_method(function_id, resource_id, method_type)
    if response_code not in method.method_responses:
        raise exceptions.NoIntegrationResponseDefined  # whose words are these of AWS as well
    return method.delete_response(response_code)


def _delete_integration_response(
    self: Backend, function_id: str, resource_id: str, method_type: str, status_code: str
) -> Any:
    removed = self._removes_integration_response(function_id, resource_id, method_type, status_code)
    if removed is None:
        raise exceptions.NoIntegrationResponseDefined
    return removed
