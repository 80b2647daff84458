"""Stacks as they are kept: plain values that go into a JSON file and come back from it."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localcloud import arns
from localcloud.home import write_json

STACK = "AWS::CloudFormation::Stack"


@dataclass
class Resource:
    """One resource of a stack. ``properties`` are without functions, but for secrets."""

    logical_id: str
    type: str
    status: str
    physical_id: str = ""
    reason: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    keep: bool = False
    changed: float = 0.0


@dataclass
class Event:
    id: str
    at: float
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str | None


@dataclass
class Stack:
    """A stack. ``given`` are the parameters as its caller gave them, ``resources`` are in the
    order in which they were made."""

    id: str
    name: str
    body: str
    given: dict[str, str]
    tags: dict[str, str]
    capabilities: list[str]
    role: str | None = None
    on_failure: str = "ROLLBACK"
    protected: bool = False
    parent: str | None = None
    status: str = "CREATE_IN_PROGRESS"
    reason: str | None = None
    created: float = 0.0
    updated: float | None = None
    deleted: float | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    outputs: list[dict[str, str]] = field(default_factory=list)
    no_echo: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)

    @property
    def in_progress(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def say(self, status: str, reason: str | None = None, resource: Resource | None = None) -> None:
        """Give the stack, or one of its resources, a new status, and an event that tells it."""
        about = resource or self
        about.status, about.reason = status, reason
        at = datetime.now(UTC).timestamp()
        if resource:
            resource.changed = at
            who = (resource.logical_id, resource.physical_id, resource.type)
        else:
            who = (self.name, self.id, STACK)
        self.events.append(Event(str(uuid.uuid4()), at, *who, status, reason))


def new_id(name: str) -> str:
    return f"arn:aws:cloudformation:{arns.REGION}:{arns.ACCOUNT}:stack/{name}/{uuid.uuid4()}"


class Stacks:
    """All stacks, deleted ones too, in one private file."""

    def __init__(self, path: Path):
        self._path = path
        self.lock = threading.RLock()  # held while a stack changes
        self._stacks: dict[str, Stack] = {}

    def load(self, kept: list[dict[str, Any]]) -> None:
        for one in kept:
            one["resources"] = {k: Resource(**found) for k, found in one["resources"].items()}
            one["events"] = [Event(**event) for event in one["events"]]
            self._stacks[one["id"]] = Stack(**one)

    def add(self, stack: Stack) -> None:
        with self.lock:
            self._stacks[stack.id] = stack
            self.save()

    def remove(self, stack: Stack) -> None:
        with self.lock:
            self._stacks.pop(stack.id, None)
            self.save()

    def save(self) -> None:
        with self.lock:
            write_json(self._path, [dataclasses.asdict(stack) for stack in self.all()])

    def all(self) -> list[Stack]:
        return list(self._stacks.values())

    def live(self) -> list[Stack]:
        return [stack for stack in self.all() if stack.status != "DELETE_COMPLETE"]

    def find(self, name_or_id: str) -> Stack | None:
        """By its id, or a stack that is not deleted by its name."""
        if name_or_id in self._stacks:
            return self._stacks[name_or_id]
        return next((stack for stack in self.live() if stack.name == name_or_id), None)
