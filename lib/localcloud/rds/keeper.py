"""Who looks after one PostgreSQL: carries out orders, and starts again what has ended."""

import queue
import sys
import threading
import traceback
from collections.abc import Callable

from localcloud.rds.binaries import PostgresUnusable
from localcloud.rds.configuration import Configuration
from localcloud.rds.postgres import Postgres
from localcloud.rds.postmaster import PostgresFailed
from localcloud.rds.records import Instance

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
        self._deleted = False
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
            if self.instance.status == now:  # and not, meanwhile, "deleting"
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
            if self._deleted:  # not by the status: "deleting" may be the next order
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
        if self.instance.keeps_data:
            self.postgres.stop()
        else:
            self.postgres.remove()
        self.gone()
        self._deleted = True
