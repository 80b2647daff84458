"""What each way of reading makes of PostgreSQL's types: data/driver_types.json, held to be true."""

import json
import math
from pathlib import Path

import pytest
from shown import shown

from drydock.connect import ways
from drydock.connect.errors import ConnectError, ReadBroken

DATA = Path(__file__).parents[3] / "data" / "driver_types.json"
CASES = json.loads(DATA.read_text(encoding="utf-8"))["cases"]
LOSSLESS = {"copy", "psycopg", "odbc", "odbc-rows", "jdbc", "jdbc-result-set"}


@pytest.fixture(scope="module", autouse=True)
def mood(database):
    with database.connect() as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")


def expected(case: dict, way: str) -> dict:
    return case.get("differs", {}).get(way, case)


@pytest.mark.parametrize("way", ways.WAYS)
def test_values_come_as_the_table_says(way, database):
    cases = [case for case in CASES if not expected(case, way).get("refused")]
    chosen = ", ".join(f'{case["sql"]} AS "c{index}"' for index, case in enumerate(cases))
    table = ways.read(way, database.reader, database.ca, f"SELECT {chosen}")
    assert table.num_rows == 1
    for case, column in zip(cases, table.columns, strict=True):
        told = expected(case, way)
        found = {"arrow": str(column.type), "value": shown(column.combine_chunks())}
        assert found == {key: told[key] for key in found}, case["sql"]


@pytest.mark.parametrize("way", ways.WAYS)
def test_what_a_way_cannot_hold_is_refused_and_not_changed(way, database):
    refused = [case["sql"] for case in CASES if expected(case, way).get("refused")]
    assert refused or way == "adbc"
    for sql in refused:
        with pytest.raises(ConnectError):
            ways.read(way, database.reader, database.ca, f"SELECT {sql} AS v")


def test_only_adbc_and_connectorx_lose_anything():
    for case in CASES:
        for way, told in case.get("differs", {}).items():
            assert "lost" not in told or way not in LOSSLESS, case["sql"]


def test_the_lossless_ways_agree_on_every_type():
    for case in CASES:
        assert not [
            way
            for way in LOSSLESS & set(case.get("differs", {}))
            if "arrow" in case["differs"][way]
        ], case["sql"]


@pytest.mark.parametrize("way", ways.WAYS)
def test_nulls_nan_and_columns_of_one_name(way, database):
    query = "SELECT 1 AS a, NULL::text AS a, 'NaN'::float8 AS b UNION ALL SELECT NULL, '', 1.5"
    table = ways.read(way, database.reader, database.ca, query)
    assert table.column_names == ["a", "a", "b"]
    assert table.column(0).to_pylist() == [1, None]
    assert table.column(1).to_pylist() == [None, ""]
    assert math.isnan(table.column(2)[0].as_py())


@pytest.mark.parametrize("way", sorted(LOSSLESS))
def test_what_arrow_cannot_hold_is_told_with_the_cast_that_helps(way, database):
    number = "'NaN'::numeric(38,10)"
    with pytest.raises(ReadBroken, match=r"'NaN' is not a valid decimal128.*column::text"):
        ways.read(way, database.reader, database.ca, f"SELECT {number} AS v")
    table = ways.read(way, database.reader, database.ca, f"SELECT ({number})::text AS v")
    assert table["v"].to_pylist() == ["NaN"]
