"""Types of services that only keep records here: moto's own makers of them."""

from __future__ import annotations

from typing import Any

from moto.cloudformation.parsing import get_model_map

from localcloud import arns
from localcloud.cloudformation.errors import ResourceFailed
from localcloud.cloudformation.kinds.base import Context, Kind, Made

SERVICES = ("CloudWatch", "DynamoDB", "Events", "KMS", "Kinesis", "SNS", "SQS", "SSM")
SERVICES += ("StepFunctions",)


class Recorded(Kind):
    """A type that moto makes and deletes. It knows which attributes there are only by trying."""

    def has_attribute(self, name: str) -> bool:
        return get_model_map()[self.type].has_cfn_attr(name)

    def make(self, context: Context, properties: dict[str, Any]) -> Made:
        model = get_model_map()[self.type]
        name = properties.get(model.cloudformation_name_type() or "", context.name())
        place = (arns.ACCOUNT, arns.REGION)
        ids = {
            "LogicalId": context.logical_id,
            "StackId": context.stack_id,
            "ResourceType": self.type,
        }
        body = {"Type": self.type, "Properties": properties}
        try:
            made = model.create_from_cloudformation_json(name, body, *place, **ids)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ResourceFailed(f"Properties are missing or wrong: {error}") from None
        context.born(made.physical_resource_id)
        attributes = {name: made.get_cfn_attribute(name) for name in context.wanted}
        return Made(made.physical_resource_id, attributes)

    def unmake(self, context: Context, made: Made, properties: dict[str, Any]) -> None:
        body = {"Type": self.type, "Properties": properties}
        model = get_model_map()[self.type]
        model.delete_from_cloudformation_json(made.physical_id, body, arns.ACCOUNT, arns.REGION)

    def change(self, *_: Any) -> None:
        return None


def recorded(name: str) -> Kind | None:
    """What makes a type of a service that only keeps records here, or None."""
    parts = name.split("::")
    if len(parts) != 3 or parts[1] not in SERVICES:
        return None
    model = get_model_map().get(name)
    if model is None or hasattr(model.delete_from_cloudformation_json, "__isabstractmethod__"):
        return None
    return Recorded(name, parts[1].lower(), "", "", None)
