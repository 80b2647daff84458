"""Transactions and batches."""

import threading

import pytest
from data_api import parameter
from live import wait_for


@pytest.fixture
def table(lake):
    lake.run("DROP TABLE IF EXISTS rows")
    lake.run("CREATE TABLE rows (n int PRIMARY KEY)")
    return lambda: lake.one("SELECT count(*) FROM rows")[1]


def begin(lake, **options):
    return lake.data.begin_transaction(**lake.at, **options)["transactionId"]


def test_committed_rolled_back_and_unknown(lake, table):
    for call, status, rows in (
        (lake.data.rollback_transaction, "Rollback Complete", 0),
        (lake.data.commit_transaction, "Transaction Committed", 1),
    ):
        name = begin(lake)
        answer = lake.run("INSERT INTO rows VALUES (1)", transactionId=name)
        assert answer == {"numberOfRecordsUpdated": 1, "generatedFields": []}
        assert lake.one("SELECT count(*) FROM rows", transactionId=name) == ("longValue", 1)
        assert table() == 0
        at = {"resourceArn": lake.arn, "secretArn": lake.secret, "transactionId": name}
        assert call(**at)["transactionStatus"] == status
        assert table() == rows
        lake.refused(
            "TransactionNotFoundException",
            "One previous call resulted in a termination of your transaction.",
            sql="SELECT 1",
            transactionId=name,
        )
    lake.refused(
        "TransactionNotFoundException",
        "no-such is not found",
        "commit_transaction",
        transactionId="no-such",
    )


def test_after_an_error_nothing_is_committed(lake, table):
    name = begin(lake)
    lake.run("INSERT INTO rows VALUES (1)", transactionId=name)
    duplicate = {"sql": "INSERT INTO rows VALUES (1)", "transactionId": name}
    lake.refused("DatabaseErrorException", "SQLState: 23505", **duplicate)
    lake.refused("DatabaseErrorException", "current transaction is aborted", **duplicate)
    lake.refused(
        "DatabaseErrorException", "cannot be committed", "commit_transaction", transactionId=name
    )
    assert table() == 0


def test_a_transaction_has_one_database_and_one_call_at_a_time(lake):
    name = begin(lake, database="postgres")
    assert lake.one("SELECT current_database()", transactionId=name) == ("stringValue", "postgres")
    lake.refused(
        "BadRequestException", "Database name", sql="SELECT 1", transactionId=name,
        database="flights",
    )  # fmt: skip
    slow = threading.Thread(
        target=lake.run, args=["SELECT pg_sleep(2)"], kwargs={"transactionId": name}
    )
    slow.start()
    running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(2)'"
    wait_for(lambda: lake.one(running)[1] == 1, "the slow statement")
    lake.refused(
        "DatabaseErrorException", "Transaction is still running a query", sql="SELECT 1",
        transactionId=name,
    )  # fmt: skip
    slow.join()
    lake.data.rollback_transaction(**lake.at, transactionId=name)


def test_a_batch_is_all_or_nothing(lake, table):
    def batch(*numbers, **options):
        sets = [[parameter("n", longValue=n)] for n in numbers]
        sql = "INSERT INTO rows VALUES (:n)"
        return {"sql": sql, "parameterSets": sets} | options

    answer = lake.data.batch_execute_statement(**lake.at, **batch(1, 2, 3))
    assert answer["updateResults"] == [{"generatedFields": []}] * 3
    lake.refused(
        "DatabaseErrorException", "SQLState: 23505", "batch_execute_statement", **batch(4, 1)
    )
    assert table() == 3
    name = begin(lake)
    lake.data.batch_execute_statement(**lake.at, **batch(7, 8, transactionId=name))
    lake.data.commit_transaction(**lake.at, transactionId=name)
    assert table() == 5
    no_sets = {"sql": "DELETE FROM rows", "parameterSets": []}
    assert len(lake.data.batch_execute_statement(**lake.at, **no_sets)["updateResults"]) == 1
    assert table() == 0


def test_nothing_of_one_call_is_left_for_the_next(lake):
    for sql in ("SET timezone = 'Asia/Tokyo'", "CREATE TEMP TABLE gone (n int)", "BEGIN"):
        lake.run(sql)
    assert lake.one("SHOW timezone") == ("stringValue", "UTC")
    lake.refused("DatabaseErrorException", "SQLState: 42P01", sql="SELECT * FROM gone")
