"""The bucket: whole objects in and out, with S3's errors in plain words."""

from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from etl.errors import InputFailure, ServiceFailure, one_line

MISSING = {"NoSuchKey", "NoSuchBucket", "404"}
CHANGED = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}
REFUSED = {"AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}


@dataclass(frozen=True)
class S3Store:
    """The objects of one bucket. A put is atomic: readers see the old object or the new one."""

    bucket: str
    client: object

    @classmethod
    def open(cls, bucket: str) -> "S3Store":
        retries = {"mode": "standard", "total_max_attempts": 3}
        config = Config(connect_timeout=5, read_timeout=60, retries=retries)
        try:
            return cls(bucket, boto3.client("s3", config=config))
        except (BotoCoreError, ValueError) as error:
            raise ServiceFailure(f"S3 cannot be used: {one_line(error)}") from None

    def name(self, key: str) -> str:
        """How messages call the object."""
        return f"s3://{self.bucket}/{key}"

    def etag(self, key: str) -> str | None:
        """ETag of an object; None when it does not exist."""
        try:
            return self.client.head_object(Bucket=self.bucket, Key=key)["ETag"].strip('"')
        except (BotoCoreError, ClientError) as error:
            if _code(error) in MISSING:
                return None
            raise self._failure(error, key, "read") from None

    def get(self, key: str) -> tuple[bytes, str]:
        """Content and ETag of an object, fetched whole; raise InputFailure when it is missing."""
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
            return answer["Body"].read(), answer["ETag"].strip('"')
        except (BotoCoreError, ClientError) as error:
            raise self._failure(error, key, "read") from None

    def keys(self, prefix: str) -> list[str]:
        """Keys of all objects that start with `prefix`."""
        pages = self.client.get_paginator("list_objects_v2")
        try:
            found = pages.paginate(Bucket=self.bucket, Prefix=prefix)
            return [entry["Key"] for page in found for entry in page.get("Contents", [])]
        except (BotoCoreError, ClientError) as error:
            raise self._failure(error, prefix, "listed") from None

    def put(self, key: str, data: bytes) -> None:
        try:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=data)
        except (BotoCoreError, ClientError) as error:
            raise self._failure(error, key, "written") from None

    def replace(self, key: str, data: bytes, etag: str | None) -> bool:
        """Put an object if its ETag still is this (None: if it does not exist); whether it was.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        try:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=data, **condition)
        except (BotoCoreError, ClientError) as error:
            if _code(error) in CHANGED or (etag is not None and _code(error) == "NoSuchKey"):
                return False
            raise self._failure(error, key, "written") from None
        return True

    def delete(self, key: str) -> None:
        """Remove an object; it need not exist."""
        try:
            self.client.delete_object(Bucket=self.bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            raise self._failure(error, key, "removed") from None

    def _failure(self, error: Exception, key: str, done: str) -> Exception:
        name = self.name(key)
        code = _code(error)
        if code in MISSING:
            what = f"bucket {self.bucket}" if code == "NoSuchBucket" else name
            return InputFailure(
                f"{what} does not exist; see what there is: "
                f"aws s3 ls s3://{self.bucket}/{key.rsplit('/', 1)[0]}/"
            )
        if code in REFUSED:
            return ServiceFailure(
                f"{name} cannot be {done}: {code}; check that it exists and that the task role "
                "may use it"
            )
        return ServiceFailure(f"{name} cannot be {done}: {one_line(error)}; run the task again")


def _code(error: Exception) -> str:
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code", "")
    return ""
