"""Count the rows of raw/flights/MONTH.csv.gz and put the number into reports/MONTH.json.

Settings: LAKE_BUCKET, MONTH. SPILL_GIB reserves so much scratch space first, as a sort of a large
object would; with 0 it only tells how much there is. SETTINGS names a file to wait for; another
container of the task writes it.
"""

import gzip
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time

GIB = 1 << 30
SETTINGS_SECONDS = 60


def reserve(gib: int) -> None:
    """Take the scratch space that the sort will need, so that it fails now and not in an hour."""
    there = shutil.disk_usage(tempfile.gettempdir()).total / GIB
    print(f"scratch space: {there:.0f} GiB", flush=True)
    if gib == 0:
        return
    with tempfile.NamedTemporaryFile(prefix="spill-") as spill:
        try:
            os.posix_fallocate(spill.fileno(), 0, gib * GIB)
        except OSError as error:
            sys.exit(f"count: cannot reserve {gib} GiB of scratch space: {error}")
    print(f"reserved {gib} GiB of scratch space", flush=True)


def wait_for(path: str) -> dict:
    deadline = time.monotonic() + SETTINGS_SECONDS
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            sys.exit(f"count: {path} did not appear within {SETTINGS_SECONDS} s")
        time.sleep(0.05)
    return json.loads(pathlib.Path(path).read_text())


def main() -> None:
    bucket, month = os.environ["LAKE_BUCKET"], os.environ["MONTH"]
    if "SPILL_GIB" in os.environ:
        reserve(int(os.environ["SPILL_GIB"]))
    settings = wait_for(os.environ["SETTINGS"]) if "SETTINGS" in os.environ else {}

    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    print(f"counting {month}", flush=True)
    s3 = boto3.client("s3")
    try:
        body = s3.get_object(Bucket=bucket, Key=f"raw/flights/{month}.csv.gz")["Body"].read()
        rows = len(gzip.decompress(body).splitlines()) - 1
        report = {"month": month, "rows": rows, **settings}
        s3.put_object(Bucket=bucket, Key=f"reports/{month}.json", Body=json.dumps(report).encode())
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"count: {error}")
    print(f"{month}: {rows:,} rows", flush=True)


if __name__ == "__main__":
    main()
