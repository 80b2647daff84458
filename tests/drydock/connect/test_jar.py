"""Where the JDBC driver comes from: this machine, or a repository that may give something else."""

import hashlib
import http.server
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from drydock.connect import jar
from drydock.connect.errors import DriverMissing

CONTENT = b"PK the driver" * 1000
PATH = "org/postgresql/postgresql/1.2.3/postgresql-1.2.3.jar"


class Repository(http.server.BaseHTTPRequestHandler):
    """Answers with what the server's `answer` says: (status, length that is told, bytes)."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, length, content = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def repository() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Repository) as server:
        server.asked = []
        server.answer = (200, len(CONTENT), CONTENT)
        server.url = f"http://127.0.0.1:{server.server_port}/maven2"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def published(monkeypatch):
    """A driver of our own is the published one; no jar of this machine is seen."""
    digest = hashlib.sha256(CONTENT).hexdigest()
    monkeypatch.setattr(jar, "published", lambda: {"path": PATH, "sha256": digest})
    for name in ("DRYDOCK_JDBC_JAR", "DRYDOCK_MAVEN_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def bare_machine(monkeypatch, tmp_path) -> Path:
    """A machine without any jar; returns where a fetched one is kept."""
    kept = tmp_path / "cache" / "postgresql-1.2.3.jar"
    monkeypatch.setattr(jar, "_cached", lambda: kept)
    monkeypatch.setattr(jar, "_places", lambda: iter([kept]))
    monkeypatch.setenv("HOME", str(tmp_path))
    return kept


def test_it_is_fetched_once(repository, bare_machine, monkeypatch):
    monkeypatch.setenv("DRYDOCK_MAVEN_REPOSITORY", repository.url + "/")
    assert jar.find() == bare_machine
    assert bare_machine.read_bytes() == CONTENT
    assert jar.find() == bare_machine
    assert repository.asked == [f"/maven2/{PATH}"]


def test_the_mirror_of_maven_settings_is_used(repository, bare_machine, tmp_path):
    settings = tmp_path / ".m2" / "settings.xml"
    settings.parent.mkdir()
    settings.write_text(
        '<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"><mirrors><mirror><id>m</id>'
        f"<url> {repository.url} </url></mirror></mirrors></settings>"
    )
    assert jar.find().read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, len(CONTENT), b"XX" + CONTENT[2:]), "is not the published one"),
        ((200, len(CONTENT), CONTENT[:-100]), "cannot be fetched|is not the published one"),
        ((200, 0, b""), "is not the published one"),
        ((404, 0, b""), "404"),
        ((503, 0, b""), "503"),
    ],
    ids=["wrong checksum", "cut off", "empty", "not found", "unavailable"],
)
def test_what_is_not_the_published_jar_is_not_kept(
    repository, bare_machine, monkeypatch, answer, words
):
    monkeypatch.setenv("DRYDOCK_MAVEN_REPOSITORY", repository.url)
    repository.answer = answer
    with pytest.raises(DriverMissing, match=words) as raised:
        jar.find()
    assert "\n" not in str(raised.value)
    assert list(bare_machine.parent.iterdir()) == []


def test_nobody_at_that_address(bare_machine, monkeypatch):
    monkeypatch.setenv("DRYDOCK_MAVEN_REPOSITORY", "http://127.0.0.1:1/maven2")
    with pytest.raises(DriverMissing, match=r"cannot be fetched from http://127\.0\.0\.1:1/"):
        jar.find()


def test_no_jar_and_no_repository_say_what_to_do(bare_machine):
    with pytest.raises(DriverMissing) as raised:
        jar.find()
    assert "apt-get install libpostgresql-jdbc-java" in str(raised.value)
    assert str(bare_machine) in str(raised.value)


def test_a_named_jar_that_is_not_there(monkeypatch):
    monkeypatch.setenv("DRYDOCK_JDBC_JAR", "/nowhere/driver.jar")
    with pytest.raises(DriverMissing, match=r"/nowhere/driver\.jar, which is no file; unset it"):
        jar.find()


def test_conda_comes_before_the_system(monkeypatch, tmp_path):
    conda = tmp_path / "share" / "liquibase" / "lib" / "postgresql.jar"
    conda.parent.mkdir(parents=True)
    conda.touch()
    monkeypatch.setenv("CONDA_PREFIX", str(tmp_path))
    assert jar.find() == conda


def test_a_password_in_the_address_is_not_told(bare_machine, monkeypatch):
    monkeypatch.setenv("DRYDOCK_MAVEN_REPOSITORY", "http://ada:hunter2@127.0.0.1:9/maven")
    with pytest.raises(DriverMissing) as told:
        jar.find()
    assert "127.0.0.1:9/maven" in str(told.value) and "hunter2" not in str(told.value)


def test_a_disk_that_is_full_keeps_no_half(repository, bare_machine):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(CONTENT) // 2, hard))
    try:
        with pytest.raises(DriverMissing, match=r"cannot be kept as .*jar: .*free some space"):
            jar.fetch(repository.url, bare_machine)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(bare_machine.parent.iterdir()) == []


def test_a_folder_that_is_none(repository, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DriverMissing, match="cannot be kept as"):
        jar.fetch(repository.url, tmp_path / "file" / "driver.jar")
