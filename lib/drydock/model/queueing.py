"""Queues in a steady state: Little's law, and M/M/c, servers that share one line.

M/M/c supposes arrivals at random and service times that vary exponentially, as a first guess of a
data API does. Source: L. Kleinrock, "Queueing Systems", volume 1, 1975. All times in one unit.
"""

import math
from dataclasses import dataclass


def in_system(arrival_rate: float, time_in_system: float) -> float:
    """Return how many are in a system on average: Little's law, L = rate * time."""
    return _not_negative(arrival_rate, "arrival_rate") * _not_negative(
        time_in_system, "time_in_system"
    )


def time_in_system(arrival_rate: float, in_system: float) -> float:
    """Return how long each stays when `in_system` are there on average: Little's law."""
    return _not_negative(in_system, "in_system") / _positive(arrival_rate, "arrival_rate")


@dataclass(frozen=True)
class Queue:
    """An M/M/c queue: `servers` that each take `service_time`, and `arrival_rate`.

    ValueError if more arrives than all servers can do: such a queue grows without end.
    """

    arrival_rate: float
    service_time: float
    servers: int

    def __post_init__(self) -> None:
        _positive(self.arrival_rate, "arrival_rate")
        _positive(self.service_time, "service_time")
        if self.servers < 1 or self.servers != int(self.servers):
            raise ValueError(f"servers is {self.servers}: type a whole number from 1 up")
        if self.utilization >= 1:
            need = math.floor(self.load) + 1
            raise ValueError(
                f"{self.servers} servers cannot keep up with {self.load:g} at work on average: "
                f"type servers={need} or more"
            )

    @property
    def load(self) -> float:
        """Servers at work on average, in erlangs."""
        return self.arrival_rate * self.service_time

    @property
    def utilization(self) -> float:
        """The part of its time that a server works."""
        return self.load / self.servers

    @property
    def probability_of_waiting(self) -> float:
        """The part of arrivals that find all servers at work: Erlang's formula C."""
        blocked = 1.0
        for server in range(1, int(self.servers) + 1):
            blocked = self.load * blocked / (server + self.load * blocked)
        return blocked / (1 - self.utilization * (1 - blocked))

    @property
    def mean_wait(self) -> float:
        """The mean time in the line, over all arrivals."""
        return self.probability_of_waiting / self._spare_rate

    @property
    def mean_time(self) -> float:
        """The mean time from arrival to answer."""
        return self.mean_wait + self.service_time

    @property
    def mean_waiting(self) -> float:
        """How many stand in the line on average."""
        return in_system(self.arrival_rate, self.mean_wait)

    def wait_at(self, part: float) -> float:
        """Return the wait that the `part` (0.95: the 95th percentile) of arrivals stays within."""
        if not 0 <= part < 1:
            raise ValueError(f"part is {part}: type a part from 0 to below 1, such as 0.95")
        beyond = 1 - part
        waiting = self.probability_of_waiting
        return 0.0 if waiting <= beyond else math.log(waiting / beyond) / self._spare_rate

    @property
    def _spare_rate(self) -> float:
        return self.servers / self.service_time - self.arrival_rate


def servers_for(
    arrival_rate: float, service_time: float, longest_wait: float, part: float = 0.95
) -> int:
    """Return the fewest servers with which `part` of arrivals wait at most `longest_wait`."""
    _not_negative(longest_wait, "longest_wait")
    load = _positive(arrival_rate, "arrival_rate") * _positive(service_time, "service_time")
    servers = math.floor(load) + 1
    while Queue(arrival_rate, service_time, servers).wait_at(part) > longest_wait:
        servers += 1
    return servers


def _not_negative(value: float, what: str) -> float:
    if not (value >= 0 and math.isfinite(value)):
        raise ValueError(f"{what} is {value}: type a number that is not negative")
    return value


def _positive(value: float, what: str) -> float:
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{what} is {value}: type a number above 0")
    return value
