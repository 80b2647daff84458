"""Lambda functions and who may call them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from localcloud.cloudformation.kinds.base import Context, Kind, Settled

INLINE = "index.py"


class Function(Kind):
    """A function. Code that stands in the template becomes a file of its zip."""

    def complete(self, context: Context, properties: dict[str, Any]) -> dict[str, Any]:
        properties = super().complete(context, properties)
        code = dict(properties.get("Code", {}))
        if isinstance(code.get("ZipFile"), str):
            content = io.BytesIO()
            with zipfile.ZipFile(content, "w") as archive:
                archive.writestr(INLINE, code["ZipFile"])
            code["ZipFile"] = content.getvalue()
        return properties | {"Code": code}


class Permission(Kind):
    """A statement of a function's policy, under a name that CloudFormation makes up."""

    def complete(self, context: Context, properties: dict[str, Any]) -> dict[str, Any]:
        return {**properties, "StatementId": context.name(100)}


KINDS = [
    Function(
        "AWS::Lambda::Function",
        "lambda",
        "create_function",
        ref="Made.FunctionName",
        name="FunctionName",
        attributes={"Arn": "Made.FunctionArn"},
        read=("get_function_configuration", {"FunctionName": "Id"}),
        ready=Settled("State || 'Active'", ("Active",), ("Failed",), "StateReason"),
        delete=("delete_function", {"FunctionName": "Id"}),
    ),
    Permission(
        "AWS::Lambda::Permission",
        "lambda",
        "add_permission",
        ref="Properties.StatementId",
        tagged=False,
        attributes={"Id": "Id"},
        delete=(
            "remove_permission",
            {"FunctionName": "Properties.FunctionName", "StatementId": "Id"},
        ),
    ),
]
