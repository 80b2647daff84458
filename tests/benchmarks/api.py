"""How fast is a page of 50 flights: python tests/benchmarks/api.py

In one run, in turn, each with one worker, from 64 connections: FastAPI's hello world, our data API,
and Datasette over the same 336,776 flights as SQLite. Pages are 1,000 different ones, so that no
cache of a page helps. Then our API is asked in an open loop, at half, all and twice the rate that
it took in the closed one: what it cannot answer it must refuse, and those that it answers must not
wait longer and longer. Generator and server share the machine: trust the ratios.
`--soak 3600` asks at half that rate for an hour and watches the memory. What is aimed at, and
whether it holds, is printed last; see api_targets.py.
"""

import argparse
import importlib.util
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import httpx
import psutil
from moto.server import ThreadedMotoServer

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import api_input  # noqa: E402
from api_targets import targets  # noqa: E402

API = HERE.parents[1] / "lib" / "containers" / "api"
HELLO, OURS = "FastAPI hello world", "data API"
# As it comes; and without what only its pages for people need: counts and suggested facets.
DATASETTE, LEAN = "Datasette", "Datasette, rows only"
PAGES, ROWS = 1000, 50
RATES = (0.5, 1.0, 2.0)  # of what the closed loop took
START_SECONDS = 90
KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(command: list[str], port: int, ready: str, **options) -> Iterator[psutil.Process]:
    """A server, from the moment when it answers `ready` with 200."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, **quiet, **options)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(f"http://127.0.0.1:{port}{ready}"):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{' '.join(command)} does not answer")
            time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def ask(port: int, paths: list[str], seconds: float, **how: float) -> dict:
    """Ask for these paths in turn, from a process of its own; `how`: connections, or rate."""
    order = {"host": "127.0.0.1", "port": port, "paths": paths, "seconds": seconds} | how
    done = subprocess.run(
        [sys.executable, str(HERE / "api_load.py")],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


class Contenders:
    """How each is started, and which paths it is asked for."""

    def __init__(self, folder: Path, endpoint: str, bucket: str, sqlite: Path, keys: list[int]):
        from api import cursors

        self.folder, self.endpoint, self.bucket, self.sqlite = folder, endpoint, bucket, sqlite
        starts = random.Random(1).sample(keys[:-ROWS], PAGES)
        self.paths = {
            HELLO: ["/"],
            OURS: [f"/flights?cursor={cursors.encode(start, {})}" for start in starts],
            DATASETTE: [
                f"/flights/flights.json?_shape=objects&_size={ROWS}&_next={start}"
                for start in starts
            ],
        }
        only = "&_nofacet=1&_nosuggest=1&_nocount=1"
        self.paths[LEAN] = [path + only for path in self.paths[DATASETTE]]

    @contextmanager
    def started(self, name: str) -> Iterator[tuple[psutil.Process, int]]:
        port = free_port()
        if name == HELLO:
            command, ready, options = [str(HERE / "api_hello.py"), str(port)], "/", {}
        elif name == OURS:
            command, ready, options = (
                ["-m", "api"],
                "/healthz",
                {"cwd": API, "env": self._env(port)},
            )
        else:
            command = ["-m", "datasette", str(self.sqlite), "-p", str(port)]
            ready, options = self.paths[name][0], {}
        with serving([sys.executable, *command], port, ready, **options) as process:
            yield process, port

    def _env(self, port: int) -> dict[str, str]:
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
        place = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": "us-east-1"}
        own = {"HOST": "127.0.0.1", "PORT": str(port), "LAKE_BUCKET": self.bucket}
        own |= {"API_CACHE": str(self.folder), "AWS_DEFAULT_REGION": "us-east-1"}
        return {"PATH": os.environ["PATH"]} | keys | place | own


@contextmanager
def contenders() -> Iterator[Contenders]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    try:
        with tempfile.TemporaryDirectory(prefix="drydock-api-") as name:
            folder = Path(name)
            flights = api_input.curated()
            api_input.publish(boto3.client("s3", endpoint_url=endpoint, **KEYS), "lake", flights)
            sqlite = folder / "flights.db"
            keys = api_input.write_sqlite(sqlite, flights, folder)
            (folder / "cache").mkdir()
            yield Contenders(folder / "cache", endpoint, "lake", sqlite, keys)
    finally:
        server.stop()


def same_page(found: Contenders, names: list[str]) -> None:
    """Stop unless ours and Datasette answer the same flights."""
    pages = {}
    for name in names:
        if name == HELLO:
            continue
        with found.started(name) as (_, port):
            url = f"http://127.0.0.1:{port}{found.paths[name][0]}"
            page = httpx.get(url, trust_env=False, timeout=20).json()
            rows = page.get("items") or page.get("rows")
            pages[name] = [row["flight_key"] for row in rows]
    if any(page != next(iter(pages.values())) or len(page) != ROWS for page in pages.values()):
        sys.exit("the contenders do not answer the same flights")


def closed_loop(found: Contenders, names: list[str], chosen: argparse.Namespace) -> list[dict]:
    taken: dict[str, list[dict]] = {name: [] for name in names}
    for _ in range(chosen.runs):
        for name in names:
            with found.started(name) as (_, port):
                ask(port, found.paths[name], min(1.0, chosen.seconds), connections=4)  # warm
                paths, connections = found.paths[name], chosen.connections
                taken[name].append(ask(port, paths, chosen.seconds, connections=connections))
            print(f"{name}: {taken[name][-1]}", file=sys.stderr, flush=True)
    results = []
    for name, runs in taken.items():
        middle = statistics.median(run["per_second"] for run in runs)
        best = min(runs, key=lambda run: abs(run["per_second"] - middle))
        results.append({"name": name, **best, "per_second": middle})
    return results


def open_loop(found: Contenders, capacity: float, seconds: float) -> list[dict]:
    results = []
    with found.started(OURS) as (_, port):
        for share in RATES:
            result = ask(port, found.paths[OURS], seconds, rate=capacity * share)
            results.append({"share": share, "rate": round(capacity * share), **result})
    return results


def soak(found: Contenders, rate: float, seconds: float) -> list[dict]:
    """Ask at this rate in ten parts; resident megabytes after each."""
    results = []
    with found.started(OURS) as (process, port):
        for _ in range(10):
            result = ask(port, found.paths[OURS], seconds / 10, rate=rate)
            # Without the mapped file of pages, which is the system's cache.
            memory = process.memory_info()
            private = round((memory.rss - memory.shared) / 1e6)
            results.append({"megabytes": private, **result})
            print(results[-1], file=sys.stderr, flush=True)
    return results


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    options.add_argument("--runs", type=int, default=3, help="of which the median is told")
    options.add_argument("--connections", type=int, default=64)
    options.add_argument("--soak", type=float, default=0.0, metavar="SECONDS")
    options.add_argument("--json", action="store_true", help="print the results for machines")
    chosen = options.parse_args()
    names = [HELLO, OURS]
    if importlib.util.find_spec("datasette"):
        names += [DATASETTE, LEAN]
    with contenders() as found:
        same_page(found, names)
        closed = closed_loop(found, names, chosen)
        capacity = next(one["per_second"] for one in closed if one["name"] == OURS)
        opened = open_loop(found, capacity, chosen.seconds)
        soaked = soak(found, capacity / 2, chosen.soak) if chosen.soak else []
    held = targets(closed, opened, soaked)
    if chosen.json:
        results = {"runs": chosen.runs, "connections": chosen.connections}
        results |= {"closed": closed, "open": opened, "soak": soaked, "targets": held}
        print(json.dumps(results, indent=2))
        return
    print(f"closed loop, {chosen.connections} connections, pages of {ROWS}")
    print(f"{'':22}{'per s':>9}{'p50 ms':>9}{'p99 ms':>9}{'x hello':>9}{'x Datasette':>12}")
    base = {one["name"]: one["per_second"] for one in closed}
    for one in closed:
        others = [
            one["per_second"] / base[name] if name in base else 0 for name in (HELLO, DATASETTE)
        ]
        print(
            f"{one['name']:22}{one['per_second']:9.0f}{one['p50_ms']:9.1f}{one['p99_ms']:9.1f}"
            f"{others[0]:9.2f}{others[1]:12.2f}"
        )
    print(f"\nopen loop, {OURS}")
    print(f"{'asked per s':>12}{'answered':>10}{'refused':>9}{'p50 ms':>9}{'p99 ms':>9}")
    for one in opened:
        refused = sum(n for status, n in one["answers"].items() if status != "200")
        print(
            f"{one['rate']:12}{one['answers'].get('200', 0):10}{refused:9}"
            f"{one['p50_ms']:9.1f}{one['p99_ms']:9.1f}"
        )
    for one in soaked:
        print(f"soak: {one['megabytes']} MB, p99 {one['p99_ms']} ms, {one['answers']}")
    print()
    for text, holds in held:
        print(f"{'holds' if holds else 'falls short':12} {text}")


if __name__ == "__main__":
    main()
