"""The monthly ETL of flights.py as a Glue job.

Arguments: --bucket, --secret, --months (2013-01,2013-02), --authority (the certificate of RDS's
authority in S3). flights.py, flights_sql.py and lookup_tables.py come by --extra-py-files.
"""

import os
import sys
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit

import boto3
import flights
from awsglue.utils import getResolvedOptions


def main(arguments: list[str]) -> None:
    given = getResolvedOptions(arguments, ["bucket", "secret", "months", "authority"])
    os.environ["PGSSLROOTCERT"] = str(fetched(given["authority"]))
    flights.main(given["bucket"], given["secret"], *given["months"].split(","))


def fetched(place: str) -> Path:
    found, path = urlsplit(place), Path(mkdtemp(), "authority.pem")
    boto3.client("s3").download_file(found.netloc, found.path.lstrip("/"), str(path))
    return path


if __name__ == "__main__":
    main(sys.argv)
