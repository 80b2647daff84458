"""Turns any error into the one line that a person reads, and the command's exit code."""

import errno

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, WaiterError
from botocore.exceptions import ConnectionError as BotoConnectionError
from psycopg import OperationalError

from drydock.errors import DrydockError

ENVIRONMENT, BUG = 3, 1


def explain(error: BaseException) -> tuple[str, int]:
    """Return (line, exit code) for `error`: what was wrong, where, and the next command to type."""
    if isinstance(error, DrydockError):
        return str(error), error.exit_code
    if isinstance(error, BotoConnectionError | HTTPClientError):
        return (
            "the local cloud stopped answering (was it stopped or killed?); "
            "type: drydock run (it is started again, and nothing is lost or doubled)",
            ENVIRONMENT,
        )
    if isinstance(error, ClientError):
        return f"{error}; type: drydock status", ENVIRONMENT
    if isinstance(error, WaiterError):
        return f"{error.args[0]}; type: drydock status", ENVIRONMENT
    if isinstance(error, BotoCoreError):
        return f"{error}; type: drydock doctor", ENVIRONMENT
    if isinstance(error, OperationalError):
        first = str(error).strip().splitlines()[0]
        return f"the database does not let us in: {first}; type: drydock status", ENVIRONMENT
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return (
            f"the disk is full{_where(error)}; free some room, then type: drydock run",
            ENVIRONMENT,
        )
    if isinstance(error, OSError):
        return f"{error.strerror or error}{_where(error)}; type: drydock doctor", ENVIRONMENT
    return (
        f"a bug of ours: {type(error).__name__}: {error}; "
        "set DRYDOCK_DEBUG=1 and type the command again to see where",
        BUG,
    )


def _where(error: OSError) -> str:
    return f" ({error.filename})" if error.filename else ""
