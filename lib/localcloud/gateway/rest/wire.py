"""moto's apigateway operations, with what it lacks: addresses, deployments, usage, checks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import moto.apigateway.exceptions as exceptions
import moto.apigateway.models as models
import moto.apigateway.urls as urls
from moto.apigateway.responses import APIGatewayResponse as Responses

from localcloud.gateway.doors import new_endpoint
from localcloud.gateway.rest import mock, plan_checks, plans, private, resources, usage
from localcloud.gateway.rest.invoke import LONGEST_MILLIS
from localcloud.gateway.throttle import ACCOUNT_BURST, ACCOUNT_RATE

if TYPE_CHECKING:
    from localcloud.gateway import Gateway

Backend = models.APIGatewayBackend
BadRequest = exceptions.BadRequestException
ENDPOINT_TAG = "localcloud:endpoint"
LEAST_MILLIS = 50
STAGE_NAME = re.compile(r"\w{1,128}", re.ASCII)
CHANGED = ("create_rest_api", "delete_rest_api", "update_rest_api", "put_method")
CHANGED += (
    "put_integration",
    "put_integration_response",
    "create_deployment",
    "create_stage",
    "create_usage_plan",
)
CHANGED += ("delete_stage", "update_usage_plan", "delete_usage_plan", "create_usage_plan_key")


def install(gateway: Gateway) -> None:
    """Put the mended operations in place of moto's."""
    original = _originals()

    def create_rest_api(self: Backend, *args: Any, **options: Any) -> Any:
        if options.get("api_key_source") == "AUTHORIZER":
            raise BadRequest("The local cloud takes API keys from the header: use HEADER")
        api = original["create_rest_api"](self, *args, **options)
        api.api_endpoint = new_endpoint()
        gateway.sync()
        return api

    def delete_rest_api(self: Backend, function_id: str) -> Any:
        self.get_rest_api(function_id)
        gone = original["delete_rest_api"](self, function_id)
        _leave_plans(self, function_id)
        gateway.sync()
        return gone

    def update_rest_api(self: Backend, *args: Any, **options: Any) -> Any:
        try:
            return original["update_rest_api"](self, *args, **options)
        finally:
            gateway.sync()

    def put_method(
        self: Backend,
        function_id: str,
        resource_id: str,
        method_type: str,
        authorization_type: str,
        *args: Any,
        **options: Any,
    ) -> Any:
        if authorization_type not in ("NONE", "AWS_IAM"):
            raise BadRequest(
                f"The local cloud's REST APIs have no {authorization_type} authorisation: "
                "use NONE, AWS_IAM or an API key"
            )
        where = (function_id, resource_id, method_type, authorization_type)
        return original["put_method"](self, *where, *args, **options)

    def put_integration(self: Backend, *args: Any, **options: Any) -> Any:
        kind = args[3] if len(args) > 3 else options.get("integration_type")
        if kind not in ("HTTP_PROXY", "AWS_PROXY", "MOCK"):
            raise BadRequest(
                f"The local cloud's REST APIs have no {kind} integrations: use HTTP_PROXY, "
                "AWS_PROXY or MOCK"
            )
        if kind == "MOCK":
            _check_templates(options.get("request_templates"))
        through = options.get("connection_type") == private.VPC_LINK
        if through and (trouble := private.trouble(self)):
            raise BadRequest(trouble)
        if kind == "AWS_PROXY" and options.get("credentials"):
            raise BadRequest("Leave credentials out, and call lambda's AddPermission instead")
        millis = options.get("timeout_in_millis")
        if millis is not None and not LEAST_MILLIS <= int(millis) <= LONGEST_MILLIS:
            raise BadRequest(f"Timeout should be between {LEAST_MILLIS} ms and {LONGEST_MILLIS} ms")
        made = original["put_integration"](self, *args, **options)
        made.connection_id, made.integration_target = private.asked.get()
        return made

    def put_integration_response(
        self: Backend,
        function_id: str,
        resource_id: str,
        method_type: str,
        status_code: str,
        selection_pattern: str,
        response_templates: dict[str, str],
        *args: Any,
        **options: Any,
    ) -> Any:
        _check_templates(response_templates)
        where = (function_id, resource_id, method_type, status_code, selection_pattern)
        put = original["put_integration_response"]
        return put(self, *where, response_templates, *args, **options)

    def create_deployment(self: Backend, function_id: str, name: str, *args: Any, **more: Any):
        if name:
            _check_stage_name(name)
        api = self.get_rest_api(function_id)
        stage = api.stages.get(name)
        deployment = original["create_deployment"](self, function_id, name, *args, **more)
        deployment.served = resources.snapshot(api)
        if stage:  # it keeps its settings
            stage.deployment_id = deployment.id
            api.stages[name] = stage
        return deployment

    def create_stage(self: Backend, function_id: str, stage_name: str, deploymentId: str, **more):
        _check_stage_name(stage_name)
        if deploymentId not in self.get_rest_api(function_id).deployments:
            raise exceptions.DeploymentNotFoundException()
        return original["create_stage"](self, function_id, stage_name, deploymentId, **more)

    def delete_stage(self: Backend, function_id: str, stage_name: str) -> None:
        original["delete_stage"](self, function_id, stage_name)
        _leave_plans(self, function_id, stage_name)

    def create_usage_plan(self: Backend, payload: dict[str, Any]) -> Any:
        plan_checks.check(self, payload)
        plan = original["create_usage_plan"](self, payload)
        plan.created = plans.today()
        return plan

    def update_usage_plan(self: Backend, usage_plan_id: str, patch_operations: list[dict]) -> Any:
        """With rates that are no whole numbers, and checks, which moto lacks."""
        plan = self.get_usage_plan(usage_plan_id)
        left = []
        for change in patch_operations:
            field = plan_checks.number_of(change)
            if field is None:
                left.append(change)
            else:
                getattr(plan, field[0])[field[1]] = field[2]
        return original["update_usage_plan"](self, usage_plan_id, left)

    def delete_usage_plan(self: Backend, usage_plan_id: str) -> None:
        if self.get_usage_plan(usage_plan_id).api_stages:
            raise BadRequest(
                f"Cannot delete usage plan {usage_plan_id}: it still has API stages. Remove them "
                "with update_usage_plan (op remove, path /apiStages)"
            )
        original["delete_usage_plan"](self, usage_plan_id)
        self.usage_plan_keys.pop(usage_plan_id, None)

    def create_usage_plan_key(self: Backend, usage_plan_id: str, payload: dict) -> Any:
        plan = self.get_usage_plan(usage_plan_id)
        stages = [(one["apiId"], one["stage"]) for one in plan.api_stages]
        for other in self.get_usage_plans(payload.get("keyId")):
            if other is plan or any((o["apiId"], o["stage"]) in stages for o in other.api_stages):
                raise exceptions.ConflictException(
                    f"API key {payload['keyId']} is already in usage plan {other.id} for the "
                    "same stage"
                )
        return original["create_usage_plan_key"](self, usage_plan_id, payload)

    for name, method in list(locals().items()):
        if name in CHANGED:
            setattr(Backend, name, method)
    _mend_records(original)
    Responses.get_usage, Responses.update_usage = usage.get_usage, usage.update_usage
    urls.url_paths["{0}/usageplans/(?P<plan>[^/]+)/usage$"] = Responses.dispatch
    urls.url_paths["{0}/usageplans/(?P<plan>[^/]+)/keys/(?P<key>[^/]+)/usage$"] = Responses.dispatch


def _mend_records(original: dict[str, Callable]) -> None:
    def shown(self: models.RestAPI) -> dict[str, Any]:
        found = original["to_dict"](self)
        return {**found, "tags": {**(self.tags or {}), ENDPOINT_TAG: self.api_endpoint}}

    def create_rest_api(self: Responses) -> Any:
        """With the binary media types, which moto leaves out."""
        status, headers, body = original["answer_create"](self)
        made = json.loads(body)
        types = self._get_param("binaryMediaTypes") if status == 200 else None
        if types:
            self.backend.get_rest_api(made["id"]).binaryMediaTypes = types
            made["binaryMediaTypes"] = types
        return status, headers, json.dumps(made)

    def delete(self: models.RestAPI, account: str, region: str) -> None:
        """A stack of CloudFormation is deleted, with its API."""
        backend = models.apigateway_backends[account][region]
        if self.id in backend.apis:
            backend.delete_rest_api(self.id)

    def put_integration(self: Responses) -> Any:
        """With what moto leaves out of a private integration."""
        given = self._get_param("connectionId"), self._get_param("integrationTarget")
        token = private.asked.set(given)
        try:
            return original["answer_put_integration"](self)
        finally:
            private.asked.reset(token)

    def integration_shown(self: models.Integration) -> dict[str, Any]:
        names = {"connectionId": "connection_id", "integrationTarget": "integration_target"}
        own = {name: getattr(self, attribute, None) for name, attribute in names.items()}
        return original["integration"](self) | {name: v for name, v in own.items() if v}

    models.RestAPI.to_dict, models.RestAPI.delete = shown, delete
    models.Integration.to_json, Responses.put_integration = integration_shown, put_integration
    models.RestAPI.api_id = property(lambda self: self.id)
    models.RestAPI.update_integration_mocks = lambda self, stage_name: None
    models.Stage.stage_variables = property(lambda self: self.variables or {})
    models.Stage._get_default_method_settings = _method_settings
    Responses.create_rest_api = create_rest_api


def _method_settings(self: models.Stage) -> dict[str, Any]:
    settings = _originals()["method_settings"](self)
    return {
        **settings,
        "throttlingRateLimit": ACCOUNT_RATE,
        "throttlingBurstLimit": int(ACCOUNT_BURST),
    }


def _leave_plans(backend: Backend, api: str, stage: str | None = None) -> None:
    """A stage, or all of an API that is gone, is in no usage plan."""
    for plan in backend.usage_plans.values():
        plan.api_stages = [
            one
            for one in plan.api_stages
            if one["apiId"] != api or stage not in (None, one["stage"])
        ]


def _check_templates(templates: dict[str, str] | None) -> None:
    if trouble := mock.check_templates(templates):
        raise BadRequest(trouble)


def _check_stage_name(name: str) -> None:
    if not STAGE_NAME.fullmatch(name):
        raise BadRequest("Stage name only allows a-zA-Z0-9_")


def _originals() -> dict[str, Callable]:
    """moto's own methods, also when ours are in their place already."""
    if "_moto" not in Backend.__dict__:
        Backend._moto = {name: getattr(Backend, name) for name in CHANGED}
        Backend._moto |= {
            "to_dict": models.RestAPI.to_dict,
            "method_settings": models.Stage._get_default_method_settings,
            "answer_create": Responses.create_rest_api,
            "answer_put_integration": Responses.put_integration,
            "integration": models.Integration.to_json,
        }
    return Backend._moto
