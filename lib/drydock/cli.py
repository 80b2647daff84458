"""The `drydock` command."""

import json
import os
import sys
from pathlib import Path

import click
from rich.console import Console

from drydock import cloud
from drydock.account import commands as account
from drydock.as_typed import as_typed
from drydock.costs import commands as costs
from drydock.errors import INTERRUPTED, INTERRUPTED_LINE
from drydock.explain import explain
from drydock.study import commands as study
from drydock.workshop import commands as workshop


class OneLineErrors(click.Group):
    """A command group that never shows a traceback, unless DRYDOCK_DEBUG asks for one."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            click.echo(INTERRUPTED_LINE, err=True)
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if os.environ.get("DRYDOCK_DEBUG"):
                raise
            line, code = explain(error)
            click.echo(as_typed(f"drydock: {line}"), err=True)
            ctx.exit(code)


@click.group(cls=OneLineErrors)
def main() -> None:
    """Containerised ETL on Amazon ECS and EKS, run for real on a local cloud."""


@main.command()
def up() -> None:
    """Start the local cloud; print the lines to eval: eval "$(drydock up)"."""
    info = cloud.start()
    for message in info.messages:
        click.echo(as_typed(message), err=True)
    for line in cloud.shell_lines(info):
        click.echo(line)


@main.command()
def down() -> None:
    """Stop the local cloud; what it keeps stays on disk."""
    click.echo("stopped" if cloud.stop() else "it was not running")


@main.command()
def status() -> None:
    """Say whether the local cloud runs, where, and what it keeps."""
    for line in cloud.status_lines():
        click.echo(as_typed(line))


@main.command()
@click.argument("notebook", required=False)
@click.option("--all", "everything", is_flag=True, help="Remove all that the local cloud keeps.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(notebook: str | None, everything: bool, yes: bool) -> None:
    """Put your copy of NOTEBOOK back to its beginning, or remove all of the local cloud (--all).

    The old copy is kept beside the new one. --all stops the local cloud and removes its database,
    objects, logs and tasks; your lessons and your progress stay.
    """
    if everything == bool(notebook):
        raise click.UsageError('Type a notebook, such as "01_pipeline", or --all.')
    if notebook:
        from drydock.study import copies

        copy, kept = copies.reset(notebook)
        click.echo(
            f"{copy.name} is as at the beginning" + (f"; the old one: {kept}" if kept else "")
        )
        return
    if not yes:
        question = "Remove every object, table, log and task of the local cloud?"
        click.confirm(question, abort=True)
    click.echo(f"removed what the local cloud kept in {cloud.remove()}")


@main.command()
@click.option("--month", "months", multiple=True, help='For instance "2013-01"; all when left out.')
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--keep-raw", is_flag=True, help="Take the raw objects in S3 as they are.")
@click.option("--notebook/--no-notebook", default=True, help="Also execute notebook 01.")
def run(months: tuple[str, ...], as_json: bool, keep_raw: bool, notebook: bool) -> None:
    """Run the pipeline end to end and print the run report."""
    from drydock.pipeline.main_job import main_job  # imports pandas and matplotlib: slow, only here

    console = Console(file=sys.stderr if as_json else sys.stdout)
    report = main_job(months, console, keep_raw=keep_raw, notebook=notebook)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        report.print(console)
    if report.problems():
        sys.exit(1)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--repository", help="In ECR; drydock/ and the folder's name when left out.")
@click.option("--tag", default="1", show_default=True)
@click.option("--base", help="Base image instead of the Dockerfile's (its ARG BASE).")
def build(folder: Path, repository: str | None, tag: str, base: str | None) -> None:
    """Build the image of FOLDER, and put it into ECR.

    Without a container engine the folder is registered as it is, and its program runs as a
    process. Once an engine has built an image, the next start of the local cloud runs tasks in
    containers; DRYDOCK_RUNTIME=process keeps them processes.
    """
    from drydock import images
    from drydock.lab import open_lab

    lab = open_lab()
    runtime = cloud.runtime(lab.endpoint)
    name = repository or f"drydock/{folder.resolve().name}"
    built = images.build_image(lab, name, folder, tag, runtime["engine"], base, click.echo)
    if built.engine_id is None:
        click.echo(f"{built.uri}\nregistered, not built: {runtime['why']}")
        return
    click.echo(f"{built.uri}\nbuilt: {built.layers} layers, {built.size / 1e6:.0f} MB uncompressed")
    if runtime["kind"] == "process":
        click.echo(as_typed("tasks still run as processes; type: drydock down, then: drydock up"))


@main.command()
def doctor() -> None:
    """Check this machine: ready, fix it with this command, or needs an admin."""
    from drydock import doctor as checks

    sys.exit(checks.main())


@main.command()
@click.argument("notebook", required=False)
@click.option("--source", is_flag=True, help="Open the lessons themselves, to work on the book.")
def lab(notebook: str | None, source: bool) -> None:
    """Open your own copies of the lessons in JupyterLab."""
    from drydock import notebooks  # imports nbclient: slow, only here
    from drydock.study import copies

    name = copies.name_of(notebook or "00_start_here")
    if not source:
        for message in copies.ready():
            click.echo(as_typed(message), err=True)
    folder = notebooks.FOLDER if source else copies.folder()
    command = notebooks.jupyter_lab(folder, str(folder / f"{name}.ipynb"))
    os.environ.pop("DRYDOCK_TYPED_PATH", None)  # JupyterLab's terminals find `drydock`
    os.execvp(command[0], command)


for command in (*study.COMMANDS, *costs.COMMANDS, *workshop.COMMANDS, *account.COMMANDS):
    main.add_command(command)

if __name__ == "__main__":
    main()
