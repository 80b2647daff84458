"""Reading policies as IAM does, so far as labs need it."""

import pytest

from drydock.study.repair.permissions import allows

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:one-a1b2c3"
READ = "secretsmanager:GetSecretValue"


def allow(action, resource, **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    "statement",
    [
        allow(READ, SECRET),
        allow([READ], [SECRET]),
        allow("secretsmanager:getsecretvalue", SECRET),
        allow("secretsmanager:Get*", SECRET),
        allow("*", "*"),
        allow(READ, "arn:aws:secretsmanager:*:*:secret:one-??????"),
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        {"Effect": "Allow", "Action": READ, "NotResource": "arn:aws:s3:::*"},
    ],
)
def test_allowed(statement):
    assert allows([statement], READ, SECRET)


@pytest.mark.parametrize(
    "statement",
    [
        allow(READ, SECRET.replace("one", "two")),
        allow("secretsmanager:DescribeSecret", SECRET),
        allow(READ, SECRET.upper()),
        {"Effect": "Allow", "NotAction": READ, "Resource": "*"},
        {"Effect": "Deny", "Action": READ, "Resource": SECRET},
    ],
)
def test_not_allowed(statement):
    assert not allows([statement], READ, SECRET)


def test_a_denial_wins():
    denial = {"Effect": "Deny", "Action": "secretsmanager:*", "Resource": "*"}
    assert not allows([allow("*", "*"), denial], READ, SECRET)
