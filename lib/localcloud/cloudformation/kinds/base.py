"""A resource type as one call that makes it, one that reads it and one that deletes it.

CloudFormation's property names differ from the API's mostly in case, so that the service's own
model (botocore's) says which parameter a property is, and of which type.

Expressions are JMESPath over {"Id": physical id, "Properties", "Made": what the creating call
answered, "Read": what the reading call answered}.
"""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jmespath
from botocore.exceptions import ClientError

from localcloud.cloudformation.errors import ResourceFailed
from localcloud.cloudformation.kinds.parameters import parameters, structure

POLL_SECONDS = 0.2
LETTERS = string.ascii_uppercase + string.digits
GONE = ("NotFound", "NoSuch", "DoesNotExist", "NotExist", "InvalidGatewayID", "NotAttached")
GONE += ("Gateway.NotAttached", "UnknownResource", "ClientException.NotHere")
Call = tuple[str, dict[str, str]]  # an operation, and an expression for each parameter


@dataclass(frozen=True)
class Context:
    """For whom a resource is made. ``client(service)`` is a boto3 client with the caller's rights,
    ``born(physical id)`` is told as soon as there is something to delete, ``wanted`` are the
    attributes that the template asks the resource for."""

    client: Callable[[str], Any]
    stack: str
    stack_id: str
    logical_id: str
    tags: dict[str, str]
    born: Callable[[str], None]
    capabilities: tuple[str, ...] = ()
    wanted: frozenset[str] = frozenset()

    def name(self, limit: int = 64) -> str:
        """A name as CloudFormation makes them up: stack, logical id and twelve letters."""
        ending = "-" + "".join(secrets.choice(LETTERS) for _ in range(12))
        return f"{self.stack}-{self.logical_id}"[: limit - len(ending)].strip("-") + ending


@dataclass(frozen=True)
class Made:
    """What Ref and Fn::GetAtt give for a resource."""

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Settled:
    """When a resource is ready: ``status`` is an expression over what ``read`` answered."""

    status: str
    good: tuple[str, ...]
    bad: tuple[str, ...] = ()
    why: str = "''"


@dataclass(frozen=True)
class Kind:
    """One resource type.

    ``ref``: what Ref gives. ``name``: the property that gets a made-up name when it is left out.
    ``rename``: parameters with a name of their own. ``fixed``: parameters without a property.
    ``tag_specification``: EC2's name of the type, where tags are given so. ``aside``: properties
    that ``create`` does not take. ``then``: for a property, a second call that makes it so, and its
    parameters. ``update``: what changes it in place, and the properties
    that can be changed so; others mean a new resource in place of the old.
    """

    type: str
    service: str
    create: str
    ref: str
    delete: Call | None
    attributes: dict[str, str] = field(default_factory=dict)
    read: Call | None = None
    ready: Settled | None = None
    waits_gone: bool = False
    name: str | None = None
    name_limit: int = 64
    lower_name: bool = False
    rename: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)
    aside: frozenset[str] = frozenset()
    then: tuple[tuple[str, str, dict[str, str]], ...] = ()
    tag_specification: str | None = None
    tagged: bool = True
    update: Call | None = None
    changeable: frozenset[str] = frozenset()

    def has_attribute(self, name: str) -> bool:
        return name in self.attributes

    def make(self, context: Context, properties: dict[str, Any]) -> Made:
        """Make the resource and wait until it is ready. Raises ClientError, ResourceFailed."""
        properties = self.complete(context, properties)
        answer = self.call(context, self.create, self.wire(context, properties))
        about = {"Properties": properties, "Made": answer}
        about["Id"] = physical_id = str(jmespath.search(self.ref, about))
        context.born(physical_id)
        self.finish(context, about)
        return Made(physical_id, self.describe(context, about))

    def finish(self, context: Context, about: dict[str, Any]) -> None:
        """What has to be done after the creating call."""
        for name, operation, given in self.then:
            if name in about["Properties"]:
                wire = {key: jmespath.search(one, about) for key, one in given.items()}
                model = operation_of(context.client(self.service), operation)
                self.call(context, operation, structure(model.input_shape, wire, ""))

    def complete(self, context: Context, properties: dict[str, Any]) -> dict[str, Any]:
        """The properties with a name and the stack's tags."""
        if self.name and self.name not in properties:
            made_up = context.name(self.name_limit)
            properties = {**properties, self.name: made_up.lower() if self.lower_name else made_up}
        return properties

    def wire(self, context: Context, properties: dict[str, Any]) -> dict[str, Any]:
        """The creating call's parameters."""
        aside = self.aside | {name for name, _, _ in self.then}
        kept = {name: one for name, one in properties.items() if name not in aside}
        operation = operation_of(context.client(self.service), self.create)
        return self.fixed | parameters(
            operation,
            kept,
            self.rename,
            context.tags if self.tagged else {},
            self.tag_specification,
        )

    def describe(self, context: Context, about: dict[str, Any]) -> dict[str, Any]:
        """The attributes, once the resource is ready."""
        if self.read:
            about = {**about, "Read": self._read_until_ready(context, about)}
        found = {name: jmespath.search(one, about) for name, one in self.attributes.items()}
        return {name: value for name, value in found.items() if value is not None}

    def unmake(self, context: Context, made: Made, properties: dict[str, Any]) -> None:
        """Delete it; one that is gone already is fine. Raises ClientError, ResourceFailed."""
        if self.delete is None:
            return
        about = {"Id": made.physical_id, "Attributes": made.attributes, "Properties": properties}
        try:
            self._call_with(context, self.delete, about)
            while self.waits_gone:
                self._call_with(context, self.read, about)
                time.sleep(POLL_SECONDS)
        except ClientError as error:
            if not is_gone(error):
                raise

    def change(
        self, context: Context, made: Made, old: dict[str, Any], new: dict[str, Any]
    ) -> Made | None:
        """Change it in place; None if it takes a new one."""
        names = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        if self.update is None or not names <= self.changeable:
            return None
        about = {"Id": made.physical_id, "Attributes": made.attributes, "Properties": new}
        operation, given = self.update
        changed = {name: new[name] for name in names if name in new}
        model = operation_of(context.client(self.service), operation)
        wire = parameters(model, changed, self.rename, {}, None)
        wire |= {name: jmespath.search(one, about) for name, one in given.items()}
        about["Made"] = self.call(context, operation, wire)
        return Made(made.physical_id, made.attributes | self.describe(context, about))

    def _read_until_ready(self, context: Context, about: dict[str, Any]) -> Any:
        while True:
            found = self._call_with(context, self.read, about)
            if self.ready is None:
                return found
            status = jmespath.search(self.ready.status, found)
            if status in self.ready.good:
                return found
            if status in self.ready.bad:
                why = jmespath.search(self.ready.why, found) or status
                raise ResourceFailed(f"{self.type} did not stabilize: {why}")
            time.sleep(POLL_SECONDS)

    def _call_with(self, context: Context, call: Call, about: dict[str, Any]) -> Any:
        operation, given = call
        wire = {name: jmespath.search(one, about) for name, one in given.items()}
        return self.call(context, operation, {k: v for k, v in wire.items() if v is not None})

    def call(self, context: Context, operation: str, wire: dict[str, Any]) -> dict[str, Any]:
        answer = getattr(context.client(self.service), operation)(**wire)
        answer.pop("ResponseMetadata", None)
        return answer


def is_gone(error: ClientError) -> bool:
    code = error.response["Error"]["Code"]
    return any(word in code for word in GONE)


def operation_of(client: Any, name: str) -> Any:
    return client.meta.service_model.operation_model(client.meta.method_to_api_mapping[name])
