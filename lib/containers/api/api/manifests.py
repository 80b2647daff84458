"""The manifests in the bucket, and a local copy of the Parquet files that they name."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

PREFIX = "curated/_manifests/"
_KEY = re.compile(re.escape(PREFIX) + r"(\d{4}-(?:0[1-9]|1[0-2]))\.json")
_CHUNK = 1 << 20


class BadMonth(Exception):
    """The published `month` cannot be served as it is; the message says why."""

    def __init__(self, month: str, why: str):
        super().__init__(why)
        self.month = month


class FileGone(BadMonth):
    """The object that a manifest names is not there, as when a newer manifest names another."""


@dataclass(frozen=True)
class Manifest:
    """What the ETL published for a month: its Parquet object, and how many rows that holds.

    `etag` is the manifest's own, as `published` lists it.
    """

    month: str
    etag: str
    key: str
    sha256: str
    rows: int


class Lake:
    """The curated side of a bucket, read through a boto3 S3 client, with a cache folder."""

    def __init__(self, s3, bucket: str, cache: Path):
        self.s3 = s3
        self.bucket = bucket
        self.cache = cache
        cache.mkdir(parents=True, exist_ok=True)

    def published(self) -> dict[str, str]:
        """Return the etag of each published month's manifest, by month ("2013-01")."""
        etags = {}
        for page in self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=PREFIX
        ):
            for found in page.get("Contents", []):
                if match := _KEY.fullmatch(found["Key"]):
                    etags[match[1]] = found["ETag"]
        return etags

    def read(self, month: str) -> tuple[Manifest, Path]:
        """Return the manifest of `month` and a local copy of its Parquet object.

        The ETL removes an object once a newer manifest names another: then that one is read.
        """
        manifest = self.manifest(month)
        while True:
            try:
                return manifest, self.fetch(manifest)
            except FileGone:
                newer = self.manifest(month)
                if newer == manifest:
                    raise
                manifest = newer

    def manifest(self, month: str) -> Manifest:
        """Read the manifest of `month` as it is now."""
        key = f"{PREFIX}{month}.json"
        answer = self.s3.get_object(Bucket=self.bucket, Key=key)
        try:
            content = json.loads(answer["Body"].read())
            manifest = Manifest(
                month=str(content["month"]),
                etag=answer["ETag"],
                key=str(content["file"]["key"]),
                sha256=str(content["file"]["sha256"]),
                rows=int(content["rows"]["curated"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BadMonth(month, f"s3://{self.bucket}/{key} is no manifest: {error!r}") from error
        if manifest.month != month or not re.fullmatch("[0-9a-f]{64}", manifest.sha256):
            raise BadMonth(month, f"s3://{self.bucket}/{key} is no manifest of {month}")
        return manifest

    def fetch(self, manifest: Manifest) -> Path:
        """Return a local copy of the manifest's Parquet object, its SHA-256 verified.

        Raises FileGone when there is no such object, BadMonth when it has another SHA-256.
        """
        path = self.cache / f"{manifest.sha256}.parquet"
        if path.exists() and _sha256(path) == manifest.sha256:
            return path
        partial = path.with_suffix(".partial")
        try:
            body = self.s3.get_object(Bucket=self.bucket, Key=manifest.key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            raise FileGone(
                manifest.month,
                f"s3://{self.bucket}/{manifest.key}, which its manifest names, is not there",
            ) from None
        digest = hashlib.sha256()
        with partial.open("wb") as file:
            for chunk in body.iter_chunks(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != manifest.sha256:
            partial.unlink()
            raise BadMonth(
                manifest.month,
                f"s3://{self.bucket}/{manifest.key} is not what its manifest describes",
            )
        partial.replace(path)
        return path

    def forget_except(self, keep: set[Path]) -> None:
        """Delete cached files that no manifest names any more."""
        for path in self.cache.glob("*.parquet"):
            if path not in keep:
                path.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
