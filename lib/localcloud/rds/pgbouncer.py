"""pgbouncer, which does here what RDS Proxy does on AWS: found, configured, started, reloaded."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from localcloud.authority import ADDRESS, Authority
from localcloud.rds.binaries import PostgresUnusable, account
from localcloud.rds.ports import free_port
from localcloud.rds.postmaster import as_account, cause, end

INSTALL = (
    "RDS Proxy runs as pgbouncer here, which is not on this machine: `apt-get install pgbouncer` "
    "or `conda install -c conda-forge pgbouncer`, or name it in DRYDOCK_PGBOUNCER"
)
START_SECONDS = 15.0
MOST_CLIENTS = 5000
# What drivers ask for when they connect, and a pooled connection may ignore.
IGNORED = "extra_float_digits,options,search_path,IntervalStyle,statement_timeout"


def program() -> Path:
    """Return where pgbouncer is. Raises PostgresUnusable."""
    if named := os.environ.get("DRYDOCK_PGBOUNCER"):
        if not os.access(named, os.X_OK):
            raise PostgresUnusable(f"DRYDOCK_PGBOUNCER={named} is no program: correct or unset it")
        return Path(named)
    places = os.pathsep.join([f"{sys.prefix}/bin", os.environ.get("PATH", ""), "/usr/sbin"])
    if found := shutil.which("pgbouncer", path=places):
        return Path(found)
    raise PostgresUnusable(INSTALL)


@dataclass(frozen=True)
class Pooling:
    """What a proxy does. Seconds; ``database_port`` None: it has no target yet."""

    database_port: int | None
    connections: int
    borrow_timeout: int
    idle_timeout: int
    require_tls: bool
    verifiers: tuple[tuple[str, str], ...]


class Pgbouncer:
    """A process in ``folder``, a child of this one, which it does not outlive."""

    def __init__(self, folder: Path, authority: Authority, address: str):
        self.log = folder / "pgbouncer.log"
        self.port = 0
        self._folder = folder
        self._authority = authority
        self._address = address
        self._process: subprocess.Popen | None = None

    def apply(self, pooling: Pooling) -> None:
        """Start it, or have it follow what has changed. Raises PostgresUnusable."""
        if not self.is_running():
            self._prepare()
        self._write("users.txt", "".join(f'"{name}" "{v}"\n' for name, v in pooling.verifiers))
        self._write("pgbouncer.ini", self._configuration(pooling))
        if self.is_running():
            self._process.send_signal(signal.SIGHUP)
        else:
            self._start()

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        if self._process:
            end(self._process)
            self._process = None

    def _prepare(self) -> None:
        self._folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.port = free_port(self.port)
        self._authority.issue(
            self._folder / "server.crt", self._folder / "server.key", self._address
        )
        for name in ("server.crt", "server.key"):
            self._own(self._folder / name)

    def _start(self) -> None:
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [program(), "-q", self._folder / "pgbouncer.ini"],
                **as_account(),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self.is_running() or time.monotonic() > deadline:
                self.stop()
                words = cause(self.log.read_text(errors="replace"))
                raise PostgresUnusable(f"pgbouncer does not start: {words} (log: {self.log})")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            socket.create_connection((ADDRESS, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _configuration(self, pooling: Pooling) -> str:
        target = f"* = host={ADDRESS} port={pooling.database_port}" if pooling.database_port else ""
        settings = {
            "listen_addr": ADDRESS,
            "listen_port": self.port,
            "unix_socket_dir": "",
            "pool_mode": "transaction",
            "auth_type": "scram-sha-256",
            "auth_file": self._folder / "users.txt",
            "client_tls_sslmode": "require" if pooling.require_tls else "allow",
            "client_tls_cert_file": self._folder / "server.crt",
            "client_tls_key_file": self._folder / "server.key",
            "server_tls_sslmode": "verify-full",
            "server_tls_ca_file": self._authority.bundle,
            "max_client_conn": MOST_CLIENTS,
            "default_pool_size": pooling.connections,
            "max_db_connections": pooling.connections,
            "query_wait_timeout": pooling.borrow_timeout,
            "client_idle_timeout": pooling.idle_timeout,
            "ignore_startup_parameters": IGNORED,
            "log_connections": 0,
            "log_disconnections": 0,
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        return "\n".join(["[databases]", target, "[pgbouncer]", *lines, ""])

    def _write(self, name: str, text: str) -> None:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        self._own(path)

    @staticmethod
    def _own(path: Path) -> None:
        if user := account():
            os.chown(path, user.uid, user.gid)
