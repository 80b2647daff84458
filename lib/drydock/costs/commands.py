"""The commands `drydock bill`, `drydock prices` and `drydock measure`."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from drydock.errors import WrongInput
from drydock.model.prices import Bill, citation, region, rounded

MEASURED = Path(__file__).parents[3] / "build" / "measured.json"


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--spot-discount", default="0", show_default=True, help="What Spot takes off: 0 to 1."
)
@click.option("--json", "as_json", is_flag=True, help="Print the bill as JSON.")
def bill(file: Path | None, spot_discount: str, as_json: bool) -> None:
    """Print the bill of the usage lines in FILE.toml, or of all that the local cloud has run.

    What was run is billed with AWS's prices and the recorded durations and sizes; what is kept,
    for a month.
    """
    if file is not None:
        from drydock.costs import usage_file

        made, rounding = usage_file.read(file)
        _show([("", line) for line in made.lines], made, rounding, [], as_json)
        return
    from drydock.costs import cloud_bill
    from drydock.lab import open_lab

    try:
        items, left_out = cloud_bill.read(
            open_lab(), dt.datetime.now(dt.UTC), spot_discount=spot_discount
        )
    except ValueError as error:
        raise WrongInput(str(error)) from None
    made = Bill(tuple(line for item in items for line in item.bill.lines))
    lines = [(f"{item.what}\n{item.used}", line) for item in items for line in item.bill.lines]
    _show(lines, made, "none", left_out, as_json)


@click.command()
@click.option("--refresh", is_flag=True, help="Ask the AWS Price List API, and keep its answer.")
@click.option("--dry-run", is_flag=True, help="With --refresh: show the difference only.")
def prices(refresh: bool, dry_run: bool) -> None:
    """Say of which day the prices are; --refresh asks an AWS account for today's."""
    from drydock.model import prices as model

    if not refresh:
        days = [one["date"] for kind in ("prices", "tiered") for one in model.file()[kind].values()]
        click.echo(f"{len(days)} prices of {region()}, read from {min(days)} to {max(days)}")
        return
    import boto3

    from drydock.costs import price_list

    client = boto3.Session().client("pricing", region_name=price_list.ENDPOINT_REGION)
    changes = price_list.compare(client)
    for change in changes:
        if change.new is None:
            click.echo(f"{change.name}: no single price in the Price List; left as it is")
        elif change.differs:
            click.echo(f"{change.name}: {change.old} -> {change.new}")
    different = sum(change.differs for change in changes)
    if dry_run or not different:
        click.echo(f"{different} of {len(changes)} differ; nothing was written")
        return
    day = dt.datetime.now(dt.UTC).date().isoformat()
    click.echo(f"{price_list.write(changes, day)} of {len(changes)} written to {model.DATA.name}")


@click.command()
@click.option("--repeat", default=3, show_default=True, type=click.IntRange(1, 20))
@click.option("--to", default=MEASURED, type=click.Path(path_type=Path), show_default="build/")
def measure(repeat: int, to: Path) -> None:
    """Run the ETL task at several sizes, limits and numbers, and keep what this machine did."""
    from drydock.lab import open_lab
    from drydock.pipeline import measure as experiments

    day = dt.datetime.now(dt.UTC).date().isoformat()
    table = experiments.measure(open_lab(), day, click.echo, repeat=repeat)
    table.save(to)
    click.echo(f"kept in {to}")


COMMANDS = (bill, prices, measure)


def _show(lines, made: Bill, rounding: str, left_out: list[str], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_to_json(lines, made, rounding, left_out), indent=2))
        return
    table = Table(title=f"Bill at AWS prices of {region()}", title_justify="left")
    for name in ("item", "line"):
        table.add_column(name)
    for name in ("quantity", "price", "USD"):
        table.add_column(name, justify="right")
    last = None
    for item, line in lines:
        table.add_row(
            "" if item == last else item,
            line.what,
            f"{_short(line.quantity)}",
            f"{line.price.value:f} {line.price.unit.removeprefix('USD ')}",
            f"{rounded(line.amount, 6):f}",
        )
        last = item
    console = Console(width=140) if not Console().is_terminal else Console()
    console.print(table)
    console.print(f"total: ${_total(made, rounding)}" + _rounding_words(rounding))
    for line in left_out:
        console.print(f"left out: {line}", markup=False)
    console.print(citation(line.price for _, line in lines), markup=False)


def _to_json(lines, made: Bill, rounding: str, left_out: list[str]) -> dict:
    return {
        "region": region(),
        "rounding": rounding,
        "lines": [
            {
                "item": item.split("\n")[0],
                "what": line.what,
                "quantity": str(line.quantity),
                "price": str(line.price.value),
                "unit": line.price.unit,
                "usd": str(line.amount),
                "source": line.price.source,
                "date": line.price.date,
            }
            for item, line in lines
        ],
        "total_usd": _total(made, rounding),
        "left_out": left_out,
    }


def _total(made: Bill, rounding: str) -> str:
    total = made.total(rounding)
    return f"{rounded(total, 6):f}" if rounding == "none" else f"{total:f}"


def _rounding_words(rounding: str) -> str:
    return {"none": "", "lines": " (each line rounded)", "total": " (rounded once)"}[rounding]


def _short(quantity: Decimal) -> str:
    return f"{rounded(quantity, 6).normalize():,f}"
