"""What a task's own network leads to, where a runtime gives it one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from localcloud.ecs import network, places
from localcloud.ecs.models import Item
from localcloud.network import doors, reachability
from localcloud.runtimes.base import Network

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs


def network_of(ecs: Ecs, task: Item) -> Network | None:
    """None is the machine's own, of network mode host."""
    mode, address = task.private["network_mode"], network.address_of(task)
    if mode == "host":
        return None
    if mode == "none":
        return Network(address, (), set)
    return Network(address, tuple(sorted(_ports(ecs, task))), lambda: reach(ecs, task))


def reach(ecs: Ecs, task: Item) -> set[doors.Door]:
    """The local cloud's endpoint, which itself leaves calls unanswered that have no path; the ports
    of every database and load balancer, which do the same; HTTP APIs where there is a path to API
    Gateway; and other tasks as far as security groups allow."""
    endpoint = urlsplit(ecs.endpoint)
    found: set[doors.Door] = {
        (endpoint.hostname, endpoint.port),
        *doors.databases(),
        *doors.load_balancers(),
    }
    with ecs.state.lock:
        here = places.of_task(ecs.state, task)
        if not here or reachability.to_service(places.ec2(), here, "execute-api"):
            found |= set(doors.apis())
        for other in list(ecs.state.tasks()):
            if other is task or other.wire["lastStatus"] != "RUNNING":
                continue
            there, address = places.of_task(ecs.state, other), network.address_of(other)
            for port in _ports(ecs, other) if address else ():
                known = here and there
                if not known or reachability.to_place(places.ec2(), here, there, port):
                    found.add((address, port))
    return found


def _ports(ecs: Ecs, task: Item) -> set[int]:
    definition = ecs.state.get("definition", task.private["definition"])
    containers: list[dict[str, Any]] = definition.wire["containerDefinitions"]
    mappings = [mapping for container in containers for mapping in container["portMappings"]]
    return {m["containerPort"] for m in mappings if m["protocol"] == "tcp" and "containerPort" in m}
