"""The server's side of a database's front: its process, and who is let in."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

FRONT = Path(__file__).with_name("front.py")
STOP_SECONDS = 5.0


class Door:
    """Owns ``port`` of ``address`` while it is open. ``admits`` is asked with a peer's port."""

    def __init__(self, address: str, port: int, internal_port: int, admits: Callable[[int], bool]):
        self._admits = admits
        self.internal_port = internal_port
        with socket.create_server((address, port), backlog=128) as listening:
            descriptor = listening.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", FRONT, str(descriptor), str(internal_port)],
                pass_fds=[descriptor],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        threading.Thread(target=self._answer, name=f"door-{port}", daemon=True).start()

    def is_open(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """Take no more connections, and cut those that are open."""
        self._process.kill()
        self._process.wait(STOP_SECONDS)

    def _answer(self) -> None:
        with self._process.stdin as answers, self._process.stdout as questions:
            for line in questions:
                number, peer_port = map(int, line.split())
                try:
                    admitted = self._admits(peer_port)
                except Exception:
                    traceback.print_exc()
                    admitted = True
                try:
                    answers.write(b"%d %d\n" % (number, admitted))
                    answers.flush()
                except OSError:
                    return
