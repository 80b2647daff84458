"""`drydock bill FILE.toml`: published examples as files, and every way to type one wrong."""

import inspect
import json
from importlib import import_module

import pytest
from click.testing import CliRunner

from drydock.cli import main
from drydock.costs import usage_file

FARGATE = """
rounding = "lines"
[[usage]]
bill = "fargate.task_cost"
tasks = 150
seconds = 600
vcpu = 1
memory_gb = 2
ephemeral_gb = 30
"""


def run(tmp_path, text, *options):
    file = tmp_path / "usage.toml"
    file.write_text(text)
    return CliRunner().invoke(main, ["bill", str(file), *options])


def test_aws_own_fargate_example_comes_to_its_printed_total(tmp_path):
    result = run(tmp_path, FARGATE)
    assert result.exit_code == 0
    assert "total: $1.26 (each line rounded)" in result.output
    assert "ephemeral storage" in result.output
    assert "https://aws.amazon.com/fargate/pricing/, read 2026-09-29" in result.output.replace(
        "\n", " "
    )


def test_json_has_every_line_with_its_source(tmp_path):
    text = FARGATE + '\n[[usage]]\nbill = "tiers.usage"\nname = "nat/hour"\nquantity = 0.1\n'
    bill = json.loads(run(tmp_path, text, "--json").output)
    assert bill["total_usd"] == "1.26"
    assert [line["what"] for line in bill["lines"]][-1] == "nat/hour"
    assert bill["lines"][-1]["usd"] == "0.0045"
    assert all(line["source"].startswith("https://") and line["date"] for line in bill["lines"])


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "has no usage"),
        ("usage = 3", "has no usage"),
        ("[[usage", "is not TOML"),
        ('region = "mars-1"\n' + FARGATE, "there are no prices of 'mars-1'"),
        (FARGATE.replace('"lines"', '"up"'), "rounding 'up'"),
        ("colour = 1\n" + FARGATE, "'colour' is unknown"),
        (FARGATE.replace("fargate.task", "fargat.task"), "type fargate.task_cost"),
        (FARGATE.replace("vcpu = 1", "vcpu = 3"), "has no size of 3 vCPU with 2 GB: take"),
        (FARGATE.replace("seconds", "second"), "usage 1: "),
        (FARGATE.replace("600", "-600"), "type a number that is not negative"),
        ('[[usage]]\nbill = "storage.ecr"\ngbs = 3', "'gbs' is unknown: type gb"),
        ('[[usage]]\nbill = "tiers.usage"\nname = "nat/hours"\nquantity = 1', "'nat/hour'"),
        ("[[usage]]\ngb = 3", "bill = None is unknown"),
    ],
)
def test_what_is_typed_wrong_is_told_in_one_line(tmp_path, text, words):
    result = run(tmp_path, text)
    assert result.exit_code == 2
    assert words in result.output
    assert result.output.count("\n") == 1


def test_a_file_that_is_not_there():
    result = CliRunner().invoke(main, ["bill", "nothing.toml"])
    assert result.exit_code == 2 and "nothing.toml is not there" in result.output


def test_every_bill_of_the_model_can_be_typed():
    made = set()
    for module in usage_file.FUNCTIONS:
        loaded = import_module(f"drydock.model.{module}")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            here = function.__module__ == loaded.__name__ and not name.startswith("_")
            if here and "Bill" in str(inspect.signature(function).return_annotation):
                made.add(f"{module}.{name}")
    assert made == set(usage_file.names())
