"""A task's elastic network interface: here, a loopback address of its own.

A task of network mode bridge or host has no interface, but it has such an address too: two tasks
on one container instance do not share ports here.
"""

from __future__ import annotations

import secrets
import threading
from typing import Any

from localcloud.ecs.models import Item

FIRST, LAST = (127 << 24) + (16 << 16), (127 << 24) + (255 << 16)


class Addresses:
    """Hands out addresses in 127.0.0.0/8, each to one live task.

    It starts at random, so that two local clouds on one machine hardly ever meet.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: set[int] = set()
        self._next = FIRST + secrets.randbelow(LAST - FIRST)

    def take(self) -> str:
        with self._lock:
            while True:
                self._next = self._next + 1 if self._next < LAST else FIRST
                if self._next not in self._used and 0 < self._next % 256 < 255:
                    self._used.add(self._next)
                    return ".".join(str(byte) for byte in self._next.to_bytes(4))

    def hold(self, address: str) -> None:
        """Take this very one, which was handed out before the server was started again."""
        with self._lock:
            self._used.add(int.from_bytes(bytes(int(part) for part in address.split("."))))

    def give_back(self, address: str) -> None:
        with self._lock:
            self._used.discard(int.from_bytes(bytes(int(part) for part in address.split("."))))


def attach(task: Item, address: str) -> None:
    """Fill in the task's interface, if it has one, and its containers' share of it."""
    task.private["address"] = address
    for interface in task.wire["attachments"]:
        mac = ":".join(f"{byte:02x}" for byte in (0x0A, *secrets.token_bytes(5)))
        values: dict[str, Any] = {
            "networkInterfaceId": f"eni-{secrets.token_hex(8)}{secrets.token_hex(1)[0]}",
            "macAddress": mac,
            "privateDnsName": f"ip-{address.replace('.', '-')}.ec2.internal",
            "privateIPv4Address": address,
        }
        interface["details"] += [{"name": name, "value": value} for name, value in values.items()]
        interface["status"] = "ATTACHED"
        for container in task.wire["containers"]:
            container["networkInterfaces"] = [
                {"attachmentId": interface["id"], "privateIpv4Address": address}
            ]


def detach(task: Item) -> str | None:
    """Mark its interface deleted; the address to give back, if it had one."""
    for interface in task.wire["attachments"]:
        interface["status"] = "DELETED"
    return address_of(task)


def address_of(task: Item) -> str | None:
    return task.private.get("address")
