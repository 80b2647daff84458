"""The four lookup tables, made ready to be joined: one row a key, names and types as curated."""

from dataclasses import dataclass

import polars as pl

from etl.errors import InputFailure
from etl.layout import Month

TEXT, SMALL, REAL = pl.Categorical, pl.Int16, pl.Float64

# The columns that are read of each table, the key first. What the curated rows do not need stays in
# the database: dewp follows from temp and humid, and planes.speed is nearly always missing.
COLUMNS = {
    "airlines": {"carrier": TEXT, "name": TEXT},
    "airports": {"faa": TEXT, "name": TEXT, "lat": REAL, "lon": REAL},
    "planes": {
        "tailnum": TEXT,
        "year": SMALL,
        "manufacturer": TEXT,
        "model": TEXT,
        "seats": SMALL,
        "engine": TEXT,
    },
    "weather": {
        "origin": TEXT,
        "time_hour": pl.Datetime("ms", "UTC"),
        "temp": REAL,
        "humid": REAL,
        "wind_dir": SMALL,
        "wind_speed": REAL,
        "wind_gust": REAL,
        "precip": REAL,
        "pressure": REAL,
        "visib": REAL,
    },
}
KEYS = {
    "airlines": ["carrier"],
    "airports": ["faa"],
    "planes": ["tailnum"],
    "weather": ["origin", "time_hour"],
}


@dataclass(frozen=True)
class Lookups:
    """Right sides of the left joins; no key is there twice, so that no flight is doubled."""

    airlines: pl.DataFrame
    origins: pl.DataFrame
    dests: pl.DataFrame
    planes: pl.DataFrame
    weather: pl.DataFrame

    @classmethod
    def of(cls, tables: dict[str, pl.DataFrame]) -> "Lookups":
        """Take `tables` with COLUMNS; raise InputFailure on a key that is there twice."""
        for name, key in KEYS.items():
            doubled = tables[name].select(key).is_duplicated()
            if doubled.any():
                example = tables[name].select(key).filter(doubled).row(0)
                raise InputFailure(
                    f"table {name} has more than one row for {', '.join(map(str, example))}: "
                    "the join would double flights; load the table again"
                )
        return cls(
            airlines=tables["airlines"].rename({"name": "carrier_name"}),
            origins=_prefixed(tables["airports"].rename({"faa": ""}), "origin"),
            dests=_prefixed(tables["airports"].rename({"faa": ""}), "dest"),
            planes=tables["planes"].rename(
                {name: f"plane_{name}" for name in tables["planes"].columns[1:]}
            ),
            weather=tables["weather"].sort("time_hour"),
        )

    def weather_of(self, month: Month) -> pl.DataFrame:
        """The weather of the hours in which flights of `month` can be scheduled."""
        start, end = month.utc_hours
        hour = pl.col("time_hour").set_sorted()
        return self.weather.filter(hour.is_between(start, end, closed="left"))


def _prefixed(table: pl.DataFrame, prefix: str) -> pl.DataFrame:
    return table.rename(lambda name: f"{prefix}_{name}".removesuffix("_"))
