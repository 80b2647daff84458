"""The ETL program on folders instead of S3 and ODBC: ours.py RAW LOOKUPS OUT MONTH..."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "lib" / "containers" / "etl"))

import etl  # noqa: F401  sets what Polars reads when it is loaded
import polars as pl
from etl.job import run_month
from etl.layout import MISSING, TIME_HOUR, Month
from etl.lookups import COLUMNS, Lookups


class FolderStore:
    """A folder as `etl.publish.Store`; raw objects lie in a folder of their own."""

    def __init__(self, raw: Path, out: Path):
        self.raw, self.out = raw, out

    def name(self, key: str) -> str:
        return key

    def etag(self, key: str) -> str | None:
        return "" if self._path(key).exists() else None

    def get(self, key: str) -> tuple[bytes, str]:
        return self._path(key).read_bytes(), ""

    def replace(self, key: str, data: bytes, etag: str | None) -> bool:
        self.put(key, data)  # nobody else publishes here
        return True

    def _path(self, key: str) -> Path:
        return self.raw / Path(key).name if key.startswith("raw/") else self.out / key

    def keys(self, prefix: str) -> list[str]:
        return [f"{prefix}{path.name}" for path in (self.out / prefix).glob("*")]

    def put(self, key: str, data: bytes) -> None:
        path = self.out / key
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part")
        aside.write_bytes(data)
        os.replace(aside, path)

    def delete(self, key: str) -> None:
        (self.out / key).unlink(missing_ok=True)


def read_lookups(folder: Path, months: list[Month]) -> Lookups:
    """The four tables from CSV, of weather only the hours of `months`, as the program does."""
    tables = {}
    for name, columns in COLUMNS.items():
        types = columns | ({"time_hour": pl.String} if name == "weather" else {})
        rows = pl.scan_csv(folder / f"{name}.csv", schema_overrides=types, null_values=MISSING)
        rows = rows.select(list(columns))
        if name == "weather":
            hour = pl.col("time_hour").str.to_datetime(TIME_HOUR, time_unit="ms")
            first, last = min(m.utc_hours[0] for m in months), max(m.utc_hours[1] for m in months)
            rows = rows.with_columns(hour.dt.replace_time_zone("UTC")).filter(
                pl.col("time_hour").is_between(first, last)
            )
        tables[name] = rows.collect(engine="streaming")
    return Lookups.of(tables)


if __name__ == "__main__":
    raw, lookups, out = map(Path, sys.argv[1:4])
    months = [Month.parse(text) for text in sys.argv[4:]]
    store, tables = FolderStore(raw, out), read_lookups(lookups, months)
    for month in months:
        run_month(store, tables, month)
