"""Pre-signed URLs of S3: how long they hold, and that nobody can change them."""

import datetime as dt
import json
import re
import time

import boto3
import httpx
import pytest
from botocore.config import Config
from live import client

BUCKET, KEY = "handed-out", "curated/month=2013-01/a b+ü~.csv"
WEEK = 7 * 24 * 3600


@pytest.fixture(scope="module")
def bucket(cloud):
    s3 = client(cloud, "s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"rows")


def signer(cloud, version="s3v4", *keys):
    keys = keys or ("drydock", "drydock")
    config = Config(signature_version=version, s3={"addressing_style": "path"})
    session = boto3.Session(*keys, region_name="us-east-1")
    return session.client("s3", endpoint_url=cloud.endpoint, config=config)


def link(s3, seconds=60, **more):
    return s3.generate_presigned_url(
        "get_object", {"Bucket": BUCKET, "Key": KEY, **more}, ExpiresIn=seconds
    )


def get(url):
    """The status, and S3's code and message."""
    answer = httpx.get(url, trust_env=False, timeout=20)
    said = [re.findall(f"<{name}>(.*?)</", answer.text) for name in ("Code", "Message")]
    return answer.status_code, *(found[0] if found else None for found in said)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
@pytest.mark.parametrize(
    ("ago", "wanted"),
    [(45, (200, None, None)), (75, (403, "AccessDenied", "Request has expired"))],
)
def test_a_url_holds_for_its_seconds_and_no_more(cloud, bucket, monkeypatch, version, ago, wanted):
    signed = time.time() - ago
    moment = dt.datetime.fromtimestamp(signed, dt.UTC).replace(tzinfo=None)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: moment)
    monkeypatch.setattr("botocore.auth.time.time", lambda: signed)
    url = link(signer(cloud, version), 60)
    monkeypatch.undo()
    assert get(url) == wanted


def test_a_url_of_tomorrow_does_not_hold_yet(cloud, bucket, monkeypatch):
    moment = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(days=1)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: moment)
    url = link(signer(cloud))
    monkeypatch.undo()
    assert get(url) == (403, "AccessDenied", "Request is not valid yet")


def test_a_week_is_the_longest(cloud, bucket):
    assert get(link(signer(cloud), WEEK))[0] == 200
    status, code, message = get(link(signer(cloud), WEEK + 1))
    assert (status, code) == (400, "AuthorizationQueryParametersError")
    assert "604800" in message


@pytest.mark.parametrize("seconds", ["-1", "soon", ""])
def test_seconds_that_are_none_are_refused(cloud, bucket, seconds):
    url = link(signer(cloud)).replace("X-Amz-Expires=60", f"X-Amz-Expires={seconds}")
    assert get(url)[:2] == (400, "AuthorizationQueryParametersError")


def test_nothing_of_a_url_can_be_changed(cloud, bucket):
    url = link(signer(cloud))
    assert get(url)[0] == 200
    changed = [
        url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        url.replace("curated", "quarantine"),
        url + "&response-content-type=text/html",
        url[:-4] + "0000",
        url.partition("&X-Amz-Signature")[0],
        link(signer(cloud, "s3v4", "drydock", "guessed")),
    ]
    assert {get(one)[:2] for one in changed} == {(403, "SignatureDoesNotMatch")}
    answer = httpx.delete(url, trust_env=False)
    assert answer.status_code == 403
    with_kind = link(signer(cloud), ResponseContentType="text/csv")
    assert httpx.get(with_kind, trust_env=False).headers["content-type"] == "text/csv"


def test_what_is_put_needs_the_headers_that_were_signed(cloud, bucket):
    s3 = signer(cloud)
    where = {"Bucket": BUCKET, "Key": "put", "ContentType": "text/csv"}
    url = s3.generate_presigned_url("put_object", where, ExpiresIn=60)

    def put(kind):
        return httpx.put(url, content=b"x", headers={"Content-Type": kind}, trust_env=False)

    assert put("text/html").status_code == 403
    assert put("text/csv").status_code == 200


def test_a_role_session_signs_with_its_own_secret(cloud, bucket):
    iam, sts = client(cloud, "iam"), client(cloud, "sts")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    arn = iam.create_role(RoleName="hands-out", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    may = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_role_policy(RoleName="hands-out", PolicyName="may", PolicyDocument=document)
    found = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    keys = found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
    assert get(link(signer(cloud, "s3v4", *keys)))[0] == 200
    forged = signer(cloud, "s3v4", keys[0], "guessed", keys[2])
    assert get(link(forged))[:2] == (403, "SignatureDoesNotMatch")
