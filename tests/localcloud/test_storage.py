"""What was acknowledged is there after SIGKILL; what was deleted stays deleted."""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import time

import httpx
import moto
import pytest
from botocore.exceptions import ClientError
from live import client, kill

from drydock import cloud

BUCKET = "kept"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


SAVES_BADLY = """
import sys
from pathlib import Path
from localcloud import storage
from localcloud.home import Home
storage.RETRY_DELAY = 0.1
tries = []
def save_all(self):
    tries.append(1)
    if len(tries) < 3:
        raise OSError(28, "No space left on device")
    print("saved at the third try", flush=True)
storage.Storage._save_all = save_all
storage.Storage(Home(Path(sys.argv[1]))).save_soon()
import time; time.sleep(20)
"""


def restart_after_kill(info):
    kill(info)
    return cloud.start(info.home, port=0)


def body(s3, key, **more):
    return s3.get_object(Bucket=BUCKET, Key=key, **more)["Body"].read()


def keys(s3):
    return [o["Key"] for o in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


@pytest.fixture
def info(home):
    started = cloud.start(home, port=0)
    client(started, "s3").create_bucket(Bucket=BUCKET)
    return started


def test_every_kind_of_acknowledged_write_survives_two_kills(info):
    s3 = client(info, "s3")
    small, large = b"\x00\xffbytes", os.urandom(6 << 20)
    s3.put_object(
        Bucket=BUCKET, Key="a/b c/ü.bin", Body=small, Metadata={"k": "v"}, ContentType="x/y"
    )
    s3.put_object(Bucket=BUCKET, Key="replaced", Body=b"old")
    s3.put_object(Bucket=BUCKET, Key="replaced", Body=b"new")
    s3.put_object(Bucket=BUCKET, Key="deleted", Body=b"gone")
    s3.delete_object(Bucket=BUCKET, Key="deleted")
    s3.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/replaced")
    s3.put_object_tagging(
        Bucket=BUCKET, Key="copy", Tagging={"TagSet": [{"Key": "colour", "Value": "blue"}]}
    )
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    parts = [
        s3.upload_part(Bucket=BUCKET, Key="parts", UploadId=upload, PartNumber=n, Body=b)["ETag"]
        for n, b in ((1, large), (2, small))
    ]
    s3.complete_multipart_upload(
        Bucket=BUCKET,
        Key="parts",
        UploadId=upload,
        MultipartUpload={
            "Parts": [{"ETag": e, "PartNumber": n} for n, e in enumerate(parts, start=1)]
        },
    )
    etag = s3.head_object(Bucket=BUCKET, Key="parts")["ETag"]
    iam, secrets, ecr = (client(info, name) for name in ("iam", "secretsmanager", "ecr"))
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(
        RoleName="r",
        PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
    )
    secrets.create_secret(Name="s", SecretString="one")
    secrets.put_secret_value(SecretId="s", SecretString="two")
    ecr.create_repository(repositoryName="etl")
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    )
    ecr.put_image(repositoryName="etl", imageManifest=manifest, imageTag="1")
    allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy)

    for _ in range(2):
        info = restart_after_kill(info)
        s3, iam = client(info, "s3"), client(info, "iam")
        got = s3.get_object(Bucket=BUCKET, Key="a/b c/ü.bin")
        assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (
            small,
            {"k": "v"},
            "x/y",
        )
        assert keys(s3) == ["a/b c/ü.bin", "copy", "empty", "parts", "replaced"]
        assert body(s3, "replaced") == body(s3, "copy") == b"new"
        assert body(s3, "empty") == b""
        assert body(s3, "parts") == large + small
        assert s3.head_object(Bucket=BUCKET, Key="parts")["ETag"] == etag
        tags = s3.get_object_tagging(Bucket=BUCKET, Key="copy")["TagSet"]
        assert tags == [{"Key": "colour", "Value": "blue"}]
        role = iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
        assert [p["PolicyName"] for p in role] == ["AmazonECSTaskExecutionRolePolicy"]
        assert iam.get_role_policy(RoleName="r", PolicyName="p")["PolicyDocument"] == json.loads(
            policy
        )
        secret = client(info, "secretsmanager").get_secret_value(SecretId="s")
        assert secret["SecretString"] == "two"
        images = client(info, "ecr").batch_get_image(
            repositoryName="etl", imageIds=[{"imageTag": "1"}]
        )["images"]
        assert images[0]["imageManifest"] == manifest
        assert info.messages[0].startswith("The last local cloud (pid ")


def test_the_last_of_hundreds_of_objects_survives(info):
    s3 = client(info, "s3")
    contents = {f"k{n:03}": os.urandom(100) for n in range(300)}
    for key, content in contents.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    s3.delete_objects(
        Bucket=BUCKET, Delete={"Objects": [{"Key": f"k{n:03}"} for n in range(0, 300, 2)]}
    )
    info = restart_after_kill(info)
    s3 = client(info, "s3")
    assert {key: body(s3, key) for key in keys(s3)} == {
        key: content for key, content in contents.items() if int(key[1:]) % 2
    }
    # no bytes are left of what is gone
    assert len(list((info.home / "objects").iterdir())) == 150


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"key=value&file=x", b"%\x00=", b""])
def test_an_object_may_have_the_content_type_of_a_form(info, content):
    """As `curl --data-binary @file` sends it to a presigned URL."""
    s3 = client(info, "s3")
    url = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "form"})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert httpx.put(url, content=content, headers=kind, trust_env=False).status_code == 200
    assert body(s3, "form") == content
    assert s3.head_object(Bucket=BUCKET, Key="form")["ContentType"] == kind["Content-Type"]


def test_what_could_not_be_saved_in_the_background_is_saved_later(home):
    """No other write comes after the one whose save failed."""
    server = subprocess.Popen(
        [sys.executable, "-c", SAVES_BADLY, str(home)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout.readline() == "saved at the third try\n"
    finally:
        server.kill()
        server.communicate()


def test_uploads_versions_and_deleted_buckets_survive(info):
    s3 = client(info, "s3")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="u")["UploadId"]
    part = s3.upload_part(Bucket=BUCKET, Key="u", UploadId=upload, PartNumber=1, Body=b"part")
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="versioned", Key="k", Body=b"1")["VersionId"]
    s3.put_object(Bucket="versioned", Key="k", Body=b"2")
    s3.delete_object(Bucket="versioned", Key="k")
    s3.create_bucket(Bucket="deleted")
    s3.delete_bucket(Bucket="deleted")

    s3 = client(restart_after_kill(info), "s3")
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == [BUCKET, "versioned"]
    done = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    s3.complete_multipart_upload(Bucket=BUCKET, Key="u", UploadId=upload, MultipartUpload=done)
    assert body(s3, "u") == b"part"
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="versioned", Key="k")
    old = s3.get_object(Bucket="versioned", Key="k", VersionId=first)
    assert old["Body"].read() == b"1"
    listed = s3.list_object_versions(Bucket="versioned")
    assert (len(listed["Versions"]), len(listed["DeleteMarkers"])) == (2, 1)


def test_logs_and_networks_survive_an_orderly_stop(info):
    logs, ec2 = client(info, "logs"), client(info, "ec2")
    now = int(time.time() * 1000)
    logs.create_log_group(logGroupName="/g")
    logs.create_log_stream(logGroupName="/g", logStreamName="s")
    logs.put_log_events(
        logGroupName="/g", logStreamName="s", logEvents=[{"timestamp": now, "message": "hello"}]
    )
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    client(info, "ssm").put_parameter(Name="/p", Value="v", Type="String")
    cloud.stop(info.home)
    info = cloud.start(info.home, port=0)
    events = client(info, "logs").get_log_events(logGroupName="/g", logStreamName="s")["events"]
    assert [event["message"] for event in events] == ["hello"]
    assert client(info, "ec2").describe_vpcs()["Vpcs"][0]["VpcId"] == vpc
    assert client(info, "ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "v"
    assert info.messages == []


def test_a_state_that_cannot_be_used_is_set_aside_with_a_message(info):
    client(info, "s3").put_object(Bucket=BUCKET, Key="k", Body=b"v")
    cloud.stop(info.home)
    state = info.home / "state" / "moto.sqlite"
    with sqlite3.connect(state) as database:
        database.execute("UPDATE about SET value = '1.0' WHERE name = 'moto'")
    database.close()
    again = cloud.start(info.home, port=0)
    assert f"written by moto 1.0, and this is {moto.__version__}" in again.messages[0]
    assert client(again, "s3").list_buckets()["Buckets"] == []
    (aside,) = (info.home / "set-aside").glob("*/objects/*")
    assert aside.read_bytes() == b"v"

    cloud.stop(info.home)
    state.write_bytes(b"half-written" + state.read_bytes()[100:5000])
    again = cloud.start(info.home, port=0)
    assert "moto.sqlite is damaged: moved what was there to" in again.messages[0]


def test_one_unreadable_row_costs_no_more_than_itself(info):
    s3 = client(info, "s3")
    for key in ("bad", "cut", "good"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    client(info, "secretsmanager").create_secret(Name="s", SecretString="kept")
    cloud.stop(info.home)
    with sqlite3.connect(info.home / "state" / "moto.sqlite") as database:
        database.execute("UPDATE rows SET data = substr(data, 1, 40) WHERE name = 'bad'")
    database.close()
    hashes = {hashlib.sha256(b"cut").hexdigest()}
    for file in (info.home / "objects").iterdir():
        if hashlib.sha256(file.read_bytes()).hexdigest() in hashes:
            file.write_bytes(b"c")
    again = cloud.start(info.home, port=0)
    assert [message.split(" could")[0] for message in again.messages] == [
        f"s3://{BUCKET}/bad",
        f"s3://{BUCKET}/cut",
    ]
    s3 = client(again, "s3")
    assert keys(s3) == ["good"]
    assert body(s3, "good") == b"good"
    secret = client(again, "secretsmanager").get_secret_value(SecretId="s")
    assert secret["SecretString"] == "kept"
