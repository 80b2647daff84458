"""The errors that a person may meet: one line each that says what, where, and what to type next."""

INTERRUPTED = 130  # the exit code after Ctrl-C: 128 + SIGINT
INTERRUPTED_LINE = "drydock: interrupted; type the command again to go on"


class DrydockError(Exception):
    """Base of every error whose message is meant for the learner. `exit_code` is the command's."""

    exit_code = 3

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in a notebook: the line, without a traceback of ours."""
        return [f"{type(self).__name__}: {self}"]


class WrongInput(DrydockError):
    """Something that was typed cannot be done as it stands."""

    exit_code = 2


class AnotherRun(DrydockError):
    """A run on the same lab is under way; 75 is sysexits' "temporary failure, try again"."""

    exit_code = 75
