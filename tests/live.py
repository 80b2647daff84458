"""Helpers for tests against processes that really run. tests/conftest.py puts this on the path."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config

from drydock import cloud


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter, unlike those of pytest's tmp_path."""
    folder = Path(tempfile.mkdtemp(prefix="drydock-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        cloud.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def shared_cloud() -> Iterator[cloud.CloudInfo]:
    """A local cloud for many tests, with AWS_* and DRYDOCK_HOME pointing at it."""
    with temporary_home() as folder, pytest.MonkeyPatch.context() as patch:
        info = cloud.start(folder, port=0)
        patch.setenv("DRYDOCK_HOME", str(folder))
        patch.setenv("DRYDOCK_PORT", "0")
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in cloud.environment(info).items():
            patch.setenv(name, value)
        yield info
        cloud.stop(folder)
        patch.delenv("DRYDOCK_HOME")
        assert processes_of(folder) == []


def processes_of(home: Path) -> list[psutil.Process]:
    """Every process that names this home in its command line or environment, but for ourselves."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(home) in word for word in words):
            found.append(process)
    return found


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """Return condition() as soon as it is true; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)
    return answer


def client(info: cloud.CloudInfo, service: str):
    """A boto3 client that does not try twice: a test wants to see the first answer."""
    variables = cloud.environment(info)
    return boto3.client(
        service,
        endpoint_url=info.endpoint,
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def kill(info: cloud.CloudInfo) -> None:
    """SIGKILL the server, as a crash would end it."""
    server = psutil.Process(info.pid)
    server.kill()
    # It is the child of whoever started it; a zombie has ended.
    wait_for(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, "its end")
