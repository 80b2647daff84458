"""A hundred ETL tasks while processes are killed at random: nothing lost, doubled or left behind.

    python tests/faults/chaos.py [--runs 20] [--seed 1] [--tasks 100]

A run is told by its seed what to kill and when; where a killed process stands in its work is up to
the machine. Killed are the server (and with it ECS's agent and every door), programs of tasks, the
shims that hold them, and the database. Tasks run as processes; the engine has tests of its own.
"""

import argparse
import contextlib
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, str(Path(__file__).parents[1]))

from hundred_tasks import ROWS, curated_rows, described, programs, published, succeeded
from live import kill, processes_of, temporary_home

from drydock import cloud
from drydock.errors import DrydockError
from drydock.lab import Lab, open_lab
from drydock.pipeline import etl_tasks, raw_data, run

KILLS = 12
ROUNDS = 12  # of tasks that failed and are run again, before it is said that they never will
SECONDS = 900  # a run that takes longer hangs
SURPRISES = (BotoCoreError, ClientError, DrydockError, OSError)


class Chaos:
    def __init__(self, home: Path, seed: int, tasks: int):
        self.home, self.random, self.tasks = home, random.Random(seed), tasks
        self.killed: Counter[str] = Counter()
        self._next = 0.0

    def strike(self) -> None:
        """Kill one thing, now and then, until enough are dead."""
        if self.killed.total() >= KILLS or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self.random.uniform(0.2, 2.0)
        name = self.random.choice(("server", "task", "task", "shim", "database"))
        if name == "server":
            kill(cloud.status(self.home))
            self.killed[name] += 1
            return
        found = {"task": programs, "shim": shims, "database": databases}[name](self.home)
        if found:
            with contextlib.suppress(psutil.NoSuchProcess):
                self.random.choice(found).kill()
                self.killed[name] += 1

    def run(self) -> dict:
        lab = open_lab()
        assert run.run(lab, raw_data.MONTHS, run.Watcher()).problems() == []
        whole, deadline = published(lab), time.monotonic() + SECONDS
        left = [raw_data.MONTHS[number % 12] for number in range(self.tasks)]
        rounds = 0
        while left:
            assert rounds < ROUNDS, f"{len(left)} tasks fail again and again"
            left, rounds = self._round(left, deadline), rounds + 1
        lab = open_lab()
        assert published(lab) == whole, "what readers see has changed"
        assert curated_rows(lab) == ROWS, f"{curated_rows(lab)} rows, not {ROWS}"
        quarantine = lab.client("s3").list_objects_v2(Bucket=lab.bucket, Prefix="quarantine/")
        assert quarantine["KeyCount"] == 0, "rows are in quarantine"
        assert programs(self.home) == [], "a program has outlived its task"
        return {"rounds": rounds, "killed": dict(self.killed)}

    def _round(self, months: list[str], deadline: float) -> list[str]:
        """Run a task for each month; the months whose task failed or was never accepted."""
        month_of, waiting, failed = {}, list(months), []
        while waiting or month_of:
            assert time.monotonic() < deadline, f"{len(waiting) + len(month_of)} tasks never end"
            self.strike()
            try:
                lab = open_lab()
                for _ in range(min(10, len(waiting))):
                    # What a killed server has not answered may run all the same: it is run twice.
                    arn = etl_tasks.launch(lab, etl_tasks.FAMILY, waiting[-1])
                    month_of[arn] = waiting.pop()
                failed += self._ended(lab, month_of)
            except SURPRISES:
                continue
            time.sleep(0.1)
        return failed

    def _ended(self, lab: Lab, month_of: dict[str, str]) -> list[str]:
        """Take the tasks that have ended out of those that run; the months of the failed."""
        failed = []
        arns = list(month_of)[:100]
        for task in described(lab, arns) if arns else ():
            if task["lastStatus"] == "STOPPED":
                month = month_of.pop(task["taskArn"])
                failed += [] if succeeded(task) else [month]
        return failed


def shims(home: Path) -> list[psutil.Process]:
    """What holds a task's program: the parents of the programs."""
    found = []
    for program in programs(home):
        with contextlib.suppress(psutil.Error):
            parent = program.parent()
            if parent and "shim" in " ".join(parent.cmdline()):
                found.append(parent)
    return found


def databases(home: Path) -> list[psutil.Process]:
    found = []
    for pid_file in (home / "rds").rglob("postmaster.pid"):
        with contextlib.suppress(psutil.Error, OSError, ValueError):
            found.append(psutil.Process(int(pid_file.read_text().splitlines()[0])))
    return found


def one_run(seed: int, tasks: int) -> dict:
    """Raises AssertionError where something is lost, doubled or left behind."""
    with temporary_home() as folder:
        home, scratch = folder / "home", folder / "tmp"
        home.mkdir(mode=0o711)
        scratch.mkdir(mode=0o1777)
        scratch.chmod(0o1777)
        os.environ |= {"DRYDOCK_HOME": str(home), "DRYDOCK_PORT": "0", "TMPDIR": str(scratch)}
        try:
            said = Chaos(home, seed, tasks).run()
        finally:
            cloud.stop(home)
        assert processes_of(home) == [], "processes are left"
        left = sorted(path.name for path in scratch.rglob("*"))
        assert left == [], f"temporary files are left: {left[:10]}"
        return said


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=20)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--tasks", type=int, default=100)
    given = options.parse_args()
    for seed in range(given.seed, given.seed + given.runs):
        began = time.monotonic()
        said = one_run(seed, given.tasks)
        print(f"seed {seed}: {said} in {time.monotonic() - began:.0f} s: all is whole", flush=True)


if __name__ == "__main__":
    main()
