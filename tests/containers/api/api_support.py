"""Flights as the ETL would publish them, in a bucket that really answers."""

import asyncio
import datetime as dt
import hashlib
import io
import json
from pathlib import Path

import httpx
import polars as pl
from etl.curate import CURATED

CONTAINER = Path(__file__).parents[3] / "lib" / "containers" / "api"


def flight(day=1, hour=12, carrier="UA", number=1, month="2013-01", **other) -> dict:
    """A curated row; `other` overrides columns."""
    year, of_year = map(int, month.split("-"))
    sched_dep = dt.datetime(year, of_year, day, hour, tzinfo=dt.UTC)
    hours = int(sched_dep.timestamp()) // 3600
    row = {
        "flight_key": (hours * 10_000 + int(carrier, 36)) * 10_000 + number,
        "flight_date": sched_dep.date(),
        "sched_dep": sched_dep,
        "carrier": carrier,
        "carrier_name": f"{carrier} Airlines",
        "flight": number,
        "tailnum": "N1",
        "origin": "JFK",
        "dest": "LAX",
        "distance": 2475,
        "sched_dep_time": 700,
        "dep_time": 705,
        "dep_delay": 5,
        "sched_arr_time": 1000,
        "arr_time": 950,
        "arr_delay": -10,
        "air_time": 330,
        "cancelled": False,
    }
    return row | other


def parquet(rows: list[dict]) -> bytes:
    """The rows as the ETL writes them: its columns, in its types."""
    buffer = io.BytesIO()
    pl.DataFrame(rows, schema=CURATED).write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()


class Bucket:
    """A bucket, with the ETL's way to publish a month."""

    def __init__(self, s3, name: str):
        self.s3, self.name = s3, name
        s3.create_bucket(Bucket=name)

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.name, Key=key)

    @staticmethod
    def file_key(month: str, body: bytes) -> str:
        digest = hashlib.sha256(body).hexdigest()
        return f"curated/flights/month={month}/flights-{digest[:12]}.parquet"

    def put_file(self, month: str, body: bytes) -> None:
        self.put(self.file_key(month, body), body)

    def put_manifest(self, month: str, body: bytes, rows: int, other: dict | None = None) -> None:
        """Publish a manifest; `other` overrides its entries."""
        manifest = {
            "month": month,
            "rows": {"read": rows, "curated": rows, "quarantined": 0},
            "file": {
                "key": self.file_key(month, body),
                "bytes": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
            },
        }
        self.put(self.manifest_key(month), json.dumps(manifest | (other or {})).encode())

    def publish(self, month: str, rows: list[dict]) -> None:
        body = parquet(rows)
        self.put_file(month, body)
        self.put_manifest(month, body, len(rows))

    @staticmethod
    def manifest_key(month: str) -> str:
        return f"curated/_manifests/{month}.json"


class Caller:
    """Calls an ASGI application in this process; a bug in it is a 500, as over a network."""

    def __init__(self, app):
        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def get(self, url: str, **options) -> httpx.Response:
        return self.call("GET", url, **options)

    def call(self, method: str, url: str, **options) -> httpx.Response:
        async def send():
            async with httpx.AsyncClient(transport=self.transport, base_url="http://api") as client:
                return await client.request(method, url, **options)

        return asyncio.run(send())
