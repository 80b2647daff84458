"""The least that a program must do: gunzip, typed parse, Parquet: floor.py RAW LOOKUPS OUT MONTH...

Writes the same number of curated rows and columns, but always those of its first month: no checks,
no joins, no manifest. It is a yardstick, not a contender.
"""

import sys
from pathlib import Path

from ours import read_lookups  # isort: skip  first: it makes `etl` importable

from etl.curate import curate, to_parquet
from etl.layout import HEADER, Month, read_rows
from etl.raw import gunzip

if __name__ == "__main__":
    raw, lookups, out = map(Path, sys.argv[1:4])
    months = [Month.parse(text) for text in sys.argv[4:]]
    curated = None
    for month in months:
        text = gunzip((raw / f"{month}.csv.gz").read_bytes(), str(month))
        rows = read_rows(text[len(HEADER) + 1 :])
        if curated is None:
            curated = curate(rows, read_lookups(lookups, months[:1]), month)
        path = out / f"{month}.parquet"
        path.write_bytes(to_parquet(curated))
