"""Airlines, airports and planes from the database of lookup tables, over a pool of connections.

The pool is small on purpose: tasks times connections must stay below the database's
max_connections. Who finds all connections busy waits a moment, in a line that is not endless.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from api.problems import ProblemError

CONNECTIONS = 4
WAITING = 32
WAIT_SECONDS = 1.0
STATEMENT_SECONDS = 2.0
# What `expand` may name: the table, its key, the columns that are answered, and the flight's own
# column that the key is looked up with.
_AIRPORT = ("airports", "faa", "faa, name, lat, lon, tzone")
TABLES = {
    "airline": ("airlines", "carrier", "carrier, name", "carrier"),
    "origin_airport": (*_AIRPORT, "origin"),
    "dest_airport": (*_AIRPORT, "dest"),
    "plane": ("planes", "tailnum", "tailnum, year, manufacturer, model, engines, seats", "tailnum"),
}


class WrongSecret(ValueError):
    """DB_SECRET is not what it should be; the message is one line."""


@dataclass(frozen=True)
class Secret:
    """How to log in, from the secret of an RDS database. It never shows its password."""

    host: str
    port: int
    username: str
    password: str
    dbname: str

    def __repr__(self) -> str:
        return f"Secret({self.username}@{self.host}:{self.port}/{self.dbname})"

    @classmethod
    def parse(cls, text: str) -> "Secret":
        """Read the JSON that DB_SECRET holds; raise WrongSecret."""
        try:
            found = json.loads(text)
            return cls(
                host=str(found["host"]),
                port=int(found["port"]),
                username=str(found["username"]),
                password=str(found["password"]),
                dbname=str(found["dbname"]),
            )
        except (ValueError, TypeError):
            # The text itself must not get into the log.
            raise WrongSecret("DB_SECRET is not the JSON of a secret") from None
        except KeyError as error:
            raise WrongSecret(f"DB_SECRET has no {error.args[0]}") from None


class Lookups:
    """A pool of connections to PostgreSQL, opened by the application that uses it."""

    def __init__(self, secret: Secret, certificates: str | None, connections: int = CONNECTIONS):
        self._pool = AsyncConnectionPool(
            kwargs={
                "host": secret.host,
                "port": secret.port,
                "user": secret.username,
                "password": secret.password,
                "dbname": secret.dbname,
                "sslmode": "verify-full" if certificates else "require",
                "sslrootcert": certificates,
                "application_name": "data-api",
                "autocommit": True,
                "row_factory": dict_row,
                "options": f"-c statement_timeout={int(STATEMENT_SECONDS * 1000)}",
                "connect_timeout": 3,
            },
            min_size=1,
            max_size=connections,
            max_waiting=WAITING,
            timeout=WAIT_SECONDS,
            open=False,
        )

    async def open(self) -> None:
        """Begin to connect; the database need not be there yet."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close(timeout=1.0)

    async def expand(self, flight: dict, names: list[str]) -> dict:
        """Return what is known behind the `names` of TABLES; None where the tables have nothing.

        Problems: 503 with Retry-After when no connection comes free or none can be made, 504 when
        the database takes too long.
        """
        try:
            async with self._pool.connection() as connection:
                return {name: await _found(connection, name, flight) for name in names}
        except (PoolTimeout, TooManyRequests):
            raise _unavailable("no connection to the database comes free", "1") from None
        except psycopg.errors.QueryCanceled:
            raise ProblemError(
                HTTPStatus.GATEWAY_TIMEOUT,
                f"the database gave no answer within {STATEMENT_SECONDS:.0f} s",
            ) from None
        except psycopg.OperationalError:
            raise _unavailable("the database does not answer", "5") from None


async def _found(connection, name: str, flight: dict) -> dict | None:
    table, key, columns, column = TABLES[name]
    if flight[column] is None:
        return None
    query = f"SELECT {columns} FROM {table} WHERE {key} = %s"
    return await (await connection.execute(query, [flight[column]])).fetchone()


def _unavailable(why: str, seconds: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE, f"{why}; try again", {"Retry-After": seconds}
    )
