"""Makes, changes and deletes the resources of stacks, one after the other, in threads."""

from __future__ import annotations

import copy
import threading
import traceback
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.cloudformation import secret_references
from localcloud.cloudformation.errors import ResourceFailed, ValidationError
from localcloud.cloudformation.kinds import kind_of
from localcloud.cloudformation.kinds.base import Context, Made
from localcloud.cloudformation.plan import Plan
from localcloud.cloudformation.stacks import Resource, Stack, Stacks

FAILURES = (ClientError, BotoCoreError, ResourceFailed, ValidationError)
Client = Callable[[str], Any]
STOP_SECONDS = 5.0  # what then still waits for a resource is found interrupted at the next start


class Cancelled(ResourceFailed):
    """The stack is to be deleted while it is being made."""


class Engine:
    """One thread for each stack that something is done to; what comes meanwhile waits its turn."""

    def __init__(self, stacks: Stacks):
        self.stacks = stacks
        self._threads: dict[str, threading.Thread] = {}
        self._cancelled: set[str] = set()
        self._stopping = threading.Event()

    def create(self, stack: Stack, plan: Plan, client: Client) -> None:
        self._start(stack, lambda: self._create(stack, plan, client))

    def update(self, stack: Stack, plan: Plan, client: Client) -> None:
        self._start(stack, lambda: self._update(stack, plan, client))

    def delete(self, stack: Stack, client: Client, keep: frozenset[str] = frozenset()) -> None:
        """Delete it, as soon as what is being done to it has ended."""
        self._cancelled.add(stack.id)
        self._start(stack, lambda: self._delete(stack, client, keep))

    def stop(self) -> None:
        """What is under way ends with the resource that is being made."""
        self._stopping.set()
        for thread in list(self._threads.values()):
            thread.join(STOP_SECONDS)

    def _start(self, stack: Stack, work: Callable[[], None]) -> None:
        before = self._threads.get(stack.id)

        def run() -> None:
            if before:
                before.join()
            try:
                work()
            except Exception:
                traceback.print_exc()
                self.say(stack, f"{stack.status.split('_')[0]}_FAILED", "Internal failure")

        thread = threading.Thread(target=run, name=f"stack {stack.name}", daemon=True)
        self._threads[stack.id] = thread
        thread.start()

    def say(
        self,
        stack: Stack,
        status: str,
        reason: str | None = None,
        resource: Resource | None = None,
    ) -> None:
        with self.stacks.lock:
            stack.say(status, reason, resource)
            self.stacks.save()

    # ------------------------------------------------------------------ what happens to a stack
    def _create(self, stack: Stack, plan: Plan, client: Client) -> None:
        try:
            for name in plan.order:
                self._make(stack, plan, name, client)
            with self.stacks.lock:
                stack.outputs = plan.outputs()
        except FAILURES as error:
            self._creation_failed(stack, client, error)
            return
        self.say(stack, "CREATE_COMPLETE")

    def _creation_failed(self, stack: Stack, client: Client, error: Exception) -> None:
        failed = [one.logical_id for one in stack.resources.values() if "FAILED" in one.status]
        why = f"The following resource(s) failed to create: [{', '.join(failed)}]. "
        why = why if failed else f"{_reason(error)} "
        if isinstance(error, Cancelled) or stack.on_failure == "DO_NOTHING":
            self.say(stack, "CREATE_FAILED", why.strip())
        elif stack.on_failure == "DELETE":
            self.say(stack, "DELETE_IN_PROGRESS", f"{why}Delete requested by user.")
            self._finish_deletion(stack, client, frozenset())
        else:
            self.say(stack, "ROLLBACK_IN_PROGRESS", f"{why}Rollback requested by user.")
            left = self._delete_all(stack, client, list(stack.resources), frozenset())
            self.say(stack, *_ended("ROLLBACK", left))

    def _delete(self, stack: Stack, client: Client, keep: frozenset[str]) -> None:
        self._cancelled.discard(stack.id)
        if stack.status == "DELETE_COMPLETE":
            return
        self.say(stack, "DELETE_IN_PROGRESS", "User Initiated")
        self._finish_deletion(stack, client, keep)

    def _finish_deletion(self, stack: Stack, client: Client, keep: frozenset[str]) -> None:
        left = self._delete_all(stack, client, list(stack.resources), keep)
        if not left:
            stack.deleted = stack.events[-1].at
        self.say(stack, *_ended("DELETE", left))

    def _update(self, stack: Stack, plan: Plan, client: Client) -> None:
        """Change, add, then delete what the template no longer has, or what was replaced."""
        old = {name: copy.copy(one) for name, one in stack.resources.items()}
        replaced: list[tuple[Resource, Made]] = []
        try:
            for name in plan.order:
                if name not in stack.resources:
                    self._make(stack, plan, name, client)
                elif replaced_one := self._change(stack, plan, name, client):
                    replaced.append(replaced_one)
            with self.stacks.lock:
                stack.outputs = plan.outputs()
        except FAILURES as error:
            self._take_back(stack, client, old, _reason(error))
            return
        self.say(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        for resource, made in replaced:
            self._delete_replaced(stack, client, resource, made)
        gone = [name for name in stack.resources if name not in plan.resources]
        left = self._delete_all(stack, client, gone, frozenset())
        with self.stacks.lock:
            for name in set(gone) - set(left):
                del stack.resources[name]
        self.say(stack, "UPDATE_COMPLETE")

    def _take_back(self, stack: Stack, client: Client, old: dict[str, Resource], why: str) -> None:
        """Undo a failed update: delete what was added, and what took the place of something.

        What was changed in place is changed back.
        """
        self.say(stack, "UPDATE_ROLLBACK_IN_PROGRESS", why)
        left = []
        for name, resource in reversed(list(stack.resources.items())):
            before = old.get(name)
            if before is None or before.physical_id != resource.physical_id:
                if resource.physical_id and not self._unmake(stack, client, resource):
                    left.append(name)
            elif before.properties != resource.properties:
                context = self._context(stack, resource, client)
                made = Made(resource.physical_id, resource.attributes)
                properties = secret_references.resolved(before.properties, client)
                kind_of(resource.type).change(context, made, resource.properties, properties)
        with self.stacks.lock:
            kept = {name: one for name, one in stack.resources.items() if name in left}
            stack.resources = {**kept, **old}
        self.say(stack, "UPDATE_ROLLBACK_FAILED" if left else "UPDATE_ROLLBACK_COMPLETE")

    # --------------------------------------------------------------- what happens to a resource
    def _make(self, stack: Stack, plan: Plan, name: str, client: Client) -> None:
        if stack.id in self._cancelled or self._stopping.is_set():
            raise Cancelled("Resource creation cancelled")
        asked = plan.resources[name]
        resource = Resource(name, asked["Type"], "CREATE_IN_PROGRESS")
        resource.keep = asked.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
        with self.stacks.lock:
            stack.resources[name] = resource
        self.say(stack, "CREATE_IN_PROGRESS", None, resource)
        try:
            resource.properties = plan.properties(name)
            ready = secret_references.resolved(resource.properties, client)
            context = self._context(stack, resource, client, plan.wanted(name))
            made = kind_of(resource.type).make(context, ready)
        except FAILURES as error:
            self.say(stack, "CREATE_FAILED", _reason(error), resource)
            raise
        with self.stacks.lock:
            resource.physical_id, resource.attributes = made.physical_id, made.attributes
        self.say(stack, "CREATE_COMPLETE", None, resource)

    def _change(
        self, stack: Stack, plan: Plan, name: str, client: Client
    ) -> tuple[Resource, Made] | None:
        """Returns what is to be deleted afterwards, where a new resource took its place."""
        resource, wanted = stack.resources[name], plan.properties(name)
        old, made = resource.properties, Made(resource.physical_id, resource.attributes)
        if old == wanted and resource.type == plan.resources[name]["Type"]:
            return None
        self.say(stack, "UPDATE_IN_PROGRESS", None, resource)
        kind = kind_of(resource.type)
        context = self._context(stack, resource, client, plan.wanted(name))
        try:
            ready = secret_references.resolved(wanted, client)
            new = kind.change(context, made, old, ready)
            if new is None and kind.name in wanted and wanted[kind.name] == old.get(kind.name):
                raise ResourceFailed(
                    "CloudFormation cannot update a stack when a custom-named resource requires "
                    f"replacing. Rename {wanted[kind.name]} and update the stack again."
                )
            replacement = new is None
            new = new or kind.make(context, ready)
        except FAILURES as error:
            self.say(stack, "UPDATE_FAILED", _reason(error), resource)
            raise
        with self.stacks.lock:
            resource.properties, resource.attributes = wanted, new.attributes
            resource.physical_id = new.physical_id
        self.say(stack, "UPDATE_COMPLETE", None, resource)
        before = Resource(name, resource.type, "DELETE_IN_PROGRESS", made.physical_id)
        before.properties = old
        return (before, made) if replacement else None

    def _delete_replaced(
        self, stack: Stack, client: Client, resource: Resource, made: Made
    ) -> None:
        self.say(stack, "DELETE_IN_PROGRESS", None, resource)
        try:
            context = self._context(stack, resource, client)
            kind_of(resource.type).unmake(context, made, resource.properties)
        except FAILURES as error:
            self.say(stack, "DELETE_FAILED", _reason(error), resource)
        else:
            self.say(stack, "DELETE_COMPLETE", None, resource)

    def _delete_all(
        self, stack: Stack, client: Client, names: list[str], keep: frozenset[str]
    ) -> list[str]:
        """Delete resources, the last made first; the names of those that could not be."""
        left = []
        for name in reversed(names):
            resource = stack.resources[name]
            if resource.status in ("DELETE_COMPLETE", "DELETE_SKIPPED"):
                continue
            if not resource.physical_id:  # it was never made
                self.say(stack, "DELETE_COMPLETE", None, resource)
            elif name in keep or (resource.keep and stack.status == "DELETE_IN_PROGRESS"):
                self.say(stack, "DELETE_SKIPPED", None, resource)
            elif not self._unmake(stack, client, resource):
                left.append(name)
        return left

    def _unmake(self, stack: Stack, client: Client, resource: Resource) -> bool:
        self.say(stack, "DELETE_IN_PROGRESS", None, resource)
        made = Made(resource.physical_id, resource.attributes)
        context = self._context(stack, resource, client)
        try:
            kind_of(resource.type).unmake(context, made, resource.properties)
        except FAILURES as error:
            self.say(stack, "DELETE_FAILED", _reason(error), resource)
            return False
        self.say(stack, "DELETE_COMPLETE", None, resource)
        return True

    def _context(
        self,
        stack: Stack,
        resource: Resource,
        client: Client,
        wanted: frozenset[str] = frozenset(),
    ) -> Context:
        def born(physical_id: str) -> None:
            with self.stacks.lock:
                resource.physical_id = physical_id
            status = f"{resource.status.split('_')[0]}_IN_PROGRESS"
            self.say(stack, status, "Resource creation Initiated", resource)

        who = (client, stack.name, stack.id, resource.logical_id, dict(stack.tags))
        return Context(*who, born, tuple(stack.capabilities), wanted)


def _ended(action: str, left: list[str]) -> tuple[str, str | None]:
    if not left:
        return f"{action}_COMPLETE", None
    return f"{action}_FAILED", (
        f"The following resource(s) failed to delete: [{', '.join(sorted(left))}]. "
    )


def _reason(error: Exception) -> str:
    if isinstance(error, ClientError):
        about = error.response["Error"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        return f"{about.get('Message')} (Status Code: {status}; Error Code: {about['Code']})"
    return getattr(error, "message", None) or str(error)
