"""The commands `drydock aws up` and `drydock aws down`."""

import sys
from decimal import Decimal, InvalidOperation

import click

from drydock.account import access, cost_plan, files, stack, survivors, teardown
from drydock.as_typed import as_typed
from drydock.errors import INTERRUPTED, WrongInput

COMPLETE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
REGION = click.option("--region", help="The AWS region; that of your credentials when left out.")
ENDPOINT = click.option("--endpoint", help="Another cloud than AWS, such as http://127.0.0.1:5566.")
YES = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
def aws() -> None:
    """The lab on an AWS account, where it costs money by the hour."""


@aws.command()
@click.option("--budget", default="5", show_default=True, help="USD a month; AWS tells at 80 %.")
@click.option("--eks", is_flag=True, help="With a Kubernetes cluster and its nodes.")
@REGION
@ENDPOINT
@YES
def up(budget: str, eks: bool, region: str | None, endpoint: str | None, yes: bool) -> None:
    """Show what the lab costs on an AWS account, ask, and make it there as one stack."""
    limit = _usd(budget)
    begun = False
    try:
        account = access.open_account(region, endpoint)
        click.echo(str(account))
        with access.one_line():
            there = stack.status(account)
            if there != stack.GONE:
                _there_already(account, there)
                return
            if bucket := teardown.in_the_way(account):
                raise WrongInput(
                    f"the bucket {bucket} is there already, and of no stack: copy what you need "
                    f"of it, then type: aws s3 rb --force s3://{bucket}"
                )
            for line in cost_plan.text(limit, _minutes(), eks):
                click.echo(line)
            if not _agreed("Make the stack?", yes):
                click.echo("nothing was made")
                sys.exit(1)
            begun = True
            files.upload(account)
            stack.create(account, files.parameters(account, limit, eks), click.echo)
            _tell(account)
    except (KeyboardInterrupt, click.Abort):
        _interrupted(begun, "clears what was begun")
    except access.AccountError as error:
        if not begun or isinstance(error, stack.StackFailed):
            raise
        raise access.AccountError(f"{error}; then clear what was begun: drydock aws down") from None


@aws.command()
@REGION
@ENDPOINT
@YES
def down(region: str | None, endpoint: str | None, yes: bool) -> None:
    """Delete the lab on an AWS account, then list what is left of it: exit code 1 if anything is.

    It works on a lab that is half made or half deleted, and as often as you like.
    """
    try:
        account = access.open_account(region, endpoint)
        click.echo(str(account))
        with access.one_line():
            goes = teardown.what_goes(account)
            for line in goes:
                click.echo(f"to be deleted: {line}")
            if goes and not _agreed("Delete all of this?", yes):
                click.echo("nothing was deleted")
                sys.exit(1)
            failed = None
            try:
                teardown.tear_down(account, click.echo)
            except stack.StackFailed as error:
                failed = error
            left = survivors.survivors(account)
    except (KeyboardInterrupt, click.Abort):
        _interrupted(True, "goes on")
    for line in left:
        click.echo(line)
    if failed:
        click.echo(str(failed), err=True)
    click.echo(as_typed(survivors.summary(left)))
    sys.exit(1 if left or failed else 0)


def _there_already(account: access.Account, status: str) -> None:
    if status not in COMPLETE:
        raise access.AccountError(
            f"the stack {stack.NAME} is there, half made or half deleted ({status}); "
            "type: drydock aws down"
        )
    click.echo(f"the stack {stack.NAME} is there already ({status})")
    _tell(account)


def _tell(account: access.Account) -> None:
    """What the stack is called by; its outputs name secrets and hold none."""
    found = stack.outputs(account)
    for name in ("Cluster", "Bucket", "DatabaseAddress", "ApiAddress", "KubernetesCluster"):
        if name in found:
            click.echo(f"  {name:<18} {found[name]}")
    hour = cost_plan.usd(1, "KubernetesCluster" in found)
    click.echo(as_typed(f"it costs ${hour:.4f} an hour until you type: drydock aws down"))


def _minutes() -> dict[str, int]:
    """The minutes of each lesson in the instructor's plan."""
    from drydock.study import books, copies  # import nbformat: slow, only here

    notes = {name: books.notes_of(name) for name in copies.sources()}
    return {name: note["minutes"] for name, note in notes.items() if note}


def _usd(budget: str) -> Decimal:
    try:
        found = Decimal(budget)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 1:
        raise WrongInput(f"--budget {budget} is no budget: type USD from 1 up, such as --budget 5")
    return found


def _agreed(question: str, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        raise WrongInput(f"{question} There is nobody to ask: add --yes")
    return click.confirm(question)


def _interrupted(begun: bool, what: str) -> None:
    line = f"type: drydock aws down, which {what}" if begun else "nothing was made"
    click.echo(as_typed(f"drydock: interrupted; {line}"), err=True)
    sys.exit(INTERRUPTED)


COMMANDS = (aws,)
