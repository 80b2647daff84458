"""A thousand pods through the embedded Kubernetes: python tests/benchmarks/thousand_pods.py

They are created through the API in batches of 100, run as real processes, end and stay; then they
are listed. Told are, for each batch, milliseconds a pod from its creation to its end, microseconds
a pod of one list of all that are there, and the memory (PSS) and threads of the server. What grows
with the pods that are there already shows in the last batch against the first.

A cluster of its own in a folder of its own: nothing of a learner's is touched.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

BATCH = 100


@dataclass(frozen=True)
class Row:
    """One batch: how many pods there are after it, and what it took."""

    pods: int
    seconds_a_pod: float
    list_seconds: float
    megabytes: float
    threads: int


def measure(pods: int, batch: int = BATCH) -> list[Row]:
    """Run them; a row for each batch."""
    # Imported here: it needs the environment that shared_cloud sets.
    from eks_lab import Lab
    from live import shared_cloud

    folder = Path(tempfile.mkdtemp(prefix="drydock-thousand-"))
    rows = []
    try:
        with shared_cloud() as info:
            lab = Lab("thousand", folder, nodes=9, kind="m5.4xlarge")
            server = psutil.Process(info.pid)
            for first in range(0, pods, batch):
                began = time.monotonic()
                names = [f"pod-{first + at:04}" for at in range(min(batch, pods - first))]
                for name in names:
                    container = {"resources": {"requests": {"cpu": "10m", "memory": "8Mi"}}}
                    body = lab.pod(name, "pass", container=container)
                    lab.core.create_namespaced_pod("default", body)
                _wait(lab, first + len(names))
                took = (time.monotonic() - began) / len(names)
                rows.append(_row(lab, server, first + len(names), took))
                print(shown(rows[-1]), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rows


def _wait(lab, wanted: int) -> None:
    """Until so many pods have succeeded. Raises TimeoutError, which says what the others do."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        left = lab.core.list_namespaced_pod(
            "default", field_selector="status.phase!=Succeeded", _preload_content=False
        )
        if b'"items":[]' in left.read():
            return
        time.sleep(0.5)
    raise TimeoutError(f"not all of {wanted} pods have ended: type kubectl get pods")


def _row(lab, server: psutil.Process, pods: int, took: float) -> Row:
    times = []
    for _ in range(5):
        began = time.monotonic()
        lab.core.list_namespaced_pod("default", _preload_content=False).read()
        times.append(time.monotonic() - began)
    memory = server.memory_full_info().pss / 1e6
    return Row(pods, took, min(times), memory, server.num_threads())


def shown(row: Row) -> str:
    return (
        f"{row.pods:5} pods: {row.seconds_a_pod * 1000:7.1f} ms a pod, list "
        f"{row.list_seconds * 1e6 / row.pods:6.1f} us a pod, {row.megabytes:7.1f} MB, "
        f"{row.threads} threads"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pods", type=int, default=1000, help="how many pods (1000)")
    wanted = parser.parse_args().pods
    os.nice(5)
    rows = measure(wanted)
    first, last = rows[0], rows[-1]
    print(f"time a pod, last batch against first: {last.seconds_a_pod / first.seconds_a_pod:.2f}")
    each = (last.list_seconds / last.pods) / (first.list_seconds / first.pods)
    print(f"listing a pod, last batch against first: {each:.2f}")
    if last.pods > first.pods:
        grown = (last.megabytes - first.megabytes) * 1000 / (last.pods - first.pods)
        print(f"memory: {grown:.1f} kB for each pod that is kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
