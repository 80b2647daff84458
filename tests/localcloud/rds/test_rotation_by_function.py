"""rotate_secret on a database's secret: the book's rotation function as Lambda runs it."""

import io
import json
import time
import zipfile
from pathlib import Path

import psycopg
import pytest
from live import client, wait_for
from rds_orders import PASSWORD, connect

PROGRAM = Path(__file__).parents[3] / "lib" / "containers" / "rotation" / "rotation.py"
SECRET, MASTER, FUNCTION = "rotation/app", "rotation/master", "rotation"
SERVICE = "secretsmanager.amazonaws.com"


@pytest.fixture(scope="module")
def manager(cloud):
    return client(cloud, "secretsmanager")


@pytest.fixture(scope="module")
def secrets(cloud, books, manager):
    """A user's secret, and the one of who may change its password."""
    with connect(cloud, books) as connection:
        connection.execute("CREATE ROLE app LOGIN PASSWORD 'first-password'")
    place = books["Endpoint"]
    at = {"engine": "postgres", "host": place["Address"], "port": place["Port"]}
    at |= {"dbname": "library"}
    master = at | {"username": "librarian", "password": PASSWORD}
    arn = manager.create_secret(Name=MASTER, SecretString=json.dumps(master))["ARN"]
    first = at | {"username": "app", "password": "first-password", "masterarn": arn}
    made = manager.create_secret(Name=SECRET, SecretString=json.dumps(first))
    yield made["ARN"], arn
    for name in (SECRET, MASTER):
        manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


@pytest.fixture(scope="module")
def function(cloud, secrets):
    """The function with a role that may read these two secrets and write one, and no other."""
    iam, functions = client(cloud, "iam"), client(cloud, "lambda")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    trust |= {"Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=FUNCTION, AssumeRolePolicyDocument=_policy(trust))["Role"]
    own, master = secrets
    actions = ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")
    rights = [_allow(own, *actions), _allow(master, "GetSecretValue")]
    rights += [_allow("*", "GetRandomPassword")]
    iam.put_role_policy(RoleName=FUNCTION, PolicyName="rotate", PolicyDocument=_policy(*rights))
    iam.attach_role_policy(
        RoleName=FUNCTION,
        PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    )
    made = functions.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Handler="rotation.lambda_handler",
        Role=role["Arn"],
        Code={"ZipFile": _zipped(PROGRAM.read_text())},
        Timeout=30,
        MemorySize=256,
        Environment={"Variables": {"RDS_CA_BUNDLE": str(cloud.home / "rds" / "ca.pem")}},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=FUNCTION)
    yield made["FunctionArn"]
    functions.delete_function(FunctionName=FUNCTION)


def _policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _allow(resource, *actions):
    named = [f"secretsmanager:{action}" for action in actions]
    return {"Effect": "Allow", "Action": named, "Resource": resource}


def _zipped(text):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("rotation.py", text)
    return content.getvalue()


def _read(manager, **which):
    return json.loads(manager.get_secret_value(SecretId=SECRET, **which)["SecretString"])


def _stages(manager):
    stages = manager.describe_secret(SecretId=SECRET)["VersionIdsToStages"].values()
    return sorted(sorted(each) for each in stages if each)


def test_a_function_that_does_not_let_secrets_manager_in(manager, function):
    with pytest.raises(manager.exceptions.ClientError) as caught:
        manager.rotate_secret(SecretId=SECRET, RotationLambdaARN=function)
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDeniedException" and SERVICE in error["Message"]
    assert _read(manager)["username"] == "app"


@pytest.fixture
def let_in(cloud, function, secrets):
    functions = client(cloud, "lambda")
    functions.add_permission(
        FunctionName=FUNCTION,
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal=SERVICE,
        SourceArn=secrets[0],
    )
    yield function
    functions.remove_permission(FunctionName=FUNCTION, StatementId="rotation")


def test_users_alternate_and_both_get_in(cloud, books, manager, let_in):
    seen = [_read(manager)]
    for user in ("app_clone", "app"):
        answer = manager.rotate_secret(SecretId=SECRET, RotationLambdaARN=let_in)
        wait_for(lambda user=user: _read(manager)["username"] == user, f"rotation to {user}")
        assert manager.get_secret_value(SecretId=SECRET)["VersionId"] == answer["VersionId"]
        seen.append(_read(manager))
        connect(cloud, books, user=user, password=seen[-1]["password"]).close()
    assert len({one["password"] for one in seen}) == 3
    assert _read(manager, VersionStage="AWSPREVIOUS") == seen[-2]
    connect(cloud, books, user="app_clone", password=seen[-2]["password"]).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(cloud, books, user="app", password="first-password")
    about = manager.describe_secret(SecretId=SECRET)
    assert about["RotationEnabled"] and about["LastRotatedDate"]
    logs = client(cloud, "logs").filter_log_events(logGroupName=f"/aws/lambda/{FUNCTION}")
    lines = " ".join(event["message"] for event in logs["events"])
    assert lines.count("REPORT") == 8 and not [one for one in seen if one["password"] in lines]


def _reports(cloud):
    logs = client(cloud, "logs").filter_log_events(logGroupName=f"/aws/lambda/{FUNCTION}")
    return sum(event["message"].startswith("REPORT") for event in logs["events"])


def test_a_try_calls_one_step_and_changes_nothing(cloud, manager, let_in):
    before, reports = _read(manager), _reports(cloud)
    manager.rotate_secret(
        SecretId=SECRET,
        RotationLambdaARN=let_in,
        RotateImmediately=False,
        RotationRules={"AutomaticallyAfterDays": 30},
    )
    wait_for(lambda: _reports(cloud) > reports, "the step")
    wait_for(lambda: _stages(manager) == [["AWSCURRENT"], ["AWSPREVIOUS"]], "the end of the try")
    assert _reports(cloud) == reports + 1 and _read(manager) == before
    assert manager.describe_secret(SecretId=SECRET)["NextRotationDate"]


def test_what_fails_leaves_the_secret_in_use_and_is_tried_again(cloud, manager, let_in):
    before, reports = _read(manager), _reports(cloud)
    wrong = json.loads(manager.get_secret_value(SecretId=MASTER)["SecretString"])
    manager.put_secret_value(SecretId=MASTER, SecretString=json.dumps(wrong | {"password": "no"}))
    manager.rotate_secret(SecretId=SECRET)
    wait_for(lambda: _reports(cloud) == reports + 2, "createSecret, and setSecret, which fails")
    assert _read(manager) == before and ["AWSPENDING"] in _stages(manager)
    manager.put_secret_value(SecretId=MASTER, SecretString=json.dumps(wrong))
    time.sleep(0.5)  # the server has written the log, and is about to give up
    with pytest.raises(manager.exceptions.InvalidRequestException, match="isn't complete"):
        manager.rotate_secret(SecretId=SECRET)
    wait_for(lambda: _read(manager) != before, "the rotation that was begun before")
    assert _read(manager)["username"] != before["username"]


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"SecretId": "rotation/none"}, "ResourceNotFoundException", "can't find"),
        ({"SecretId": MASTER}, "InvalidRequestException", "No Lambda rotation function ARN"),
        (
            {
                "SecretId": MASTER,
                "RotationLambdaARN": "arn:aws:lambda:us-east-1:123456789012:function:none",
            },
            "ResourceNotFoundException",
            "function:none",
        ),
    ],
)
def test_what_cannot_be_rotated(manager, secrets, given, code, words):
    with pytest.raises(manager.exceptions.ClientError) as caught:
        manager.rotate_secret(**given)
    assert caught.value.response["Error"]["Code"] == code
    assert words in caught.value.response["Error"]["Message"]


def test_a_secret_that_rds_made_is_rotated_by_rds(cloud, rds, manager):
    """The service that owns it says so, and its value stays."""
    name = "rotation-managed"
    made = manager.create_secret(
        Name=name,
        SecretString="{}",
        Tags=[{"Key": "aws:secretsmanager:owningService", "Value": "rds"}],
    )
    with pytest.raises(manager.exceptions.InvalidRequestException, match="RotateMasterUserPass"):
        manager.rotate_secret(SecretId=made["ARN"])
    assert manager.get_secret_value(SecretId=name)["SecretString"] == "{}"
    manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
