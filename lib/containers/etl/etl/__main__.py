"""`python -m etl 2013-01 [2013-02 ...]`: curate the flights of months.

Settings come from the environment: LAKE_BUCKET, DB_SECRET (the secret's JSON), DATABASE_DRIVER
(odbc, which is the default, or jdbc), PGSSLROOTCERT (certificate authority of the database), what
boto3 reads, ETL_DEBUG=1 (traceback of a bug).
Exit codes: 0 done, 2 wrong input, 3 S3 or database out of reach, 1 a bug, 143 stopped.
"""

import os
import signal
import sys
import time
import traceback

from etl.errors import Failure, InputFailure, one_line


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        _run(arguments)
    except Failure as failure:
        return _fail(str(failure), failure.exit_code)
    except OSError as error:
        return _fail(f"this machine gave out: {one_line(error)}; free space, then run again", 3)
    except MemoryError:
        return _fail("out of memory; give the task more", 1)
    except BaseException as error:  # a panic inside Polars is not an Exception
        if os.environ.get("ETL_DEBUG") == "1":
            traceback.print_exc()
        kind = type(error).__name__
        return _fail(f"bug: {kind}: {one_line(error)}; set ETL_DEBUG=1 for where", 1)
    return 0


def _run(arguments: list[str]) -> None:
    # Imported here, so that a wrong argument is told before libraries are loaded.
    from etl.layout import Month

    if not arguments:
        raise InputFailure("no month given; type for instance: python -m etl 2013-01")
    months = list(dict.fromkeys(Month.parse(argument) for argument in arguments))
    bucket = os.environ.get("LAKE_BUCKET")
    if not bucket:
        raise InputFailure("LAKE_BUCKET is not set; name the bucket in the task definition")

    from etl.database import check_driver, read_lookups
    from etl.job import run_month
    from etl.secret import Secret
    from etl.store import S3Store

    driver = check_driver(os.environ.get("DATABASE_DRIVER") or "odbc")
    secret = Secret.parse(os.environ.get("DB_SECRET"))
    store = S3Store.open(bucket)
    start = time.perf_counter()
    lookups = read_lookups(secret, months, driver)
    _say(
        f"lookups: {lookups.airlines.height:,} airlines, {lookups.dests.height:,} airports, "
        f"{lookups.planes.height:,} planes, {lookups.weather.height:,} hours of weather, "
        f"{time.perf_counter() - start:.2f} s"
    )
    for month in months:
        start = time.perf_counter()
        rows = run_month(store, lookups, month)
        _say(
            f"{month}: {rows['read']:,} rows read, {rows['curated']:,} curated, "
            f"{rows['quarantined']:,} quarantined, {time.perf_counter() - start:.2f} s"
        )


def _say(line: str) -> None:
    # Unbuffered, so that a full disk is met here and not when Python ends.
    os.write(1, f"{line}\n".encode())


def _fail(message: str, code: int) -> int:
    print(f"etl: {message}", file=sys.stderr, flush=True)
    return code


def _stop(number: int, _frame: object) -> None:
    """End at once; what is published so far is whole, and the rest was never visible."""
    name = signal.Signals(number).name
    os.write(2, f"etl: stopped by {name}; run it again, nothing is half published\n".encode())
    os._exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
