"""The family of stopped tasks: what ECS says, what the log says, and what it was.

Its cases are facts and not sums. Source: the page on stopped tasks of the ECS developer guide.
"""

import random
from dataclasses import dataclass

from drydock.study.families.making import Draft, Family


@dataclass(frozen=True)
class Case:
    """A way in which a task stops: what can be seen of it, its cause, and how one tells."""

    seen: str
    cause: str
    sign: str


CASES = (
    Case(
        'stopCode EssentialContainerExited, exit code 137, reason "OutOfMemoryError: Container '
        'killed due to memory usage", and a last log line in the middle of a file',
        "The container went over its memory limit",
        "Exit code 137 with an OutOfMemoryError would be seen.",
    ),
    Case(
        "stopCode UserInitiated, exit code 137, and a log that goes on for 30 seconds after "
        '"SIGTERM received"',
        "The program did not end within stopTimeout after it was told to stop",
        "The stop would be asked for, and the kill would come after stopTimeout.",
    ),
    Case(
        "stopCode UserInitiated, exit code 143, and nothing in the log after SIGTERM",
        "Somebody stopped the task, and the program ended in time",
        "Exit code 143 after StopTask would be seen.",
    ),
    Case(
        "stopCode TaskFailedToStart, a reason that begins with CannotPullContainerError and ends "
        "with i/o timeout, and no log stream",
        "There is no network path from the subnet to the registry",
        "The pull would end with a time-out.",
    ),
    Case(
        "stopCode TaskFailedToStart, a reason that begins with CannotPullContainerError and says "
        "that the manifest was not found, and no log stream",
        "The image's tag or digest does not exist in the repository",
        "The registry would answer that there is no such manifest.",
    ),
    Case(
        "stopCode TaskFailedToStart, a reason that begins with ResourceInitializationError and "
        "says that secrets could not be pulled (AccessDeniedException), and no log stream",
        "The execution role may not read the secret",
        "The start would fail with a ResourceInitializationError and AccessDenied.",
    ),
    Case(
        "stopCode EssentialContainerExited, exit code 1, and a log that ends with AccessDenied "
        "for PutObject",
        "The task role may not write to the bucket",
        "The program would run and report AccessDenied itself.",
    ),
    Case(
        "stopCode EssentialContainerExited, exit code 139, and a log that ends without a message",
        "The program had a segmentation fault, for example in a native library",
        "Exit code 139 is 128 + 11, SIGSEGV.",
    ),
    Case(
        'stopCode SpotInterruption, exit code 143, reason "Your Spot Task was interrupted."',
        "AWS took the Spot capacity back",
        "The stop code would name Spot.",
    ),
    Case(
        'stopCode ServiceSchedulerInitiated, reason "Task failed ELB health checks", exit code '
        "143, and a log that says it still loads data",
        "The program takes longer to start than the health check grace period",
        "The service would replace the task for failed health checks.",
    ),
    Case(
        "stopCode EssentialContainerExited, exit code 0, a few seconds after the start, and a log "
        'that ends with "done"',
        "An essential container finished its work, and the task ended with it",
        "Exit code 0 of an essential container would be seen.",
    ),
)


def stopped_task(draw: random.Random) -> Draft:
    case, *others = draw.sample(CASES, 4)
    return Draft(
        f"A task on ECS has stopped. It shows {case.seen}. Which cause explains all of this?",
        (case.cause, case.sign),
        [(other.cause, f"That looks different: {_lower(other.sign)}") for other in others],
        f"{case.sign} First read stopCode and stoppedReason, then the exit code, then the log.",
    )


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


FAMILIES = [
    Family(
        "stopped-task",
        "troubleshooting",
        ("1.2.7", "3.3.6"),
        2,
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html",
        "2026-11-23",
        stopped_task,
    ),
]
