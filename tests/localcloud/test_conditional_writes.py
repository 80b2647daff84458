"""Conditional writes: what lets several tasks publish one object without a lock of their own."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
from live import client


@pytest.mark.parametrize("exists", [False, True], ids=["IfNoneMatch", "IfMatch"])
def test_of_many_at_once_one_succeeds(cloud, exists):
    s3, bucket = client(cloud, "s3"), f"race-{secrets.token_hex(4)}"
    s3.create_bucket(Bucket=bucket)

    def write(key, number, condition):
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=b"%d" % number, **condition)
        except s3.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed"
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        for key in map(str, range(15)):
            condition = {"IfNoneMatch": "*"}
            if exists:
                condition = {"IfMatch": s3.put_object(Bucket=bucket, Key=key, Body=b"")["ETag"]}
            won = list(pool.map(lambda n, c=condition, k=key: write(k, n, c), range(8)))
            assert sum(won) == 1
            stored = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            assert stored == b"%d" % won.index(True)
