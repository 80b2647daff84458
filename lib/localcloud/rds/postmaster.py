"""PostgreSQL's process: started, watched and ended with ours."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from localcloud.rds.binaries import account, binaries

START_TIMEOUT = 60.0  # seconds; recovery after a crash included
STOP_TIMEOUT = 15.0  # for each of the three ways of ending it
PRCTL = getattr(ctypes.CDLL(None), "prctl", None)  # looked up before any fork; only on Linux
PR_SET_PDEATHSIG = 1


class PostgresFailed(Exception):
    """PostgreSQL did not do it; the message is one line and names the log."""


class Postmaster:
    """The server process on a data folder, a child of this process, which it does not outlive."""

    def __init__(self, data: Path, log: Path):
        self._data = data
        self._log = log
        self._process: subprocess.Popen | None = None

    def start(self, settings: dict[str, Any]) -> None:
        """Start and wait until it takes connections. Raises PostgresFailed."""
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open(self._log, "ab", opener=_private) as log:
            self._process = subprocess.Popen(
                [binaries() / "postgres", "-D", self._data, *options],
                **as_account(),
                cwd=self._data.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._is_ready():
            if self._process.poll() is not None:
                raise PostgresFailed(f"PostgreSQL ended at once: {self._last_words()}")
            if time.monotonic() > deadline:
                self.stop()
                raise PostgresFailed(
                    f"PostgreSQL was not ready in {START_TIMEOUT:.0f} s: see {self._log}"
                )
            time.sleep(0.02)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Fast shutdown: connections are cut, nothing committed is lost."""
        if self._process:
            end(self._process)
            self._process = None

    def end_leftover(self) -> None:
        """End a PostgreSQL that a killed server of ours left on this folder."""
        if self.is_running():
            return
        pid_file = self._data / "postmaster.pid"
        try:
            process = psutil.Process(int(pid_file.read_text().split("\n")[0]))
            ours = str(self._data) in process.cmdline()
        except (OSError, ValueError, psutil.Error):
            return
        if ours:
            end(process)
        else:
            pid_file.unlink()

    def _is_ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().split("\n")
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready" and lines[0] == str(self._process.pid)

    def _last_words(self) -> str:
        return f"{cause(self._log.read_text(errors='replace'))} (log: {self._log})"


def cause(text: str) -> str:
    """The line of PostgreSQL's last words that says why, not what it did about it afterwards."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = ("FATAL", "PANIC", "error:", "No space left")
    causes = [line for line in lines[-20:] if any(word in line for word in telling)]
    return (causes or lines or ["no reason given"])[-1]


def as_account() -> dict[str, Any]:
    """subprocess arguments: as whom, with what environment, and for how long."""
    environment = {"LC_ALL": locale(), "PATH": os.environ.get("PATH", os.defpath)}
    arguments: dict[str, Any] = {
        "env": environment,
        "umask": 0o077,
        "preexec_fn": _die_with_the_server if PRCTL else None,
    }
    if user := account():
        arguments |= {"user": user.uid, "group": user.gid, "extra_groups": []}
    return arguments


def locale() -> str:
    return "C.UTF-8" if sys.platform == "linux" else "C"


def _die_with_the_server() -> None:
    # Of the thread that starts it, really: each server is started by a thread that lives as long.
    PRCTL(PR_SET_PDEATHSIG, signal.SIGINT)


def end(process: subprocess.Popen | psutil.Process) -> None:
    """PostgreSQL's fast shutdown, then its immediate one, then the end of patience."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        try:
            process.send_signal(number)
            process.wait(timeout=STOP_TIMEOUT)
            return
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
            continue
        except psutil.NoSuchProcess:
            return


def _private(path: str, flags: int) -> int:
    """The log quotes statements, which may hold anything."""
    return os.open(path, flags, 0o600)
