"""Which Arrow type keeps every value of a PostgreSQL type, and where none does: its text.

Type numbers are PostgreSQL's own (catalog pg_type) and the same in every database.
"""

from typing import NamedTuple

import pyarrow as pa

DATE, TIME, TIMESTAMP, TIMESTAMPTZ, NUMERIC = 1082, 1083, 1114, 1184, 1700
_PLAIN = {
    16: pa.bool_(),
    17: pa.binary(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    26: pa.int64(),  # oid is unsigned
    700: pa.float32(),
    701: pa.float64(),
    DATE: pa.date32(),
    TIME: pa.time64("us"),
    TIMESTAMP: pa.timestamp("us"),
    TIMESTAMPTZ: pa.timestamp("us", "UTC"),
}
TEXT = {18, 19, 25, 1042, 1043}  # "char", name, text, char, varchar
# For drivers that tell a type by its name only; what is not here has its text.
OID_OF = {
    "boolean": 16,
    "bytea": 17,
    "bigint": 20,
    "smallint": 21,
    "integer": 23,
    "text": 25,
    "oid": 26,
    "real": 700,
    "double precision": 701,
    "character": 1042,
    "character varying": 1043,
    "date": DATE,
    "time without time zone": TIME,
    "timestamp without time zone": TIMESTAMP,
    "timestamp with time zone": TIMESTAMPTZ,
    "numeric": NUMERIC,
}
OTHER = 705  # "unknown"
MOST_DIGITS = 38  # of decimal128


class Column(NamedTuple):
    """A column of a result; `precision` and `scale` are None but for numeric(p, s)."""

    name: str
    oid: int
    precision: int | None = None
    scale: int | None = None

    @property
    def arrow(self) -> pa.DataType:
        """Text stands for itself and for what Arrow cannot hold as it is.

        That is JSON, uuid, interval, arrays, enums, and a numeric of any or too many digits.
        """
        if self.oid == NUMERIC and self.precision and self.precision <= MOST_DIGITS:
            return pa.decimal128(self.precision, self.scale or 0)
        return _PLAIN.get(self.oid, pa.string())

    @property
    def any_digits(self) -> bool:
        """Whether this is a numeric that has no decimal type in Arrow."""
        return self.oid == NUMERIC and self.arrow == pa.string()

    @property
    def travels_as_text(self) -> bool:
        """Whether drivers that have types of their own would change a value of this type."""
        return self.oid == NUMERIC or (self.oid not in _PLAIN and self.oid not in TEXT)


def schema(columns: list[Column]) -> pa.Schema:
    """Return the schema of a result."""
    return pa.schema([(column.name, column.arrow) for column in columns])


def empty_batch(wanted: pa.Schema) -> pa.RecordBatch:
    """Return a batch without rows, which tells the columns of a result that may have none."""
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in wanted], schema=wanted)


def travelling(columns: list[Column]) -> pa.Schema:
    """Return the schema in which `statements.guarded` lets a result travel."""
    instead = {TIME: pa.int64(), TIMESTAMPTZ: pa.timestamp("us")}
    return pa.schema(
        (column.name, pa.string())
        if column.travels_as_text
        else (column.name, instead.get(column.oid, column.arrow))
        for column in columns
    )


def as_schema(batch: pa.RecordBatch, wanted: pa.Schema) -> pa.RecordBatch:
    """Return what has travelled in its own types; times without zone are UTC, text is parsed.

    Raises ArrowInvalid for a numeric NaN, which a decimal cannot hold.
    """
    arrays = [
        array if array.type == field.type else array.cast(field.type)
        for array, field in zip(batch.columns, wanted, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=wanted)
