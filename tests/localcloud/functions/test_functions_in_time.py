"""What Lambda does after a while: tries failed events again, ends idle environments, stops a slow
init phase. The server's waits are short here; nothing else of it is changed."""

import json

import psutil
import pytest
from functions_lab import FunctionsLab
from live import client, temporary_home, wait_for

from drydock import cloud as local_cloud

FAILS = """
def handler(event, context):
    print("tried", context.aws_request_id)
    raise OSError("no")
"""


@pytest.fixture(scope="module")
def quick():
    with temporary_home() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRYDOCK_LAMBDA_PACE", "120")
        cloud = local_cloud.start(home, port=0)
        lab = FunctionsLab(cloud)
        lab.sqs, lab.home = client(cloud, "sqs"), home
        yield lab
        local_cloud.stop(home)


def queue(lab, name):
    url = lab.sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
    lab.iam.put_role_policy(
        RoleName=lab.role.rpartition("/")[2],
        PolicyName=name,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    return url, arn


def message(lab, url):
    def one():
        found = lab.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])
        return found.get("Messages")

    (got,) = wait_for(one, "a message")
    return got


def tries(lab, name):
    """The request id of each try, by the log."""
    events = lab.logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="tried")[
        "events"
    ]
    return [one["message"].split()[1] for one in events]


def test_a_failed_event_is_tried_twice_again_and_ends_in_the_queue(quick):
    url, arn = queue(quick, "dead")
    name = quick.make(FAILS, DeadLetterConfig={"TargetArn": arn})
    quick.client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 1}')
    got = message(quick, url)
    said = {key: one["StringValue"] for key, one in got["MessageAttributes"].items()}
    assert got["Body"] == '{"n": 1}'
    assert (said["ErrorCode"], said["ErrorMessage"]) == ("200", "no")
    assert tries(quick, name) == [said["RequestID"]] * 3


def test_without_retries_the_destination_gets_the_record(quick):
    url, arn = queue(quick, "failed")
    name = quick.make(FAILS)
    quick.client.put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    quick.client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 2}')
    record = json.loads(message(quick, url)["Body"])
    context = record["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetriesExhausted", 1)
    assert record["requestPayload"] == {"n": 2}
    assert record["responsePayload"]["errorMessage"] == "no"
    assert tries(quick, name) == [context["requestId"]]


def test_a_throttled_event_runs_when_there_is_room(quick):
    url, arn = queue(quick, "done")
    name = quick.make("def handler(event, context):\n    return event * 2")
    quick.client.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    quick.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    quick.client.invoke(FunctionName=name, InvocationType="Event", Payload=b"21")
    quick.client.delete_function_concurrency(FunctionName=name)
    record = json.loads(message(quick, url)["Body"])
    assert (record["requestContext"]["condition"], record["responsePayload"]) == ("Success", 42)


def test_an_idle_environment_ends_and_leaves_no_process(quick):
    name = quick.make("import os\ndef handler(event, context):\n    return os.getpid()")
    pid = quick.call(name)[0]["Said"]
    wait_for(lambda: not psutil.pid_exists(pid), "the end of the idle process")
    wait_for(lambda: not any((quick.home / "functions").iterdir()), "an empty folder")
    assert "Init Duration" in quick.call(name)[1]


def test_a_failed_init_phase_is_tried_once_more(quick):
    code = "print('starting')\nraise OSError('no')\ndef handler(event, context):\n    pass"
    answer, log = quick.call(quick.make(code))
    assert answer["Said"]["errorMessage"] == "no"
    assert log.count("starting\n") == 2
    assert "Phase: init\tStatus: error\tError Type: OSError" in log
    assert log.index("INIT_REPORT") < log.index("START RequestId")


def test_an_init_phase_that_fails_once_does_no_harm(quick, tmp_path):
    tmp_path.chmod(0o777)
    mark = tmp_path / "started"
    code = (
        f"import os\nmark = {str(mark)!r}\n"
        "if not os.path.exists(mark):\n    open(mark, 'w').close()\n    os._exit(7)\n"
        "def handler(event, context):\n    return event"
    )
    name = quick.make(code)
    answer, log = quick.call(name, 5)
    assert answer["Said"] == 5
    assert "Phase: init\tStatus: error\tError Type: Runtime.ExitError" in log
    assert quick.call(name, 6)[0]["Said"] == 6


@pytest.mark.slow
def test_an_init_phase_has_10_seconds_and_then_the_function_s_own(quick):
    name = quick.make("import time\ntime.sleep(600)\ndef handler(e, c):\n    pass", Timeout=1)
    answer, log = quick.call(name)
    assert answer["Said"]["errorType"] == "Sandbox.Timedout"
    assert answer["Said"]["errorMessage"].endswith("Task timed out after 1.00 seconds")
    (spent,) = [float(s.split()[3]) for s in log.splitlines() if s.startswith("INIT_REPORT")]
    assert spent >= 10_000
    assert "Phase: init\tStatus: timeout" in log
