"""The errors that a person may meet: one line each that says what, where, and what to type next."""


class DrydockError(Exception):
    """Base of every error whose message is meant for the learner. `exit_code` is the command's."""

    exit_code = 3


class WrongInput(DrydockError):
    """Something that was typed cannot be done as it stands."""

    exit_code = 2


class AnotherRun(DrydockError):
    """A run on the same lab is under way; 75 is sysexits' "temporary failure, try again"."""

    exit_code = 75
