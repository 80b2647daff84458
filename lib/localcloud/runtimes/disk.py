"""A sandbox's own disk of a fixed size: when it is full, programs get a real ENOSPC.

The disk is a sparse file with an ext4 file system, mounted over the sandbox's directory. It takes
room on this machine only for what is really written. Mounting needs root on Linux; elsewhere there
is no limit, and ``mount`` says so. The file lies beside the directory, as NAME.disk.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

SUFFIX = ".disk"
# No journal and few inodes: the file system lives as long as its task, and is made in milliseconds.
MAKE = ["mkfs.ext4", "-q", "-F", "-m", "0", "-N", "65536", "-O", "^has_journal"]
MAKE += ["-E", "nodiscard,lazy_itable_init=1"]
# noinit_itable: or the kernel would fill the inode tables, and so the file, in the background.
MOUNT = ["mount", "-o", "loop,noinit_itable,nosuid,nodev"]
SECONDS = 20


def mount(directory: Path, gib: int) -> bool:
    """Give the empty ``directory`` a disk of ``gib`` GiB. False: this machine does not allow it."""
    if os.geteuid() != 0 or sys.platform != "linux":
        return False
    image = _image(directory)
    try:
        with image.open("wb") as file:
            file.truncate(gib << 30)
        _run([*MAKE, str(image)])
        _run([*MOUNT, str(image), str(directory)])
    except (OSError, subprocess.SubprocessError) as error:
        image.unlink(missing_ok=True)
        print(f"{directory}: no disk of its own: {_said(error)}", file=sys.stderr)
        return False
    return True


def unmount(directory: Path) -> None:
    """Take the disk off ``directory`` and delete it, if there is one."""
    image = _image(directory)
    if not image.exists():
        return
    if os.path.ismount(directory):
        # Lazily: a process that is just ending may still hold a file open.
        with suppress(OSError, subprocess.SubprocessError):
            _run(["umount", "--lazy", str(directory)])
    image.unlink(missing_ok=True)


def sweep(root: Path) -> None:
    """Take off and delete the disks below ``root`` that an earlier process has left."""
    for image in root.glob(f"*{SUFFIX}"):
        unmount(image.with_suffix(""))


def _image(directory: Path) -> Path:
    return directory.with_name(directory.name + SUFFIX)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)


def _said(error: Exception) -> str:
    words = getattr(error, "stderr", None)
    return words.decode(errors="replace").strip() if words else str(error)
