"""columnMetadata: what a JDBC driver would say of a result's columns."""

from __future__ import annotations

from typing import Any

from localcloud.rds_data.execution import Column
from localcloud.rds_data.fields import ARRAY_JDBC, ARRAYS, KINDS, LONG, Kind

NO_NULLS, NULLABLE, UNKNOWN = 0, 1, 2
UNLIMITED = 2147483647
DIGITS = {"int2": 5, "int4": 10, "int8": 19, "oid": 10, "float4": 8, "float8": 17, "bool": 1}
LENGTHS = {"date": 13, "time": 15, "timestamp": 29, "timestamptz": 35, "name": 63}
SERIALS = {"int2": "smallserial", "int4": "serial", "int8": "bigserial"}
_OF_TABLES = """
SELECT a.attrelid, a.attnum, c.relname, n.nspname, a.attname, a.attnotnull,
       coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false)
         OR a.attidentity IN ('a', 'd')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE a.attrelid = ANY($1::oid[])
"""


def described(connection: Any, columns: list[Column]) -> list[dict[str, Any]]:
    """Return the metadata of these columns; the connection is asked about their tables."""
    known = _of_tables(connection, {column.table for column in columns if column.table})
    return [_described(column, known.get((column.table, column.number))) for column in columns]


def type_name(connection: Any, oid: int) -> str:
    """The name of a type; in capitals when it is one of PostgreSQL's own."""
    from psycopg import RawCursor

    row = RawCursor(connection).execute("SELECT typname FROM pg_type WHERE oid = $1", [oid])
    name = (row.fetchone() or ["unknown"])[0]
    return name.upper() if oid < 16384 and not name.startswith("reg") else name


def _of_tables(connection: Any, tables: set[int]) -> dict[tuple[int, int], tuple]:
    from psycopg import RawCursor

    if not tables:
        return {}
    rows = RawCursor(connection).execute(_OF_TABLES, [list(tables)]).fetchall()
    return {(row[0], row[1]): row[2:] for row in rows}


def _described(column: Column, place: tuple | None) -> dict[str, Any]:
    table, schema, name, not_null, counts = place or ("", "", column.name, None, False)
    array = ARRAYS.get(column.oid)
    kind = KINDS[array or column.oid]
    type_name = f"_{kind.name}" if array else kind.name
    precision, scale = _size(kind, column.modifier)
    return {
        "arrayBaseColumnType": kind.jdbc if array else 0,
        "isAutoIncrement": counts,
        "isCaseSensitive": kind.jdbc in (1, 12, 1111),
        "isCurrency": False,
        "isSigned": kind.member in (LONG, "doubleValue", "decimal") and kind.name != "oid",
        "label": column.name,
        "name": name,
        "nullable": UNKNOWN if not_null is None else NO_NULLS if not_null else NULLABLE,
        "precision": precision,
        "scale": scale,
        "schemaName": schema,
        "tableName": table,
        "type": ARRAY_JDBC if array else kind.jdbc,
        "typeName": SERIALS.get(kind.name, type_name) if counts else type_name,
    }


def _size(kind: Kind, modifier: int) -> tuple[int, int]:
    if kind.name == "numeric":
        return (0, 0) if modifier < 4 else ((modifier - 4) >> 16, (modifier - 4) & 0xFFFF)
    if kind.name in ("varchar", "bpchar"):
        return (UNLIMITED if modifier < 4 else modifier - 4), 0
    if kind.name in ("time", "timestamp", "timestamptz"):
        return LENGTHS[kind.name], 6 if modifier < 0 else modifier
    return DIGITS.get(kind.name, LENGTHS.get(kind.name, UNLIMITED)), 0
