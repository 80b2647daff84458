"""From checked rows to curated ones: four left joins, keys and delay features, Parquet.

Left out on purpose, as Parquet encoding is most of the cost of a run: year, month and day (in
`flight_date`), hour, minute and time_hour (in `sched_dep`).
"""

import io

import polars as pl

from etl.layout import Month
from etl.lookups import REAL, SMALL, TEXT, Lookups

LATE_MINUTES = 15  # the US Department of Transportation's limit of "on time"

# The order and types of the curated columns; text is stored as plain strings with a dictionary.
CURATED = {
    "flight_key": pl.Int64,
    "flight_date": pl.Date,
    "sched_dep": pl.Datetime("ms", "UTC"),
    "carrier": TEXT,
    "carrier_name": TEXT,
    "flight": SMALL,
    "tailnum": TEXT,
    "origin": TEXT,
    "origin_name": TEXT,
    "origin_lat": REAL,
    "origin_lon": REAL,
    "dest": TEXT,
    "dest_name": TEXT,
    "dest_lat": REAL,
    "dest_lon": REAL,
    "distance": SMALL,
    "sched_dep_time": SMALL,
    "dep_time": SMALL,
    "dep_delay": SMALL,
    "sched_arr_time": SMALL,
    "arr_time": SMALL,
    "arr_delay": SMALL,
    "air_time": SMALL,
    "cancelled": pl.Boolean,
    "dep_delayed": pl.Boolean,
    "arr_delayed": pl.Boolean,
    "speed_mph": SMALL,
    "plane_year": SMALL,
    "plane_manufacturer": TEXT,
    "plane_model": TEXT,
    "plane_seats": SMALL,
    "plane_engine": TEXT,
    "temp": REAL,
    "humid": REAL,
    "wind_dir": SMALL,
    "wind_speed": REAL,
    "wind_gust": REAL,
    "precip": REAL,
    "pressure": REAL,
    "visib": REAL,
}


def curate(rows: pl.DataFrame, lookups: Lookups, month: Month) -> pl.DataFrame:
    """Join `rows` with `lookups` and derive keys and features; every row stays, in its order."""
    joined = rows.lazy()
    for table, key in (
        (lookups.airlines, ["carrier"]),
        (lookups.origins, ["origin"]),
        (lookups.dests, ["dest"]),
        (lookups.planes, ["tailnum"]),
        (lookups.weather_of(month), ["origin", "time_hour"]),
    ):
        joined = joined.join(table.lazy(), on=key, how="left", maintain_order="left")
    curated = joined.with_columns(
        flight_key=_flight_key(rows),
        flight_date=pl.date("year", "month", "day"),
        sched_dep=pl.col("time_hour") + pl.duration(minutes="minute", time_unit="ms"),
        cancelled=pl.col("dep_time").is_null(),
        dep_delayed=pl.col("dep_delay") >= LATE_MINUTES,
        arr_delayed=pl.col("arr_delay") >= LATE_MINUTES,
        # Rounded down, so that every engine gives the same number.
        speed_mph=(pl.col("distance").cast(pl.Int32) * 60 // pl.col("air_time")).cast(SMALL),
    ).select(list(CURATED))
    return curated.collect()


def _flight_key(rows: pl.DataFrame) -> pl.Expr:
    """A number for each flight that sorts by time: hour since 1970, carrier, flight number.

    Digits: six of the hour, four of the carrier's code read in base 36, four of the flight number.
    Below 2**53, so that JSON readers keep it exactly.
    """
    carriers = rows.get_column("carrier").unique().cast(pl.String).to_list()
    hour = pl.col("time_hour").dt.epoch("s") // 3600
    carrier = pl.col("carrier").replace_strict(
        carriers, [int(code, 36) for code in carriers], return_dtype=pl.Int64
    )
    return (hour * 10_000 + carrier) * 10_000 + pl.col("flight")


def to_parquet(curated: pl.DataFrame) -> bytes:
    """Parquet (zstd) of `curated`. Without statistics: a file is one month, read as a whole."""
    buffer = io.BytesIO()
    curated.write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()


def totals(curated: pl.DataFrame) -> dict[str, int]:
    """Sums over the curated rows that are comparable with the raw data's."""
    names = ("dep_delay", "arr_delay", "distance")
    return curated.select(pl.col(names).cast(pl.Int64).sum()).row(0, named=True)
