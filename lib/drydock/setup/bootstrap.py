"""Set up what is missing, then run: `python3 lib/drydock/setup/bootstrap.py [-- COMMAND ...]`.

It is the first thing to run on a fresh machine, by whatever Python is there, so this file keeps to
syntax that Python 3.6 reads and imports the rest only when the version is known to be right.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)
# The versions that the tests run on come first.
NEWER = ("python3.13", "python3.12", "python3.11", "python3.14")
LIB = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
TOO_OLD = """drydock: Python 3.11 or later is needed; this is {}. Get one, then type the same again:
  Debian 12, Ubuntu 24.04    apt-get install python3 python3-venv
  Fedora                     dnf install python3.13
  macOS                      brew install python@3.13
  with conda                 conda env create -f environment.yml && conda activate drydock"""


def find_newer_python():
    """Return a command on PATH that starts Python 3.11 or later, or None."""
    asked = "import sys; sys.exit(sys.version_info < {})".format(OLDEST)  # noqa: UP032
    for name in NEWER:
        try:
            # A version manager puts names on PATH that do not start: ask, don't look.
            with open(os.devnull, "w") as nowhere:
                if subprocess.call([name, "-c", asked], stdout=nowhere, stderr=nowhere) == 0:
                    return name
        except OSError:
            continue
    return None


def main(arguments):
    """Run by a Python that is new enough, or by one that has to find such a Python first."""
    if sys.version_info < OLDEST:
        newer = find_newer_python()
        if newer is None:
            print(TOO_OLD.format(sys.version.split()[0]), file=sys.stderr)
            return 1
        os.execvp(newer, [newer, os.path.abspath(__file__), *arguments])
    sys.path[0] = LIB  # this file's own folder would make every module a top-level one
    from drydock.setup import steps

    return steps.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
