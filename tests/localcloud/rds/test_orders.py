"""Ordering an instance through boto3: what one gets, and what is refused."""

import pytest
from botocore.exceptions import ClientError
from rds_orders import ORDER, PASSWORD, connect


def test_it_is_what_was_ordered(cloud, books):
    with connect(cloud, books) as connection:

        def one(question):
            return connection.execute(question).fetchone()

        version = one("SHOW server_version")[0].split()[0]
        assert version == books["EngineVersion"]
        assert one("SHOW max_connections") == ("112",)
        assert one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == (True,)
        rights = "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = "
        assert one(rights + "current_user") == (False, True, True)
        assert one("SELECT pg_has_role('rds_superuser', 'member')") == (True,)
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("CREATE TABLE t (n int)")
        connection.execute("GRANT SELECT ON t TO reader")
        connection.execute("DROP TABLE t")
        connection.execute("DROP ROLE reader")
    assert books["DBInstanceArn"] == "arn:aws:rds:us-east-1:123456789012:db:books"


def instances(rds):
    found = rds.describe_db_instances()["DBInstances"]
    return [(i["DBInstanceIdentifier"], i["DBInstanceClass"], i["Engine"]) for i in found]


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({}, "DBInstanceAlreadyExists", "already exists"),
        ({"DBInstanceIdentifier": "BOOKS"}, "DBInstanceAlreadyExists", "already exists"),
        ({"DBInstanceIdentifier": "-x"}, "InvalidParameterValue", "not a valid identifier"),
        ({"Engine": "mysql"}, "InvalidParameterValue", "engine that really runs here is postgres"),
        ({"EngineVersion": "9.6"}, "InvalidParameterCombination", "Cannot find version 9.6"),
        ({"DBInstanceClass": "db.huge"}, "InvalidParameterValue", "Invalid DB Instance class"),
        ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue", "reserved word"),
        ({"MasterUsername": "a;b"}, "InvalidParameterValue", "MasterUsername"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue", "shorter than 8"),
        ({"MasterUserPassword": "with space"}, "InvalidParameterValue", "printable ASCII"),
        ({"DBName": "1st"}, "InvalidParameterValue", "begin with a letter"),
        ({"ManageMasterUserPassword": True}, "InvalidParameterCombination", "MasterUserPassword"),
        ({"DBClusterIdentifier": "c"}, "DBClusterNotFoundFault", "c not found"),
    ],
)
def test_refused_orders(rds, books, changed, code, said):
    order = ORDER | ({"DBInstanceIdentifier": "other"} if changed else {}) | changed
    before = instances(rds)
    with pytest.raises(ClientError, match=said) as refused:
        rds.create_db_instance(**order)
    assert refused.value.response["Error"]["Code"] == code
    assert instances(rds) == before


def test_what_is_not_there_is_not_pretended(rds, books):
    for call in (
        lambda: rds.delete_db_instance(DBInstanceIdentifier="books"),
        lambda: rds.delete_db_instance(
            DBInstanceIdentifier="books", FinalDBSnapshotIdentifier="last"
        ),
        lambda: rds.create_db_snapshot(DBInstanceIdentifier="books", DBSnapshotIdentifier="s"),
        lambda: rds.create_db_instance_read_replica(
            DBInstanceIdentifier="r", SourceDBInstanceIdentifier="books"
        ),
    ):
        with pytest.raises(ClientError, match="InvalidParameterCombination"):
            call()
    for call in (rds.stop_db_instance, rds.reboot_db_instance, rds.delete_db_instance):
        with pytest.raises(ClientError, match="DBInstanceNotFound"):
            call(DBInstanceIdentifier="nothing")


def test_no_password_is_on_disk(cloud, books):
    for file in [*(cloud.home / "rds").glob("*/*"), *(cloud.home / "state").iterdir()]:
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes(), file
