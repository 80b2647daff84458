"""What the stack reads while it is made: the rotation function's code, and the nested template.

They lie in a bucket of their own beside the stack, drydock-files-ACCOUNT, which goes last.
"""

import io
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path

from botocore.exceptions import ClientError

from drydock.account.access import Account, AccountError
from drydock.rooms import home_path

LIB = Path(__file__).parents[2]
TEMPLATES = LIB / "infrastructure"
ROTATION = LIB / "containers" / "rotation" / "rotation.py"
TAGS = [{"Key": "project", "Value": "drydock"}]
# The authorities of RDS in all regions, as its user guide names them ("Using SSL/TLS").
RDS_AUTHORITIES = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
LAMBDA_PYTHON = "3.13"  # the default of RotationRuntime in lab.yaml


def bucket(account: Account) -> str:
    """Return the name of the bucket beside the stack."""
    return f"drydock-files-{account.id}"


def parameters(account: Account, budget, kubernetes: bool) -> dict[str, str]:
    """Return the stack's parameters."""
    name = bucket(account)
    address = f"https://{name}.s3.{account.region}.amazonaws.com/kubernetes.yaml"
    given = {
        "Files": name,
        "KubernetesTemplate": address,
        "Kubernetes": "yes" if kubernetes else "no",
        "MonthlyLimit": f"{budget:f}",
    }
    if account.local:  # functions run with this Python, and databases are of the lab's authority
        given["RotationRuntime"] = f"python3.{sys.version_info.minor}"
        given["CaBundle"] = str(home_path() / "rds" / "ca.pem")
    return given


def upload(account: Account) -> None:
    """Make the bucket, if it is not there, and put the files into it; a second time is no harm."""
    code = rotation(with_libraries=not account.local)
    s3, name = account.client("s3"), bucket(account)
    try:
        s3.create_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": TAGS})
    s3.put_object(Bucket=name, Key="rotation.zip", Body=code)
    template = (TEMPLATES / "kubernetes.yaml").read_bytes()
    s3.put_object(Bucket=name, Key="kubernetes.yaml", Body=template)


def rotation(with_libraries: bool) -> bytes:
    """Return the function's zip; on AWS its driver and the authorities of RDS belong into it."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(packed, "w") as archive:
        archive.write(ROTATION, ROTATION.name)
        if with_libraries:
            folder = Path(place)
            _libraries(folder)
            _authorities(folder / "rds-ca.pem")
            for file in sorted(folder.rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    name = file.relative_to(folder)
                    archive.write(file, name, compress_type=zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _libraries(folder: Path) -> None:
    """The driver, as wheels for Lambda's system and not for this one."""
    fetch = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)]
    fetch += ["--only-binary=:all:", "--platform", "manylinux2014_x86_64"]
    fetch += ["--python-version", LAMBDA_PYTHON, "psycopg[binary]"]
    done = subprocess.run(fetch, capture_output=True, text=True)
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["pip gave no reason"]
        raise AccountError(f"no driver for the rotation function: {words[-1]}")


def _authorities(file: Path) -> None:
    try:
        with urllib.request.urlopen(RDS_AUTHORITIES, timeout=30) as answer:
            file.write_bytes(answer.read())
    except OSError as error:
        raise AccountError(f"{RDS_AUTHORITIES} cannot be read ({error}): try again") from None


def empty(account: Account, name: str) -> int:
    """Remove every object and version from a bucket; how many. 0 too where there is no bucket."""
    s3, removed = account.client("s3"), 0
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            keys = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
            if keys:
                answer = s3.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})
                if refused := answer.get("Errors"):
                    raise AccountError(
                        f"bucket {name}: {refused[0]['Key']} stays ({refused[0]['Code']})"
                    )
                removed += len(keys)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
    return removed


def remove(account: Account) -> None:
    """Remove the bucket beside the stack; nothing where there is none."""
    name = bucket(account)
    empty(account, name)
    try:
        account.client("s3").delete_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
