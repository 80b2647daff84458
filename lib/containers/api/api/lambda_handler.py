"""The same application as a Lambda function: handler `api.lambda_handler.handler`.

LAKE_BUCKET names the bucket. The data is brought in while the function initialises; there is no
pool of connections to the lookup tables, as each environment would hold its own.
"""

import os
import tempfile
from pathlib import Path

import boto3
from botocore.config import Config
from mangum import Mangum

from api.app import create_app
from api.manifests import Lake
from api.refresh import Refresher
from api.store import Store


def _refresher() -> Refresher:
    cache = Path(tempfile.mkdtemp(prefix="api-"))
    config = Config(connect_timeout=3, read_timeout=30, retries={"total_max_attempts": 1})
    lake = Lake(boto3.client("s3", config=config), os.environ["LAKE_BUCKET"], cache)
    return Refresher(lake, Store(cache / "flights.duckdb"))


refresher = _refresher()
refresher.refresh()
# It goes on looking whenever the environment is not frozen between two events.
refresher.start()
# Mangum would run the lifespan around each event, and with it stop the refresher.
handler = Mangum(create_app(refresher.store, refresher), lifespan="off")
