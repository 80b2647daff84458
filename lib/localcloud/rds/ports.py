"""Loopback ports for database servers."""

import socket

from localcloud.authority import ADDRESS


def free_port(wanted: int | None = None) -> int:
    """The wanted port if nothing listens on it, else any."""
    if wanted and is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return probe.getsockname()[1]


def is_free(port: int, address: str = ADDRESS) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True
