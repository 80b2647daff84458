"""The awslogs log driver: a container's lines to CloudWatch Logs, in batches."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.failures import cannot_initialise
from localcloud.role_clients import Clients
from localcloud.runtimes.base import LogBatch

MOST_EVENTS = 10_000
MOST_BYTES = 1_048_576
EVENT_OVERHEAD_BYTES = 26
REFUSED = "failed to validate logger args: create stream has been retried 1 times"


class LogStream:
    """One log stream, created when the object is. Raises TaskFailed if it cannot be."""

    def __init__(self, clients: Clients, role: str | None, container: dict[str, Any], task_id: str):
        options = container["logConfiguration"]["options"]
        self.group = options["awslogs-group"]
        prefix = options.get("awslogs-stream-prefix")
        self.name = f"{prefix}/{container['name']}/{task_id}" if prefix else task_id
        self._clients, self._role = clients, role
        try:
            if options.get("awslogs-create-group", "").lower() == "true":
                self._create_group()
            self._client.create_log_stream(logGroupName=self.group, logStreamName=self.name)
        except ClientError as error:
            said = error.response["Error"]
            raise cannot_initialise(
                f"{REFUSED}: failed to create Cloudwatch log stream: {said['Code']}: "
                f"{said['Message']} : exit status 1"
            ) from None
        except BotoCoreError as error:
            raise cannot_initialise(f"{REFUSED}: {error} : exit status 1") from None

    @property
    def _client(self) -> Any:
        return self._clients.get("logs", self._role)

    def _create_group(self) -> None:
        client = self._client
        with suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_group(logGroupName=self.group)

    def write(self, lines: LogBatch) -> None:
        """Send lines in order. Empty ones are dropped, as Docker's driver does.

        Lines that CloudWatch Logs refuses (a group deleted meanwhile) are lost, as on AWS: the
        task goes on.
        """
        try:
            for events in _batches(lines):
                self._client.put_log_events(
                    logGroupName=self.group, logStreamName=self.name, logEvents=events
                )
        except (ClientError, BotoCoreError) as error:
            print(f"Log lines of {self.group} {self.name} were lost: {error}", file=sys.stderr)


def _batches(lines: LogBatch):
    """Cut at CloudWatch Logs' limits for one call."""
    events: list[dict[str, Any]] = []
    size = 0
    for timestamp, text in lines:
        if not text:
            continue
        cost = len(text.encode()) + EVENT_OVERHEAD_BYTES
        if events and (size + cost > MOST_BYTES or len(events) == MOST_EVENTS):
            yield events
            events, size = [], 0
        events.append({"timestamp": timestamp, "message": text})
        size += cost
    if events:
        yield events
