"""What the tests of RDS share: an order, waiting, connecting, and the processes behind it."""

import psutil
import psycopg

PASSWORD = "battery-staple-9"
ORDER = {
    "DBInstanceIdentifier": "books",
    "Engine": "postgres",
    "DBInstanceClass": "db.t4g.micro",
    "AllocatedStorage": 20,
    "DBName": "library",
    "MasterUsername": "librarian",
    "MasterUserPassword": PASSWORD,
}


def described(rds, name="books"):
    return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def wait_available(rds, name="books"):
    rds.get_waiter("db_instance_available").wait(
        DBInstanceIdentifier=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    return described(rds, name)


def connect(info, instance, **changed):
    settings = {
        "host": instance["Endpoint"]["Address"],
        "port": instance["Endpoint"]["Port"],
        "user": instance["MasterUsername"],
        "password": PASSWORD,
        "dbname": instance["DBName"],
        "sslmode": "verify-full",
        "sslrootcert": str(info.home / "rds" / "ca.pem"),
        "autocommit": True,
    }
    return psycopg.connect(**settings | changed)


def postgres_of(info, name):
    """The server processes on this instance's data, without the children that they fork."""
    data = str(info.home / "rds" / name / "data")
    found = []
    for process in psutil.process_iter():
        try:
            words, status, parent = process.cmdline(), process.status(), process.ppid()
        except psutil.NoSuchProcess:
            continue
        if data in words and status != psutil.STATUS_ZOMBIE:
            found.append((process, parent))
    pids = {process.pid for process, _ in found}
    return [process for process, parent in found if parent not in pids]
