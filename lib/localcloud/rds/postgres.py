"""One PostgreSQL server: its folder, its process, its master user. Nothing here knows of RDS."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from localcloud.authority import ADDRESS, Authority
from localcloud.home import write_json
from localcloud.rds.binaries import PostgresUnusable, account, binaries, check_enterable
from localcloud.rds.configuration import Configuration
from localcloud.rds.door import Door
from localcloud.rds.ports import free_port, is_free
from localcloud.rds.postmaster import PostgresFailed, Postmaster, as_account, cause, locale

ADMIN = "rdsadmin"
# Whoever has this role logs in with an IAM token. From PostgreSQL 16 on only a role's
# administrators may grant it.
IAM_ROLE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
    CREATE ROLE rds_iam NOLOGIN;
    IF current_setting('server_version_num')::int >= 160000 THEN
      EXECUTE format('GRANT rds_iam TO %I WITH ADMIN TRUE, INHERIT FALSE, SET FALSE', {});
    END IF;
  END IF;
END $$
"""


@dataclass
class Plan:
    """What a database server is created from."""

    port: int
    master: str
    verifier: str  # of the master's password
    database: str | None
    created: bool = False


class Postgres:
    """PostgreSQL in ``folder``: data, log, certificate, and the plan it was made from.

    It listens on a port of its own; a door in front of it owns the plan's port, and lets in the
    connections whose peer port ``admits``.
    """

    def __init__(self, folder: Path, authority: Authority, admits: Callable[[int], bool]):
        self.folder = folder
        self.log = folder / "postgresql.log"
        self._data = folder / "data"
        self._plan_file = folder / "plan.json"
        self._authority = authority
        self._postmaster = Postmaster(self._data, self.log)
        self._admits = admits
        self._door: Door | None = None
        self._own_port = 0

    # ------------------------------------------------------------------------- the plan
    @property
    def plan(self) -> Plan:
        return Plan(**json.loads(self._plan_file.read_text()))

    def _write_plan(self, plan: Plan) -> None:
        write_json(self._plan_file, asdict(plan))

    def prepare(self, plan: Plan) -> None:
        """Make the folder. Raises PostgresUnusable when PostgreSQL cannot run in it."""
        check_enterable(self.folder.parent)
        binaries()
        if self.folder.exists():
            raise PostgresUnusable(
                f"{self.folder} is there but belongs to no DB instance: move or remove it"
            )
        self.folder.mkdir(mode=0o711)
        self._write_plan(plan)

    # ------------------------------------------------------------------------- creating
    def create(self, configuration: Configuration) -> None:
        """Run initdb, start, and make the master user and the database. Again after a crash."""
        self._postmaster.end_leftover()
        shutil.rmtree(self._data, ignore_errors=True)
        password = self._password_file()
        password.unlink(missing_ok=True)
        self._write_private(password, secrets.token_urlsafe(32).encode())
        self._run_initdb(password)
        self._authority.issue(self._data / "server.crt", self._data / "server.key")
        self._own(self._data / "server.crt")
        self._own(self._data / "server.key")
        self._start(configuration)
        plan = self.plan
        self._create_master(plan)
        self._offer_tokens(plan)
        plan.created = True
        self._write_plan(plan)

    def _run_initdb(self, password: Path) -> None:
        self._data.mkdir(mode=0o700)
        self._own(self._data)
        options = ["-U", ADMIN, "-A", "scram-sha-256", "-E", "UTF8", "--data-checksums"]
        done = subprocess.run(
            [
                *(binaries() / "initdb", "-D", self._data, *options),
                *(f"--pwfile={password}", f"--locale={locale()}"),
            ],
            **as_account(),
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise PostgresFailed(f"initdb in {self.folder}: {cause(done.stderr)}")

    def _create_master(self, plan: Plan) -> None:
        from psycopg import sql

        master, password = sql.Identifier(plan.master), sql.Literal(plan.verifier)
        self.execute(
            sql.SQL("CREATE ROLE rds_superuser NOLOGIN"),
            sql.SQL("GRANT pg_monitor, pg_signal_backend TO rds_superuser WITH ADMIN OPTION"),
            sql.SQL(
                "CREATE ROLE {} LOGIN CREATEDB CREATEROLE IN ROLE rds_superuser PASSWORD {}"
            ).format(master, password),
            sql.SQL("ALTER DATABASE postgres OWNER TO {}").format(master),
        )
        if plan.database and plan.database != "postgres":
            database = sql.Identifier(plan.database)
            self.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, master))

    def set_master_password(self, verifier: str) -> None:
        from psycopg import sql

        plan = self.plan
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
        self.execute(statement.format(sql.Identifier(plan.master), sql.Literal(verifier)))
        plan.verifier = verifier
        self._write_plan(plan)

    def execute(self, *statements: Any) -> None:
        """Run SQL as the superuser, each statement on its own."""
        with self._administered() as connection:
            for statement in statements:
                connection.execute(statement)

    def _administered(self) -> Any:
        import psycopg

        return psycopg.connect(
            host=ADDRESS,
            port=self._own_port,
            user=ADMIN,
            password=self._password_file().read_text(),
            dbname="postgres",
            sslmode="verify-full",
            sslrootcert=str(self._authority.bundle),
            autocommit=True,
        )

    def verifiers(self, users: Iterable[str]) -> dict[str, str]:
        """What the database has stored in place of the password of each of these users."""
        with self._administered() as connection:
            found = connection.execute(
                "SELECT rolname, rolpassword FROM pg_authid "
                "WHERE rolname = ANY(%s) AND rolcanlogin",
                [list(users)],
            )
            return {name: stored for name, stored in found if stored}

    def _offer_tokens(self, plan: Plan) -> None:
        """Make the role rds_iam, which the master user may grant."""
        from psycopg import sql

        self.execute(sql.SQL(IAM_ROLE).format(sql.Literal(plan.master)))

    # ------------------------------------------------------------------------- running
    def start(self, configuration: Configuration) -> None:
        """Start and wait until it takes connections; on another port if its own is taken."""
        self._start(configuration)
        self._offer_tokens(self.plan)

    def _start(self, configuration: Configuration) -> None:
        self.stop()
        self._postmaster.end_leftover()
        plan = self.plan
        if not is_free(plan.port):
            plan.port = free_port()
            self._write_plan(plan)
        self._own_port = free_port()
        configuration.write(self._data, plan.master)
        self._postmaster.start(self._settings(self._own_port))
        self._door = Door(ADDRESS, plan.port, self._own_port, self._admits)

    def reload(self, configuration: Configuration) -> None:
        """Have the running server follow a changed configuration, as far as it can at once."""
        configuration.write(self._data, self.plan.master)
        self.execute("SELECT pg_reload_conf()")

    def _settings(self, port: int) -> dict[str, Any]:
        return {
            "listen_addresses": ADDRESS,
            "port": port,
            "unix_socket_directories": "",
            "ssl": "on",
            "ssl_cert_file": "server.crt",
            "ssl_key_file": "server.key",
            "password_encryption": "scram-sha-256",
            "shared_buffers": "32MB",
            "huge_pages": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%t:%r:%u@%d:[%p]:",
            "cluster_name": self.folder.name,
        }

    @property
    def own_port(self) -> int:
        """Where it listens behind its door, for the cloud's own services."""
        return self._own_port

    def is_running(self) -> bool:
        door_open = self._door is not None and self._door.is_open()
        return door_open and self._postmaster.is_running()

    def stop(self) -> None:
        if self._door:
            self._door.close()
            self._door = None
        self._postmaster.stop()

    def remove(self) -> None:
        self.stop()
        self._postmaster.end_leftover()
        if self.folder.exists():  # somebody may have removed it by hand
            shutil.rmtree(self.folder)

    # ------------------------------------------------------------------------- its files
    def _password_file(self) -> Path:
        return self.folder / "rdsadmin.password"

    def _write_private(self, path: Path, content: bytes) -> None:
        path.touch(mode=0o600)
        path.write_bytes(content)
        self._own(path)

    @staticmethod
    def _own(path: Path) -> None:
        if user := account():
            os.chown(path, user.uid, user.gid)
