"""The monthly transform in SQL that Spark and DuckDB understand, as `etl` does it in Polars."""

RAW_COLUMNS = {
    "year": "smallint", "month": "smallint", "day": "smallint", "dep_time": "smallint",
    "sched_dep_time": "smallint", "dep_delay": "smallint", "arr_time": "smallint",
    "sched_arr_time": "smallint", "arr_delay": "smallint", "carrier": "string",
    "flight": "smallint", "tailnum": "string", "origin": "string", "dest": "string",
    "air_time": "smallint", "distance": "smallint", "hour": "smallint", "minute": "smallint",
    "time_hour": "timestamp",
}  # fmt: skip
LOOKUP_COLUMNS = {
    "airlines": {"carrier": "string", "name": "string"},
    "airports": {
        "faa": "string", "name": "string", "lat": "double", "lon": "double", "alt": "smallint",
        "tz": "smallint", "dst": "string", "tzone": "string",
    },
    "planes": {
        "tailnum": "string", "year": "smallint", "type": "string", "manufacturer": "string",
        "model": "string", "engines": "smallint", "seats": "smallint", "speed": "smallint",
        "engine": "string",
    },
    "weather": {
        "origin": "string", "year": "smallint", "month": "smallint", "day": "smallint",
        "hour": "smallint", "temp": "double", "dewp": "double", "humid": "double",
        "wind_dir": "smallint", "wind_speed": "double", "wind_gust": "double",
        "precip": "double", "pressure": "double", "visib": "double", "time_hour": "timestamp",
    },
}  # fmt: skip
WEATHER = ("temp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")


def _minutes(clock: str) -> str:
    return f"(cast(floor({clock} / 100) AS int) * 60 + {clock} % 100)"


def _is_clock(clock: str, last: int) -> str:
    return f"({clock} BETWEEN 0 AND {last} AND {clock} % 100 < 60)"


def passes(matches: str, hours_ahead: str, object_month: str) -> str:
    """The condition that a good row satisfies: all of `checks`."""
    return " AND ".join(checks(matches, hours_ahead, object_month).values())


def checks(matches: str, hours_ahead: str, object_month: str) -> dict[str, str]:
    """Conditions by what they check; what is null is not checked, unless required.

    `matches` is the engine's regular expression operator, `hours_ahead` gives the hours that
    time_hour is ahead of the local clock, `object_month` the object's month as 2013-01.
    """
    wanted = f"cast(replace({object_month}, '-', '') AS int)"
    return {
        "month": f"cast(year AS int) * 100 + month = {wanted}",
        "day": "day BETWEEN 1 AND extract(day FROM last_day(make_date(year, month, 1)))",
        "hour and minute": "hour * 100 + minute = sched_dep_time",
        "time_hour": f"{hours_ahead} BETWEEN 4 AND 10",
        "carrier": matches.format("carrier", "^[A-Z0-9]{2}$"),
        "tailnum": f"(tailnum IS NULL OR {matches.format('tailnum', '^[A-Z0-9]{2,7}$')})",
        "origin": matches.format("origin", "^[A-Z]{3}$"),
        "dest": f"({matches.format('dest', '^[A-Z]{3}$')} AND origin <> dest)",
        "sched_dep_time": _is_clock("sched_dep_time", 2359),
        "sched_arr_time": _is_clock("sched_arr_time", 2400),
        "dep_time": f"(dep_time IS NULL OR {_is_clock('dep_time', 2400)})",
        "arr_time": f"(arr_time IS NULL OR {_is_clock('arr_time', 2400)})",
        "dep_delay": _is_delay("dep"),
        "arr_delay": _is_delay("arr"),
        "departed": "(dep_time IS NULL) = (dep_delay IS NULL)",
        "arrived": "(arr_delay IS NULL) = (air_time IS NULL)",
        "arrived without departing": "(dep_time IS NOT NULL OR arr_time IS NULL)",
        "air_time": "(air_time IS NULL OR air_time BETWEEN 1 AND 1440)",
        "flight": "flight BETWEEN 1 AND 9999",
        "distance": "distance BETWEEN 1 AND 12500",
    }


def _is_delay(end: str) -> str:
    late = f"{_minutes(end + '_time')} - {_minutes('sched_' + end + '_time')} - {end}_delay"
    good = f"({late}) % 1440 = 0 AND {end}_delay BETWEEN -1440 AND 4320"
    return f"coalesce({good}, {end}_delay IS NULL)"


def curated(rows: str, epoch_hour: str, carrier_number: str, sched_dep: str, speed: str) -> str:
    """SELECT of the curated columns, and of `object`, from table `rows` and the lookup tables."""
    return f"""
        SELECT ({epoch_hour} * 10000 + {carrier_number}) * 10000 + f.flight AS flight_key,
            make_date(f.year, f.month, f.day) AS flight_date, {sched_dep} AS sched_dep,
            f.carrier, a.name AS carrier_name, f.flight, f.tailnum,
            f.origin, o.name AS origin_name, o.lat AS origin_lat, o.lon AS origin_lon,
            f.dest, d.name AS dest_name, d.lat AS dest_lat, d.lon AS dest_lon, f.distance,
            sched_dep_time, dep_time, dep_delay, sched_arr_time, arr_time, arr_delay, air_time,
            dep_time IS NULL AS cancelled, dep_delay >= 15 AS dep_delayed,
            arr_delay >= 15 AS arr_delayed, cast({speed} AS smallint) AS speed_mph,
            p.year AS plane_year, p.manufacturer AS plane_manufacturer, p.model AS plane_model,
            p.seats AS plane_seats, p.engine AS plane_engine,
            {", ".join(f"w.{name}" for name in WEATHER)}, f.object
        FROM {rows} f
        LEFT JOIN airlines a ON a.carrier = f.carrier
        LEFT JOIN airports o ON o.faa = f.origin
        LEFT JOIN airports d ON d.faa = f.dest
        LEFT JOIN planes p ON p.tailnum = f.tailnum
        LEFT JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour"""
