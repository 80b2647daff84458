"""Asynchronous invocations: events that wait, are tried again, and end in a dead-letter queue.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
Events wait in memory: those that are left when the local cloud ends are lost.
"""

from __future__ import annotations

import heapq
import itertools
import json
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.awslambda.models import lambda_backends
from moto.core.exceptions import JsonRESTError

from localcloud.functions.environment import Outcome
from localcloud.functions.rules import TooManyRequests

if TYPE_CHECKING:
    from localcloud.functions import Functions

AT_ONCE = 10
RETRY_SECONDS = (60.0, 120.0)
# Between tries of an event that was throttled.
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
OLDEST_SECONDS = 6 * 3600.0
LONGEST_MESSAGE = 1024


@dataclass
class Event:
    """``tries`` counts runs of the function, ``throttled`` refusals in a row."""

    function: Any
    payload: bytes
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    accepted: float = field(default_factory=time.monotonic)
    tries: int = 0
    throttled: int = 0

    def settings(self) -> dict[str, Any]:
        known = self.function.event_invoke_config
        return known[-1].config if known else {}


class Events:
    """``start`` once, ``accept`` events, ``stop``; ``pace`` divides every wait."""

    def __init__(self, functions: Functions, pace: float):
        self._functions, self._pace = functions, pace
        self._due: list[tuple[float, int, Event]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._workers = ThreadPoolExecutor(AT_ONCE, "lambda-events")

    def start(self) -> None:
        threading.Thread(target=self._dispatch, name="lambda-events", daemon=True).start()

    def stop(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def accept(self, function: Any, payload: bytes) -> str:
        """Run it soon: the request id."""
        event = Event(function, payload)
        self._later(event, 0.0)
        return event.id

    def _later(self, event: Event, seconds: float) -> None:
        with self._changed:
            due = time.monotonic() + seconds / self._pace
            heapq.heappush(self._due, (due, next(self._order), event))
            self._changed.notify()

    def _dispatch(self) -> None:
        with self._changed:
            while not self._closed:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                else:
                    self._workers.submit(self._try, heapq.heappop(self._due)[2])

    def _try(self, event: Event) -> None:
        try:
            outcome = self._functions.invoke(event.function, event.payload, event.id)
        except TooManyRequests:
            self._try_again_when_free(event)
            return
        except Exception as error:  # the function or its role is gone
            name = event.function.function_name
            print(f"Event {event.id} of function {name} is lost: {error}", file=sys.stderr)
            return
        event.tries, event.throttled = event.tries + 1, 0
        most = event.settings().get("MaximumRetryAttempts", len(RETRY_SECONDS))
        if not outcome.failed:
            self._tell(event, "OnSuccess", "Success", outcome)
        elif event.tries <= most and not self._too_old(event, RETRY_SECONDS[event.tries - 1]):
            self._later(event, RETRY_SECONDS[event.tries - 1])
        else:
            condition = "RetriesExhausted" if event.tries > most else "EventAgeExceeded"
            self._give_up(event, condition, outcome)

    def _try_again_when_free(self, event: Event) -> None:
        wait = min(FIRST_WAIT * 2**event.throttled, LONGEST_WAIT)
        event.throttled += 1
        if self._too_old(event, wait):
            self._give_up(event, "EventAgeExceeded", None)
        else:
            self._later(event, wait)

    def _too_old(self, event: Event, wait: float) -> bool:
        oldest = event.settings().get("MaximumEventAgeInSeconds", OLDEST_SECONDS)
        return (time.monotonic() - event.accepted) * self._pace + wait > oldest

    def _give_up(self, event: Event, condition: str, outcome: Outcome | None) -> None:
        where = (getattr(event.function, "dead_letter", None) or {}).get("TargetArn")
        if where:
            said = _message(outcome)
            self._send(
                event.function,
                where,
                event.payload.decode(),
                {
                    "RequestID": ("String", event.id),
                    "ErrorCode": ("Number", "200" if outcome else "429"),
                    "ErrorMessage": ("String", said[:LONGEST_MESSAGE]),
                },
            )
        self._tell(event, "OnFailure", condition, outcome)

    def _tell(self, event: Event, which: str, condition: str, outcome: Outcome | None) -> None:
        """Send the record of an event to its destination, if it has one."""
        chosen = (event.settings().get("DestinationConfig") or {}).get(which) or {}
        if not chosen.get("Destination"):
            return
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
        if outcome and outcome.failed:
            context["functionError"] = "Unhandled"
        record = {
            "version": "1.0",
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "requestContext": {
                "requestId": event.id,
                "functionArn": f"{event.function.function_arn}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": event.tries,
            },
            "requestPayload": json.loads(event.payload),
        }
        if outcome:
            record |= {
                "responseContext": context,
                "responsePayload": json.loads(outcome.body or b"null"),
            }
        self._send(event.function, chosen["Destination"], json.dumps(record), {})

    def _send(self, function: Any, arn: str, body: str, attributes: dict[str, tuple]) -> None:
        """To a queue, a topic or a function, with the rights of the function's role."""
        _, _, service, region, account, name = arn.split(":", 5)
        named = {
            key: {"DataType": kind, "StringValue": value}
            for key, (kind, value) in attributes.items()
        }
        clients, role = self._functions.clients, function.role
        try:
            if service == "sqs":
                url = clients.get("sqs").get_queue_url(QueueName=name)["QueueUrl"]
                clients.get("sqs", role).send_message(
                    QueueUrl=url, MessageBody=body, MessageAttributes=named
                )
            elif service == "sns":
                clients.get("sns", role).publish(
                    TopicArn=arn, Message=body, MessageAttributes=named
                )
            else:
                other = lambda_backends[account][region].get_function(arn)
                self.accept(other, body.encode())
        except (BotoCoreError, ClientError, JsonRESTError) as error:
            print(
                f"An event of function {function.function_name} does not reach {arn}: {error}",
                file=sys.stderr,
                flush=True,
            )


def _message(outcome: Outcome | None) -> str:
    if outcome is None:
        return "Rate Exceeded."
    try:
        said = json.loads(outcome.body)
        return str(said.get("errorMessage", "")) or "null"
    except (ValueError, AttributeError):
        return outcome.body.decode(errors="replace")
