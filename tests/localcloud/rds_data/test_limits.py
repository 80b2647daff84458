"""The limits of the Data API, at their boundary: accepted at, refused beyond."""

import pytest
from data_api import create_lake, parameter
from live import processes_of, temporary_home, wait_for

from drydock import cloud as local_cloud

ROW, RESPONSE, STATEMENT, REQUEST = 1 << 16, 1 << 20, 1 << 16, 4 << 20


def test_a_row_of_64_kb(lake):
    sql = "SELECT repeat('x', :n::int), repeat('y', 36)"
    assert lake.run(sql, parameters=[parameter("n", longValue=ROW - 36)])["records"]
    over = [parameter("n", longValue=ROW - 35)]
    lake.refused("UnsupportedResultException", "Packet for query", sql=sql, parameters=over)


def test_a_response_of_1_mib(lake):
    # 1,024 rows of 2 bytes, one column of 4, and 1,018 of text: 1 MiB
    sql = (
        "SELECT repeat('x', CASE i WHEN 1 THEN :n ELSE 1018 END::int) "
        "FROM generate_series(1, 1024) AS i"
    )
    at = lake.run(sql, parameters=[parameter("n", longValue=1018)])
    assert len(at["records"]) == 1024
    over = [parameter("n", longValue=1019)]
    lake.refused("UnsupportedResultException", "size limit 1 MB", sql=sql, parameters=over)
    # What is far beyond is not read to its end
    lake.refused(
        "UnsupportedResultException",
        "size limit 1 MB",
        sql="SELECT repeat('x', 1000) FROM generate_series(1, 100000000)",
    )


def test_too_large_a_response_ends_the_transaction(lake):
    name = lake.data.begin_transaction(**lake.at)["transactionId"]
    sql = "SELECT repeat('x', 1000) FROM generate_series(1, 2000)"
    lake.refused("UnsupportedResultException", "1 MB", sql=sql, transactionId=name)
    lake.refused(
        "TransactionNotFoundException", "due to an error", sql="SELECT 1", transactionId=name
    )


def test_a_statement_of_65536_characters(lake):
    sql = "SELECT 1 --"
    lake.run(sql + "x" * (STATEMENT - len(sql)))
    lake.refused(
        "ValidationException", "equal to 65536", sql=sql + "x" * (STATEMENT + 1 - len(sql))
    )


def test_a_request_of_4_mib(lake):
    def sent(size):
        return [parameter("t", stringValue="x" * size)]

    sql = "SELECT length(:t)"
    assert lake.one(sql, *sent(REQUEST - 1000)) == ("longValue", REQUEST - 1000)
    lake.refused("RequestEntityTooLargeException", "4 MiB", sql=sql, parameters=sent(REQUEST + 1))


@pytest.mark.parametrize("sql", ["SELECT 1; SELECT 2", "SELECT 1; DROP TABLE x"])
def test_one_statement_a_call(lake, sql):
    lake.refused("ValidationException", "Multistatements aren't supported.", sql=sql)
    assert lake.run("SELECT 1;")["records"]


def test_what_may_not_be_asked(lake):
    lake.refused("ValidationException", "schema parameter", sql="SELECT 1", schema="public")
    lake.refused("DatabaseErrorException", "CopyOutResponse", sql="COPY pg_class TO STDOUT")
    with pytest.raises(lake.data.exceptions.BadRequestException, match="ExecuteSql isn't supp"):
        lake.data.execute_sql(
            dbClusterOrInstanceArn=lake.arn, awsSecretStoreArn=lake.secret, sqlStatements="SELECT 1"
        )


@pytest.fixture(scope="module")
def hasty():
    """A cloud of its own, where 45 s, 3 minutes and 24 hours are one, one and four seconds."""
    with temporary_home() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRYDOCK_DATA_API_STATEMENT_SECONDS", "1")
        patch.setenv("DRYDOCK_DATA_API_IDLE_SECONDS", "1.5")
        patch.setenv("DRYDOCK_DATA_API_TRANSACTION_SECONDS", "4")
        info = local_cloud.start(home, port=0)
        yield create_lake(info, "hasty")
        local_cloud.stop(home)
        assert processes_of(home) == []


def test_a_statement_that_takes_too_long_is_ended(hasty):
    slow = "INSERT INTO late SELECT 1 FROM pg_sleep(2)"
    hasty.run("CREATE TABLE late (n int)")
    hasty.refused("StatementTimeoutException", "timed out", sql=slow)
    assert hasty.one("SELECT count(*) FROM late")[1] == 0
    hasty.refused("StatementTimeoutException", "timed out", sql=slow, continueAfterTimeout=True)
    wait_for(lambda: hasty.one("SELECT count(*) FROM late")[1] == 1, "what continued")


def test_a_transaction_that_is_left_alone_is_rolled_back(hasty):
    hasty.run("CREATE TABLE left_alone (n int)")
    name = hasty.data.begin_transaction(**hasty.at)["transactionId"]
    hasty.run("INSERT INTO left_alone VALUES (1)", transactionId=name)
    held = "SELECT count(*) FROM pg_locks WHERE relation = 'left_alone'::regclass"
    wait_for(lambda: hasty.one(held)[1] == 0, "its locks given back")
    hasty.refused(
        "TransactionNotFoundException", "may be expired", sql="SELECT 1", transactionId=name
    )
    assert hasty.one("SELECT count(*) FROM left_alone")[1] == 0


def test_a_transaction_that_is_busy_ends_all_the_same(hasty):
    name = hasty.data.begin_transaction(**hasty.at)["transactionId"]

    def is_over():
        try:
            hasty.run("SELECT 1", transactionId=name)
        except hasty.data.exceptions.TransactionNotFoundException:
            return True
        return False

    assert not is_over()
    wait_for(is_over, "the end of a transaction in use")


def test_a_setting_makes_no_limit_longer(monkeypatch, capsys):
    from localcloud.rds_data import limits

    monkeypatch.delenv("DRYDOCK_DATA_API_STATEMENT_SECONDS", raising=False)
    assert limits.seconds("STATEMENT_SECONDS") == 45
    for given in ("46", "0", "soon"):
        monkeypatch.setenv("DRYDOCK_DATA_API_STATEMENT_SECONDS", given)
        assert limits.seconds("STATEMENT_SECONDS") == 45
        assert (
            f"STATEMENT_SECONDS={given} is no number of seconds up to 45" in capsys.readouterr().err
        )
