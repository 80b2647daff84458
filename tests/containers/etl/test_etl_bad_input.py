"""What a person can get wrong, or what can be down: one clear line and the right exit code."""

import gzip
import json
import socket
import subprocess
import sys

import pytest
from etl.database import DRIVERS
from etl_support import PASSWORD, PROGRAM

MONTH = "2013-02"
every_driver = pytest.mark.parametrize("driver", DRIVERS)


def failed(done, code: int, *words: str) -> None:
    """Assert exit `code` and one line on stderr that says all of `words` and no secret."""
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("etl: ")
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert PASSWORD not in done.stderr + done.stdout


@pytest.mark.parametrize(
    "month",
    [
        "2013-13",
        "2013-00",
        "hello",
        "2013-1",
        "201301",
        "2013-01 ",
        "",
        "0000-01",
        "\N{FULLWIDTH DIGIT TWO}013-01",
    ],
)
def test_unknown_month(main, month):
    failed(main(month), 2, "unknown month", "like 2013-01")


def test_one_unknown_month_stops_before_any_work(main, lake, raw):
    lake.put_raw(MONTH, raw[MONTH])
    failed(main(MONTH, "2013-13"), 2, "2013-13")
    assert lake.keys("curated/") == []


def test_no_month(main):
    failed(main(), 2, "python -m etl 2013-01")


def test_missing_object(etl, lake):
    failed(etl("2014-01"), 2, f"s3://{lake.bucket}/raw/flights/2014-01.csv.gz", "aws s3 ls")


def test_missing_bucket(main):
    failed(main(MONTH, LAKE_BUCKET="no-such-bucket"), 2, "bucket no-such-bucket does not exist")


def test_what_was_done_before_a_missing_object_stays(main, lake, raw):
    lake.put_raw(MONTH, raw[MONTH])
    failed(main(MONTH, "2014-01"), 2, "2014-01")
    assert lake.manifest(MONTH)["rows"]["curated"] == 24_951


@pytest.mark.parametrize("kept", [5, 1000, -4])
def test_truncated_gzip(main, lake, raw, kept):
    lake.put_raw(MONTH, raw[MONTH][:kept])
    failed(main(MONTH), 2, "truncated", f"{MONTH}.csv.gz", "upload it again")
    assert lake.keys("curated/") == []


@pytest.mark.parametrize("damage", ["plain", "flipped", "empty", "empty inside", "checksum"])
def test_damaged_gzip(main, lake, raw, damage):
    data = raw[MONTH]
    wrong = {
        "plain": gzip.decompress(data),
        "flipped": data[:5000] + bytes(64) + data[5064:],
        "empty": b"",
        "empty inside": gzip.compress(b""),
        "checksum": data[:-8] + bytes(4) + data[-4:],
    }
    lake.put_raw(MONTH, wrong[damage])
    failed(main(MONTH), 2, f"{MONTH}.csv.gz", "upload it again")
    assert lake.keys("curated/") == []


@pytest.mark.parametrize(
    "header",
    [
        b"a,b,c",
        b"",
        b"year,month\n",
        b"\xff\xfe\x00",
        b"YEAR,MONTH,DAY",
        b"\xef\xbb\xbfyear,month,day",
    ],
)
def test_wrong_header(main, lake, raw, header):
    lines = gzip.decompress(raw[MONTH]).split(b"\n", 1)[1]
    lake.put_raw(MONTH, gzip.compress(header + b"\n" + lines))
    failed(main(MONTH), 2, "wrong header", "year,month,day,dep_time")
    assert lake.keys("curated/") == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"word"', '{"host": "x", "port": "many"}'])
def test_unusable_secret(main, text):
    failed(main(MONTH, DB_SECRET=text), 2, "DB_SECRET")


def test_no_bucket_named(main):
    failed(main(MONTH, LAKE_BUCKET=""), 2, "LAKE_BUCKET")


@every_driver
def test_wrong_password(etl, server, driver):
    wrong = "a wrong one; {quoted}"
    done = etl(MONTH, DATABASE_DRIVER=driver, DB_SECRET=server.secret(password=wrong))
    failed(done, 3, "refused user etl", "Secrets Manager")
    assert wrong not in done.stderr + done.stdout


@every_driver
def test_unknown_user(main, server, driver):
    failed(
        main(MONTH, DATABASE_DRIVER=driver, DB_SECRET=server.secret(username="nobody")),
        3,
        "refused user nobody",
    )


def test_setting_smuggled_into_the_secret(main, server):
    secret = server.secret(host="127.0.0.1;SSLmode=disable")
    failed(main(MONTH, DB_SECRET=secret), 2, "DB_SECRET")


@every_driver
def test_database_down(main, server, driver):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        done = main(MONTH, DATABASE_DRIVER=driver, DB_SECRET=server.secret(port=port))
    failed(done, 3, f"127.0.0.1:{port}", "refused", "run again")


@every_driver
def test_database_host_unknown(main, server, driver):
    failed(
        main(MONTH, DATABASE_DRIVER=driver, DB_SECRET=server.secret(host="db.invalid")),
        3,
        "db.invalid",
    )


@every_driver
def test_database_missing(main, server, driver):
    failed(
        main(MONTH, DATABASE_DRIVER=driver, DB_SECRET=server.secret(dbname="nope")),
        3,
        '"nope" does not exist',
    )


@every_driver
def test_table_missing(main, database, driver):
    with database.admin() as connection:
        connection.execute("DROP TABLE planes")
    failed(
        main(MONTH, DATABASE_DRIVER=driver, DB_SECRET=database.secret()),
        3,
        '"planes" does not exist',
        "load",
    )


@every_driver
def test_table_not_granted(main, database, driver):
    with database.admin() as connection:
        connection.execute("REVOKE SELECT ON weather FROM etl")
    failed(
        main(MONTH, DATABASE_DRIVER=driver, DB_SECRET=database.secret()),
        3,
        "permission denied",
        "grant SELECT",
    )


def test_lookup_key_twice(main, database):
    with database.admin() as connection:
        connection.execute("ALTER TABLE airports DROP CONSTRAINT airports_pkey")
        connection.execute("INSERT INTO airports SELECT * FROM airports WHERE faa = 'ATL'")
    failed(main(MONTH, DB_SECRET=database.secret()), 2, "airports", "ATL")


@pytest.mark.parametrize("name", ["oracle", "JDBC", " odbc"])
def test_a_driver_that_is_none(main, name):
    failed(main(MONTH, DATABASE_DRIVER=name), 2, f'DATABASE_DRIVER is "{name}"', "odbc or jdbc")


def test_driver_missing(main):
    failed(main(MONTH, DRYDOCK_ODBC_DRIVER="/nowhere/psqlodbcw.so"), 3, "/nowhere/psqlodbcw.so")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"DRYDOCK_JDBC_JAR": "/nowhere/postgresql.jar"}, "/nowhere/postgresql.jar, which is no"),
        ({"DRYDOCK_JDBC_JAR": "/etc/hostname"}, "/etc/hostname holds no PostgreSQL driver"),
        ({"JAVA_HOME": "/nowhere"}, "JAVA_HOME names /nowhere, where there is no Java"),
    ],
)
def test_java_or_its_driver_missing(etl, changes, words):
    failed(etl(MONTH, DATABASE_DRIVER="jdbc", **changes), 3, words)


def test_without_the_bridge_to_java(environment):
    call = "import sys; sys.modules['jpype'] = None; import etl.__main__ as m; sys.exit(m.main"
    command = [sys.executable, "-c", f"{call}(['{MONTH}']))"]
    chosen = environment | {"DATABASE_DRIVER": "jdbc"}
    done = subprocess.run(command, cwd=PROGRAM, env=chosen, capture_output=True, text=True)
    failed(done, 3, "JPype1 is not installed", "DATABASE_DRIVER=odbc")


def test_s3_down(main):
    failed(
        main(MONTH, AWS_ENDPOINT_URL="http://127.0.0.1:1"), 3, "http://127.0.0.1:1", "run the task"
    )


def test_s3_endpoint_is_nonsense(main):
    failed(main(MONTH, AWS_ENDPOINT_URL="nonsense"), 3, "S3")


def test_no_credentials(main, tmp_path):
    done = main(
        MONTH,
        AWS_ACCESS_KEY_ID="",
        AWS_SECRET_ACCESS_KEY="",
        AWS_EC2_METADATA_DISABLED="true",
        HOME=str(tmp_path),
    )
    failed(done, 3, "credentials")


def test_a_bug_is_one_line_and_a_traceback_only_on_request(environment, tmp_path):
    call = "import sys, etl.__main__ as m; m._run = lambda _: {}['x']; sys.exit(m.main([]))"
    command = [sys.executable, "-c", call]
    done = subprocess.run(command, cwd=PROGRAM, env=environment, capture_output=True, text=True)
    failed(done, 1, "bug: KeyError", "ETL_DEBUG=1")
    environment["ETL_DEBUG"] = "1"
    done = subprocess.run(command, cwd=PROGRAM, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_disk_full(environment):
    call = "import sys, etl.__main__ as m; m._run = lambda _: m._say('x'); sys.exit(m.main([]))"
    command = [sys.executable, "-c", call]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, cwd=PROGRAM, env=environment, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_quarantine_keeps_the_secret_out(main, lake, raw):
    lines = gzip.decompress(raw[MONTH]).split(b"\n")
    lines[5] = b"rubbish"
    lake.put_raw(MONTH, gzip.compress(b"\n".join(lines)))
    done = main(MONTH)
    assert done.returncode == 0
    assert json.loads(lake.get(lake.manifest(MONTH)["quarantine"]))["line"] == 6
    assert PASSWORD not in done.stdout
