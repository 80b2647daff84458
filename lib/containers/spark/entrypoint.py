"""What a pod of Spark starts with: `driver ...`, `executor`, or any other command.

Spark on Kubernetes calls an image's entry point with one of these words, and says the rest in
environment variables (SPARK_DRIVER_BIND_ADDRESS, SPARK_EXECUTOR_CORES, ...); see "Running Spark on
Kubernetes" in Spark's documentation, and `entrypoint.sh` of the official images.
"""

import os
import re
import shutil
import sys
import tempfile
from glob import glob
from pathlib import Path
from urllib.parse import urlsplit

import pyspark

HOME = Path(pyspark.__file__).parent
APP, HERE = "/app/", Path(__file__).parent
JARS = ("/usr/share/java/postgresql.jar", f"{sys.prefix}/share/java/*pg*.jar")
EXECUTOR = "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend"


def main(words: list[str]) -> None:
    """Become Spark's program, so that signals and the exit code are its own."""
    os.environ.setdefault("SPARK_HOME", str(HOME))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if words[:1] == ["driver"]:
        become(driver(words[1:], os.environ))
    elif words[:1] == ["executor"]:
        become(executor(os.environ))
    elif words:
        become(words)
    else:
        sys.exit("say what to run: driver, executor, or a command such as spark-submit")


def in_place(word: str) -> str:
    """What /app/ names is beside this file, and a program in S3 is fetched first."""
    path = word.removeprefix("local://")
    if path.startswith(APP):
        return str(HERE / path.removeprefix(APP))
    return fetched(word) if re.fullmatch(r"s3a?://.+\.py", word) else word


def fetched(place: str) -> str:
    import boto3

    found = urlsplit(place)
    path = Path(tempfile.mkdtemp(), Path(found.path).name)
    boto3.client("s3").download_file(found.netloc, found.path.lstrip("/"), str(path))
    return str(path)


def jdbc_drivers(environment: dict[str, str]) -> list[str]:
    """Jars with PostgreSQL's JDBC driver: DRYDOCK_JDBC_JAR, or where packages put it."""
    named = environment.get("DRYDOCK_JDBC_JAR")
    return [named] if named else [path for pattern in JARS for path in glob(pattern)][:1]


def driver(words: list[str], environment: dict[str, str]) -> list[str]:
    """The driver is a spark-submit in client mode, inside the cluster."""
    address = environment["SPARK_DRIVER_BIND_ADDRESS"]
    options = ["--conf", f"spark.driver.bindAddress={address}", "--deploy-mode", "client"]
    jars = jdbc_drivers(environment)
    if jars:
        options += ["--driver-class-path", ":".join(jars)]
    return [str(HOME / "bin" / "spark-submit"), *options, *map(in_place, words)]


def executor(environment: dict[str, str]) -> list[str]:
    """An executor is a Java program that calls the driver."""
    numbered = sorted(
        (name for name in environment if re.fullmatch(r"SPARK_JAVA_OPT_\d+", name)),
        key=lambda name: int(name.rpartition("_")[2]),
    )
    memory = environment["SPARK_EXECUTOR_MEMORY"]
    given = {
        "--driver-url": "SPARK_DRIVER_URL",
        "--executor-id": "SPARK_EXECUTOR_ID",
        "--cores": "SPARK_EXECUTOR_CORES",
        "--app-id": "SPARK_APPLICATION_ID",
        "--hostname": "SPARK_EXECUTOR_POD_IP",
        "--resourceProfileId": "SPARK_RESOURCE_PROFILE_ID",
        "--podName": "SPARK_EXECUTOR_POD_NAME",
    }
    given_classes = filter(None, [environment.get("SPARK_CLASSPATH")])
    classes = ":".join([*given_classes, *jdbc_drivers(environment), str(HOME / "jars" / "*")])
    return [
        java(environment),
        *(environment[name] for name in numbered),
        f"-Xms{memory}",
        f"-Xmx{memory}",
        "-cp",
        classes,
        EXECUTOR,
        *(word for option, name in given.items() for word in (option, environment[name])),
    ]


def java(environment: dict[str, str]) -> str:
    home = environment.get("JAVA_HOME")
    found = str(Path(home, "bin", "java")) if home else shutil.which("java")
    return found or sys.exit("no Java here: Spark needs a JRE of version 17 or later")


def become(words: list[str]) -> None:
    os.execvp(words[0], words)


if __name__ == "__main__":
    main(sys.argv[1:])
