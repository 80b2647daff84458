"""Prices: complete, sourced, and decimal."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from drydock.model import prices


def test_every_price_is_a_decimal_with_unit_source_and_date():
    for name in json.loads(prices.DATA.read_text())["prices"]:
        price = prices.price(name)
        assert price.value > 0
        assert price.unit
        assert price.source.startswith("https://aws.amazon.com/")
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


def test_citation_names_region_page_and_date_once():
    both = [prices.price("fargate/X86_64/vcpu-second"), prices.price("fargate/X86_64/gb-second")]
    assert prices.citation(both) == (
        "Prices of us-east-1: https://aws.amazon.com/fargate/pricing/, read 2026-09-29"
    )
