"""Bad rows: each kind is found on its own line, and costs no good row."""

import gzip
import hashlib
import json
import subprocess
import sys

import hypothesis.strategies as st
import polars as pl
import pytest
from etl.layout import HEADER, RAW_COLUMNS, Month
from etl.raw import parse
from etl_support import PROGRAM, monthly_objects, source_file
from hypothesis import given, settings
from polars.testing import assert_frame_equal

MONTH = Month(2013, 2)
GOOD = gzip.decompress(monthly_objects()[str(MONTH)]).splitlines()[1:401]
COLUMNS = list(RAW_COLUMNS)


def text(lines: list[bytes], end: bytes = b"\n") -> bytes:
    return end.join([HEADER, *lines]) + end


def read(data: bytes):
    return parse(data, MONTH, "test")


def changed(line: bytes, **cells: str) -> bytes:
    fields = dict(zip(COLUMNS, line.decode().split(","), strict=True))
    return ",".join((fields | cells).values()).encode()


# What is wrong, words of the reason, and the line made from a good one.
KINDS = {
    "too few fields": ("18 fields", lambda line: line.rsplit(b",", 1)[0]),
    "too many fields": ("20 fields", lambda line: line + b",1"),
    "cut off": ("fields", lambda line: line[:30]),
    "cut in the last field": ("time_hour", lambda line: line[:-3]),
    "empty": ("empty", lambda line: b""),
    "not a number": ("dep_delay", lambda line: changed(line, dep_delay="late")),
    "a fraction": ("distance", lambda line: changed(line, distance="1400.5")),
    "too large": ("flight", lambda line: changed(line, flight="99999")),
    "no such day": ("2013-2-30 is not a date", lambda line: changed(line, day="30")),
    "no such month": ("2013-13", lambda line: changed(line, month="13")),
    "other month": ("2013-3", lambda line: changed(line, month="3")),
    "other year": ("2012-2", lambda line: changed(line, year="2012")),
    "no such time": ("sched_dep_time 575", lambda line: changed(
        line, sched_dep_time="575", hour="5", minute="75")),
    "no such departure": ("dep_time 2460", lambda line: changed(line, dep_time="2460")),
    "time that contradicts": ("sched_dep_time", lambda line: changed(line, minute="61")),
    "delay that contradicts": ("dep_delay", lambda line: changed(line, dep_delay="777")),
    "delay of a week": ("arr_delay", lambda line: changed(line, arr_delay="32000")),
    "no carrier": ("carrier is missing", lambda line: changed(line, carrier="NA")),
    "no origin": ("origin is missing", lambda line: changed(line, origin="")),
    "no dest": ("dest is missing", lambda line: changed(line, dest="NA")),
    "no distance": ("distance is missing", lambda line: changed(line, distance="NA")),
    "no planned departure": ("sched_dep_time", lambda line: changed(line, sched_dep_time="NA")),
    "no planned arrival": ("sched_arr_time", lambda line: changed(line, sched_arr_time="")),
    "strange carrier": ("carrier", lambda line: changed(line, carrier="ua")),
    "strange airport": ("origin", lambda line: changed(line, origin="EW R")),
    "to where it came from": ("same airport", lambda line: changed(line, origin="JFK", dest="JFK")),
    "strange tailnum": ("tailnum", lambda line: changed(line, tailnum="N1/42")),
    "no distance at all": ("distance 0", lambda line: changed(line, distance="0")),
    "flight 0": ("flight 0", lambda line: changed(line, flight="0")),
    "not an hour": ("time_hour", lambda line: changed(line, time_hour="2013-02-30T10:00:00Z")),
    "hour of another day": ("time_hour", lambda line: changed(
        line, time_hour="2013-02-20T10:00:00Z")),
    "half an hour": ("time_hour", lambda line: line.replace(b":00:00Z", b":30:00Z")),
    "arrival of a cancelled flight": ("arr_time", lambda line: changed(
        line, dep_time="NA", dep_delay="NA", arr_delay="NA", air_time="NA")),
    "departed without delay": ("dep_delay", lambda line: changed(line, dep_delay="NA")),
    "air_time without arrival": ("air_time", lambda line: changed(line, arr_delay="NA")),
    "stray quote": ("quote", lambda line: line.replace(b",", b',"', 1)),
    "quote within": ("quote", lambda line: changed(line, tailnum='N1"42')),
    "comma in quotes": ("comma", lambda line: changed(line, tailnum='"N1,42"')),
    "not UTF-8": ("UTF-8", lambda line: line.replace(b",", b"\xff,", 1)),
    "NUL": ("carrier", lambda line: changed(line, carrier="U\0")),
}  # fmt: skip


def flown(number: int) -> bytes:
    """A good line of a flight that landed, which each kind can spoil."""
    return next(line for line in GOOD[number:] if b"NA" not in line)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_bad_row(kind):
    words, spoil = KINDS[kind]
    bad = spoil(flown(7))
    rows = read(text([*GOOD[:3], bad, *GOOD[200:203]]))
    assert [(row.line, row.text) for row in rows.bad] == [
        (5, bad.decode("utf-8", "backslashreplace"))
    ]
    assert words in rows.bad[0].reason
    assert rows.read == 7
    assert_frame_equal(rows.good, read(text([*GOOD[:3], *GOOD[200:203]])).good)


def test_a_cancelled_or_diverted_flight_is_valid():
    lines = gzip.decompress(monthly_objects()[str(MONTH)]).splitlines()[1:]
    cancelled = [line for line in lines if line.split(b",")[3] == b"NA"]
    diverted = [line for line in lines if line.split(b",")[3] != b"NA" and b"NA" in line]
    assert len(cancelled) == 1261
    assert diverted
    assert read(text(cancelled + diverted)).bad == []


def test_a_flight_that_is_there_twice_is_kept_once():
    again = changed(GOOD[4], dest="PWM")
    rows = read(text([*GOOD[:10], GOOD[4], again]))
    assert [(row.line, row.reason) for row in rows.bad] == [
        (12, "the same flight as line 6"),
        (13, "the same flight as line 6"),
    ]
    assert_frame_equal(rows.good, read(text(GOOD[:10])).good)


def test_quoted_fields_are_read():
    quoted = [b",".join(b'"%s"' % cell for cell in line.split(b",")) for line in GOOD[:10]]
    rows = read(text([*quoted, b'"', *GOOD[10:20]]))
    assert [row.line for row in rows.bad] == [12]
    assert_frame_equal(rows.good, read(text(GOOD[:20])).good)


def test_a_line_break_in_quotes_is_two_bad_lines():
    broken = changed(GOOD[3], tailnum='"N1\n42"')
    rows = read(text([*GOOD[:3], broken, *GOOD[4:6]]))
    assert [row.line for row in rows.bad] == [5, 6]
    assert rows.good.height == 5


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"", b"x", GOOD[0]])
def test_line_ends_and_a_last_line_without_one(end, last):
    data = text(GOOD[1:4], end) + last
    rows = read(data)
    assert rows.read == (4 if last else 3)
    assert [(row.line, row.text) for row in rows.bad] == ([(5, "x")] if last == b"x" else [])


def test_header_alone_is_no_rows():
    for data in (HEADER, HEADER + b"\n", HEADER + b"\r\n"):
        assert read(data).read == 0


def test_all_rows_bad():
    rows = read(text([b"rubbish"] * 50))
    assert (rows.good.height, len(rows.bad), rows.bad[-1].line) == (0, 50, 51)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_row_is_either_curated_or_quarantined(data):
    """Any mixture: the bad lines are exactly the spoilt ones, the good rows come unchanged."""
    picked = data.draw(st.lists(st.sampled_from(range(380)), max_size=25, unique=True))
    spoilt = data.draw(st.lists(st.sampled_from(sorted(KINDS)), max_size=8))
    lines = [(True, GOOD[number]) for number in picked]
    for kind in spoilt:
        bad = KINDS[kind][1](flown(data.draw(st.integers(0, 380))))
        lines.insert(data.draw(st.integers(0, len(lines))), (False, bad))
    end = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    whole = text([line for _, line in lines], end)
    if lines and lines[-1][1] and data.draw(st.booleans()):
        whole = whole.removesuffix(end)
    rows = read(whole)
    assert [row.line for row in rows.bad] == [
        number for number, (good, _) in enumerate(lines, 2) if not good
    ]
    assert rows.read == len(lines)
    assert_frame_equal(rows.good, read(text([line for good, line in lines if good])).good)


@given(position=st.integers(0, 4000), byte=st.integers(0, 255), drop=st.booleans())
@settings(max_examples=150, deadline=None)
def test_one_damaged_byte_costs_at_most_its_own_rows(position, byte, drop):
    body = bytearray(b"\n".join(GOOD[:50]) + b"\n")
    if drop:
        del body[position]
    else:
        body[position] = byte
    rows = read(HEADER + b"\n" + bytes(body))
    assert rows.read == bytes(body).count(b"\n") + (not body.endswith(b"\n"))
    assert rows.good.height >= 48
    # What is kept is what a file with only the kept lines would give: no neighbour is touched.
    bad = {row.line for row in rows.bad}
    kept = [line for number, line in enumerate(bytes(body).split(b"\n"), 2) if number not in bad]
    assert_frame_equal(rows.good, read(HEADER + b"\n" + b"\n".join(kept)).good)


def test_the_plain_version_quarantines_the_same_lines(tmp_path):
    # All but the quotes and the bytes, which it reads in its own way.
    kinds = {kind: make for kind, (_, make) in KINDS.items() if kind not in
             ("quote within", "comma in quotes", "not UTF-8", "NUL")}  # fmt: skip
    lines = []
    for number, make in enumerate(kinds.values()):
        lines += [GOOD[number], make(flown(100 + number))]
    lines += [GOOD[0]]
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / f"{MONTH}.csv.gz").write_bytes(gzip.compress(text(lines)))
    lookups = source_file("airlines.csv").parent
    script = PROGRAM / "plain_pandas.py"
    command = [sys.executable, script, tmp_path / "raw", lookups, tmp_path / "out"]
    subprocess.run(command, check=True)
    theirs = pl.read_csv(tmp_path / "out" / "quarantine.csv")["line"].to_list()
    mine = read(text(lines))
    assert [row.line for row in mine.bad] == sorted(theirs)
    curated = pl.read_parquet(tmp_path / "out" / f"month={MONTH}" / "flights.parquet")
    assert curated["flight"].to_list() == mine.good["flight"].to_list()


def test_quarantine_object_names_the_lines_and_goes_when_they_are_mended(main, lake, raw):
    month = str(MONTH)
    lines = gzip.decompress(raw[month]).split(b"\n")
    good = list(lines)
    lines[9] = lines[9].replace(b"2013,2,1,", b"2013,2,29,")
    lines[20_000] = b"caf\xe9"
    lake.put_raw(month, gzip.compress(b"\n".join(lines)))
    assert (
        main(month)
        .stdout.splitlines()[-1]
        .startswith("2013-02: 24,951 rows read, 24,949 curated, 2 quarantined")
    )
    name = f"s3://{lake.bucket}/raw/flights/{month}.csv.gz"
    key, stored = lake.manifest(month)["quarantine"], lake.keys("quarantine/")
    digest = hashlib.sha256(lake.get(key)).hexdigest()
    assert stored == [key] == [f"quarantine/flights/month={month}/rows-1-{digest[:12]}.jsonl"]
    assert [json.loads(line) for line in lake.get(key).splitlines()] == [
        {
            "object": name,
            "line": 10,
            "reason": "2013-2-29 is not a date",
            "text": lines[9].decode(),
        },
        {
            "object": name,
            "line": 20_001,
            "reason": "the line is not UTF-8 text",
            "text": "caf\\xe9",
        },
    ]
    lake.put_raw(month, gzip.compress(b"\n".join(good)))
    assert main(month).returncode == 0
    assert lake.keys("quarantine/") == []
    assert lake.manifest(month)["rows"] == {"read": 24_951, "curated": 24_951, "quarantined": 0}
