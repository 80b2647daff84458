"""How fast is a table read over ODBC and JDBC beside the rest: python tests/benchmarks/reads.py

All ways read the same 336,776 flights of 19 columns in the same run, from a PostgreSQL of this
machine with TLS, each in a process of its own, in turn. Seconds are of connecting and reading, CPU
seconds of the whole process, Java and imports too; other load on the machine changes them least.
Ratios are to COPY parsed by Arrow. Memory is the peak of the process. What streams is counted batch
by batch; what cannot, keeps the table. Rows and sums of all are compared. With --fetches it is the
memory by rows of a fetch; with --scale 20 a table twenty times as large. What the
lesson shows of all three is in data/read_measurements.json.
"""

import argparse
import gzip
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "drydock" / "connect")]

import reads_contenders as contenders  # noqa: E402
from database import Database, serving  # noqa: E402
from etl import Usage  # noqa: E402

from drydock.pipeline.raw_data import monthly_objects  # noqa: E402

QUERY = "SELECT * FROM flights"
TABLE = """
    CREATE TABLE flights (
        year integer, month integer, day integer, dep_time integer, sched_dep_time integer,
        dep_delay double precision, arr_time integer, sched_arr_time integer,
        arr_delay double precision, carrier text, flight integer, tailnum text, origin text,
        dest text, air_time double precision, distance double precision, hour integer,
        minute integer, time_hour timestamptz
    )
"""


def load(database: Database, times: int) -> None:
    """Load all flights with COPY, `times` times."""
    with database.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute(TABLE)
        for _, body in monthly_objects():
            with connection.cursor().copy(
                "COPY flights FROM STDIN (FORMAT csv, HEADER, NULL 'NA')"
            ) as copy:
                copy.write(gzip.decompress(body))
        if times > 1:
            connection.execute(
                f"INSERT INTO flights SELECT f.* FROM flights f, generate_series(2, {times})"
            )
        connection.execute("VACUUM ANALYZE flights")


def measure(name: str, database: Database) -> dict:
    """Read once in a new process; return its seconds, peak megabytes and figures."""
    command = [sys.executable, str(HERE / "reads_contenders.py"), name, str(database.ca), QUERY]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    usage = Usage([process])
    usage.start()
    said, error = process.communicate(database.reader.to_json() + "\n")
    usage.done.set()
    if process.returncode:
        sys.exit(f"{name} ended with {process.returncode}: {error[-2000:]}")
    return json.loads(said.splitlines()[-1]) | {
        "megabytes": usage.megabytes,
        "cpu_seconds": usage.cpu_seconds,
    }


def compare(names: list[str], times: int, runs: int) -> list[dict]:
    """Measure all in turn, `runs` times; return one result each."""
    taken: dict[str, list[dict]] = {name: [] for name in names}
    with (
        tempfile.TemporaryDirectory(prefix="drydock-reads-") as folder,
        serving(Path(folder)) as database,
    ):
        load(database, times)
        for _ in range(runs):
            for name in names:
                print(f"{times}x {name} ...", file=sys.stderr, flush=True)
                taken[name].append(measure(name, database))
    checked = {
        name: tuple(runs[0][key] for key in ("rows", "distance", "missing"))
        for name, runs in taken.items()
        if runs[0]["distance"] >= 0
    }
    if len(set(checked.values())) > 1 or checked["copy"][0] != times * contenders.FLIGHTS:
        sys.exit(f"not all ways give the same rows: {checked}")
    results = []
    for name, measured in taken.items():
        rows = measured[0]["rows"]
        speed = statistics.median(rows / one["seconds"] for one in measured)
        results.append(
            {
                "way": name,
                "title": contenders.ALL[name][0],
                "rows": rows,
                "rows_per_second": round(speed),
                "cpu_seconds": round(statistics.median(one["cpu_seconds"] for one in measured), 2),
                "peak_mb": round(max(one["megabytes"] for one in measured)),
            }
        )
    of_copy = next(one["rows_per_second"] for one in results if one["way"] == "copy")
    return [
        one
        | {
            "times_copy": round(of_copy / one["rows_per_second"], 2),
            "seconds_for_all": round(times * contenders.FLIGHTS / one["rows_per_second"], 2),
        }
        for one in results
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--runs", type=int, default=3, help="of which the median is taken")
    options.add_argument("--scale", type=int, default=1, help="how many times the flights")
    options.add_argument("--ways", nargs="+", choices=list(contenders.CONTENDERS))
    options.add_argument("--fetches", action="store_true", help="memory by the size of a fetch")
    options.add_argument("--json", action="store_true", help="print the results for machines")
    chosen = options.parse_args()
    wanted = contenders.FETCHES if chosen.fetches else chosen.ways or contenders.CONTENDERS
    names = list(dict.fromkeys(["copy", *wanted]))
    if not importlib.util.find_spec("pyspark"):
        names = [name for name in names if not name.startswith("spark")]
    results = compare(names, chosen.scale, chosen.runs)
    memory = round(psutil.virtual_memory().total / 2**30)
    machine = f"{psutil.cpu_count()} cores, {memory} GB of memory"
    if chosen.json:
        print(json.dumps({"machine": machine, "runs": chosen.runs, "results": results}, indent=2))
        return
    print(f"{machine}; median of {chosen.runs}; {chosen.scale * contenders.FLIGHTS:,} rows, TLS")
    print(f"{'':36}{'s':>8}{'CPU s':>8}{'rows/s':>10}{'x COPY':>8}{'peak MB':>9}")
    for one in results:
        print(
            f"{one['title']:36}{one['seconds_for_all']:8.2f}{one['cpu_seconds']:8.2f}{one['rows_per_second']:10,}"
            f"{one['times_copy']:8.2f}{one['peak_mb']:9}"
        )


if __name__ == "__main__":
    main()
