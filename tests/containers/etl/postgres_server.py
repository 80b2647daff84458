"""A throw-away PostgreSQL server with TLS, for the tests of one session."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def binaries() -> Path:
    """Folder of initdb and pg_ctl."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "pg_ctl").is_file():
            return folder
    pytest.fail("PostgreSQL is not installed; type: make setup")


@contextmanager
def running() -> Iterator[tuple[int, str, str]]:
    """Start a server in a folder of its own; give port, password of user postgres, certificate."""
    # PostgreSQL refuses to run as root, and its own user cannot enter pytest's folders.
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="drydock-postgres-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        with _started(folder, user) as server:
            yield server


@contextmanager
def _started(folder: Path, user: str | None) -> Iterator[tuple[int, str, str]]:
    data, password = folder / "data", secrets.token_hex(8)
    (folder / "password").write_text(password)
    (folder / "password").chmod(0o644)

    def call(program: str, *arguments: object) -> None:
        done = subprocess.run(
            [binaries() / program, *map(str, arguments)],
            user=user,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    secret = f"--pwfile={folder / 'password'}"
    call("initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", secret, "-E", "UTF8")
    _certificate(data, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(
            f"port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
            # far from UTC, so that a timestamp read in the wrong zone shows
            "ssl = on\nfsync = off\ntimezone = 'Pacific/Auckland'\n"
        )
    call("pg_ctl", "-D", data, "-l", folder / "log", "-w", "start")
    try:
        yield port, password, (data / "server.crt").read_text()
    finally:
        call("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _certificate(data: Path, user: str | None) -> None:
    command = "openssl req -new -x509 -days 2 -nodes -subj /CN=127.0.0.1 -out server.crt"
    subprocess.run(
        [*command.split(), "-keyout", "server.key"], cwd=data, check=True, capture_output=True
    )
    for name in ("server.crt", "server.key"):
        (data / name).chmod(0o600)
        if user:
            shutil.chown(data / name, user)
