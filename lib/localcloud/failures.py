"""Why a task did not start."""


class TaskFailed(Exception):
    """TaskFailedToStart; the message is the task's stoppedReason, as AWS words it."""


def cannot_pull(detail: str) -> TaskFailed:
    return TaskFailed(f"CannotPullContainerError: {detail}")


def cannot_initialise(detail: str) -> TaskFailed:
    return TaskFailed(f"ResourceInitializationError: {detail}")
