"""The steps of the set-up, in order; see bootstrap.py, which starts them."""

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drydock.errors import DrydockError
from drydock.setup import environment, needs, system_packages


def main(arguments: list[str]) -> int:
    """Set up what is missing, then become the command that was given, if any."""
    options, command = _parse(arguments)
    try:
        with _one_at_a_time(environment.ROOT):
            env = set_up(options.test, options.spark, options.bench)
    except DrydockError as error:
        print(f"drydock: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"drydock: set-up failed: {error}; type the same again", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("drydock: set-up interrupted; type the same again to go on", file=sys.stderr)
        return 130
    if not command:
        return 0
    variables = environment.command_environment(env)
    os.environ["PATH"] = variables["PATH"]  # execvpe looks the program up on our own PATH
    try:
        os.execvpe(command[0], command, variables)
    except OSError as error:
        print(f"drydock: cannot run {command[0]}: {error.strerror}", file=sys.stderr)
        return 127


def set_up(test: bool, spark: bool, bench: bool) -> environment.Environment:
    """Install what is missing on this machine and return the Python environment to work in."""
    spark = spark or test or bench
    wanted = [*needs.RUN]
    wanted += needs.TEST if test else ()
    wanted += needs.SPARK if spark else ()
    env = environment.choose()
    if env.ours and not env.python.exists():
        wanted.append(needs.VENV)  # so that one command names all there is to install
    system_packages.ensure(wanted, say)
    if test:
        system_packages.try_engine(say)
    groups = {"spark": spark, "bench": bench}
    environment.prepare(env, say, more=[name for name, chosen in groups.items() if chosen])
    return env


def say(line: str) -> None:
    """One line to the person who waits. stdout is the command's, which may print JSON."""
    print(f"set-up: {line}", file=sys.stderr, flush=True)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up of this folder is under way; waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    own, command = arguments, []
    if "--" in arguments:
        cut = arguments.index("--")
        own, command = arguments[:cut], arguments[cut + 1 :]
    parser = argparse.ArgumentParser(
        prog="bootstrap.py",
        description="Set up what is missing, then run a command.",
        epilog="Put the command after --, for instance: bootstrap.py -- drydock run",
    )
    parser.add_argument("--test", action="store_true", help="also what the tests need")
    parser.add_argument("--spark", action="store_true", help="also Spark, which lessons run")
    parser.add_argument("--bench", action="store_true", help="also what the benchmark needs")
    return parser.parse_args(own), command
