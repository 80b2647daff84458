"""`drydock prices`: answers in the shape of the Price List API (stubbed: there is no account)."""

import json
import shutil
from decimal import Decimal

import boto3
import pytest
from botocore.stub import ANY, Stubber
from click.testing import CliRunner

from drydock.cli import main
from drydock.costs import price_list
from drydock.model import prices

NAMED = json.loads(price_list.WHERE.read_text())["prices"]


def product(*dollars: str) -> str:
    """A price list entry in the API's shape, with a price for each of `dollars`."""
    dimensions = {
        f"SKU.TERM.{number}": {"unit": "hours", "pricePerUnit": {"USD": value}}
        for number, value in enumerate(dollars)
    }
    terms = {"OnDemand": {"SKU.TERM": {"priceDimensions": dimensions}}}
    return json.dumps({"product": {"sku": "SKU"}, "terms": terms})


@pytest.fixture
def client():
    return boto3.client(
        "pricing",
        region_name="us-east-1",
        aws_access_key_id="for the stub",
        aws_secret_access_key="for the stub",
    )


def compare(client, special: dict[str, list[str]]) -> dict[str, price_list.Change]:
    with Stubber(client) as stub:
        for name, entry in NAMED.items():
            same = f"{Decimal(prices.file()['prices'][name]['value']):.10f}"
            answer = {"PriceList": special.get(name, [product(same)])}
            asked = {"ServiceCode": entry["service"], "Filters": ANY}
            stub.add_response("get_products", answer, asked)
        changes = price_list.compare(client)
        stub.assert_no_pending_responses()
    return {change.name: change for change in changes}


def test_prices_that_are_the_same_do_not_differ(client):
    changes = compare(client, {})
    assert set(changes) == set(NAMED)
    assert not any(change.differs for change in changes.values())


def test_a_new_price_is_shown_and_written_with_source_and_day(client, tmp_path):
    name = "fargate/X86_64/vcpu-hour"
    changes = compare(client, {name: [product("0.0410000000")]})
    assert [one.name for one in changes.values() if one.differs] == [name]
    copy = tmp_path / "prices.json"
    shutil.copy(prices.DATA, copy)
    assert price_list.write(list(changes.values()), "2027-01-02", copy) == 1
    before, after = (json.loads(path.read_text()) for path in (prices.DATA, copy))
    entry = after["prices"][name]
    assert (entry["value"], entry["date"]) == ("0.041", "2027-01-02")
    assert "Price List API" in entry["source"] and entry["unit"] == "USD per vCPU-hour"
    after["prices"][name] = before["prices"][name]
    assert after == before
    changed = zip(prices.DATA.read_text().splitlines(), copy.read_text().splitlines(), strict=True)
    assert sum(old != new for old, new in changed) == 1
    assert list(tmp_path.iterdir()) == [copy]


@pytest.mark.parametrize("answer", [[], [product("1", "2")], [product("1"), product("2")]])
def test_no_price_or_several_leave_the_old_one(client, answer):
    name = "nat/hour"
    change = compare(client, {name: answer})[name]
    assert change.new is None and not change.differs


def test_without_credentials_there_is_one_line_and_nothing_changes(monkeypatch, tmp_path):
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    before = prices.DATA.read_bytes()
    result = CliRunner().invoke(main, ["prices", "--refresh"])
    assert result.exit_code == 3
    assert "Unable to locate credentials" in result.output and "aws configure" in result.output
    assert result.output.count("\n") == 1
    assert prices.DATA.read_bytes() == before


def test_the_days_of_the_prices_are_told():
    result = CliRunner().invoke(main, ["prices"])
    assert "prices of us-east-1, read from 20" in result.output
