"""A task and a database: whether its security groups let the one reach the other."""

import contextlib

import psutil
import psycopg
import pytest
from ecs_lab import Lab, until

CONNECT = (
    "import psycopg, time\n"
    "began = time.monotonic()\n"
    "try:\n"
    "  with psycopg.connect('host=127.0.0.1 port={port} dbname=doors user=porter '\n"
    "      'password=correct-horse sslmode=require connect_timeout=3') as connection:\n"
    "    print(connection.execute('select 41 + 1').fetchone()[0])\n"
    "except psycopg.OperationalError as error:\n"
    "  print('timeout' if 'timeout' in str(error) else error)\n"
    "  print(time.monotonic() - began > 1)\n"
)
# The same from a grandchild that has left its session.
DETACHED = (
    "import subprocess, sys\n"
    "code = {code!r}\n"
    "done = subprocess.run([sys.executable, '-c', code], start_new_session=True, text=True,\n"
    "    capture_output=True)\n"
    "print(done.stdout, end='')\n"
)


@pytest.fixture(scope="module")
def lab(cloud, tmp_path_factory):
    return Lab(cloud, tmp_path_factory.mktemp("doors")).set_up()


@pytest.fixture(scope="module")
def rds(lab):
    return lab.client("rds")


@pytest.fixture(scope="module")
def closed(lab):
    """A security group of the default VPC that lets nobody in."""
    ec2 = lab.client("ec2")
    made = ec2.create_security_group(GroupName="database", Description="of a database")
    return made["GroupId"]


@pytest.fixture(scope="module")
def port(rds, closed):
    rds.create_db_instance(
        DBInstanceIdentifier="doors",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        DBName="doors",
        MasterUsername="porter",
        MasterUserPassword="correct-horse",
        VpcSecurityGroupIds=[closed],
    )
    yield _available(rds)["Endpoint"]["Port"]
    rds.delete_db_instance(DBInstanceIdentifier="doors", SkipFinalSnapshot=True)


def _available(rds):
    def look():
        found = rds.describe_db_instances(DBInstanceIdentifier="doors")["DBInstances"][0]
        return found["DBInstanceStatus"] == "available" and found

    return until(look, seconds=60)


def said(lab, code):
    return lab.lines(lab.result(code, family="visitor"))


@contextlib.contextmanager
def allowed(lab, group, **rule):
    ec2 = lab.client("ec2")
    permissions = [{"IpProtocol": "tcp", **rule}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    yield
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=permissions)


def default_group(lab):
    groups = lab.client("ec2").describe_security_groups(GroupNames=["default"])["SecurityGroups"]
    return groups[0]["GroupId"]


@pytest.mark.parametrize("shape", ["{code}", DETACHED])
def test_a_task_is_kept_out_and_let_in(lab, port, closed, shape):
    code = CONNECT.format(port=port)
    code = code if shape == "{code}" else shape.format(code=code)
    assert said(lab, code) == ["timeout", "True"]
    by_group = {"UserIdGroupPairs": [{"GroupId": default_group(lab)}]}
    with allowed(lab, closed, FromPort=5432, ToPort=5432, **by_group):
        assert said(lab, code) == ["42"]
    with allowed(lab, closed, FromPort=1, ToPort=80, **by_group):
        assert said(lab, code) == ["timeout", "True"]
    with allowed(lab, closed, FromPort=port, ToPort=port, IpRanges=[{"CidrIp": "172.31.0.0/16"}]):
        assert said(lab, code) == ["42"]


def test_the_learners_own_machine_is_let_in(port):
    where = f"host=127.0.0.1 port={port} dbname=doors user=porter password=correct-horse"
    with psycopg.connect(where, sslmode="require") as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_changed_groups_hold_for_new_connections(lab, rds, port, closed):
    change = {"DBInstanceIdentifier": "doors", "ApplyImmediately": True}
    rds.modify_db_instance(VpcSecurityGroupIds=[default_group(lab)], **change)
    _available(rds)
    assert said(lab, CONNECT.format(port=port)) == ["42"]
    rds.modify_db_instance(VpcSecurityGroupIds=[closed], **change)
    _available(rds)
    assert said(lab, CONNECT.format(port=port))[0] == "timeout"


def test_many_connections_at_once_and_large_answers(port):
    where = f"host=127.0.0.1 port={port} dbname=doors user=porter password=correct-horse"
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(psycopg.connect(where, sslmode="require")) for _ in range(30)]
        for number, connection in enumerate(opened):
            answer = connection.execute("select repeat(%s::text, 3000000)", [number % 10])
            assert answer.fetchone()[0] == str(number % 10) * 3_000_000


def test_a_reboot_ends_open_connections(rds, port):
    where = f"host=127.0.0.1 port={port} dbname=doors user=porter password=correct-horse"
    with psycopg.connect(where, sslmode="require") as connection:
        rds.reboot_db_instance(DBInstanceIdentifier="doors")
        _available(rds)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


def test_a_door_that_was_killed_is_opened_again(cloud, rds, port):
    doors = [
        child
        for child in psutil.Process(cloud.pid).children()
        if any(word.endswith("front.py") for word in child.cmdline())
    ]
    assert len(doors) == 1
    doors[0].kill()
    where = f"host=127.0.0.1 port={port} dbname=doors user=porter password=correct-horse"

    def connects():
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(where, sslmode="require").close()
            return True

    until(connects)
    assert _available(rds)["Endpoint"]["Port"] == port


def test_a_group_that_is_not_there(rds):
    with pytest.raises(rds.exceptions.ClientError, match="Invalid security group"):
        rds.create_db_instance(
            DBInstanceIdentifier="doors-2",
            Engine="postgres",
            DBInstanceClass="db.t4g.micro",
            AllocatedStorage=20,
            MasterUsername="porter",
            MasterUserPassword="correct-horse",
            VpcSecurityGroupIds=["sg-0"],
        )
