"""The same transform in plain pandas, all at once: where `etl` started from, and its oracle.

    python plain_pandas.py RAW_FOLDER LOOKUP_FOLDER OUT_FOLDER

RAW_FOLDER holds 2013-01.csv.gz …, LOOKUP_FOLDER the CSV files airlines, airports, planes, weather.
Writes OUT_FOLDER/month=2013-01/flights.parquet … and OUT_FOLDER/quarantine.csv.

This is honest everyday pandas, not made slow on purpose. It needs the memory of all months at once.
"""

import gzip
import sys
from pathlib import Path

import pandas as pd

REQUIRED_NUMBERS = ["year", "month", "day", "sched_dep_time", "sched_arr_time"]
REQUIRED_NUMBERS += ["flight", "distance", "hour", "minute"]
OTHER_NUMBERS = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"]
CODES = {
    "carrier": r"[A-Z0-9]{2}",
    "tailnum": r"[A-Z0-9]{2,7}",
    "origin": r"[A-Z]{3}",
    "dest": r"[A-Z]{3}",
}
HEADER = ["year", "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time"]
HEADER += ["sched_arr_time", "arr_delay", "carrier", "flight", "tailnum", "origin", "dest"]
HEADER += ["air_time", "distance", "hour", "minute", "time_hour"]
SMALL = [*OTHER_NUMBERS, "speed_mph", "plane_year", "plane_seats", "wind_dir"]
SMALL += ["flight", "distance", "sched_dep_time", "sched_arr_time"]
WEATHER = ["temp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
OUTPUT = ["flight_key", "flight_date", "sched_dep", "carrier", "carrier_name", "flight", "tailnum"]
OUTPUT += [f"{end}{part}" for end in ("origin", "dest") for part in ("", "_name", "_lat", "_lon")]
OUTPUT += ["distance", "sched_dep_time", "dep_time", "dep_delay", "sched_arr_time", "arr_time"]
OUTPUT += ["arr_delay", "air_time", "cancelled", "dep_delayed", "arr_delayed", "speed_mph"]
OUTPUT += ["plane_year", "plane_manufacturer", "plane_model", "plane_seats", "plane_engine"]
OUTPUT += WEATHER


def read_object(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read one raw object; return its typed rows, and `object` and `line` of those that fail."""
    types = dict.fromkeys(REQUIRED_NUMBERS, "int64") | dict.fromkeys(OTHER_NUMBERS, "float64")
    types |= dict.fromkeys([*CODES, "time_hour"], "str")
    try:
        rows = pd.read_csv(path, dtype=types, na_values=["NA"], keep_default_na=False)
        rows["line"] = range(2, len(rows) + 2)
        broken = []
    except ValueError:
        rows, broken = read_line_by_line(path)
    rows["object"] = month = path.name.removesuffix(".csv.gz")
    return rows, pd.DataFrame({"object": month, "line": broken})


def read_line_by_line(path: Path) -> tuple[pd.DataFrame, list[int]]:
    """Read an object that holds cells of the wrong type or lines of the wrong length."""
    lines = gzip.decompress(path.read_bytes()).decode("utf-8", "replace").split("\n")[1:]
    if lines[-1] == "":
        lines.pop()
    cells = [(number, line.rstrip("\r").split(",")) for number, line in enumerate(lines, 2)]
    broken = [number for number, fields in cells if len(fields) != len(HEADER)]
    cells = [[*fields, number] for number, fields in cells if len(fields) == len(HEADER)]
    rows = pd.DataFrame(cells, columns=[*HEADER, "line"]).replace({"NA": None, "": None})
    wrong = pd.Series(False, index=rows.index)
    for name in REQUIRED_NUMBERS + OTHER_NUMBERS:
        whole = rows[name].str.fullmatch(r"[+-]?[0-9]{1,5}", na=True)
        rows[name] = pd.to_numeric(rows[name].where(whole), errors="coerce")
        wrong |= ~whole | ~rows[name].between(-32768, 32767) & rows[name].notna()
        if name in REQUIRED_NUMBERS:
            wrong |= rows[name].isna()
    broken += rows.loc[wrong, "line"].tolist()
    return rows[~wrong].astype(dict.fromkeys(REQUIRED_NUMBERS, "int64")), broken


def passes(rows: pd.DataFrame) -> pd.Series:
    """Whether each of `rows` is a possible flight of its month; a cancelled one is."""
    cancelled, landed = rows["dep_time"].isna(), rows["arr_delay"].notna()
    date = pd.to_datetime(rows[["year", "month", "day"]], errors="coerce")
    ahead = (rows["time_hour"].dt.tz_localize(None) - date) / pd.Timedelta(hours=1) - rows["hour"]
    ok = rows["time_hour"].notna() & date.notna() & ahead.between(4, 10) & (ahead % 1 == 0)
    ok &= date.dt.strftime("%Y-%m") == rows["object"]
    ok &= rows["hour"] * 100 + rows["minute"] == rows["sched_dep_time"]
    for name, pattern in CODES.items():
        distinct = rows[name].drop_duplicates()
        good = distinct[distinct.str.fullmatch(pattern, na=name == "tailnum")]
        ok &= rows[name].isin(good)
    ok &= rows["origin"] != rows["dest"]
    for name, most in (("sched_dep_time", 2359), ("sched_arr_time", 2400)):
        ok &= rows[name].between(0, most) & (rows[name] % 100 < 60)
    for name in ("dep_time", "arr_time"):
        ok &= rows[name].isna() | rows[name].between(0, 2400) & (rows[name] % 100 < 60)
    for end in ("dep", "arr"):
        delay, actual = rows[f"{end}_delay"], minutes(rows[f"{end}_time"])
        planned = minutes(rows[f"sched_{end}_time"])
        ok &= delay.isna() | ((actual - planned - delay) % 1440 == 0) & delay.between(-1440, 4320)
    ok &= cancelled == rows["dep_delay"].isna()
    ok &= landed == rows["air_time"].notna()
    ok &= ~cancelled | rows["arr_time"].isna()
    ok &= ~landed | rows["air_time"].between(1, 1440)
    ok &= rows["flight"].between(1, 9999) & rows["distance"].between(1, 12_500)
    return ok


def minutes(clock: pd.Series) -> pd.Series:
    """Minutes since midnight of clock readings in HHMM."""
    return clock // 100 * 60 + clock % 100


def enrich(rows: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Join `rows` with the lookup tables, keeping every row, and derive keys and features."""
    airports = tables["airports"][["faa", "name", "lat", "lon"]]
    ends = {
        end: airports.set_axis([end, f"{end}_name", f"{end}_lat", f"{end}_lon"], axis=1)
        for end in ("origin", "dest")
    }
    planes = tables["planes"][["tailnum", "year", "manufacturer", "model", "seats", "engine"]]
    planes = planes.set_axis(["tailnum", *(f"plane_{name}" for name in planes.columns[1:])], axis=1)
    weather = tables["weather"][["origin", "time_hour", *WEATHER]]
    joined = (
        rows.merge(tables["airlines"].rename(columns={"name": "carrier_name"}), "left", "carrier")
        .merge(ends["origin"], "left", "origin")
        .merge(ends["dest"], "left", "dest")
        .merge(planes, "left", "tailnum")
        .merge(weather, "left", ["origin", "time_hour"])
    )
    hour = (joined["time_hour"] - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(hours=1)
    number = joined["carrier"].map({code: int(code, 36) for code in joined["carrier"].unique()})
    joined["flight_key"] = (hour * 10_000 + number) * 10_000 + joined["flight"]
    date = pd.to_datetime(joined[["year", "month", "day"]])
    joined["flight_date"] = date.astype("date32[pyarrow]")
    joined["sched_dep"] = joined["time_hour"] + pd.to_timedelta(joined["minute"], unit="min")
    joined["cancelled"] = joined["dep_time"].isna()
    for end in ("dep", "arr"):
        delay = joined[f"{end}_delay"]
        joined[f"{end}_delayed"] = (delay >= 15).astype("boolean").mask(delay.isna())
    joined["speed_mph"] = joined["distance"] * 60 // joined["air_time"]
    return joined.astype(dict.fromkeys(SMALL, "Int16") | {"sched_dep": "datetime64[ms, UTC]"})


def run(raw: Path, lookups: Path, out: Path) -> None:
    objects = [read_object(path) for path in sorted(raw.glob("*.csv.gz"))]
    rows = pd.concat([rows for rows, _ in objects], ignore_index=True)
    rows["time_hour"] = pd.to_datetime(
        rows["time_hour"], format="%Y-%m-%dT%H:%M:%SZ", utc=True, errors="coerce"
    )
    ok = passes(rows)
    ok &= ~rows[ok].duplicated(["time_hour", "carrier", "flight"]).reindex(
        rows.index, fill_value=True
    )
    quarantine = rows.loc[~ok, ["object", "line"]]
    tables = {
        name: pd.read_csv(lookups / f"{name}.csv", na_values=["NA"], keep_default_na=False)
        for name in ("airlines", "airports", "planes", "weather")
    }
    tables["weather"]["time_hour"] = pd.to_datetime(tables["weather"]["time_hour"], utc=True)
    for month, part in enrich(rows[ok], tables).groupby("object"):
        folder = out / f"month={month}"
        folder.mkdir(parents=True, exist_ok=True)
        part[OUTPUT].to_parquet(folder / "flights.parquet", compression="zstd", index=False)
    quarantine = pd.concat([quarantine, *(broken for _, broken in objects)])
    quarantine.sort_values(["object", "line"]).to_csv(out / "quarantine.csv", index=False)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("type: python plain_pandas.py RAW_FOLDER LOOKUP_FOLDER OUT_FOLDER")
    run(*map(Path, sys.argv[1:]))
