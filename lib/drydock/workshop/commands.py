"""The commands of a workshop: `drydock agenda`, `bundle` and `clean-up`."""

import sys
from pathlib import Path

import click


@click.command()
@click.argument("lessons", nargs=-1, required=True)
@click.option("--start", default="09:00", show_default=True, help="When the first lesson begins.")
def agenda(lessons: tuple[str, ...], start: str) -> None:
    """Print the agenda of LESSONS, such as 00 01 03: times, slack, what to skip when late."""
    from drydock.workshop import agenda as day

    click.echo(day.text(lessons, start))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def bundle(folder: Path) -> None:
    """Write all that a room without a network needs into FOLDER: wheels, lessons, drivers."""
    from drydock.workshop import bundle as brought

    brought.bundle(folder, click.echo)


@click.command("clean-up")
@click.option("--yes", is_flag=True, help="Do not ask.")
def clean_up(yes: bool) -> None:
    """Remove all that the local cloud keeps, and list what survives: exit code 1 if anything does.

    Your lessons and your progress stay.
    """
    from drydock import cloud
    from drydock.workshop import survivors

    if not yes:
        click.confirm("Remove every object, table, log and task of the local cloud?", abort=True)
    left = survivors.clean_up(cloud.home_path())
    for line in left:
        click.echo(line)
    click.echo(f"{len(left)} left" if left else "clean: nothing survives")
    sys.exit(1 if left else 0)


COMMANDS = (agenda, bundle, clean_up)
