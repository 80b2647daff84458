"""PostgreSQL's JDBC driver as a file: found on this machine, or fetched once and checked."""

import hashlib
import http.client
import json
import os
import re
import sys
import tempfile
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import platformdirs

from drydock.connect.errors import DriverMissing

DATA = Path(__file__).parents[3] / "data" / "jdbc_driver.json"
TIMEOUT_SECONDS = 30


@cache
def published() -> dict:
    """Return version, sha256 and path in a Maven repository of the jar that is fetched."""
    return json.loads(DATA.read_text(encoding="utf-8"))


def find() -> Path:
    """Return the driver's jar: DRYDOCK_JDBC_JAR, one on this machine, or one fetched just now.

    Raises DriverMissing with what to install, or which file to download to where.
    """
    if named := os.environ.get("DRYDOCK_JDBC_JAR"):
        if not Path(named).is_file():
            raise DriverMissing(f"DRYDOCK_JDBC_JAR names {named}, which is no file; unset it")
        return Path(named)
    for candidate in _places():
        if candidate.is_file():
            return candidate
    if repository := _repository():
        return fetch(repository, _cached())
    raise DriverMissing(
        "no PostgreSQL JDBC driver on this machine; type: apt-get install libpostgresql-jdbc-java, "
        f"or save {_cached().name} from your Maven repository as {_cached()}"
    )


def fetch(repository: str, target: Path) -> Path:
    """Download the published jar from a Maven repository, once; return `target`.

    It becomes `target` only when its SHA-256 is right: a download that is cut off or tampered with
    leaves nothing behind. Raises DriverMissing.
    """
    driver = published()
    address = f"{repository.rstrip('/')}/{driver['path']}"
    with _kept(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    shown = re.sub(r"//[^/@]*@", "//", address)  # a user and password stay out of messages
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:
            content = answer.read()
    except (OSError, ValueError, http.client.HTTPException) as error:
        why = str(error).replace(address, shown) or "cut off"
        raise DriverMissing(f"the JDBC driver cannot be fetched from {shown}: {why}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != driver["sha256"]:
        raise DriverMissing(
            f"the JDBC driver from {shown} is not the published one: its SHA-256 is "
            f"{found[:12]}..., {len(content):,} bytes, instead of {driver['sha256'][:12]}...; "
            "it was not kept. Try again, or ask who runs that repository"
        )
    with _kept(target):
        _keep(content, target)
    return target


def _keep(content: bytes, target: Path) -> None:
    """Whole or not at all. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=target.parent)
    os.close(handle)
    aside = Path(name)
    try:
        aside.write_bytes(content)
        aside.chmod(0o644)
        aside.replace(target)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


@contextmanager
def _kept(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DriverMissing(
            f"the JDBC driver cannot be kept as {target}: {error.strerror}; free some space or "
            "mend the folder, then try again"
        ) from None


def _places() -> Iterator[Path]:
    for prefix in dict.fromkeys(filter(None, (os.environ.get("CONDA_PREFIX"), sys.prefix))):
        yield Path(prefix, "share", "liquibase", "lib", "postgresql.jar")
        yield Path(prefix, "share", "java", "postgresql.jar")
    yield Path("/usr/share/java/postgresql.jar")
    yield Path("/usr/share/java/postgresql-jdbc/postgresql.jar")
    yield _cached()


def _cached() -> Path:
    return platformdirs.user_cache_path("drydock") / Path(published()["path"]).name


def _repository() -> str | None:
    """DRYDOCK_MAVEN_REPOSITORY, or the mirror that ~/.m2/settings.xml names."""
    if named := os.environ.get("DRYDOCK_MAVEN_REPOSITORY"):
        return named
    settings = Path.home() / ".m2" / "settings.xml"
    try:
        tree = ElementTree.parse(settings)
    except (OSError, ElementTree.ParseError):
        return None
    addresses = [
        part.text.strip()
        for mirror in tree.iterfind(".//{*}mirror")
        for part in mirror.iterfind("{*}url")
        if part.text
    ]
    return next(iter(addresses), None)
