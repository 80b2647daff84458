"""A secret's rotation, step by step, as Secrets Manager has a Lambda function do it."""

import uuid
from collections.abc import Callable, Iterator

from drydock.errors import DrydockError

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
Handler = Callable[[dict, object], None]


class RotationFailed(DrydockError):
    """A step failed. The secret is the one that it was before; `step` is where it ended."""

    def __init__(self, message: str, step: str):
        super().__init__(message)
        self.step = step


def rotate(handler: Handler, secret_id: str) -> None:
    """Call `handler` for each step of one rotation; raise RotationFailed at the first that fails.

    secretsmanager.rotate_secret does the same with a Lambda function, on AWS and the local cloud.
    """
    for _ in steps_of(handler, secret_id):
        pass


def steps_of(handler: Handler, secret_id: str) -> Iterator[str]:
    """Do one step for each value that is taken, and yield its name: to look in between."""
    token = str(uuid.uuid4())
    for step in STEPS:
        event = {"SecretId": secret_id, "ClientRequestToken": token, "Step": step}
        try:
            handler(event, None)
        except Exception as error:
            # None: a driver's traceback may hold the new password
            raise RotationFailed(
                f"rotation of {secret_id} ended in {step} ({type(error).__name__}); the secret in "
                "use is still valid: mend the cause, and rotate again",
                step,
            ) from None
        yield step
