"""The one place that names columns of the curated Parquet."""

# Fields of the API with their types in DuckDB; each is a curated column of the same name.
FIELDS = {
    "flight_key": "BIGINT",
    "flight_date": "DATE",
    "sched_dep": "TIMESTAMP",  # UTC
    "carrier": "VARCHAR",
    "carrier_name": "VARCHAR",
    "flight": "SMALLINT",
    "tailnum": "VARCHAR",
    "origin": "VARCHAR",
    "origin_name": "VARCHAR",
    "dest": "VARCHAR",
    "dest_name": "VARCHAR",
    "distance": "SMALLINT",
    "sched_dep_time": "SMALLINT",
    "dep_time": "SMALLINT",
    "dep_delay": "SMALLINT",
    "sched_arr_time": "SMALLINT",
    "arr_time": "SMALLINT",
    "arr_delay": "SMALLINT",
    "air_time": "SMALLINT",
    "cancelled": "BOOLEAN",
}

# Where a flight stands among all: by the ETL's flight_key, which sorts by time, carrier and number.
# Below it in weight, for keys that occur twice: the file's month (counted from year 0, which is
# different within 42 years), then the copy in the file.
POSITION = "(flight_key * 512 + $month_number % 512) * 100 + copy"
MOST_COPIES = 99
