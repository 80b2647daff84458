"""The program that owns a database's port, in front of an echoing server of the test's own."""

import contextlib
import resource
import socket
import subprocess
import sys
import threading

import pytest

from localcloud.rds import front

FILES = 24


@pytest.fixture
def echoing():
    """The port of a server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection = listening.accept()[0]
                    threading.Thread(target=front.pump, args=[connection] * 2, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def door(echoing):
    """The address of a door that may hold few files open, and lets everybody in."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        program = subprocess.Popen(
            [sys.executable, "-I", "-S", front.__file__, str(listening.fileno()), str(echoing)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[listening.fileno()],
            bufsize=0,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)),
        )
        address = listening.getsockname()

        def allow():
            for line in program.stdout:
                program.stdin.write(line.split()[0] + b" 1\n")

        threading.Thread(target=allow, daemon=True).start()
        yield address
        program.stdin.close()
        assert program.wait(20) == 0
        program.stdout.close()


def echoes(connection):
    connection.sendall(b"hello")
    return connection.recv(5)


def test_more_connections_than_files_end_no_door(door):
    first = socket.create_connection(door)
    assert echoes(first) == b"hello"
    many = [socket.create_connection(door, timeout=20) for _ in range(2 * FILES)]
    assert echoes(first) == b"hello"
    for connection in many:
        connection.close()
    while True:  # until the door has closed its own ends
        with socket.create_connection(door, timeout=60) as late, contextlib.suppress(OSError):
            if echoes(late) == b"hello":
                break
    assert echoes(first) == b"hello"
    first.close()
