"""What Lambda refuses, and what the local cloud cannot run.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
"""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends

from localcloud import arns, trust

SERVICE = "lambda.amazonaws.com"
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MEMORY_MB = (128, 10_240)
MOST_SECONDS = 900
LARGEST_SYNC, LARGEST_ASYNC = 6_291_456, 1_048_576
LARGEST_UNZIPPED = 262_144_000
NO_ROLE = "The role defined for the function cannot be assumed by Lambda."


ALL_TAKEN = "ConcurrentInvocationLimitExceeded"
RESERVED_TAKEN = "ReservedFunctionConcurrentInvocationLimitExceeded"


class TooManyRequests(LambdaClientError):
    """``reason`` is one of the two above."""

    code = 429

    def __init__(self, reason: str) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")
        said = {"message": "Rate Exceeded.", "Type": "User", "Reason": reason}
        self.description = json.dumps({"__type": self.error_type, **said})


class RequestTooLarge(LambdaClientError):
    code = 413

    def __init__(self, most: int):
        super().__init__(
            "RequestTooLargeException",
            f"Request must be smaller than {most} bytes for the InvokeFunction operation",
        )


def check_settings(given: dict[str, Any]) -> None:
    """Raise for settings, of CreateFunction or UpdateFunctionConfiguration, that cannot run."""
    if given.get("PackageType", "Zip") != "Zip":
        raise InvalidParameterValueException(
            "The local cloud runs functions of zip files, not of images: give Code.ZipFile, or "
            "Code.S3Bucket and Code.S3Key."
        )
    runtime = given.get("Runtime")
    if runtime and not re.fullmatch(r"python3\.\d+", runtime):
        raise InvalidParameterValueException(
            f"The local cloud runs functions of Python, not of {runtime}: give Runtime python3.13."
        )
    if given.get("Layers"):
        raise InvalidParameterValueException(
            "The local cloud has no layers: put what the function imports into its zip file."
        )
    memory, timeout = int(given.get("MemorySize") or 128), int(given.get("Timeout") or 3)
    if not MEMORY_MB[0] <= memory <= MEMORY_MB[1]:
        raise _out_of(
            "memorySize",
            memory,
            f"{'greater' if memory < 128 else 'less'} than or "
            f"equal to {MEMORY_MB[0] if memory < 128 else MEMORY_MB[1]}",
        )
    if timeout > MOST_SECONDS:
        raise _out_of("timeout", timeout, f"less than or equal to {MOST_SECONDS}")
    if "Role" in given:
        check_role(given["Role"])
    dead = (given.get("DeadLetterConfig") or {}).get("TargetArn")
    if dead and not re.match(r"arn:aws:(sqs|sns):", dead):
        raise InvalidParameterValueException(
            "DeadLetterConfig.TargetArn must be the ARN of a queue of SQS or a topic of SNS."
        )


def check_role(arn: str) -> None:
    """The role must exist and trust Lambda."""
    if not trust.role_trusts(arn, SERVICE):
        raise InvalidParameterValueException(NO_ROLE)


def check_source(given: dict[str, Any]) -> None:
    """Where CreateFunction or UpdateFunctionCode says that the code is."""
    if code := given.get("ZipFile"):
        check_code(base64.b64decode(code))
    elif given.get("S3Bucket") and given.get("S3Key"):
        check_code(_object(given["S3Bucket"], given["S3Key"]))
    else:
        raise InvalidParameterValueException("Please provide a source for function code.")


def check_code(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as code:
            size = sum(entry.file_size for entry in code.infolist())
    except zipfile.BadZipFile:
        raise InvalidParameterValueException(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from None
    if size > LARGEST_UNZIPPED:
        raise InvalidParameterValueException(
            f"Unzipped size must be smaller than {LARGEST_UNZIPPED} bytes"
        )


def _object(bucket: str, key: str) -> bytes:
    try:
        found = s3_backends[arns.ACCOUNT]["aws"].get_object(bucket, key)
        code, why = "NoSuchKey", "The specified key does not exist."
    except MissingBucket:
        found, code, why = None, "NoSuchBucket", "The specified bucket does not exist"
    if found is None:
        raise InvalidParameterValueException(
            f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {why}"
        )
    return found.value


def _out_of(name: str, value: int, must: str) -> LambdaClientError:
    return LambdaClientError(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy "
        f"constraint: Member must have value {must}",
    )
