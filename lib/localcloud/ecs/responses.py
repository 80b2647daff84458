"""The wire: from a request that moto routed to an operation, and back as JSON."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.validate import ParamValidator
from moto.core.responses import TYPE_RESPONSE, BaseResponse
from moto.core.utils import camelcase_to_underscores

from localcloud import arns
from localcloud.ecs import (
    attributes,
    capacity,
    clusters,
    definitions,
    errors,
    instances,
    protection,
    revisions,
    services,
    settings,
    start_task,
    tags,
    tasks,
)

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

Operation = Callable[[Any, dict[str, Any]], dict[str, Any]]

OF_STATE: dict[str, Operation] = {
    "CreateCluster": clusters.create_cluster,
    "DescribeClusters": clusters.describe_clusters,
    "ListClusters": clusters.list_clusters,
    "DeleteCluster": clusters.delete_cluster,
    "RegisterTaskDefinition": definitions.register_task_definition,
    "DescribeTaskDefinition": definitions.describe_task_definition,
    "DeregisterTaskDefinition": definitions.deregister_task_definition,
    "DeleteTaskDefinitions": definitions.delete_task_definitions,
    "ListTaskDefinitions": definitions.list_task_definitions,
    "ListTaskDefinitionFamilies": definitions.list_task_definition_families,
    "CreateCapacityProvider": capacity.create_capacity_provider,
    "UpdateCapacityProvider": capacity.update_capacity_provider,
    "DescribeCapacityProviders": capacity.describe_capacity_providers,
    "DeleteCapacityProvider": capacity.delete_capacity_provider,
    "UpdateCluster": clusters.update_cluster,
    "UpdateClusterSettings": clusters.update_cluster_settings,
    "PutAttributes": attributes.put_attributes,
    "DeleteAttributes": attributes.delete_attributes,
    "ListAttributes": attributes.list_attributes,
    "PutAccountSetting": settings.put_account_setting,
    "PutAccountSettingDefault": settings.put_account_setting_default,
    "DeleteAccountSetting": settings.delete_account_setting,
    "ListAccountSettings": settings.list_account_settings,
    "ListServiceDeployments": revisions.list_service_deployments,
    "DescribeServiceDeployments": revisions.describe_service_deployments,
    "DescribeServiceRevisions": revisions.describe_service_revisions,
    "PutClusterCapacityProviders": clusters.put_cluster_capacity_providers,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListTagsForResource": tags.list_tags_for_resource,
}
OF_SERVICE: dict[str, Operation] = {
    "RunTask": tasks.run_task,
    "StartTask": start_task.start_task,
    "StopTask": tasks.stop_task,
    "ExecuteCommand": start_task.execute_command,
    "GetTaskProtection": protection.get_task_protection,
    "UpdateTaskProtection": protection.update_task_protection,
    "DescribeTasks": tasks.describe_tasks,
    "ListTasks": tasks.list_tasks,
    "RegisterContainerInstance": instances.register_container_instance,
    "DeregisterContainerInstance": instances.deregister_container_instance,
    "DescribeContainerInstances": instances.describe_container_instances,
    "ListContainerInstances": instances.list_container_instances,
    "UpdateContainerInstancesState": instances.update_container_instances_state,
    "CreateService": services.create_service,
    "UpdateService": services.update_service,
    "DescribeServices": services.describe_services,
    "ListServices": services.list_services,
    "DeleteService": services.delete_service,
    "ListServicesByNamespace": services.list_services_by_namespace,
    "StopServiceDeployment": services.stop_service_deployment,
}


@functools.cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("ecs")


class EcsResponse(BaseResponse):
    """moto keeps routing and authorisation; parameters and answers are plain JSON here."""

    ecs: Ecs

    def __init__(self) -> None:
        super().__init__(service_name="ecs")

    def call_action(self) -> TYPE_RESPONSE:
        """Answer operations that moto's own class could not name, then do as moto does."""
        action = self._get_action()
        if action not in _model().operation_names:
            body = {"__type": "UnknownOperationException", "message": f"Unknown operation {action}"}
            return 400, {"x-amzn-errortype": "UnknownOperationException"}, json.dumps(body)
        return super().call_action()

    @staticmethod
    def _enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
        """moto searches the body for XML, which took as long as the answer to DescribeTasks."""
        headers, _ = BaseResponse._enrich_response(headers, "")
        return headers, body

    def answer(self, action: str) -> TYPE_RESPONSE:
        if self.region != arns.REGION:
            raise errors.unsupported(f"region {self.region}: use {arns.REGION}")
        if action not in OF_STATE and action not in OF_SERVICE:
            raise errors.unsupported(f"the operation {action}")
        request = self._request(action)
        state = self.ecs.state
        with state.lock:
            if action in OF_STATE:
                result = OF_STATE[action](state, request)
            else:
                result = OF_SERVICE[action](self.ecs, request)
            body = json.dumps(result)
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, body

    def _request(self, action: str) -> dict[str, Any]:
        """The request's parameters, checked against the shape that AWS publishes."""
        try:
            request = json.loads(self.body or "{}")
        except ValueError:
            raise errors.invalid_parameter("The request is not valid JSON.") from None
        report = ParamValidator().validate(request, _model().operation_model(action).input_shape)
        if report.has_errors():
            raise errors.invalid_parameter(report.generate_report())
        return request


def bound_to(ecs: Ecs) -> type[EcsResponse]:
    """A response class for this ECS, with a method for every operation that AWS has."""
    methods: dict[str, Any] = {"ecs": ecs}
    for operation in _model().operation_names:
        methods[camelcase_to_underscores(operation)] = _method(operation)
    return type("BoundEcsResponse", (EcsResponse,), methods)


def _method(operation: str) -> Callable[[EcsResponse], TYPE_RESPONSE]:
    return lambda response: response.answer(operation)
