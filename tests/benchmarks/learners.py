"""Many learners on one machine: python tests/benchmarks/learners.py --learners 20

Each has a local cloud, a database, a port and a progress file of its own, and runs lesson 1 with
its solutions from top to bottom. They begin one after the other within --over seconds, as people
do. Told are seconds, the peak of memory of each (PSS: what is shared counts once), and what there
is of cross-talk: a learner's exercises, objects and numbers must be that learner's alone.

On 2 cores and 24 GB twenty learners take an hour's worth of CPU: nothing else should run then.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from drydock import cloud, notebooks, processes
from drydock.study import exercises, progress

LESSON = "01_pipeline"
LOOK_SECONDS = 3.0
CELL_SECONDS = 3600.0  # with twenty on two cores a cell may wait long


@dataclass
class Seat:
    """One learner: the folder of everything, and what came of the lesson."""

    name: str
    home: Path
    process: subprocess.Popen | None = None
    began: float = 0.0
    seconds: float = 0.0
    megabytes: float = 0.0
    exit_code: int | None = None
    endpoint: str = ""
    problems: tuple[str, ...] = ()

    def start(self, lesson: str) -> None:
        """Open the lesson: run it in a process of this learner's own."""
        self.home.mkdir(parents=True)
        self.home.chmod(0o711)
        variables = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        variables |= {"DRYDOCK_HOME": str(self.home), "DRYDOCK_PORT": "0"}
        variables |= {"DRYDOCK_LEARNER": self.name}
        variables.pop("MPLBACKEND", None)
        command = [sys.executable, __file__, "--seat", str(self.home), "--lesson", lesson]
        with (self.home / "lesson.log").open("wb") as log:
            self.process = subprocess.Popen(
                command, env=variables, stdout=log, stderr=log, start_new_session=True
            )
        self.began = time.monotonic()

    def look(self) -> bool:
        """Note memory and the end of the lesson; return whether it still runs."""
        self.megabytes = max(self.megabytes, sum(map(_pss, self._family())) / 1e6)
        if self.exit_code is None and self.process.poll() is not None:
            self.exit_code = self.process.returncode
            self.seconds = time.monotonic() - self.began
            record = processes.read_record(self.home)
            self.endpoint = record["endpoint"] if record else ""
        return self.exit_code is None

    def _family(self) -> set[psutil.Process]:
        found: set[psutil.Process] = set()
        for root in (self.process.pid, processes.server_of(self.home)):
            with suppress(psutil.Error, TypeError):
                top = root if isinstance(root, psutil.Process) else psutil.Process(root)
                found |= {top, *top.children(recursive=True)}
        return found

    def check(self, lesson: str) -> None:
        """Look for what did not end well, and for what is another learner's."""
        found = []
        if self.exit_code:
            found.append(f"exit code {self.exit_code}: {_last(self.home / 'lesson.log')}")
        events = progress.read(self.home / "study" / "progress.jsonl").exercises()
        number = lesson.split("_")[0].lstrip("0")
        wanted = {name for name in exercises.everything() if name.split(".")[0] == number}
        if set(events) != wanted or not all(one.done for one in events.values()):
            found.append(f"exercises {sorted(events)}, not all of {sorted(wanted)} done")
        if any(one.tries != 1 for one in events.values()):
            found.append("an exercise was checked more than once: by whom?")
        ran = json.loads((self.home / "outputs.json").read_text()) if not self.exit_code else {}
        if ran and ran["learner"] != self.name:
            found.append(f"the kernel was that of {ran['learner']}")
        self.problems = tuple(found)


def sit(home: Path, lesson: str) -> None:
    """What one learner does, in a process of its own: run the lesson, keep what it showed."""
    ran = notebooks.execute(notebooks.FOLDER / f"{lesson}.ipynb", timeout=CELL_SECONDS)
    shown = [
        str(output.get("text") or output.get("data", {}).get("text/plain", ""))
        for cell in ran.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    told = {"learner": progress.learner(), "shown": shown}
    (home / "outputs.json").write_text(json.dumps(told))


def run(count: int, over: float, lesson: str, root: Path) -> list[Seat]:
    """Let `count` learners begin within `over` seconds, and wait for all of them."""
    seats = [Seat(f"learner-{number:02}", root / f"{number:02}") for number in range(1, count + 1)]
    waiting, running = list(seats), []
    begin = time.monotonic()
    try:
        while waiting or running:
            due = over * (count - len(waiting)) / max(count - 1, 1)
            if waiting and time.monotonic() - begin >= due:
                running.append(waiting.pop(0))
                running[-1].start(lesson)
                continue
            running = [one for one in running if one.look()]
            time.sleep(min(LOOK_SECONDS, 0.5 if waiting else LOOK_SECONDS))
        for one in seats:
            one.check(lesson)
        doubled = [place for place, n in Counter(one.endpoint for one in seats).items() if n > 1]
        for one in seats:
            if one.endpoint in doubled:
                one.problems += (f"shares {one.endpoint} with another learner",)
    finally:
        for one in seats:
            if one.process and one.process.poll() is None:
                processes.end([psutil.Process(one.process.pid)], 10)
            if one.home.exists():
                cloud.stop(one.home)
    return seats


def _pss(process: psutil.Process) -> int:
    try:
        return process.memory_full_info().pss
    except (psutil.Error, OSError):
        return 0


def _last(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return lines[-1] if lines else "nothing in its log"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--learners", type=int, default=2)
    parser.add_argument("--over", type=float, default=60.0, help="seconds in which all begin")
    parser.add_argument("--lesson", default=LESSON)
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--seat", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.seat:
        sit(options.seat, options.lesson)
        return 0
    root = Path(tempfile.mkdtemp(prefix="drydock-room-"))
    root.chmod(0o711)
    begin = time.monotonic()
    try:
        seats = run(options.learners, options.over, options.lesson, root)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    print(f"{'learner':12} {'seconds':>8} {'peak MB':>8}  what was wrong")
    for one in seats:
        wrong = "; ".join(one.problems) or "nothing"
        print(f"{one.name:12} {one.seconds:8.0f} {one.megabytes:8.0f}  {wrong}")
    print(f"all: {time.monotonic() - begin:.0f} s, {psutil.cpu_count()} cores")
    if options.json:
        names = ("name", "seconds", "megabytes", "exit_code", "problems")
        rows = [{name: getattr(one, name) for name in names} for one in seats]
        options.json.write_text(json.dumps(rows, indent=2))
    return 1 if any(one.problems for one in seats) else 0


if __name__ == "__main__":
    sys.exit(main())
