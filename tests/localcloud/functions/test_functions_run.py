"""Lambda functions: what an invocation runs, says, refuses and leaves."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from live import wait_for

from localcloud import trust

QUEUE = "arn:aws:sqs:us-east-1:123456789012:dead"
COUNTER = """
import os
import boto3

calls = 0

def handler(event, context):
    global calls
    calls += 1
    print("got", event)
    return {
        "calls": calls, "event": event, "pid": os.getpid(), "arn": context.invoked_function_arn,
        "who": boto3.client("sts").get_caller_identity()["Arn"], "left":
        context.get_remaining_time_in_millis(), "mine": os.environ.get("MINE"),
    }
"""
ECHO = "def handler(event, context):\n    return event"


def refused(call, *arguments, **given) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **given)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_function_runs_as_its_role_and_stays_warm(functions):
    name = functions.make(COUNTER, Environment={"Variables": {"MINE": "yes"}})
    cold, first = functions.call(name, {"n": 1})
    warm, second = functions.call(name, {"n": 2})
    assert "FunctionError" not in cold, (cold["Said"], first)
    assert (cold["Said"]["calls"], warm["Said"]["calls"]) == (1, 2)
    assert cold["Said"]["pid"] == warm["Said"]["pid"]
    assert cold["Said"]["event"] == {"n": 1} and cold["Said"]["mine"] == "yes"
    assert 0 < cold["Said"]["left"] <= 30_000
    assert cold["Said"]["who"].endswith(f"{functions.role.rpartition('/')[2]}/{name}")
    assert "Init Duration" in first and "Init Duration" not in second
    lines = first.splitlines()
    assert lines[0].startswith("START RequestId: ") and "got {'n': 1}" in lines
    assert lines[-2].startswith("END RequestId: ")
    report = r"REPORT .*\tBilled Duration: \d+ ms\tMemory Size: 256 MB\tMax Memory Used: \d+ MB"
    assert re.match(report, lines[-1])
    group = f"/aws/lambda/{name}"
    streams = functions.logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert len(streams) == 1
    events = functions.logs.get_log_events(
        logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True
    )["events"]
    assert [event["message"] for event in events] == (first + second).splitlines()


def test_new_code_and_settings_start_a_new_environment(functions):
    name = functions.make(ECHO)
    assert functions.call(name, 1)[0]["Said"] == 1
    functions.client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"A": "b"}}
    )
    functions.client.get_waiter("function_updated_v2").wait(FunctionName=name)
    assert "Init Duration" in functions.call(name, 1)[1]


def test_an_exception_is_the_answer(functions):
    name = functions.make("def handler(event, context):\n    raise ValueError('no ' + event)")
    answer, _ = functions.call(name, "luck")
    assert answer["FunctionError"] == "Unhandled" and answer["StatusCode"] == 200
    said = answer["Said"]
    assert (said["errorType"], said["errorMessage"]) == ("ValueError", "no luck")
    assert "app.py" in said["stackTrace"][0] and said["requestId"]


def test_a_module_that_cannot_be_imported(functions):
    answer, _ = functions.call(functions.make("import nothing_of_that_name"))
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Said"]["errorType"] == "Runtime.ImportModuleError"


def test_a_function_over_its_time_is_ended(functions):
    code = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'done'"
    name = functions.make(code, Timeout=1)
    assert functions.call(name, 0)[0]["Said"] == "done"
    answer, log = functions.call(name, 600)
    assert re.fullmatch(
        r"RequestId: \S+ Error: Task timed out after 1.00 seconds", answer["Said"]["errorMessage"]
    )
    assert "Task timed out after 1.00 seconds" in log
    again, log = functions.call(name, 0)
    assert again["Said"] == "done" and "Init Duration" in log


def test_a_function_over_its_memory_is_killed(functions):
    code = "def handler(event, context):\n    return len(bytearray(event << 20))"
    name = functions.make(code, MemorySize=256)
    assert functions.call(name, 64)[0]["Said"] == 64 << 20
    answer, _ = functions.call(name, 400)
    assert answer["Said"]["errorType"] == "Runtime.ExitError"
    assert answer["Said"]["errorMessage"].endswith(
        "Error: Runtime exited with error: signal: killed"
    )


def test_a_process_that_exits(functions):
    code = "import os\ndef handler(event, context):\n    os._exit(event)"
    answer, _ = functions.call(functions.make(code), 3)
    assert answer["Said"]["errorMessage"].endswith("Runtime exited with error: exit status 3")


def test_a_request_of_6_mb_and_one_byte_more(functions):
    name = functions.make("def handler(event, context):\n    return len(event)")
    most = "x" * (6_291_456 - 2)
    assert functions.call(name, most)[0]["Said"] == len(most)
    code, message = refused(functions.call, name, most + "x")
    assert (code, "6291456 bytes" in message) == ("RequestTooLargeException", True)


def test_an_answer_over_6_mb(functions):
    name = functions.make("def handler(event, context):\n    return 'x' * event")
    assert len(functions.call(name, 6_291_554)[0]["Said"]) == 6_291_554
    answer, _ = functions.call(name, 6_291_555)
    assert answer["Said"]["errorType"] == "Function.ResponseSizeTooLarge"


def test_reserved_concurrency_is_the_limit(functions):
    name = functions.make(ECHO)
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert functions.call(name, 1)[0]["Said"] == 1
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert refused(functions.call, name, 1)[0] == "TooManyRequestsException"


def test_one_more_than_reserved_is_refused(functions, tmp_path):
    code = """
import os, time

def handler(event, context):
    open(f"{event}/{os.getpid()}", "w").close()
    while not os.path.exists(f"{event}/open"):
        time.sleep(0.05)
"""
    tmp_path.chmod(0o777)
    name, folder = functions.make(code), str(tmp_path)
    functions.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(functions.call, name, folder) for _ in range(2)]
        wait_for(lambda: len(list(tmp_path.iterdir())) == 2, "two that run")
        try:
            with pytest.raises(ClientError) as caught:
                functions.call(name, folder)
        finally:
            (tmp_path / "open").touch()
        assert all("FunctionError" not in one.result()[0] for one in running)
    said = caught.value.response
    assert said["Error"]["Code"] == "TooManyRequestsException"
    assert said["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert said["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert "FunctionError" not in functions.call(name, folder)[0]


def test_an_event_of_1_mb_and_one_byte_more(functions):
    name = functions.make("def handler(event, context):\n    pass")
    most = "x" * (1_048_576 - 2)
    given = {"FunctionName": name, "InvocationType": "Event"}
    answer = functions.client.invoke(Payload=json.dumps(most), **given)
    assert answer["StatusCode"] == 202
    code, message = refused(functions.client.invoke, Payload=json.dumps(most + "x"), **given)
    assert (code, "1048576 bytes" in message) == ("RequestTooLargeException", True)


def test_an_event_is_answered_before_it_runs(functions):
    name = functions.make("def handler(event, context):\n    print('ran', event)")
    answer = functions.client.invoke(FunctionName=name, InvocationType="Event", Payload=b"7")
    assert answer["StatusCode"] == 202

    def ran():
        found = functions.logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")
        return (
            found["logGroups"]
            and functions.logs.filter_log_events(
                logGroupName=f"/aws/lambda/{name}", filterPattern="ran"
            )["events"]
        )

    wait_for(ran, "the event's log line")


def test_a_dry_run_runs_nothing(functions):
    name = functions.make(ECHO)
    answer = functions.client.invoke(FunctionName=name, InvocationType="DryRun")
    assert answer["StatusCode"] == 204


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        ({"Role": "arn:aws:iam::123456789012:role/nobody"}, "InvalidParameterValue", "assumed"),
        ({"Runtime": "nodejs22.x"}, "InvalidParameterValue", "functions of Python"),
        ({"MemorySize": 10_241}, "ValidationException", "less than or equal to 10240"),
        ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
        ({"Code": {"ZipFile": b"no zip"}}, "InvalidParameterValue", "Could not unzip"),
        (
            {"Code": {"S3Bucket": "never-made-by-anybody", "S3Key": "a.zip"}},
            "InvalidParameterValue",
            "GetObject. S3 Error Code: NoSuchBucket",
        ),
        ({"PackageType": "Image", "Code": {"ImageUri": "a:b"}}, "InvalidParameterValue", "images"),
    ],
)
def test_what_cannot_run_is_refused(functions, given, code, says):
    found, message = refused(functions.make, ECHO, **given)
    assert found.startswith(code) and says in message


def test_a_role_that_lambda_may_not_assume_is_refused(functions):
    role = functions.make_role("ecs-tasks.amazonaws.com")
    assert "cannot be assumed" in refused(functions.make, ECHO, Role=role)[1]


@pytest.mark.parametrize(
    ("statement", "fits"),
    [
        ({"Principal": {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}}, True),
        ({"Action": ["sts:AssumeRole", "sts:TagSession"]}, True),
        ({"Effect": "Deny"}, False),
        ({"Action": "sts:TagSession"}, False),
        ({"Principal": {"AWS": "*"}, "Sid": "lambda.amazonaws.com"}, False),
    ],
)
def test_a_trust_policy_is_read_as_a_policy(statement, fits):
    whole = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    whole |= {"Principal": {"Service": "lambda.amazonaws.com"}, **statement}
    for statements in (whole, [whole]):
        policy = {"Version": "2012-10-17", "Statement": statements}
        assert trust.trusts(json.dumps(policy), "lambda.amazonaws.com") is fits


def test_settings_of_events_take_the_place_of_older_ones(functions):
    name = functions.make(ECHO, DeadLetterConfig={"TargetArn": QUEUE})
    client = functions.client
    shown = client.get_function_configuration(FunctionName=name)
    assert shown["DeadLetterConfig"] == {"TargetArn": QUEUE}
    for most in (0, 1):
        client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=most)
    client.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60)
    known = client.get_function_event_invoke_config(FunctionName=name)
    assert (known["MaximumRetryAttempts"], known["MaximumEventAgeInSeconds"]) == (1, 60)
    code, _ = refused(functions.make, ECHO, DeadLetterConfig={"TargetArn": "arn:aws:s3:::b"})
    assert code == "InvalidParameterValueException"


def test_what_is_no_json_is_refused(functions):
    name = functions.make(ECHO)
    code, _ = refused(functions.client.invoke, FunctionName=name, Payload=b"{no")
    assert code == "InvalidRequestContentException"
