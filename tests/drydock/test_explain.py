"""Whatever goes wrong, a person reads one line with what to type next."""

import errno

import psycopg
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
    WaiterError,
)

from drydock.errors import AnotherRun, DrydockError, WrongInput
from drydock.explain import explain

DENIED = {"Error": {"Code": "AccessDenied", "Message": "no"}}


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (WrongInput("no such month; type: x"), "no such month", 2),
        (AnotherRun("another run"), "another run", 75),
        (DrydockError("broken; type: y"), "broken", 3),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "local cloud stopped", 3),
        (ReadTimeoutError(endpoint_url="http://127.0.0.1:1"), "local cloud stopped", 3),
        (ConnectionClosedError(endpoint_url="http://127.0.0.1:1"), "local cloud stopped", 3),
        (ClientError(DENIED, "PutObject"), "PutObject", 3),
        (WaiterError("db", "Max attempts exceeded", {}), "Max attempts", 3),
        (psycopg.OperationalError("connection refused\nmore"), "connection refused", 3),
        (OSError(errno.ENOSPC, "No space left", "/some/file"), "the disk is full (/some/file)", 3),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "Permission denied (/x)", 3),
        (ZeroDivisionError("division by zero"), "a bug of ours: ZeroDivisionError", 1),
    ],
)
def test_every_error_becomes_one_line_and_a_code(error, said, code):
    line, exit_code = explain(error)
    assert said in line
    assert "\n" not in line
    assert exit_code == code
