"""A container engine for tests: Podman with a store of its own, and a base image for builds.

Nothing of it outlives the test session but the base image's file, kept in the user's cache folder:
it is a minimal Debian, made where no registry need be reached.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import platformdirs
import psutil

BASE = "localhost/drydock/base:1"
PROGRAMS = {"podman": "podman", "runc": "runc", "mmdebstrap": "mmdebstrap"}
SUITE = "bookworm"
# What the Dockerfiles of lib/containers expect of python:3.11-slim-bookworm, and what they
# install from Debian.
PACKAGES = [
    "ca-certificates",
    "odbc-postgresql",
    "python-is-python3",
    "python3",
    "python3-pip",
    "unixodbc",
]
RECIPE = [
    "--variant=minbase",
    f"--include={','.join(PACKAGES)}",
    '--aptopt=Dir::Cache::pkgcache ""',
    '--aptopt=Dir::Cache::srcpkgcache ""',
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    # An image is for one program: pip may install beside Debian's packages.
    '--customize-hook=rm "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
    SUITE,
]
# A machine without CAP_SYS_RESOURCE cannot raise limits, and Podman would.
SETTINGS = """\
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=1000:1000"]
volumes = {volumes}
[engine]
runtime = "runc"
"""
START_SECONDS = 30
PREFIX = "drydock-podman-"


def missing() -> str | None:
    """Why no engine can be had on this machine, or None."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "Podman is started by these tests, and that takes root on Linux"
    absent = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if absent:
        return f"Podman cannot be started: apt-get install {' '.join(absent)}"
    return None


@dataclass
class Podman:
    """A running service; ``kill`` and ``start`` are for tests of what happens without it."""

    folder: Path
    process: subprocess.Popen | None = None

    @property
    def address(self) -> str:
        return f"unix://{self.folder}/podman.sock"

    @property
    def environment(self) -> dict[str, str]:
        # Of no test's cloud: it outlives them.
        own = {name: value for name, value in os.environ.items() if name[:8] != "DRYDOCK_"}
        return {**own, "CONTAINERS_CONF": str(self.folder / "containers.conf")}

    def command(self, *words: str) -> list[str]:
        places = ["--root", f"{self.folder}/root", "--runroot", f"{self.folder}/run"]
        return ["podman", *places, *words]

    def start(self) -> None:
        with open(self.folder / "service.log", "ab") as log:
            self.process = subprocess.Popen(
                self.command("system", "service", "--time=0", self.address),
                env=self.environment,
                cwd=self.folder,  # a container's monitor may leave a file called oom there
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except (docker.errors.DockerException, OSError):
                assert time.monotonic() < deadline, (self.folder / "service.log").read_text()
                time.sleep(0.1)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    @contextmanager
    def client(self) -> Iterator[docker.DockerClient]:
        client = docker.DockerClient(base_url=self.address)
        try:
            yield client
        finally:
            client.close()

    def remove(self) -> None:
        """Everything of it: containers, images, mounts, files."""
        quiet = {"env": self.environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        subprocess.run(self.command("rm", "--all", "--force", "--time=0"), timeout=120, **quiet)
        self.kill()
        for process in psutil.process_iter():
            with suppress(psutil.Error):  # a service of an earlier session, that was killed
                if self.address in process.cmdline():
                    process.kill()
        for mount in _mounts_below(self.folder):
            subprocess.run(["umount", "--lazy", mount], **quiet)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def podman() -> Iterator[Podman]:
    """Podman's service with the base image in its store."""
    base = base_image()
    with ExitStack() as stack:
        # Of test workers that begin together one would remove what another has just made.
        with _one_at_a_time():
            _sweep()
            made = Podman(Path(tempfile.mkdtemp(prefix=PREFIX)))
            stack.enter_context(_held(made.folder))
        stack.callback(made.remove)
        volumes = _pip_settings(made.folder)
        (made.folder / "containers.conf").write_text(SETTINGS.format(volumes=volumes))
        made.start()
        with made.client() as client:
            client.api.import_image_from_file(str(base), repository=BASE)
        yield made


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with open(Path(tempfile.gettempdir()) / "drydock-podman.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sweep() -> None:
    """Remove the services of test sessions that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # One that ends now removes itself.
        with suppress(FileNotFoundError), _held(folder) as abandoned:
            if abandoned:
                Podman(folder).remove()


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Hold a folder for as long as this process lives; False if another one does."""
    with open(folder / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def base_image() -> Path:
    """The base image's file system as a tar file; made when the cache has none of this recipe."""
    folder = platformdirs.user_cache_path("drydock") / "base-image"
    folder.mkdir(parents=True, exist_ok=True)
    recipe = hashlib.sha256("\n".join(RECIPE).encode()).hexdigest()[:16]
    made = folder / f"{SUITE}-{recipe}.tar"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            for former in folder.glob("*.tar"):
                former.unlink()
            unfinished = folder / "unfinished.tar"
            subprocess.run(
                ["mmdebstrap", "--quiet", *RECIPE, str(unfinished)], check=True, timeout=600
            )
            unfinished.replace(made)
    return made


def _pip_settings(folder: Path) -> str:
    """Have builds use this machine's pip settings; what has to be mounted for that."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    settings = dict(re.findall(r"^[\w:]+\.([\w-]+)='(.*)'$", listed.replace("\\n", " "), re.M))
    lines = [f"{name} = {value}" for name, value in settings.items()]
    (folder / "pip.conf").write_text("\n".join(["[global]", *lines, ""]))
    named = {word.removeprefix("file://") for value in settings.values() for word in value.split()}
    paths = {Path(word) for word in named if word.startswith("/") and Path(word).exists()}
    # Pages of an index link to files beside their own folder.
    mounted = {path.parent if path.is_dir() else path for path in paths}
    outermost = [path for path in sorted(mounted) if not mounted & set(path.parents)]
    mounts = [f"{path}:{path}:ro" for path in outermost]
    quoted = [f'"{mount}"' for mount in [*mounts, f"{folder}/pip.conf:/etc/pip.conf:ro"]]
    return f"[{', '.join(quoted)}]"


def _mounts_below(folder: Path) -> list[str]:
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [mount for mount in reversed(mounts) if mount.startswith(f"{folder}/")]
