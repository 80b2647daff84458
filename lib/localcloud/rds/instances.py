"""The DB instances of a home: what moto records of each, and the PostgreSQL behind it."""

import queue
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import moto.rds.models as moto_rds

from localcloud.home import Home
from localcloud.rds import parameters, tokens
from localcloud.rds.binaries import PostgresUnusable
from localcloud.rds.configuration import Configuration
from localcloud.rds.directory import Directory, check_of
from localcloud.rds.placing import PlaceOfPeer, admits
from localcloud.rds.postgres import Plan, Postgres
from localcloud.rds.postmaster import PostgresFailed

# Both by this name too: state that is already on disk names them here.
from localcloud.rds.records import Instance, ManagedSecret  # noqa: F401
from localcloud.rds.tls import Authority
from localcloud.storage import Storage

PROXIES = ".proxies"  # beside the instances, whose names begin with a letter
LOOK_EVERY = 1.0  # seconds between looks whether PostgreSQL still runs
RECOVERIES = 3  # in a row, before the instance counts as failed


class Keeper:
    """Carries out, one after the other, what the API asked of one instance, and looks after it.

    PostgreSQL is the child of the keeper's thread and ends with it, so it lives as long as the
    server. The thread is a part, not the base: Thread's own methods would be overridden unseen.
    """

    def __init__(
        self,
        instance: Instance,
        postgres: Postgres,
        configuration: Callable[[], Configuration],
        saved: Callable[[], None],
    ):
        name = f"rds-{instance.db_instance_identifier}"
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.instance = instance
        self.postgres = postgres
        self._configuration = configuration
        self._saved = saved
        self._orders: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._recoveries = 0
        self.gone: Callable[[], None] = lambda: None

    # ------------------------------------------------------------------ orders from the API
    def create(self) -> None:
        self._order("creating", self._create, "available")

    def start_up(self, status: str = "starting") -> None:
        self._order(status, self._start, "available")

    def stop_down(self) -> None:
        self._order("stopping", self.postgres.stop, "stopped")

    def reboot(self) -> None:
        self._order("rebooting", self._restart, "available")

    def change(self, verifier: str | None, restart: bool) -> None:
        def carry_out() -> None:
            if verifier:
                self.postgres.set_master_password(verifier)
            if restart:
                self._restart()
            else:
                self.postgres.reload(self._configuration())

        self._order("modifying", carry_out, "available")

    def reload(self) -> None:
        """Follow a change of the parameter group, in the background and without a word."""
        if self.instance.status == "available":
            self._orders.put(lambda: self.postgres.reload(self._configuration()))

    def delete(self) -> None:
        self._order("deleting", self._delete, "deleting")

    def end(self) -> None:
        """Stop PostgreSQL and this thread; the instance's status stays as it is."""
        self._orders.put(None)

    def fail(self, why: str) -> None:
        name = self.instance.db_instance_identifier
        print(f"RDS instance {name} failed: {why}", file=sys.stderr, flush=True)
        self.instance.status = "failed"
        self.instance.status_infos = [
            {"StatusType": "PostgreSQL", "Normal": False, "Status": "error", "Message": why}
        ]

    def _order(self, now: str, carry_out: Callable[[], None], then: str) -> None:
        self.instance.status = now

        def order() -> None:
            carry_out()
            self.instance.status = then
            self.instance.status_infos = None
            self._recoveries = 0

        self._orders.put(order)

    # ------------------------------------------------------------------ carrying them out
    def _run(self) -> None:
        while True:
            try:
                order = self._orders.get(timeout=LOOK_EVERY)
            except queue.Empty:
                order = self._recovery()
                if order is None:
                    continue
            if order is None:
                self.postgres.stop()
                return
            self._carry_out(order)
            if self.instance.status == "deleting":
                return

    def _carry_out(self, order: Callable[[], None]) -> None:
        try:
            order()
        except Exception as error:
            if not isinstance(error, PostgresFailed | PostgresUnusable):
                traceback.print_exc()
            self.fail(str(error) or type(error).__name__)
        self._saved()

    def _recovery(self) -> Callable[[], None] | None:
        """As RDS does, start a PostgreSQL again that ended though nobody asked it to."""
        if self.instance.status != "available" or self.postgres.is_running():
            return None
        self._recoveries += 1
        if self._recoveries > RECOVERIES:
            return lambda: self.fail(f"PostgreSQL ended {RECOVERIES} times: {self.postgres.log}")
        name = self.instance.db_instance_identifier
        print(f"PostgreSQL of {name} ended: starting it again", file=sys.stderr, flush=True)
        return self._start

    def _create(self) -> None:
        self.postgres.create(self._configuration())
        self._tell_port()

    def _start(self) -> None:
        self.postgres.start(self._configuration())
        self._tell_port()

    def _tell_port(self) -> None:
        port = self.postgres.plan.port
        if self.instance.port != port:
            name = self.instance.db_instance_identifier
            print(
                f"Port {self.instance.port} of RDS instance {name} is taken: it listens on {port}",
                file=sys.stderr,
                flush=True,
            )
        self.instance.port = port

    def _restart(self) -> None:
        self.postgres.stop()
        self._start()

    def _delete(self) -> None:
        self.postgres.remove()
        self.gone()


class Instances:
    """Every instance's keeper, by account, region and identifier."""

    def __init__(self, home: Home):
        self._home = home
        self.place_of_peer: PlaceOfPeer = lambda peer_port, port: None
        self._authority: Authority | None = None
        self._directory: Directory | None = None
        self._keepers: dict[Path, Keeper] = {}
        self._storage: Storage | None = None

    def resume(self, storage: Storage) -> None:
        """Take up every recorded instance where the last server left it."""
        self._storage = storage
        recorded = set()
        for _, _, backend in list(moto_rds.rds_backends.iter_backends()):
            for instance in list(backend.databases.values()):
                if isinstance(instance, Instance):
                    recorded.add(self._folder(instance))
                    self._resume(instance)
        for folder in self._home.rds.iterdir():
            if folder.is_dir() and folder not in recorded and folder.name != PROXIES:
                self._home.say(f"{folder} belongs to no DB instance: move or remove it")

    def _resume(self, instance: Instance) -> None:
        keeper = self._keep(instance)
        try:
            created = keeper.postgres.plan.created
        except (OSError, ValueError, TypeError) as error:
            keeper.fail(f"its folder {keeper.postgres.folder} is damaged: {error}")
            return
        if instance.status == "deleting":
            self._delete(keeper)
        elif not created:
            keeper.create()
        elif instance.status in ("stopping", "stopped"):
            instance.status = "stopped"
        else:
            keeper.start_up()

    def create(self, instance: Instance, plan: Plan) -> None:
        self._postgres(instance).prepare(plan)
        self._keep(instance).create()

    def delete(self, instance: Instance) -> None:
        self._delete(self.keeper(instance))

    def _delete(self, keeper: Keeper) -> None:
        instance = keeper.instance

        def forget() -> None:
            instance.backend.databases.pop(instance.db_instance_identifier, None)
            self._keepers.pop(self._folder(instance), None)

        keeper.gone = forget
        keeper.delete()

    def keeper(self, instance: Instance) -> Keeper:
        return self._keepers[self._folder(instance)]

    def end(self) -> None:
        keepers = list(self._keepers.values())
        for keeper in keepers:
            keeper.end()
        for keeper in keepers:
            keeper.thread.join()

    def _keep(self, instance: Instance) -> Keeper:
        folder = self._folder(instance)
        keeper = Keeper(
            instance, self._postgres(instance), lambda: self._configuration(instance), self._save
        )
        self._keepers[folder] = keeper
        keeper.thread.start()
        return keeper

    def _postgres(self, instance: Instance) -> Postgres:
        def admitted(peer_port: int) -> bool:
            return admits(instance, peer_port, self.place_of_peer)

        return Postgres(self._folder(instance), self.authority(), admitted)

    def reload(self, group: str) -> None:
        """Have the instances of a parameter group follow a change of it."""
        for keeper in list(self._keepers.values()):
            if group in {held.name for held in keeper.instance.db_parameter_groups()}:
                keeper.reload()

    def _configuration(self, instance: Instance) -> Configuration:
        wanted = parameters.values(instance)
        rule = None
        if instance.iam_database_authentication_enabled:
            if self._directory is None:
                self._directory = Directory(check_of(self._by_resource, tokens.check))
            rule = self._directory.rule(instance.dbi_resource_id)
        return Configuration(wanted, parameters.forces_ssl(wanted), rule)

    def _by_resource(self, resource_id: str) -> Instance | None:
        found = (keeper.instance for keeper in list(self._keepers.values()))
        return next((held for held in found if held.dbi_resource_id == resource_id), None)

    def _save(self) -> None:
        self._storage.save_backends()

    def authority(self) -> Authority:
        if self._authority is None:
            self._authority = Authority(self._home.rds)
        return self._authority

    def _folder(self, instance: Instance) -> Path:
        return self._home.rds / instance.db_instance_identifier.lower()
