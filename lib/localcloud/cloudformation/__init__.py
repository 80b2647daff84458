"""CloudFormation: a stack's resources are made by calling the services of this very server, with
the rights of whoever asked, in the order of their references.

Not moto's, which makes records past the services that really run, and leaves out what it lacks.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import moto.cloudformation.urls as urls

from localcloud.cloudformation.engine import Client, Engine
from localcloud.cloudformation.errors import ValidationError
from localcloud.cloudformation.plan import Plan
from localcloud.cloudformation.responses import Responses
from localcloud.cloudformation.stacks import Stack, Stacks
from localcloud.home import Home
from localcloud.role_clients import Clients

INTERRUPTED = "The local cloud was stopped amid this: delete the stack"


class CloudFormation:
    """``register`` before the first call; ``stop`` before the services that stacks are made of."""

    def __init__(self, home: Home, clients: Clients):
        path = home.state / "stacks.json"
        self.clients = clients
        self.stacks = Stacks(path)
        if path.exists():
            self.stacks.load(json.loads(path.read_text()))
        self.engine = Engine(self.stacks)

    def register(self) -> None:
        Responses.formation = self
        urls.url_paths = dict.fromkeys(urls.url_paths, Responses.dispatch)
        for stack in self.stacks.all():
            if stack.in_progress:
                action = stack.status.removesuffix("_IN_PROGRESS").removesuffix("_CLEANUP")
                failed = "UPDATE_ROLLBACK_FAILED" if "UPDATE" in action else f"{action}_FAILED"
                self.engine.say(stack, failed, INTERRUPTED)

    def stop(self) -> None:
        self.engine.stop()

    def update(self, stack: Stack, asked: Stack, client: Client) -> None:
        """Make ``stack`` what ``asked`` is. Raises ValidationError."""
        draft = copy.copy(asked)
        plan = Plan(draft, self.exported, client)
        plan.stack = stack
        with self.stacks.lock:
            for name in ("body", "given", "tags", "capabilities", "role"):
                setattr(stack, name, getattr(asked, name))
            stack.no_echo = plan.no_echo()
            stack.values = {
                name: ",".join(value) if isinstance(value, list) else str(value)
                for name, value in plan.parameters.items()
            }
            stack.say("UPDATE_IN_PROGRESS", "User Initiated")
            stack.updated = stack.events[-1].at
            self.stacks.save()
        self.engine.update(stack, plan, client)

    def exports(self) -> list[dict[str, str]]:
        return [
            {
                "ExportingStackId": stack.id,
                "Name": output["ExportName"],
                "Value": output["OutputValue"],
            }
            for stack in self.stacks.live()
            for output in stack.outputs
            if "ExportName" in output
        ]

    def exported(self, name: str) -> str:
        """The value that a stack exports. Raises ValidationError."""
        found = [one["Value"] for one in self.exports() if one["Name"] == name]
        if not found:
            raise ValidationError(f"No export named {name} found.")
        return found[0]

    def importers(self, name: str) -> list[str]:
        """The names of the stacks whose templates import an export."""
        return [stack.name for stack in self.stacks.live() if name in _imports(stack)]

    def imported_from(self, stack: Stack) -> tuple[str, str] | None:
        """(an export of the stack, the stack that uses it), or None."""
        for output in stack.outputs:
            for user in self.importers(output.get("ExportName", "")):
                return output["ExportName"], user
        return None

    def owner(self, physical_id: str) -> Stack:
        """The stack that a resource belongs to. Raises ValidationError."""
        for stack in self.stacks.live():
            if any(one.physical_id == physical_id for one in stack.resources.values()):
                return stack
        raise ValidationError(f"Stack for {physical_id} does not exist")


def _imports(stack: Stack) -> set[str]:
    """The exports that a stack's template imports."""
    used: set[str] = set()

    def note(name: Any) -> str:
        used.add(str(name))
        return ""

    plan = Plan(stack, note)
    for name in plan.order:
        if name in stack.resources and "Fn::ImportValue" in json.dumps(plan.resources[name]):
            plan.properties(name)
    return used
