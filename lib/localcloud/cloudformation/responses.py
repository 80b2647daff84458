"""CloudFormation on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult, BaseResponse, EmptyResult

from localcloud.cloudformation import caller, shown
from localcloud.cloudformation import template as templates
from localcloud.cloudformation.errors import AlreadyExists, ValidationError, no_stack
from localcloud.cloudformation.kinds.parameters import as_tags
from localcloud.cloudformation.plan import Plan
from localcloud.cloudformation.stacks import Stack, new_id

if TYPE_CHECKING:
    from localcloud.cloudformation import CloudFormation

STEADY = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
STACKS_IN_A_PAGE = 50
EVENTS_IN_A_PAGE = 100


class Responses(BaseResponse):
    formation: CloudFormation  # set when the service is registered

    def __init__(self) -> None:
        super().__init__(service_name="cloudformation")
        self.automated_parameter_parsing = True

    # ------------------------------------------------------------------------------- writing
    def create_stack(self) -> ActionResult:
        stack = self._asked_stack()
        if self.formation.stacks.find(stack.name):
            raise AlreadyExists(f"Stack [{stack.name}] already exists")
        client = self._client(stack)
        plan = Plan(stack, self.formation.exported, client)
        self._note_parameters(stack, plan)
        self._begin(stack)
        self.formation.engine.create(stack, plan, client)
        return ActionResult({"StackId": stack.id})

    def update_stack(self) -> ActionResult:
        stack = self._stack()
        if stack.status not in STEADY:
            raise ValidationError(
                f"Stack:{stack.id} is in {stack.status} state and can not be updated."
            )
        asked = self._asked_stack(stack)
        if (asked.body, asked.given, asked.tags) == (stack.body, stack.given, stack.tags):
            raise ValidationError("No updates are to be performed.")
        self.formation.update(stack, asked, self._client(asked))
        return ActionResult({"StackId": stack.id})

    def delete_stack(self) -> ActionResult:
        stack = self.formation.stacks.find(self._get_param("StackName"))
        if stack is None or stack.status == "DELETE_COMPLETE":
            return EmptyResult()  # as on AWS
        if stack.protected:
            raise ValidationError(
                f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
        used = self.formation.imported_from(stack)
        if used:
            raise ValidationError(
                f"Export {used[0]} cannot be deleted as it is in use by {used[1]}"
            )
        keep = frozenset(self._get_param("RetainResources") or [])
        role = self._get_param("RoleARN") or stack.role
        self.formation.engine.delete(stack, caller.client(self, self.formation.clients, role), keep)
        return EmptyResult()

    def update_termination_protection(self) -> ActionResult:
        stack = self._stack()
        stack.protected = bool(self._get_param("EnableTerminationProtection"))
        self.formation.stacks.save()
        return ActionResult({"StackId": stack.id})

    # ------------------------------------------------------------------------------- reading
    def describe_stacks(self) -> ActionResult:
        name = self._get_param("StackName")
        found = [self._stack()] if name else self.formation.stacks.live()
        page, token = _page(found[::1], self._get_param("NextToken"), STACKS_IN_A_PAGE)
        return ActionResult({"Stacks": [shown.stack(one) for one in page], "NextToken": token})

    def list_stacks(self) -> ActionResult:
        wanted = self._get_param("StackStatusFilter") or []
        found = [s for s in self.formation.stacks.all() if not wanted or s.status in wanted]
        page, token = _page(found, self._get_param("NextToken"), STACKS_IN_A_PAGE)
        return ActionResult(
            {"StackSummaries": [shown.summary(one) for one in page], "NextToken": token}
        )

    def describe_stack_events(self) -> ActionResult:
        stack = self._stack()
        newest_first = stack.events[::-1]
        page, token = _page(newest_first, self._get_param("NextToken"), EVENTS_IN_A_PAGE)
        events = [shown.event(stack, one) for one in page]
        return ActionResult({"StackEvents": events, "NextToken": token})

    def describe_stack_resources(self) -> ActionResult:
        wanted, physical = (
            self._get_param("LogicalResourceId"),
            self._get_param("PhysicalResourceId"),
        )
        if physical and not self._get_param("StackName"):
            stack = self.formation.owner(physical)
        else:
            stack = self._stack()
        found = [
            shown.resource(stack, one)
            for one in stack.resources.values()
            if wanted in (None, one.logical_id) and physical in (None, one.physical_id)
        ]
        return ActionResult({"StackResources": found})

    def describe_stack_resource(self) -> ActionResult:
        stack, name = self._stack(), self._get_param("LogicalResourceId")
        if name not in stack.resources:
            raise ValidationError(f"Resource {name} does not exist for stack {stack.name}")
        return ActionResult(
            {"StackResourceDetail": shown.resource(stack, stack.resources[name], "LastUpdated")}
        )

    def list_stack_resources(self) -> ActionResult:
        stack = self._stack()
        found = [shown.resource(stack, one, "LastUpdated") for one in stack.resources.values()]
        return ActionResult({"StackResourceSummaries": found})

    def get_template(self) -> ActionResult:
        return ActionResult({"TemplateBody": self._stack().body, "StagesAvailable": ["Original"]})

    def validate_template(self) -> ActionResult:
        return ActionResult(shown.summary_of(templates.load(self._body(None))))

    def get_template_summary(self) -> ActionResult:
        known = self._stack() if self._get_param("StackName") else None
        return ActionResult(shown.summary_of(templates.load(self._body(known))))

    def list_exports(self) -> ActionResult:
        return ActionResult({"Exports": self.formation.exports()})

    def list_imports(self) -> ActionResult:
        name = self._get_param("ExportName")
        users = self.formation.importers(name)
        if not users:
            raise ValidationError(f"Export '{name}' is not imported by any stack.")
        return ActionResult({"Imports": users})

    # ------------------------------------------------------------------------------- parts
    def _stack(self) -> Stack:
        name = self._get_param("StackName")
        stack = self.formation.stacks.find(name) if name else None
        if stack is None:
            raise no_stack(name)
        return stack

    def _asked_stack(self, known: Stack | None = None) -> Stack:
        """The stack that a request describes; ``known`` is the one that it changes."""
        given = {}
        for one in self._get_param("Parameters") or []:
            name = one["ParameterKey"]
            if one.get("UsePreviousValue") and known:
                given[name] = known.given.get(name) or known.values[name]
            else:
                given[name] = one.get("ParameterValue", "")
        tags = self._get_param("Tags")
        rollback = "DO_NOTHING" if self._get_param("DisableRollback") else "ROLLBACK"
        return Stack(
            id=known.id if known else new_id(self._get_param("StackName")),
            name=known.name if known else self._get_param("StackName"),
            body=self._body(known),
            given=given,
            tags=known.tags if known and tags is None else as_tags(tags or []),
            capabilities=self._get_param("Capabilities") or [],
            role=self._get_param("RoleARN") or (known.role if known else None),
            on_failure=self._get_param("OnFailure") or rollback,
            protected=bool(self._get_param("EnableTerminationProtection")),
            created=known.created if known else datetime.now(UTC).timestamp(),
            resources=known.resources if known else {},
        )

    def _body(self, known: Stack | None) -> str:
        body, url = self._get_param("TemplateBody"), self._get_param("TemplateURL")
        if body:
            return body
        if url:
            return caller.template_at(url, caller.client(self, self.formation.clients, None))
        if known is None:
            raise ValidationError("Either Template URL or Template Body must be specified.")
        return known.body

    def _client(self, stack: Stack) -> Any:
        return caller.client(self, self.formation.clients, stack.role)

    def _note_parameters(self, stack: Stack, plan: Plan) -> None:
        stack.no_echo = plan.no_echo()
        stack.values = {
            name: ",".join(value) if isinstance(value, list) else str(value)
            for name, value in plan.parameters.items()
        }

    def _begin(self, stack: Stack) -> None:
        stack.say("CREATE_IN_PROGRESS", "User Initiated")
        self.formation.stacks.add(stack)


def _page(found: list[Any], token: str | None, size: int) -> tuple[list[Any], str | None]:
    start = int(token) if token and token.isdigit() else 0
    end = start + size
    return found[start:end], str(end) if end < len(found) else None
