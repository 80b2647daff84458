"""What goes in as a parameter and comes out as a field, by type."""

import json

import pytest
from data_api import parameter

UUID = "8c3f7f3a-2f5d-4c2e-9a39-3f1bb2c7e0a1"


@pytest.mark.parametrize(
    ("sent", "kind", "read"),
    [
        (parameter("v", stringValue="O'Hare; --"), "text", ("stringValue", "O'Hare; --")),
        (parameter("v", stringValue=""), "text", ("stringValue", "")),
        (parameter("v", stringValue="邓 é \n"), "text", ("stringValue", "邓 é \n")),
        (parameter("v", longValue=-(2**63)), "bigint", ("longValue", -(2**63))),
        (parameter("v", longValue=2**63 - 1), "bigint", ("longValue", 2**63 - 1)),
        (parameter("v", doubleValue=0.1), "double precision", ("doubleValue", 0.1)),
        (parameter("v", booleanValue=False), "boolean", ("booleanValue", False)),
        (parameter("v", blobValue=b"\0\xff"), "bytea", ("blobValue", b"\0\xff")),
        (parameter("v", "DATE", stringValue="2013-01-31"), "date", ("stringValue", "2013-01-31")),
        (
            parameter("v", "TIME", stringValue="23:59:59.5"),
            "time without time zone",
            ("stringValue", "23:59:59.500"),
        ),
        (
            parameter("v", "TIMESTAMP", stringValue="2013-01-01 05:15:00"),
            "timestamp without time zone",
            ("stringValue", "2013-01-01 05:15:00"),
        ),
        (parameter("v", "DECIMAL", stringValue="1.10"), "numeric", ("stringValue", "1.10")),
        (parameter("v", "UUID", stringValue=UUID), "uuid", ("stringValue", UUID)),
        (parameter("v", "JSON", stringValue='{"a":1}'), "json", ("stringValue", '{"a":1}')),
        (parameter("v", "DATE", isNull=True), "date", ("isNull", True)),
    ],
)
def test_a_value_goes_in_with_its_type_and_comes_out_as_it_was(lake, sent, kind, read):
    [[value, name]] = lake.run("SELECT :v, pg_typeof(:v)::text", parameters=[sent])["records"]
    assert next(iter(value.items())) == read
    assert name["stringValue"] == kind


def test_null_without_a_type_becomes_what_is_asked_for(lake):
    null = parameter("v", isNull=True)
    assert lake.one("SELECT coalesce(:v, 7)", null) == ("longValue", 7)
    assert lake.one("SELECT :v", null) == ("isNull", True)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (parameter("v", arrayValue={"longValues": [1]}), "Array parameters are not supported"),
        (parameter("v", "DATE", stringValue="01/02/2013"), "must be YYYY-MM-DD"),
        (parameter("v", "TIME", stringValue="noon"), "must be HH:MM:SS"),
        (parameter("v", "TIMESTAMP", stringValue="2013-01-01"), "must be YYYY-MM-DD HH:MM:SS"),
        (parameter("v", "DECIMAL", stringValue="1,5"), "a decimal number"),
        (parameter("v", "UUID", stringValue="1"), "a UUID"),
        (parameter("v", "JSON", stringValue="{"), "must be JSON"),
        (parameter("v", "MONEY", stringValue="1"), "satisfy enum value set"),
        (parameter("v", longValue=2**63), "not a longValue"),
        (parameter("v", stringValue="a\0b"), "not a stringValue"),
    ],
)
def test_a_value_that_is_none_is_refused(lake, sent, said):
    lake.refused("ValidationException", said, sql="SELECT :v", parameters=[sent])


def test_a_parameter_that_is_missing_or_given_twice_is_refused(lake):
    lake.refused("BadRequestException", "Cannot find parameter: b", sql="SELECT :b")
    twice = [parameter("a", longValue=1)] * 2
    lake.refused("ValidationException", "more than once", sql="SELECT :a", parameters=twice)


def test_a_string_is_a_value_whatever_it_says(lake):
    lake.run("CREATE TABLE names (name text)")
    evil = "'); DROP TABLE names; --"
    for sql in ("INSERT INTO names VALUES (:n)", "SELECT * FROM names WHERE name = :n"):
        answer = lake.run(sql, parameters=[parameter("n", stringValue=evil)])
    assert answer["records"] == [[{"stringValue": evil}]]
    # and it is text: PostgreSQL compares it with nothing else
    lake.refused(
        "DatabaseErrorException",
        "operator does not exist: integer = text; Hint: ",
        sql="SELECT 1 WHERE 1 = :n",
        parameters=[parameter("n", stringValue="1")],
    )


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("7::int2", ("longValue", 7)),
        ("1.5::numeric", ("stringValue", "1.5")),
        ("2.25::float4", ("doubleValue", 2.25)),
        ("'a'::char(3)", ("stringValue", "a  ")),
        ("current_user", ("stringValue", "owner")),
        ("'2013-01-01 12:00:00.8-05'::timestamptz", ("stringValue", "2013-01-01 17:00:00.800")),
        ("'2013-01-01 12:00:00.000001'::timestamp", ("stringValue", "2013-01-01 12:00:00.000001")),
        ("'{1,NULL}'::int[]", ("arrayValue", {"longValues": [1, None]})),
        ("'{}'::int[]", ("arrayValue", {"longValues": []})),
        ("'{t,f}'::bool[]", ("arrayValue", {"booleanValues": [True, False]})),
        ("'{1.5}'::float8[]", ("arrayValue", {"doubleValues": [1.5]})),
        (
            """'{a,"b c",NULL,"NULL","","d\\"e","f,{g}"}'::text[]""",
            ("arrayValue", {"stringValues": ["a", "b c", None, "NULL", "", 'd"e', "f,{g}"]}),
        ),
    ],
)
def test_what_comes_out(lake, sql, read):
    assert lake.one(f"SELECT {sql}") == read


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("'1 day'::interval", "unsupported data type INTERVAL."),
        ("'(1,2)'::point", "unsupported data type POINT."),
        ("1::money", "unsupported data type MONEY."),
        ("'{{1,2},{3,4}}'::int[]", "a multidimensional array"),
    ],
)
def test_types_that_the_data_api_does_not_answer(lake, sql, said):
    lake.refused("UnsupportedResultException", said, sql=f"SELECT {sql}")


def test_numbers_in_the_form_that_was_asked_for(lake):
    sql = "SELECT 5::int8, 10::numeric, 1.25::numeric"
    plain = [{"longValue": 5}, {"stringValue": "10"}, {"stringValue": "1.25"}]
    assert lake.run(sql)["records"] == [plain]
    options = {"decimalReturnType": "DOUBLE_OR_LONG", "longReturnType": "STRING"}
    changed = [{"stringValue": "5"}, {"longValue": 10}, {"doubleValue": 1.25}]
    assert lake.run(sql, resultSetOptions=options)["records"] == [changed]


def test_records_as_json(lake):
    sql = "SELECT 17 AS n, 10.0::float8 AS f, true AS b, NULL AS z, 'hi'::bytea AS x"
    answer = lake.run(sql, formatRecordsAs="JSON", includeResultMetadata=True)
    assert set(answer) == {"formattedRecords", "numberOfRecordsUpdated"}
    assert answer["formattedRecords"].startswith('[{"n":17,"f":10.0,"b":true,"z":null,')
    assert json.loads(answer["formattedRecords"])[0]["x"] == "aGk="
    lake.refused(
        "BadRequestException", "same name", sql="SELECT 1 AS a, 2 AS a", formatRecordsAs="JSON"
    )


def test_metadata_names_tables_and_tells_what_counts_by_itself(lake):
    lake.run("CREATE TABLE described (id serial PRIMARY KEY, code varchar(2), price numeric(7,2))")
    columns = lake.run(
        "SELECT id, code AS c, price, 1+1 FROM described", includeResultMetadata=True
    )
    told = [
        tuple(column[key] for key in ("name", "label", "typeName", "tableName", "nullable"))
        for column in columns["columnMetadata"]
    ]
    assert told == [
        ("id", "id", "serial", "described", 0),
        ("code", "c", "varchar", "described", 1),
        ("price", "price", "numeric", "described", 1),
        ("?column?", "?column?", "int4", "", 2),
    ]
    assert columns["records"] == []
    assert columns["columnMetadata"][0]["isAutoIncrement"] is True
    assert [c["precision"] for c in columns["columnMetadata"][1:3]] == [2, 7]
