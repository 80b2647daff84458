"""The queue of tasks: each starts in order as soon as this machine has CPU for it."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from localcloud.ecs.agent import Agent
from localcloud.ecs.models import Item
from localcloud.runtimes.base import Usage

if TYPE_CHECKING:
    from localcloud.ecs.plane import Ecs

SPARE_VCPU = 0.5
CLOSE_SECONDS = 10.0
LEAST_VCPU = 0.125


def host_vcpu() -> float:
    """vCPU that may be promised at once; DRYDOCK_HOST_VCPU overrides."""
    own = (os.cpu_count() or 1) + SPARE_VCPU
    given = os.environ.get("DRYDOCK_HOST_VCPU") or own
    try:
        return float(given)
    except ValueError:
        print(f"DRYDOCK_HOST_VCPU={given} is not a number: using {own}", file=sys.stderr)
        return own


class Scheduler:
    """Admits tasks first come, first served.

    A task that does not fit waits in PROVISIONING, and so do those behind it. A task larger than
    the whole machine runs when nothing else does.
    """

    def __init__(self, ecs: Ecs):
        self._ecs = ecs
        self._state = ecs.state
        self._waiting: deque[Item] = deque()
        self._agents: dict[str, Agent] = {}
        self._threads: set[threading.Thread] = set()
        self._capacity = host_vcpu()
        self._closed = False

    @property
    def closing(self) -> bool:
        return self._closed

    def submit(self, task: Item) -> None:
        with self._state.lock:
            self._waiting.append(task)
            self._admit()

    def stop(self, task: Item, code: str, reason: str) -> None:
        """Have the task stopped. One that is stopping or has stopped keeps its first reason."""
        with self._state.lock:
            if task.wire["desiredStatus"] == "STOPPED":
                return
            task.wire.update(desiredStatus="STOPPED", stopCode=code, stoppedReason=reason)
            task.wire["version"] += 1
            agent = self._agents.get(task.key)
            if agent:
                self._state.note(task)
                agent.request_stop()
                return
            self._waiting.remove(task)
            self._ecs.conclude(task)
            self._admit()

    def processes(self) -> dict[int, str]:
        """The task of each running container, by the root of the container's process tree."""
        with self._state.lock:
            agents = list(self._agents.items())
        return {pid: key for key, agent in agents for pid in agent.processes()}

    def usages(self) -> dict[str, Usage]:
        """What every task that has started containers has used so far."""
        with self._state.lock:
            agents = list(self._agents.items())
        return {key: usage for key, agent in agents if (usage := agent.usage())}

    def close(self, reason: str) -> None:
        """Stop every task and wait for the last. New ones are no longer admitted.

        A task gets CLOSE_SECONDS, or its own stopTimeout if that is shorter.
        """
        with self._state.lock:
            self._closed = True
            for task in [t for t in self._state.tasks() if t.wire["lastStatus"] != "STOPPED"]:
                self.stop(task, "TerminationNotice", reason)
            threads, agents = list(self._threads), list(self._agents.values())
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for agent in agents:
            agent.kill()
        for thread in threads:
            thread.join()

    def _admit(self) -> None:
        """Start waiting tasks while they fit. The state's lock is held."""
        while self._waiting and not self._closed and self._fits(self._waiting[0]):
            task = self._waiting.popleft()
            agent = Agent(self._ecs, task)
            self._agents[task.key] = agent
            thread = threading.Thread(target=self._run, args=(agent, task), name=f"task-{task.key}")
            thread.daemon = True
            self._threads.add(thread)
            thread.start()

    def _fits(self, task: Item) -> bool:
        used = sum(vcpu(agent.task) for agent in self._agents.values())
        return not self._agents or used + vcpu(task) <= self._capacity

    def _run(self, agent: Agent, task: Item) -> None:
        try:
            agent.run()
        finally:
            with self._state.lock:
                del self._agents[task.key]
                self._threads.discard(threading.current_thread())
                self._admit()


def vcpu(task: Item) -> float:
    """What the task counts for; on EC2 it may ask for no CPU at all."""
    return max(LEAST_VCPU, int(task.wire["cpu"]) / 1024)
