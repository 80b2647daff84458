"""Count the rows of several months and report each: reports/MONTH.json.

Settings: LAKE_BUCKET, MONTHS with blanks between, SECONDS that a month takes.
"""

import gzip
import json
import os
import time

import boto3

bucket = os.environ["LAKE_BUCKET"]
s3 = boto3.client("s3")


def count(month: str) -> int:
    body = s3.get_object(Bucket=bucket, Key=f"raw/flights/{month}.csv.gz")["Body"].read()
    time.sleep(float(os.environ["SECONDS"]))  # stands for what makes a long job long
    return len(gzip.decompress(body).splitlines()) - 1


def report(month: str, rows: int) -> None:
    body = json.dumps({"month": month, "rows": rows}).encode()
    s3.put_object(Bucket=bucket, Key=f"reports/{month}.json", Body=body)


def main() -> None:
    counted = {}
    for month in os.environ["MONTHS"].split():
        counted[month] = count(month)
        print(f"{month}: {counted[month]:,} rows", flush=True)
    for month, rows in counted.items():
        report(month, rows)


if __name__ == "__main__":
    main()
