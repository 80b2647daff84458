"""What can go wrong outside the program, each with the exit code that tells its kind."""


class Failure(Exception):
    """A failure that its message explains in one line; `exit_code` is the program's."""

    exit_code = 1


class InputFailure(Failure):
    """The input or the settings are wrong; the same call would fail again."""

    exit_code = 2


class ServiceFailure(Failure):
    """S3 or the database is unreachable, or refuses; the same call may succeed later."""

    exit_code = 3


def one_line(error: object) -> str:
    """Text of `error` without line breaks."""
    return " ".join(str(error).split())
