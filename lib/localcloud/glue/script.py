"""What a run executes: its script from S3, its words, its environment, Spark's settings."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from localcloud import arns
from localcloud.glue import capacity
from localcloud.glue.job_runs import JobRun, given
from localcloud.images.folders import FROM_HOST

PYTHON = Path(__file__).with_name("python")
STARTER = PYTHON / "glue_start.py"
JARS = ("/usr/share/java/postgresql.jar", f"{sys.prefix}/share/java/*pg*.jar")
# Glue reads these itself; a script never sees them.
OF_GLUE = ("--extra-py-files", "--conf", "--scriptLocation")


class LaunchError(Exception):
    """The run cannot start; the message is its ErrorMessage."""


@dataclass(frozen=True)
class Script:
    command: list[str]
    environment: dict[str, str]
    directory: Path
    error_lines: Path
    error_message: Path


def prepare(run: JobRun, s3: Any, scratch: Path, credentials: str, endpoint: str) -> Script:
    """Fetch everything into ``scratch``. ``s3`` is a client with the run's role. Raises
    LaunchError."""
    arguments = given(run)
    folders = {name: scratch / name for name in ("home", "tmp", "script", "modules", "conf")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    place = arguments.get("--scriptLocation") or run.settings["Command"]["ScriptLocation"]
    script = fetch(s3, place, folders["script"])
    listed = filter(None, arguments.get("--extra-py-files", "").split(","))
    modules = [fetch(s3, one.strip(), folders["modules"]) for one in listed]
    archives = [path for path in modules if path.suffix != ".py"]
    files = {name: scratch / name for name in ("stderr", "error")}
    environment = {
        **{key: os.environ[key] for key in FROM_HOST if key in os.environ},
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(folders["home"]),
        "TMPDIR": str(folders["tmp"]),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(map(str, [PYTHON, folders["modules"], *archives])),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": arns.REGION,
        "AWS_DEFAULT_REGION": arns.REGION,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": credentials,
        "DRYDOCK_GLUE_STDERR": str(files["stderr"]),
        "DRYDOCK_GLUE_ERROR": str(files["error"]),
    }
    if not run.is_shell:
        settings = spark_settings(run, arguments.get("--conf", ""), folders["tmp"])
        lines = [f"{name} {value}\n" for name, value in settings.items()]
        (folders["conf"] / "spark-defaults.conf").write_text("".join(lines))
        environment |= {
            "SPARK_CONF_DIR": str(folders["conf"]),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
    command = [sys.executable, str(STARTER), str(script), *words(run, arguments)]
    return Script(command, environment, folders["tmp"], files["stderr"], files["error"])


def words(run: JobRun, arguments: dict[str, str]) -> list[str]:
    """The script's sys.argv, without its own name."""
    own = {name: value for name, value in arguments.items() if name not in OF_GLUE}
    own = {"--job-bookmark-option": "job-bookmark-disable", **own}
    own |= {"--JOB_ID": f"j_{run.job_name}", "--JOB_RUN_ID": run.job_run_id}
    own["--JOB_NAME"] = run.job_name
    return [word for pair in own.items() for word in pair]


def fetch(s3: Any, place: str, folder: Path) -> Path:
    found = urlsplit(place)
    bucket, key = found.netloc, found.path.lstrip("/")
    path = folder / Path(key).name
    try:
        s3.download_file(bucket, key, str(path))
    except (ClientError, BotoCoreError) as error:
        said = error.response["Error"] if isinstance(error, ClientError) else {}
        words = said.get("Message") or str(error)
        code = f" (Service: Amazon S3; Error Code: {said['Code']})" if said else ""
        raise LaunchError(
            f"LAUNCH ERROR | Error downloading from S3 for bucket: {bucket}, key: {key}."
            f"{words}{code}"
        ) from None
    return path


def spark_settings(run: JobRun, given_words: str, scratch: Path) -> dict[str, str]:
    """spark-defaults.conf: of Glue, and on top what --conf says: a=b --conf c=d."""
    room = capacity.of(run.settings)
    found = {
        "spark.master": f"local[{max(1, round(room.vcpu_here))}]",
        "spark.app.name": run.job_name,
        "spark.driver.memory": f"{room.heap_mib_here}m",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    jars = jdbc_drivers()
    if jars:
        found["spark.driver.extraClassPath"] = ":".join(jars)
    for one in re.split(r"\s+--conf\s+", given_words.strip()):
        name, equals, value = one.partition("=")
        if equals:
            found[name.strip()] = value.strip()
    return found


def jdbc_drivers() -> list[str]:
    """Jars with PostgreSQL's JDBC driver: DRYDOCK_JDBC_JAR, or where packages put it."""
    named = os.environ.get("DRYDOCK_JDBC_JAR")
    return [named] if named else [path for pattern in JARS for path in glob(pattern)][:1]
