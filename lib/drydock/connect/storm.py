"""The storm: many clients that all want a connection at once, and what becomes of each."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from drydock.connect import native
from drydock.connect.errors import ConnectError
from drydock.connect.secrets import DatabaseSecret

QUESTION = "SELECT pg_backend_pid(), pg_sleep(%s)"


@dataclass(frozen=True)
class Client:
    """One client's fate: seconds until it had its answer or its refusal, and the error if any."""

    seconds: float
    backend: int | None = None
    error: ConnectError | None = None


@dataclass(frozen=True)
class Storm:
    """What became of the clients of one storm, in the order of the clients' numbers."""

    clients: tuple[Client, ...]

    @property
    def served(self) -> int:
        """Clients that got their answer."""
        return sum(client.error is None for client in self.clients)

    @property
    def refused(self) -> dict[str, int]:
        """Clients that failed, by kind of error, such as {"ConnectionsExhausted": 91}."""
        names = [type(client.error).__name__ for client in self.clients if client.error]
        return {name: names.count(name) for name in sorted(set(names))}

    @property
    def backends(self) -> int:
        """Connections to PostgreSQL that served all who were served."""
        return len({client.backend for client in self.clients if client.error is None})

    @property
    def waits(self) -> list[float]:
        """Seconds from the start of the storm until each answer, the shortest first."""
        return sorted(client.seconds for client in self.clients if client.error is None)

    @property
    def example(self) -> str:
        """The first refusal in its own words; empty if there was none."""
        return next((str(client.error) for client in self.clients if client.error), "")


def storm(
    secret: DatabaseSecret,
    certificates: Path,
    *,
    clients: int = 200,
    work: float = 0.05,
    hold: bool = True,
    patience: int = 60,
) -> Storm:
    """Let `clients` threads connect at once, each for one query of `work` seconds; return all ends.

    With `hold` each keeps its connection open until all have had their answer or refusal, as tasks
    do that open a connection when they start and close it when they end: more clients than
    max_connections cannot all be served. A proxy before the database serves them with a few
    connections, as it lends one for the length of a transaction. A client gives up on connecting
    after `patience` seconds.
    """
    start, over = threading.Barrier(clients), threading.Barrier(clients)
    ends: list[Client | None] = [None] * clients
    begin = time.monotonic()

    def work_once(number: int) -> None:
        connection = None
        start.wait()
        try:
            connection = native.connect(secret, certificates, connect_seconds=patience)
            with native.explained("psycopg", secret):
                backend = connection.execute(QUESTION, [work]).fetchone()[0]
            ends[number] = Client(time.monotonic() - begin, backend)
        except ConnectError as error:
            ends[number] = Client(time.monotonic() - begin, error=error)
        finally:
            if hold:
                over.wait()
            if connection:
                connection.close()

    threads = [threading.Thread(target=work_once, args=[number]) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Storm(tuple(ends))
