"""Published bills to the digit, as data: AWS's own examples, and a price-list tool's results."""

import importlib
import json
from decimal import Decimal
from pathlib import Path

import pytest

from drydock.model.prices import Bill, combined, rounded

CASES = json.loads((Path(__file__).parent / "cases" / "bills.json").read_text())["cases"]


def bill_of(case: dict) -> Bill:
    bills = []
    for entry in case["bill"]:
        arguments = dict(entry)
        module, function = arguments.pop("call").split(".")
        call = getattr(importlib.import_module(f"drydock.model.{module}"), function)
        bills.append(call(**arguments))
    return combined(bills)


def places(printed: str) -> int:
    return -Decimal(printed).as_tuple().exponent


def check(case: dict, printed: list, total: str | None) -> None:
    bill = bill_of(case)
    shown = [
        text and str(rounded(line.amount, places(text)))
        for line, text in zip(bill.lines, printed, strict=True)
    ]
    assert shown == printed
    if total is not None:
        assert str(bill.total(case["rounding"], places(total))) == total


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_published_bill(case):
    if "odd" in case:
        assert (case["odd"]["printed"], case["odd"]["total"]) != (case["printed"], case["total"])
        assert case["odd"]["why"]
        check(case, case["odd"]["printed"], case["odd"]["total"])
    else:
        check(case, case["printed"], case.get("total"))


def test_case_names_are_unique_and_sources_are_given():
    names = [case["id"] for case in CASES]
    assert len(set(names)) == len(names)
    assert all(case["source"].startswith("https://") for case in CASES)
