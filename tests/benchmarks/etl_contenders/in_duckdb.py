"""The transform in DuckDB, all objects at once: in_duckdb.py RAW LOOKUPS OUT"""

import sys
from pathlib import Path

import duckdb

sys.path.append(str(Path(__file__).parents[3] / "lib" / "containers" / "spark"))
from flights_sql import LOOKUP_COLUMNS, RAW_COLUMNS, curated, passes

TYPES = {"string": "VARCHAR", "smallint": "SMALLINT", "double": "DOUBLE", "timestamp": "TIMESTAMP"}


def read_csv(files: Path, columns: dict[str, str], more: str = "") -> str:
    chosen = {name: TYPES[kind] for name, kind in columns.items()}
    return (
        f"read_csv('{files}', header=true, columns={chosen}, nullstr='NA', delim=',', quote='\"',"
        f" escape='\"', timestampformat='%Y-%m-%dT%H:%M:%SZ', auto_detect=false{more})"
    )


def main(raw: Path, lookups: Path, out: Path) -> None:
    db = duckdb.connect(config={"temp_directory": str(out)})
    db.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
    for table, columns in LOOKUP_COLUMNS.items():
        source = read_csv(lookups / f"{table}.csv", columns)
        db.execute(f"CREATE TEMP TABLE {table} AS FROM {source}")
    objects = read_csv(
        raw / "*.csv.gz", RAW_COLUMNS, ", filename='object', ignore_errors=true, store_rejects=true"
    )
    ok = passes(
        matches="regexp_matches({}, '{}')",
        hours_ahead="date_diff('hour', make_date(year, month, day)::timestamp, time_hour) - hour",
        object_month="object[-14:-8]",
    )
    db.execute(f"CREATE TEMP TABLE rows AS SELECT *, coalesce({ok}, false) AS ok FROM {objects}")
    # Bad rows and flights that are there twice would be worked out further, but there are none.
    (bad,) = db.execute("SELECT count(*) FILTER (NOT ok) FROM rows").fetchone()
    (rejected,) = db.execute("SELECT count(*) FROM reject_errors").fetchone()
    (distinct, total) = db.execute(
        "SELECT count(DISTINCT (time_hour, carrier, flight)), count(*) FROM rows WHERE ok"
    ).fetchone()
    if bad or rejected or distinct != total:
        sys.exit(f"{bad + rejected} bad rows, {total - distinct} repeated: the input has none")
    select = curated(
        rows="rows",
        epoch_hour="(epoch(f.time_hour)::bigint // 3600)",
        carrier_number="(instr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', f.carrier[1]) * 36 - 37"
        " + instr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', f.carrier[2]))",
        sched_dep="(f.time_hour + to_minutes(f.minute))::timestamptz",
        speed="distance::int * 60 // air_time",
    )
    db.execute(
        f"COPY (SELECT * EXCLUDE object, object[-14:-8] AS month FROM ({select}))"
        f" TO '{out}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY month, OVERWRITE_OR_IGNORE)"
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
