"""The raw data: twelve objects that hold exactly the source's lines."""

import gzip
import zipfile

import pytest

from drydock.errors import WrongInput
from drydock.pipeline import raw_data


@pytest.fixture(scope="module")
def objects() -> dict[str, bytes]:
    return dict(raw_data.monthly_objects())


def test_every_line_of_the_source_is_in_its_month_once(objects):
    with zipfile.ZipFile(raw_data.source_file("flights.csv.zip")).open("flights.csv") as lines:
        header, *source = lines.read().splitlines(keepends=True)
    bodies = [gzip.decompress(body).splitlines(keepends=True) for body in objects.values()]
    assert all(body[0] == header for body in bodies)
    assert sorted(line for body in bodies for line in body[1:]) == sorted(source)
    assert all(
        line.startswith(f"2013,{int(month[-2:])},".encode())
        for month, body in zip(objects, bodies, strict=True)
        for line in body[1:]
    )


def test_the_same_rows_give_the_same_bytes(objects):
    assert dict(raw_data.monthly_objects()) == objects


def test_totals_of_the_year_are_those_of_the_source(objects):
    totals = [raw_data.totals(body) for body in objects.values()]
    year = {name: sum(month[name] for month in totals) for name in totals[0]}
    assert year == {
        "rows": 336_776,
        "cancelled": 8_255,
        "dep_delay": 4_152_200,
        "arr_delay": 2_257_174,
        "distance": 350_217_607,
    }


def test_totals_leave_out_the_lines_that_are_named():
    header = ",".join(["dep_time", "dep_delay", "arr_delay", "distance"])
    body = gzip.compress(f"{header}\n517,2,11,1400\nbroken\nNA,NA,NA,200\n".encode())
    assert raw_data.totals(body, skip_lines=[3]) == {
        "rows": 2,
        "cancelled": 1,
        "dep_delay": 2,
        "arr_delay": 11,
        "distance": 1_600,
    }


@pytest.mark.parametrize("month", ["2013-13", "2013-00", "2014-01", "2013-1", "January", ""])
def test_an_unknown_month_is_named_with_what_to_type(month):
    with pytest.raises(WrongInput) as error:
        raw_data.check_months(["2013-01", month])
    assert repr(month) in str(error.value)
    assert "drydock run --month 2013-01" in str(error.value)


def test_months_come_sorted_and_once():
    assert raw_data.check_months(["2013-02", "2013-01", "2013-02"]) == ["2013-01", "2013-02"]


def test_a_missing_source_file_says_how_to_get_it():
    with pytest.raises(raw_data.RawDataError, match=r"no file nothing\.csv; type: .*make run"):
        raw_data.source_file("nothing.csv")
