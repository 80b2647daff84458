"""Custom attributes of container instances, that placement constraints ask for."""

from __future__ import annotations

import re
from typing import Any

from localcloud import arns
from localcloud.ecs import errors
from localcloud.ecs.models import Item, State
from localcloud.ecs.pages import page_of

NAME = re.compile(r"[A-Za-z0-9_./\\-]{1,128}")
VALUE = re.compile(r"|[\w\s.:/@\\-]{1,128}")
KIND = "container-instance"


def put_attributes(state: State, request: dict[str, Any]) -> dict[str, Any]:
    cluster = state.cluster(request.get("cluster"))
    wanted = [(_target(state, cluster, one), one) for one in _some(request)]
    for item, attribute in wanted:
        name, value = attribute["name"], attribute.get("value", "")
        if not NAME.fullmatch(name) or not VALUE.fullmatch(value):
            raise errors.invalid_parameter(f"Invalid attribute: {name}={value}")
        _drop(item, name)
        item.wire["attributes"].append({"name": name, **({"value": value} if value else {})})
        state.save(item)
    return {"attributes": [_shown(item, attribute) for item, attribute in wanted]}


def delete_attributes(state: State, request: dict[str, Any]) -> dict[str, Any]:
    cluster = state.cluster(request.get("cluster"))
    wanted = [(_target(state, cluster, one), one) for one in _some(request)]
    for item, attribute in wanted:
        if attribute["name"].startswith("ecs."):
            raise errors.invalid_parameter(
                f"The attribute {attribute['name']} belongs to ECS and cannot be deleted."
            )
        _drop(item, attribute["name"])
        state.save(item)
    return {"attributes": [_shown(item, attribute) for item, attribute in wanted]}


def list_attributes(state: State, request: dict[str, Any]) -> dict[str, Any]:
    cluster = state.cluster(request.get("cluster"))
    if request["targetType"] != KIND:
        raise errors.invalid_parameter(f"targetType should be {KIND}")
    name, value = request.get("attributeName"), request.get("attributeValue")
    found = [
        _shown(item, attribute)
        for item in state.all("instance")
        if item.cluster == cluster.key and item.wire["status"] != "INACTIVE"
        for attribute in item.wire["attributes"]
        if name in (None, attribute["name"]) and value in (None, attribute.get("value"))
    ]
    return page_of(request, found, "attributes")


def _some(request: dict[str, Any]) -> list[dict[str, str]]:
    if not 1 <= len(request["attributes"]) <= 10:
        raise errors.invalid_parameter("Between 1 and 10 attributes must be specified.")
    return request["attributes"]


def _target(state: State, cluster: Item, attribute: dict[str, str]) -> Item:
    key = arns.last_part(attribute.get("targetId", ""))
    item = state.get("instance", key)
    if item is None or item.cluster != cluster.key or item.wire["status"] == "INACTIVE":
        raise errors.EcsError(
            "TargetNotFoundException", "The specified target wasn't found in this cluster."
        )
    return item


def _drop(item: Item, name: str) -> None:
    item.wire["attributes"] = [a for a in item.wire["attributes"] if a["name"] != name]


def _shown(item: Item, attribute: dict[str, str]) -> dict[str, str]:
    kept = {name: attribute[name] for name in ("name", "value") if attribute.get(name)}
    return {**kept, "targetId": item.wire["containerInstanceArn"], "targetType": KIND}
