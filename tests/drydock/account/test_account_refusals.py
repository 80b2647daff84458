"""Whatever stands in the way of an account is one line, with what to type, and no secret."""

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, UnauthorizedSSOTokenError
from botocore.stub import Stubber
from click.testing import CliRunner

from drydock.account import access, stack
from drydock.cli import main

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/drydock/1"
NESTED = "arn:aws:cloudformation:us-east-1:123456789012:stack/drydock-KubernetesStack/2"


@pytest.fixture
def keys(monkeypatch, tmp_path):
    """Credentials of an account in the environment, and nothing in files."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


@pytest.fixture
def stubs(keys, monkeypatch):
    """One stubbed client for each service: no request leaves the machine."""
    made = {}
    session = boto3.Session(region_name="us-east-1")

    def stubbed(_, service):
        if service not in made:
            client = session.client(service)
            made[service] = (client, Stubber(client))
            made[service][1].activate()
        return made[service][0]

    monkeypatch.setattr(access.Account, "client", stubbed)
    return lambda service: (stubbed(None, service), made[service][1])[1]


def said(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["aws", *arguments])
    assert SECRET not in done.output and KEY not in done.output
    return done.exit_code, done.output.strip()


@pytest.mark.parametrize("command", ["up", "down"])
def test_no_credentials(keys, monkeypatch, command):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    code, line = said(command)
    assert code == 3 and "\n" not in line
    assert line.startswith("drydock: no AWS credentials") and "type: aws configure" in line


def test_a_profile_that_is_not_there(keys, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    code, line = said("up")
    assert code == 3 and "nobody" in line and "aws configure" in line and "\n" not in line


@pytest.mark.parametrize(
    ("code", "words", "next_command"),
    [
        ("ExpiredToken", "has expired", "aws sso login"),
        ("InvalidClientTokenId", "refuses these credentials", "aws configure"),
        ("SignatureDoesNotMatch", "refuses these credentials", "aws configure"),
        ("AccessDenied", "may not do it", "AWS_PROFILE"),
    ],
)
@pytest.mark.parametrize("command", ["up", "down"])
def test_credentials_that_aws_refuses(stubs, command, code, words, next_command):
    stubs("sts").add_client_error("get_caller_identity", code, "sorry")
    exit_code, line = said(command)
    assert exit_code == 3 and "\n" not in line
    assert words in line and next_command in line


@pytest.mark.parametrize("command", ["up", "down"])
@pytest.mark.parametrize("region", ["eu-central-1", "us-esat-1"])
def test_a_region_without_prices(stubs, command, region):
    code, line = said(command, "--region", region)
    assert (code, "\n" in line) == (2, False)
    assert region in line and line.endswith("add --region us-east-1")


def test_the_region_of_the_credentials_counts(stubs, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_REGION")
    code, line = said("up")
    assert code == 2 and "eu-central-1" in line


@pytest.mark.parametrize("budget", ["0", "nothing", "-3", "NaN", "0.5"])
def test_a_budget_that_is_none(keys, budget):
    code, line = said("up", f"--budget={budget}")
    assert code == 2 and "such as --budget 5" in line


def test_an_endpoint_that_is_no_address(keys):
    assert said("down", "--endpoint", "localhost:5566")[0] == 2


def test_keys_of_an_account_are_not_shown_to_this_machine(stubs, monkeypatch):
    stubs("sts").add_response("get_caller_identity", {"Account": "123456789012"})
    account = access.open_account(endpoint="http://localhost:5566")
    assert account.local
    assert account.session.get_credentials().secret_key == "drydock"


def test_what_is_no_answer_of_aws():
    nowhere = EndpointConnectionError(endpoint_url="https://sts.us-east-1.amazonaws.com")
    assert "cannot be reached" in access.refusal(nowhere)
    assert access.refusal(UnauthorizedSSOTokenError()).endswith("aws sso login")


def denied(words: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDenied", "Message": words}}, "CreateStack")


def test_a_policy_of_the_organisation_is_told_from_missing_rights():
    user = "User: arn:aws:iam::123456789012:user/me is not authorized to perform: ecs:CreateCluster"
    mine = access.refusal(denied(f"{user} because no identity-based policy allows it"))
    theirs = access.refusal(denied(f"{user} with an explicit deny in a service control policy"))
    assert "may not do it" in mine and "organisation" not in mine
    assert "policy of the organisation forbids it" in theirs and "ask its administrators" in theirs


def test_what_aws_encodes_for_administrators_is_left_out():
    words = f"You are not authorized. Encoded authorization failure message: {'x' * 900}"
    assert "xxx" not in access.refusal(denied(words))


def event(number: int, name: str, kind: str, status: str, why: str = "", at: str = STACK, of=""):
    return {
        "StackId": at,
        "EventId": str(number),
        "StackName": "drydock",
        "LogicalResourceId": name,
        "PhysicalResourceId": of or name,
        "ResourceType": kind,
        "Timestamp": f"2026-01-01T00:00:{number:02}Z",
        "ResourceStatus": status,
        "ResourceStatusReason": why,
    }


def reason(stubs, *pages: list[dict]) -> str:
    for page in pages:
        newest_first = sorted(page, key=lambda one: -int(one["EventId"]))
        stubs("cloudformation").add_response("describe_stack_events", {"StackEvents": newest_first})
    return stack.reason(access.Account(boto3.Session(region_name="us-east-1")), STACK)


def test_the_first_failure_is_the_reason_and_a_quota_is_called_so(stubs):
    line = reason(
        stubs,
        [
            event(1, "Vpc", "AWS::EC2::VPC", "CREATE_COMPLETE"),
            event(2, "NatAddress", "AWS::EC2::EIP", "CREATE_FAILED",
                  "The maximum number of addresses has been reached. (AddressLimitExceeded)"),
            event(3, "Lake", "AWS::S3::Bucket", "CREATE_FAILED", "Resource creation cancelled"),
            event(4, "drydock", "AWS::CloudFormation::Stack", "ROLLBACK_FAILED", "many", of=STACK),
        ],
    )  # fmt: skip
    assert line.startswith("NatAddress (AWS::EC2::EIP): a quota of the account is in the way")
    assert "servicequotas" in line


def test_the_reason_in_a_nested_stack_is_found_there(stubs):
    outer = event(1, "KubernetesStack", "AWS::CloudFormation::Stack", "CREATE_FAILED",
                  "Embedded stack was not created", of=NESTED)  # fmt: skip
    inner = event(2, "Cluster", "AWS::EKS::Cluster", "CREATE_FAILED",
                  "with an explicit deny in a service control policy", at=NESTED)  # fmt: skip
    line = reason(stubs, [outer], [inner])
    assert line.startswith("Cluster (AWS::EKS::Cluster): a policy of the organisation forbids it")


def nothing_there(stubs) -> None:
    """An account with neither stack nor bucket."""
    stubs("sts").add_response("get_caller_identity", {"Account": "123456789012"})
    stubs("cloudformation").add_client_error(
        "describe_stacks", "ValidationError", "Stack with id drydock does not exist"
    )
    stubs("s3").add_client_error("list_objects_v2", "NoSuchBucket")


def test_a_stack_that_is_refused_at_once_leaves_a_line_on_how_to_clear(stubs, monkeypatch):
    nothing_there(stubs)
    monkeypatch.setattr("drydock.account.files.upload", lambda account: None)
    stubs("cloudformation").add_client_error(
        "create_stack", "LimitExceededException", "Limit for stacks has been exceeded"
    )
    code, lines = said("up", "--yes")
    assert code == 3
    last = lines.splitlines()[-1]
    assert "a quota of the account is in the way" in last and last.endswith("drydock aws down")


def test_a_half_made_stack_is_not_taken_for_a_lab(stubs):
    stubs("sts").add_response("get_caller_identity", {"Account": "123456789012"})
    found = {
        "StackName": "drydock",
        "CreationTime": "2026-01-01T00:00:00Z",
        "StackStatus": "ROLLBACK_COMPLETE",
    }
    stubs("cloudformation").add_response("describe_stacks", {"Stacks": [found]})
    code, lines = said("up", "--yes")
    assert code == 3 and "ROLLBACK_COMPLETE" in lines and lines.endswith("drydock aws down")


def test_ctrl_c_ends_with_130_and_says_what_clears_it(stubs, monkeypatch):
    nothing_there(stubs)

    def interrupted(account):
        raise KeyboardInterrupt

    monkeypatch.setattr("drydock.account.files.upload", interrupted)
    code, lines = said("up", "--yes")
    assert code == 130 and "interrupted; type: drydock aws down" in lines


def test_rows_that_no_stack_has_made_are_not_taken_over(stubs):
    stubs("sts").add_response("get_caller_identity", {"Account": "123456789012"})
    stubs("cloudformation").add_client_error(
        "describe_stacks", "ValidationError", "Stack with id drydock does not exist"
    )
    stubs("s3").add_response("list_objects_v2", {"Contents": [{"Key": "raw/1"}]})
    code, lines = said("up", "--yes")
    assert code == 2 and "the bucket drydock-123456789012 is there already" in lines
    assert "CREATE" not in lines


@pytest.mark.parametrize(
    ("status", "name"),
    [("CREATE_COMPLETE", "drydock-1"), ("CREATE_FAILED", None), ("DELETE_COMPLETE", None)],
)
def test_a_bucket_that_was_there_before_is_not_the_stacks(stubs, status, name):
    lake = {
        "LogicalResourceId": "Lake",
        "PhysicalResourceId": "drydock-1",
        "ResourceType": "AWS::S3::Bucket",
        "ResourceStatus": status,
        "Timestamp": "2026-01-01T00:00:00Z",
    }
    stubs("cloudformation").add_response("describe_stack_resources", {"StackResources": [lake]})
    account = access.Account(boto3.Session(region_name="us-east-1"))
    assert stack.owned(account, "Lake") == name
