"""Messages name commands as `drydock ...`; here they become what this person can really type."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

# A command of ours in a sentence: not in a path or a name, and followed by one of its words.
WORDS = (
    "up|down|status|reset|run|build|doctor|lab|study|repair|prices|bill|questions|practice|review|"
    "exam|anki|progress|room|handout|aws"
)
COMMAND = re.compile(rf"(?<![\w/.-])drydock(?= (?:{WORDS})\b)")


def as_typed(message: str) -> str:
    """Return the message with each `drydock ...` spelled so that it can be typed here.

    It stays as it is where the shell finds this environment's `drydock`, and becomes a path, such
    as `.venv/bin/drydock`, where it does not.
    """
    return COMMAND.sub(lambda _: program(), message)


def program() -> str:
    """Return `drydock` when the shell finds this environment's one, else its path."""
    ours = Path(sys.prefix, "bin", "drydock")
    # `make run` puts the environment first on PATH, which the person's own shell does not.
    path = os.environ.get("DRYDOCK_TYPED_PATH", os.environ.get("PATH"))
    found = shutil.which("drydock", path=path)
    if not ours.exists() or (found and os.path.samefile(found, ours)):
        return "drydock"
    here = Path.cwd()
    return shlex.quote(str(ours.relative_to(here) if ours.is_relative_to(here) else ours))
