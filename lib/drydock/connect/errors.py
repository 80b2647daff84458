"""What can go wrong between us and a database, in one line each that never holds the password.

Every driver words the same trouble in its own way; `explained` turns all of them into these few.
"""

import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from urllib.parse import quote, quote_plus

import pyarrow as pa

from drydock.connect.secrets import DatabaseSecret
from drydock.errors import DrydockError


class DriverMissing(DrydockError):
    """A driver, its jar, or its Java is not on this machine."""


class ConnectError(DrydockError):
    """The database could not be reached or read. `sqlstate` is PostgreSQL's code where known."""

    def __init__(self, message: str, sqlstate: str | None = None):
        super().__init__(message)
        self.sqlstate = sqlstate


class Unreachable(ConnectError):
    """Nobody answers at that host and port."""


class LoginRefused(ConnectError):
    """The database does not take this user or password."""


class ConnectionsExhausted(ConnectError):
    """The database, or the pooler before it, has no connection left to give."""


class CertificateRefused(ConnectError):
    """The server does not prove by its certificate that it is who we asked for."""


class QueryRefused(ConnectError):
    """The database does not run this query: PostgreSQL's own words and SQLSTATE are kept."""


class ReadBroken(ConnectError):
    """The connection was cut, or a value could not be taken over: nothing half-read is returned."""


# By what the message says, as not every driver keeps the SQLSTATE; the first that fits counts.
_WORDS = (
    (
        ConnectionsExhausted,
        r"53300|too many (clients|connections)|remaining connection slots|query_wait_timeout",
    ),
    (
        CertificateRefused,
        r"certificate|hostname .* could not be verified|TLS handshake|does not match host|PKIX"
        r"|SSL error",
    ),
    (LoginRefused, r"password authentication failed|no pg_hba.conf entry|28P01|28000"),
    (LoginRefused, r"role .* is not permitted to log in|PAM authentication failed"),
    (LoginRefused, r"LDAP authentication failed|pg_hba.conf rejects|SASL authentication failed"),
    (
        ReadBroken,
        r"terminating connection|closed the connection|closed unexpectedly|57P01|I/O error"
        r"|SSL SYSCALL|SSL connection has been closed|connection (was|has been) closed"
        r"|no connection to the server|connection to the backend|Software caused|unexpected EOF"
        r"|Could not (read|send|receive)|consuming input failed|lost",
    ),
    (
        Unreachable,
        r"could not translate host|Name or service|name resolution|lookup address|UnknownHost"
        r"|Connection refused|connect timed out|timeout expired|timed out|No route to host"
        r"|connection attempt failed|Connection to .* refused|Network is unreachable"
        r"|could not connect",
    ),
)
_STATE = re.compile(r"(?:State: |SQLSTATE[ :]*|\(|\b)([0-9A-Z]{5})(?=[,;:)\]]|$)")
_SERVER_SAID = re.compile(r"(?:ERROR|FATAL|PANIC): +(?:(?P<state>[0-9A-Z]{5}): )?(?P<said>.*)")


def check_rows(name: str, taken: int, sent: int) -> None:
    """Raise ReadBroken unless as many rows were taken over as the server sent."""
    if taken != sent:
        raise ReadBroken(f"{name}: {taken:,} rows were read of {sent:,}; nothing is returned")


@contextmanager
def explained(driver: str, secret: DatabaseSecret) -> Iterator[None]:
    """Turn whatever the driver raises inside into one of the errors above."""
    try:
        yield
    except (DrydockError, GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # BaseException, as Rust's panics under connectorx are no Exception.
        # None: the driver's error may quote the password, and a traceback would show it.
        raise explanation(error, driver, secret) from None


def explanation(error: BaseException, driver: str, secret: DatabaseSecret) -> DrydockError:
    """Return what `error` of `driver` means for the one who reads from `secret`'s database."""
    error = _root(error)
    words = error.args[1] if len(error.args) == 2 else error  # pyodbc: (SQLSTATE, words)
    text = without_password(" ".join(str(words).split()), secret)
    state = _sqlstate(error, text)
    place = f"{secret.host}:{secret.port}"
    said = _SERVER_SAID.search(text)
    if library := re.search(r"Can't open lib '([^']+)'", text):
        # The driver manager says "file not found" also of a file that is there and does not load.
        return DriverMissing(
            f"{driver}: the driver {library[1]} does not load: it is for another architecture, or "
            "a library that it needs is not here; unset DRYDOCK_ODBC_DRIVER and type: drydock "
            "doctor"
        )
    if re.search(r"Ran out of memory retrieving|Java heap space|OutOfMemoryError", text):
        return ReadBroken(
            f"{driver}: the result does not fit into Java's heap; read with fetch_rows of some "
            "thousands, or start Java with more heap_mib",
            state,
        )
    if "straddling object" in text:
        return ReadBroken(
            f"{driver}: {place} has a row larger than a block of COPY's text, which is 512 KiB, "
            "and less with partitions; read it row by row: psycopg, odbc-rows or jdbc-result-set"
        )
    if isinstance(error, pa.ArrowInvalid):
        return ReadBroken(
            f"{driver}: Arrow's type cannot hold a value that was read from {place}: "
            f"{_short(text)}; cast that column in the query: column::text"
        )
    for kind, words in _WORDS:
        if not re.search(words, f"{state} {text}", re.IGNORECASE):
            continue
        if kind is Unreachable:
            return Unreachable(
                f"{driver}: no database answers at {place}; check host, port and security group "
                f"of the secret: {_short(text)}",
                state,
            )
        if kind is ConnectionsExhausted:
            return ConnectionsExhausted(
                f"{driver}: {place} has no connection left: {_short(text)}; use fewer or smaller "
                "pools, put a proxy before the database, or take a larger instance class",
                "53300",
            )
        if kind is LoginRefused:
            return LoginRefused(
                f"{driver}: {place} refuses user {secret.username} of database {secret.dbname}; "
                "read the secret again, as its password may have been rotated",
                "28P01" if "password authentication" in text else "28000",
            )
        if kind is CertificateRefused:
            return CertificateRefused(
                f"{driver}: the certificate of {place} is not trusted for that name; use the "
                "authority's bundle that belongs to this database, and the name of its endpoint",
                state,
            )
        return ReadBroken(
            f"{driver}: the connection to {place} was cut in mid-read; nothing is returned, "
            f"read again: {_short(text)}",
            state,
        )
    if said or (state and not state.startswith(("08", "HY"))):
        words = _short(said["said"] if said else text)
        code = f" (SQLSTATE {state})" if state else ""
        return QueryRefused(f"{driver}: PostgreSQL at {place} says: {words}{code}", state)
    return ReadBroken(f"{driver}: the read from {place} failed: {_short(text)}", state)


def without_password(text: str, secret: DatabaseSecret) -> str:
    """Return `text` with the password, however a connection string wrote it, as ***."""
    password = secret.password
    if not password:
        return text
    forms = {password, quote(password, safe=""), quote_plus(password), repr(password)[1:-1]}
    forms |= {password.replace("}", "}}"), " ".join(password.split())}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return text


def driver(module: str, package: str) -> ModuleType:
    """Import a driver; raise DriverMissing, which names the package to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        reason = " ".join(str(error).split())
        raise DriverMissing(
            f"the driver {module} cannot be used ({reason}); type: pip install {package}"
        ) from None


def _root(error: BaseException) -> BaseException:
    """The SQLException in what Java wraps around it, or what all began with."""
    while not hasattr(error, "getSQLState"):
        # no method of Python's errors
        cause = error.getCause() if hasattr(error, "getCause") else None
        if cause is None:
            break
        error = cause
    return error


def _sqlstate(error: BaseException, text: str) -> str | None:
    for name in ("sqlstate", "getSQLState"):
        found = getattr(error, name, None)
        found = found() if callable(found) else found
        if found:
            return str(found)
    # psqlodbc's HY000 and 08001 say less than the code that the server sent along.
    for found in _STATE.findall(text):
        if re.search(r"\d", found):
            return found
    first = error.args[0] if error.args else None
    return first if isinstance(first, str) and re.fullmatch(r"[0-9A-Z]{5}", first) else None


def _short(text: str, most: int = 240) -> str:
    said = _SERVER_SAID.search(text)
    text = said["said"] if said else text
    text = re.split(r"; Error while (executing|preparing)", text)[0]
    return text if len(text) <= most else text[: most - 3] + "..."
