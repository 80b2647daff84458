"""Fresh prices from the AWS Price List API, for the part of data/prices.json that it can name.

data/price_list.json says, for each price, by which filters `pricing:GetProducts` finds it.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from drydock.errors import DrydockError
from drydock.model import prices

WHERE = Path(__file__).parents[3] / "data" / "price_list.json"
ENDPOINT_REGION = "us-east-1"  # the Price List API has few endpoints; this one knows all regions


class NoPrices(DrydockError):
    """The Price List API gave no answer; data/prices.json stays as it is."""


@dataclass(frozen=True)
class Change:
    """A price in the data, and what the Price List says; `new` is None where it names none."""

    name: str
    old: Decimal
    new: Decimal | None

    @property
    def differs(self) -> bool:
        return self.new is not None and self.new != self.old


def compare(client, known: Mapping | None = None) -> list[Change]:
    """Ask the Price List API for each price that data/price_list.json names.

    `client` is boto3.client("pricing", region_name="us-east-1").
    """
    table = json.loads(WHERE.read_text())
    stored = (known or prices.file())["prices"]
    try:
        return [
            Change(name, Decimal(stored[name]["value"]), _ask(client, table["region"], entry))
            for name, entry in table["prices"].items()
        ]
    except (BotoCoreError, ClientError) as error:
        raise NoPrices(
            f"the AWS Price List API gave no answer ({_first_line(error)}); nothing was changed. "
            "It needs an account: type aws configure, then: drydock prices --refresh"
        ) from None


def write(changes: list[Change], day: str, path: Path = prices.DATA) -> int:
    """Put the prices that differ into the file, with their new source and day; return how many.

    A reader sees the old file or the new one, and nothing between.
    """
    content = json.loads(path.read_text())
    new = [change for change in changes if change.differs]
    lines = path.read_text().splitlines(keepends=True)
    for change in new:
        entry = content["prices"][change.name] | {
            "value": str(change.new),
            "source": "https://api.pricing.us-east-1.amazonaws.com (AWS Price List API)",
            "date": day,
        }
        # A price is one line of the file; the others stay as they are, for a short difference.
        [row] = [n for n, line in enumerate(lines) if line.startswith(f'    "{change.name}":')]
        comma = "," if lines[row].rstrip().endswith(",") else ""
        lines[row] = f'    "{change.name}": {json.dumps(entry)}{comma}\n'
    text = "".join(lines)
    json.loads(text)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".part", delete=False) as file:
        file.write(text)
    os.chmod(file.name, path.stat().st_mode)
    os.replace(file.name, path)
    return len(new)


def _ask(client, region: str, entry: Mapping) -> Decimal | None:
    """The one on-demand price that the filters find; None where there is none, or several."""
    filters = {"regionCode": region} | entry["filters"]
    pages = client.get_paginator("get_products").paginate(
        ServiceCode=entry["service"],
        Filters=[
            {"Type": "TERM_MATCH", "Field": field, "Value": value}
            for field, value in filters.items()
        ],
    )
    found = {
        Decimal(dimension["pricePerUnit"]["USD"])
        for page in pages
        for product in page["PriceList"]
        for term in json.loads(product)["terms"].get("OnDemand", {}).values()
        for dimension in term["priceDimensions"].values()
        if "USD" in dimension["pricePerUnit"]
    }
    # 0.0404800000 in the list is 0.04048 here.
    return Decimal(f"{found.pop().normalize():f}") if len(found) == 1 else None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
