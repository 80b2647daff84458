"""How fast is the ETL beside plain pandas, DuckDB and PySpark: python tests/benchmarks/etl.py

All do the same transform in the same run: typed parse and checks of gzip CSV objects, four left
joins, keys and delay features, Parquet (zstd) by month. All read local files, the lookup tables as
CSV, and their output is compared. Ours runs as two processes of one thread, as two tasks of one
vCPU; the others use two threads of one process (pandas one). Memory is the peak of the largest
process. CPU seconds are of all processes; other load on the machine changes them least.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psutil

HERE = Path(__file__).parent
CONTENDERS = HERE / "etl_contenders"
PLAIN_PANDAS = HERE.parents[1] / "lib" / "containers" / "etl" / "plain_pandas.py"
ENGINES = ("ours", "pandas", "duckdb", "spark", "floor")
TITLES = {
    "ours": "ours: Polars, 2 processes",
    "pandas": "plain pandas, all at once",
    "duckdb": "DuckDB, all at once",
    "spark": "PySpark local[2]",
    "floor": "(floor: gunzip, parse, encode)",
}
FINGERPRINT = """
    SELECT count(*), sum(flight_key), sum(dep_delay), sum(arr_delay), sum(distance), sum(speed_mph),
        count(dest_name), count(plane_model), count(temp), round(sum(temp)), round(sum(dest_lat)),
        sum(epoch(sched_dep)), count(*) FILTER (cancelled), count(*) FILTER (arr_delayed),
        min(flight_date), max(flight_date)
    FROM read_parquet('{}/**/*.parquet')
"""


def commands(engine: str, folder: Path, out: Path, spark_python: str) -> list[list[str]]:
    """The command lines that, run side by side, transform all objects of `folder`."""
    places = [str(folder / "raw"), str(folder / "lookups"), str(out)]
    if engine in ("ours", "floor"):
        script = str(CONTENDERS / f"{engine}.py")
        months = sorted(path.name[:7] for path in (folder / "raw").iterdir())
        half = len(months) // 2
        return [[sys.executable, script, *places, *part] for part in (months[:half], months[half:])]
    if engine == "pandas":
        return [[sys.executable, str(PLAIN_PANDAS), *places]]
    python = spark_python if engine == "spark" else sys.executable
    return [[python, str(CONTENDERS / f"in_{engine}.py"), *places]]


class Usage(threading.Thread):
    """Follows processes and their children: peak `megabytes` of the largest, `cpu_seconds` of all.

    The kernel keeps each process's own peak, so that a look now and then misses nothing but the
    last moment of a process. The last look counts, as a grandchild that has not yet started its
    program shows the peak of its parent.
    """

    def __init__(self, processes: list[subprocess.Popen]):
        super().__init__(daemon=True)
        self.roots = [psutil.Process(process.pid) for process in processes]
        self.peaks: dict[int, float] = {}
        self.cpu: dict[int, float] = {}
        self.done = threading.Event()

    @property
    def megabytes(self) -> float:
        return max(self.peaks.values(), default=0.0)

    @property
    def cpu_seconds(self) -> float:
        return sum(self.cpu.values())

    def run(self) -> None:
        while not self.done.wait(0.02):
            for root in self.roots:
                with contextlib.suppress(psutil.NoSuchProcess):
                    for process in [root, *root.children(recursive=True)]:
                        self._look(process)

    def _look(self, process: psutil.Process) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            self.cpu[process.pid] = times.user + times.system
            self.peaks[process.pid] = _peak(process.pid) or self.peaks.get(process.pid, 0.0)


def _peak(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    _, found, rest = status.partition("VmHWM:")
    return int(rest.split()[0]) / 1024 if found else 0.0


class Measured(NamedTuple):
    """One run: wall and CPU seconds, peak megabytes, and what was written in figures."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    figures: tuple


def measure(engine: str, folder: Path, spark_python: str) -> Measured:
    """Run `engine` once."""
    with tempfile.TemporaryDirectory(prefix="drydock-bench-out-") as out:
        environment = dict(os.environ)
        # Polars leaves its own setting behind in every process that has loaded it.
        environment.pop("_RJEM_MALLOC_CONF", None)
        if engine in ("ours", "floor"):
            environment["POLARS_MAX_THREADS"] = "1"
        start = time.perf_counter()
        processes = [
            subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
            for command in commands(engine, folder, Path(out), spark_python)
        ]
        usage = Usage(processes)
        usage.start()
        errors = [process.communicate()[1] for process in processes]
        seconds = time.perf_counter() - start
        usage.done.set()
        for process, error in zip(processes, errors, strict=True):
            if process.returncode:
                sys.exit(f"{engine} ended with {process.returncode}: {error[-2000:]}")
        figures = fingerprint(out) if engine != "floor" else ()
        return Measured(seconds, usage.cpu_seconds, usage.megabytes, figures)


def fingerprint(out: str) -> tuple:
    """Counts and sums over the Parquet files in `out`."""
    import duckdb

    return duckdb.execute("SET TimeZone = 'UTC'").execute(FINGERPRINT.format(out)).fetchone()


def compare(engines: list[str], years: int, runs: int, folder: Path, spark_python: str) -> list:
    """Measure all `engines` in turn, `runs` times; return one result an engine."""
    sys.path.insert(0, str(HERE))
    import etl_input

    etl_input.write(folder, years)
    taken: dict[str, list[Measured]] = {engine: [] for engine in engines}
    for _ in range(runs):
        for engine in engines:
            print(f"{years}x {engine} ...", file=sys.stderr, flush=True)
            taken[engine].append(measure(engine, folder, spark_python))
    written = {engine: runs[-1].figures for engine, runs in taken.items() if engine != "floor"}
    if len(set(written.values())) > 1:
        lines = "\n".join(f"{engine}: {figures}" for engine, figures in written.items())
        sys.exit(f"the engines do not give the same rows:\n{lines}")
    rows = written["ours"][0]
    if rows != years * etl_input.ROWS:
        sys.exit(f"{rows} rows were written of {years * etl_input.ROWS}")
    ours = statistics.median(one.seconds for one in taken["ours"])
    results = []
    for engine, measured in taken.items():
        seconds = statistics.median(one.seconds for one in measured)
        results.append(
            {
                "scale": years,
                "engine": engine,
                "rows": rows,
                "seconds": round(seconds, 2),
                "seconds_of_runs": [round(one.seconds, 2) for one in measured],
                "cpu_seconds": round(statistics.median(one.cpu_seconds for one in measured), 2),
                "rows_per_second": round(rows / seconds),
                "peak_mb": round(max(one.megabytes for one in measured)),
                "times_ours": round(seconds / ours, 2),
            }
        )
    return results


def table(results: list[dict]) -> str:
    lines = [f"{'':32}{'s':>8}{'CPU s':>8}{'rows/s':>12}{'peak MB':>9}{'x ours':>8}"]
    for scale in dict.fromkeys(result["scale"] for result in results):
        chosen = [result for result in results if result["scale"] == scale]
        lines.append(f"{scale}x: {12 * scale} objects, {chosen[0]['rows']:,} rows")
        lines += [
            f"  {TITLES[r['engine']]:30}{r['seconds']:8.2f}{r['cpu_seconds']:8.2f}"
            f"{r['rows_per_second']:12,}{r['peak_mb']:9}{r['times_ours']:8.2f}"
            for r in chosen
        ]
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--runs", type=int, default=3, help="of which the median is taken")
    options.add_argument("--scales", type=int, nargs="+", default=[1, 20], help="years of data")
    options.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    options.add_argument("--spark-python", default=sys.executable, help="Python with pyspark")
    options.add_argument("--folder", type=Path, help="keep the input here for the next time")
    options.add_argument("--json", action="store_true", help="print the results for machines")
    chosen = options.parse_args()
    engines = list(dict.fromkeys(["ours", *chosen.engines]))
    local = chosen.spark_python == sys.executable
    if "spark" in engines and local and not importlib.util.find_spec("pyspark"):
        engines.remove("spark")
        print("PySpark left out; type: make bench", file=sys.stderr)
    temporary = None if chosen.folder else tempfile.mkdtemp(prefix="drydock-bench-")
    folder = chosen.folder or Path(temporary)
    try:
        results = []
        for scale in chosen.scales:
            place = folder / f"{scale}x"
            results += compare(engines, scale, chosen.runs, place, chosen.spark_python)
    finally:
        if temporary:
            shutil.rmtree(temporary)
    memory = round(psutil.virtual_memory().total / 2**30)
    machine = f"{psutil.cpu_count()} cores, {memory} GB of memory"
    if chosen.json:
        print(json.dumps({"machine": machine, "runs": chosen.runs, "results": results}, indent=2))
    else:
        print(f"{machine}; median of {chosen.runs}, memory the highest of them")
        print(table(results))


if __name__ == "__main__":
    main()
