"""The bootstrap started by a Python that is too old, with a PATH of our own."""

import ast
import subprocess
import sys

from tiny_project import LIB

AS_OLD_PYTHON = """
import runpy, sys
sys.version_info, sys.version = (3, 8, 18, "final", 0), "3.8.18 (main)"
sys.argv = [{path!r}, "--test", "--", "drydock", "run"]
runpy.run_path({path!r}, run_name="__main__")
"""


def run_as_old_python(folder):
    code = AS_OLD_PYTHON.format(path=str(LIB / "setup" / "bootstrap.py"))
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
    )


def put_program(folder, name, text):
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_an_old_python_can_read_the_bootstrap():
    ast.parse((LIB / "setup" / "bootstrap.py").read_text(), feature_version=(3, 6))


def test_an_old_python_alone_is_told_what_to_get(tmp_path):
    done = run_as_old_python(tmp_path)
    assert done.returncode == 1
    assert "Python 3.11 or later is needed; this is 3.8.18" in done.stderr
    assert "apt-get install python3" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_old_python_hands_over_to_a_newer_one_that_really_starts(tmp_path):
    put_program(tmp_path, "python3.13", "exit 127")  # a version manager's empty promise
    put_program(tmp_path, "python3.12", '[ "$1" = -c ] && exit 0; echo "$@"')
    done = run_as_old_python(tmp_path)
    assert done.returncode == 0
    assert done.stdout.split() == [
        str(LIB / "setup" / "bootstrap.py"),
        "--test",
        "--",
        "drydock",
        "run",
    ]


def test_a_newer_name_that_is_an_old_python_is_not_taken(tmp_path):
    for name in ("python3.11", "python3.12", "python3.13", "python3.14"):
        put_program(tmp_path, name, "exit 1")
    assert run_as_old_python(tmp_path).returncode == 1
