"""`drydock doctor`: is this machine ready, can you fix it yourself, or does it need an admin?"""

import getpass
import importlib.metadata
import os
import platform
import re
import shutil
import socket
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import psutil
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from drydock import cloud
from drydock.as_typed import as_typed
from drydock.setup import environment, needs, system_packages
from drydock.setup.environment import OLDEST, ROOT
from drydock.setup.needs import Need, WrongVariable

GIB = 1024**3
DISK_NEEDED = 2 * GIB
MEMORY_NEEDED = 2 * GIB
TASK_ADDRESS = "127.0.0.2"  # any address but the first: each task has one of its own
LIMIT_FILES = ("/sys/fs/cgroup/cgroup.subtree_control", "/sys/fs/cgroup/memory/cgroup.procs")


class Outcome(IntEnum):
    """What a check came to. The worst one is the command's exit code."""

    READY = 0
    FIXABLE = 1
    ADMIN = 2


WORDS = {Outcome.READY: "ready", Outcome.FIXABLE: "fix it", Outcome.ADMIN: "admin"}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was found, and the command that mends it if it is bad."""

    name: str
    outcome: Outcome
    found: str
    fix: str = ""


def checks() -> list[Check]:
    """Look at this machine; nothing is started, changed or sent anywhere."""
    home = cloud.home_path()
    return [
        python_version(sys.version_info[:3]),
        packages(ROOT / "requirements.lock", _installed()),
        *(capability(need) for need in needs.RUN),
        free_disk(shutil.disk_usage(_existing(home)).free),
        memory(psutil.virtual_memory().available),
        cores(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        limits(),
        port(home),
        home_folder(home),
        task_address(),
    ]


def exit_code(found: Sequence[Check]) -> int:
    """0 all ready, 1 something you can fix, 2 something that needs an admin."""
    return int(max(check.outcome for check in found))


def python_version(version: tuple[int, ...]) -> Check:
    """Python itself; `version` as in sys.version_info."""
    text = ".".join(map(str, version))
    if version[:2] >= OLDEST:
        return Check("Python", Outcome.READY, text)
    return Check("Python", Outcome.FIXABLE, f"{text} is too old", "make run")


def packages(lock: Path, installed: Mapping[str, str]) -> Check:
    """The Python packages against the lock file; `installed` maps normalised names to versions."""
    wanted = _locked(lock)
    wrong = sorted(name for name, version in wanted.items() if installed.get(name) != version)
    if not wrong:
        return Check("Python packages", Outcome.READY, f"all {len(wanted)} as locked")
    some = ", ".join(wrong[:4]) + (" …" if len(wrong) > 4 else "")
    said = f"{len(wrong)} of {len(wanted)} are missing or of another version: {some}"
    ours = environment.choose().ours
    again = "rm -rf .venv" if ours else "conda env update -f environment.yml"
    return Check("Python packages", Outcome.FIXABLE, said, f"{again} && make run")


def capability(need: Need) -> Check:
    """A system package, found by what it can do."""
    try:
        where = need.found()
    except WrongVariable as error:
        return Check(need.name, Outcome.FIXABLE, str(error), f"unset {error.variable}")
    if where:
        return Check(need.name, Outcome.READY, where)
    fix = system_packages.command_for([need])
    alone = os.geteuid() == 0 or system_packages.conda_environment()
    return Check(need.name, Outcome.FIXABLE if alone else Outcome.ADMIN, "not found", fix)


def free_disk(free: int) -> Check:
    """Free bytes where the local cloud keeps its state."""
    said = f"{free / GIB:.1f} GiB free"
    if free >= DISK_NEEDED:
        return Check("disk", Outcome.READY, said)
    fix = "export DRYDOCK_HOME=<a folder on a larger disk>"
    return Check("disk", Outcome.FIXABLE, f"{said}, {DISK_NEEDED / GIB:.0f} GiB needed", fix)


def memory(available: int) -> Check:
    """Bytes of memory that programs can still get."""
    said = f"{available / GIB:.1f} GiB available"
    if available >= MEMORY_NEEDED:
        return Check("memory", Outcome.READY, said)
    said += f", {MEMORY_NEEDED / GIB:.0f} GiB needed"
    return Check("memory", Outcome.FIXABLE, said, "close other programs")


def cores(count: int | None) -> Check:
    """Processor cores of this process; one is enough, two are twice as fast."""
    return Check("cores", Outcome.READY, str(count or 1))


def limits(files: Sequence[str] = LIMIT_FILES) -> Check:
    """How a task's CPU and memory are limited; both ways work."""
    by = "a cgroup" if any(os.access(file, os.W_OK) for file in files) else "a watchdog process"
    return Check("task limits", Outcome.READY, f"enforced by {by}")


def port(home: Path) -> Check:
    """The port of the local cloud: ours, free, or taken by a stranger."""
    try:
        running = cloud.status(home)
    except cloud.CloudError as error:
        return Check("port", Outcome.FIXABLE, str(error), "drydock down")
    if running:
        return Check("port", Outcome.READY, f"{running.port}, the local cloud is running")
    try:
        number, or_free = cloud.wanted_port()
    except cloud.CloudError as error:
        return Check("port", Outcome.FIXABLE, str(error), "unset DRYDOCK_PORT")
    if _can_bind("127.0.0.1", number):
        return Check("port", Outcome.READY, f"{number} is free")
    if or_free:
        return Check("port", Outcome.READY, f"{number} is taken, another will be used")
    return Check("port", Outcome.FIXABLE, f"{number} is taken", "unset DRYDOCK_PORT")


def home_folder(home: Path, as_root: bool | None = None) -> Check:
    """The folder that keeps the state: writable, and open to the user that PostgreSQL runs as."""
    nearest = _existing(home)
    elsewhere = "export DRYDOCK_HOME=<a folder of yours>"
    if not os.access(nearest, os.W_OK):
        return Check("home folder", Outcome.FIXABLE, f"{nearest} is not writable", elsewhere)
    if os.geteuid() == 0 if as_root is None else as_root:
        # PostgreSQL refuses to run as root; another user has to pass every folder on the way.
        for folder in (nearest, *nearest.parents):
            if not folder.stat().st_mode & stat.S_IXOTH:
                fix = (
                    "unset DRYDOCK_HOME" if "DRYDOCK_HOME" in os.environ else f"chmod o+x {folder}"
                )
                said = f"PostgreSQL's user cannot enter {folder}"
                return Check("home folder", Outcome.FIXABLE, said, fix)
    return Check("home folder", Outcome.READY, str(home))


def task_address(address: str = TASK_ADDRESS) -> Check:
    """Whether tasks can have loopback addresses of their own, as Linux lets them."""
    if _can_bind(address, 0):
        return Check("task addresses", Outcome.READY, "127.x.y.z can be used")
    fix = f"sudo ifconfig lo0 alias {address}"
    return Check("task addresses", Outcome.ADMIN, f"{address} cannot be used", fix)


def render(found: Sequence[Check]) -> str:
    """The checks as lines of text, each problem with the command that mends it."""
    width = max(len(check.name) for check in found)
    lines = []
    for check in found:
        lines.append(f"{WORDS[check.outcome]:7} {check.name:{width}}  {check.found}")
        if check.fix:
            lines.append(f"{'':7} {'':{width}}  type: {check.fix}")
    return "\n".join(lines)


def report(found: Sequence[Check]) -> str:
    """A block to paste into an issue: no secret, user name, host name or folder of yours in it."""
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    version = importlib.metadata.version("drydock")
    text = f"drydock {version} on {system}\n{render(found)}"
    hidden = {str(cloud.home_path()): "<home>", str(ROOT): "<project>", str(Path.home()): "~"}
    for private, public in hidden.items():
        text = text.replace(private, public)
    for private in filter(None, (_user_name(), platform.node())):
        text = re.sub(rf"(?<!\w){re.escape(private)}(?!\w)", "<hidden>", text)
    return text


def main() -> int:
    """Print the checks and the block to paste; return the exit code."""
    found = checks()
    print(as_typed(render(found)))
    code = exit_code(found)
    if code:
        print("\nTo ask for help, paste this:\n\n```\n" + report(found) + "\n```")
    else:
        print("\nready: type `make run`, or `make lab`")
    return code


def _locked(lock: Path) -> dict[str, str]:
    lines = re.findall(r"^([\w.-]+==[^\\\n]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    pins = [Requirement(line) for line in lines]
    return {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }


def _installed() -> dict[str, str]:
    return {
        canonicalize_name(distribution.name): distribution.version
        for distribution in importlib.metadata.distributions()
    }


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _can_bind(address: str, number: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, number))
        except OSError:
            return False
        return True


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return ""
