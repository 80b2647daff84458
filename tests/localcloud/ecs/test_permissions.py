"""IAM policies of a task's two roles, seen from inside the task and in its stopped reason."""

import json
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from ecs_lab import ACCOUNT, EVERYTHING_AN_AGENT_NEEDS, REGION

LAKE = "arn:aws:s3:::permitted"


def session(lab, role, signature="v4", **options):
    """Clients that sign with the role's temporary keys, as a task does."""
    keys = lab.client("sts").assume_role(RoleArn=lab.role(role), RoleSessionName="me")
    keys = keys["Credentials"]
    return lambda service: boto3.client(
        service,
        region_name=REGION,
        endpoint_url=lab.server.endpoint,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=options.get("token", keys["SessionToken"]),
        config=Config(proxies={}, retries={"max_attempts": 0}, signature_version=signature),
    )


def refused(call, **parameters):
    """Whether the call is denied; any other error is one of the test."""
    try:
        call(**parameters)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code in ("AccessDenied", "AccessDeniedException", "403"), error
        return True
    return False


@pytest.fixture(scope="module")
def lake(lab):
    """A bucket, and roles: "reader" may read raw/, "writer" all of it but not list."""
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="permitted")
    s3.put_object(Bucket="permitted", Key="raw/a", Body=b"a")
    s3.put_object(Bucket="permitted", Key="other/a", Body=b"a")
    lab.make_role("reader", ["s3:GetObject"], f"{LAKE}/raw/*")
    lab.make_role("lister", ["s3:ListBucket"], LAKE)
    actions = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    lab.make_role("writer", actions, f"{LAKE}/out/*")
    return lab


def test_a_task_role_that_may_not_read_the_bucket(lake):
    code = (
        "import boto3, botocore.exceptions, sys\n"
        "s3 = boto3.client('s3')\n"
        "try: print(s3.get_object(Bucket='permitted', Key=sys.argv[1])['Body'].read())\n"
        "except botocore.exceptions.ClientError as error: sys.exit(str(error))\n"
    )
    sizes = {"cpu": "1024", "memory": "2048", "taskRoleArn": lake.role("reader")}

    def run(key):
        task = lake.result("", family="lake", container={"command": [code, key]}, **sizes)
        return task["containers"][0]["exitCode"], *lake.lines(task)

    assert run("raw/a") == (0, "b'a'")
    exit_code, said = run("other/a")
    assert exit_code == 1
    assert "(AccessDenied) when calling the GetObject operation" in said
    assert f"assumed-role/reader/{'' if '/' in said else None}" in said
    assert f"s3:GetObject on resource: {LAKE}/other/a because no identity-based policy" in said


def test_s3_operations_need_the_actions_that_aws_names(lake):
    reader, lister, writer = (session(lake, role)("s3") for role in ("reader", "lister", "writer"))
    here = {"Bucket": "permitted"}
    raw, out = {**here, "Key": "raw/a"}, {**here, "Key": "out/a"}
    assert not refused(reader.get_object, **raw)
    assert not refused(reader.head_object, **raw)
    assert refused(reader.head_object, **{**raw, "Key": "other/a"})
    assert refused(reader.list_objects_v2, **here)
    assert refused(reader.head_bucket, **here)
    assert not refused(lister.list_objects_v2, **here)
    assert not refused(lister.head_bucket, **here)
    assert refused(lister.list_buckets)
    assert refused(reader.put_object, **raw, Body=b"")
    assert not refused(writer.put_object, **out, Body=b"x")
    assert refused(writer.put_object, **{**out, "Key": "raw/b"}, Body=b"x")
    assert refused(writer.copy_object, **out, CopySource="permitted/raw/a")
    upload = writer.create_multipart_upload(**out)["UploadId"]
    part = writer.upload_part(**out, UploadId=upload, PartNumber=1, Body=b"y")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    writer.complete_multipart_upload(**out, UploadId=upload, MultipartUpload=parts)
    assert refused(reader.create_multipart_upload, **raw)
    assert refused(writer.delete_object, **raw)
    assert not refused(writer.delete_object, **out)


def test_deleting_several_objects(lake):
    writer, own = session(lake, "writer")("s3"), lake.client("s3")
    for key in ("out/1", "out/2"):
        own.put_object(Bucket="permitted", Key=key, Body=b"")

    def delete(*keys):
        listed = {"Objects": [{"Key": key} for key in keys]}
        return writer.delete_objects(Bucket="permitted", Delete=listed)

    answer = delete("out/1", "raw/a")
    assert {error["Code"] for error in answer["Errors"]} == {"AccessDenied"}
    assert own.head_object(Bucket="permitted", Key="raw/a")
    assert {one["Key"] for one in delete("out/1", "out/2")["Deleted"]} == {"out/1", "out/2"}


@pytest.mark.parametrize("signature", ["s3", "s3v4"])
def test_a_presigned_url_carries_its_signers_permissions(lake, signature):
    reader = session(lake, "reader", signature)("s3")

    def get(key):
        url = reader.generate_presigned_url("get_object", {"Bucket": "permitted", "Key": key})
        return urllib.request.urlopen(url, timeout=5).read()

    assert get("raw/a") == b"a"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        get("other/a")


def test_a_wrong_session_token(lake):
    wrong = session(lake, "reader", token="made up")
    with pytest.raises(ClientError, match="token") as caught:
        wrong("s3").get_object(Bucket="permitted", Key="raw/a")
    assert caught.value.response["Error"]["Code"] == "InvalidToken"
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        wrong("logs").describe_log_groups()


def test_other_services(lake):
    lab = lake
    lab.make_role("narrow", ["logs:PutLogEvents", "logs:CreateLogStream"], "*")
    lab.make_role(
        "tables", ["dynamodb:GetItem"], f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/flights"
    )
    narrow, tables = session(lab, "narrow"), session(lab, "tables")
    assert not refused(narrow("logs").create_log_stream, logGroupName="/test", logStreamName="n")
    assert refused(narrow("logs").delete_log_group, logGroupName="/test")
    assert refused(narrow("ecs").list_tasks, cluster="test")
    assert refused(narrow("iam").create_user, UserName="me")
    assert narrow("sts").get_caller_identity()["Arn"].endswith("assumed-role/narrow/me")
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        narrow("ec2").describe_instances()
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        tables("dynamodb").get_item(TableName="flights", Key={"a": {"S": "b"}})
    assert refused(tables("dynamodb").list_tables)


def test_an_explicit_deny_wins(lake):
    lake.make_role("mostly", ["s3:*"])
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"{LAKE}/other/*"}
    lake.client("iam").put_role_policy(
        RoleName="mostly",
        PolicyName="not",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )
    s3 = session(lake, "mostly")("s3")
    assert not refused(s3.get_object, Bucket="permitted", Key="raw/a")
    assert refused(s3.get_object, Bucket="permitted", Key="other/a")


def test_the_labs_own_keys_may_do_everything(lake):
    assert lake.client("s3").list_buckets()["Buckets"]
    assert lake.client("iam").list_roles()["Roles"]


def stopped(lab, actions, name, resource="*", **container):
    role = lab.make_role(name, actions, resource)
    task = lab.result("print(1)", family="rights", container=container, executionRoleArn=role)
    assert task["stopCode"] == "TaskFailedToStart" or task["containers"][0]["exitCode"] == 0
    return task["stoppedReason"]


def test_a_secret_that_the_execution_role_may_not_read(lab):
    arn = lab.client("secretsmanager").create_secret(Name="s/closed", SecretString="x")["ARN"]
    wanted = {"secrets": [{"name": "IT", "valueFrom": arn}]}
    basics = ["ecr:*", "logs:*"]
    said = stopped(lab, basics, "no-secret", **wanted)
    assert said.startswith(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
        "retrieval failed: unable to retrieve secret from asm: service call has been retried 1 "
        f"time(s): failed to fetch secret {arn} from secrets manager: AccessDeniedException: User:"
    )
    assert f"is not authorized to perform: secretsmanager:GetSecretValue on resource: {arn}" in said
    other = stopped(lab, EVERYTHING_AN_AGENT_NEEDS, "other-secret", f"{arn}-other", **wanted)
    assert "secretsmanager:GetSecretValue" in other
    assert "exited" in stopped(lab, EVERYTHING_AN_AGENT_NEEDS, "secret", **wanted)
    by_name = session(lab, "secret")("secretsmanager")
    assert by_name.get_secret_value(SecretId="s/closed")["SecretString"] == "x"


def test_an_execution_role_without_ecr_or_logs(lab):
    said = stopped(lab, ["logs:*"], "no-ecr")
    assert "unable to retrieve ecr registry auth" in said
    assert "ecr:GetAuthorizationToken on resource: * because" in said
    said = stopped(lab, ["ecr:GetAuthorizationToken", "logs:*"], "no-pull")
    assert said.startswith("CannotPullContainerError")
    assert "403 Forbidden" in said
    said = stopped(lab, ["ecr:*"], "no-logs")
    assert said.startswith("ResourceInitializationError: failed to validate logger args")
    assert "logs:CreateLogStream on resource" in said
