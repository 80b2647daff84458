"""The SQL around a query that somebody typed."""

from drydock.connect.arrow_types import DATE, TIME, TIMESTAMP, TIMESTAMPTZ, Column

# Set for the reading transaction only: what these change would otherwise change the text of values,
# and a setting that outlives the transaction leaks to the next client of a shared connection.
SETTINGS = (
    "SET TRANSACTION READ ONLY",
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL datestyle = 'ISO'",
    "SET LOCAL intervalstyle = 'postgres'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 1",
)


def bare(query: str) -> str:
    """Return a query to put into another: without a last semicolon, and after a comment a line."""
    return query.rstrip().rstrip(";") + "\n"


def copy(query: str) -> str:
    """Return the statement that sends a query's rows as CSV; it may end in a comment."""
    return f"COPY ({bare(query)}) TO STDOUT (FORMAT csv)"


def description(query: str) -> str:
    """Return a query with the same columns and no rows."""
    return f"SELECT * FROM ({bare(query)}) AS described LIMIT 0"


def types(query: str, columns: int) -> str:
    """Return a query with one row: the type of each column of `query`, by name."""
    names = [f"c{index}" for index in range(columns)]
    chosen = ", ".join(f"pg_typeof({name})::text AS {name}" for name in names)
    inner = f"(SELECT * FROM ({bare(query)}) AS q LIMIT 0) AS t({', '.join(names)})"
    return f"SELECT {chosen} FROM (SELECT 1) AS one(row) LEFT JOIN {inner} ON true"


def guarded(query: str, columns: list[Column], zoneless: bool = False) -> str:
    """Return a query that a driver cannot falsify.

    psqlodbc reads a numeric NaN as 0 and an infinite date as today, drops BC, and writes a uuid in
    capitals; JDBC's time ends at the second. What is not safe travels as text or number, and a
    date that no driver can hold makes the query fail in the server instead of being changed.
    `zoneless` sends a time with zone as the time in UTC.
    """
    names = [f"c{index}" for index in range(len(columns))]
    chosen = [
        f"{_guard(name, column, zoneless)} AS {quoted(column.name)}"
        for name, column in zip(names, columns, strict=True)
    ]
    return f"SELECT {', '.join(chosen)} FROM ({bare(query)}) AS q({', '.join(names)})"


def quoted(name: str) -> str:
    """Return a name as SQL takes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


_DATES = {
    DATE: ("date", "9999-12-31"),
    TIMESTAMP: ("timestamp", "9999-12-31 23:59:59.999999"),
    TIMESTAMPTZ: ("timestamptz", "9999-12-31 23:59:59.999999+00"),
}


def _guard(name: str, column: Column, zoneless: bool) -> str:
    if column.oid in _DATES:
        kind, last = _DATES[column.oid]
        zone = "+00" if column.oid == TIMESTAMPTZ else ""
        first = "0001-01-01" if column.oid == DATE else f"0001-01-01 00:00:00{zone}"
        # The text is made of the value, so that PostgreSQL casts it only where it is needed.
        guarded_name = (
            f"CASE WHEN {name} NOT BETWEEN '{first}' AND '{last}' "
            f"THEN ('no driver can hold ' || {name}::text)::{kind} ELSE {name} END"
        )
        return f"({guarded_name}) AT TIME ZONE 'UTC'" if zone and zoneless else guarded_name
    if column.oid == TIME:
        # in microseconds
        return (
            f"CASE WHEN {name} = '24:00' THEN ('no driver can hold ' || {name})::bigint "
            f"ELSE (EXTRACT(EPOCH FROM {name}) * 1000000)::bigint END"
        )
    return f"{name}::text" if column.travels_as_text else name
