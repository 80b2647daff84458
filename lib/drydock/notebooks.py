"""Execute, refresh and prove the lessons: `python -m drydock.notebooks refresh|check|test [FILE]`.

A lesson is stored with its outputs. `refresh` writes them, `check` reads them for what would make a
comparison worthless, `test` runs every cell again and compares each stored output, strictly.
"""

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from drydock import cloud, processes
from drydock.errors import INTERRUPTED, INTERRUPTED_LINE, DrydockError
from drydock.notebook_guard import guard, read

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
SETTINGS = Path(__file__).parent / "jupyter"  # JupyterLab's defaults: no news, no update check
CELL_SECONDS = 600
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KERNEL_START_SECONDS = 180  # a machine that is busy needs longer than the usual 60
STOP_SECONDS = 20.0  # for pytest to end its kernel and itself after Ctrl-C
CELL_METADATA = ("tags", "reason", "jupyter")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# All that an output may depend on and a machine may differ in.
SAME_EVERYWHERE = {"TZ": "UTC", "PYTHONHASHSEED": "0", "COLUMNS": "100", "LC_ALL": "C.UTF-8"}
SAME_EVERYWHERE["DRYDOCK_LEARNER"] = "the book"  # exercises draw the learner's own numbers


class CellFailed(DrydockError):
    """A cell raised an error that its lesson does not announce with the raises-exception tag."""

    exit_code = 1


def execute(
    source: Path,
    target: Path | None = None,
    timeout: float = CELL_SECONDS,
    variables: Mapping[str, str] | None = None,
) -> NotebookNode:
    """Run every cell in a kernel of its own, in the notebook's folder, and return the result.

    `timeout` is in seconds for one cell. `variables` is the kernel's whole environment (ours when
    left out). With a `target` the result is also stored there. Raises CellFailed, and on Ctrl-C
    KeyboardInterrupt; then nothing is stored, and the kernel is interrupted and ended.
    """
    notebook = read(source)
    started = [0]
    environment = dict(os.environ if variables is None else variables)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(source.resolve().parent)}},
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
        on_cell_start=lambda cell, cell_index: started.append(cell_index),
        startup_timeout=KERNEL_START_SECONDS,
    )
    try:
        # Only the kernel's own log goes nowhere; what cells write to stderr is an output.
        _run_cells(client, env=environment, stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        problem = f"{error.ename}: {error.evalue}"
    except CellTimeoutError:
        problem = f"more than {timeout:g} s"
    except DeadKernelError:
        problem = "the kernel died"
    else:
        problem = ""
    if problem:
        number, cell = started[-1] + 1, notebook.cells[started[-1]]
        line = (cell.source.strip().splitlines() or [""])[0]
        raise CellFailed(f"{source.name}, cell {number} ({line}): {problem}")
    if target is not None:
        store(notebook, target)
    return notebook


def _run_cells(client: NotebookClient, **options) -> None:
    """Execute in a thread's event loop, and on Ctrl-C end the kernel before leaving.

    In the main thread nbclient would take the signal over, and call what follows a dead kernel.
    """
    loop_made: Future[asyncio.AbstractEventLoop] = Future()

    def serve() -> None:
        with asyncio.Runner() as runner:
            loop_made.set_result(runner.get_loop())
            runner.get_loop().run_forever()
            # Leaving cancels what still runs, which nbclient takes for the kernel's death.
            runner.get_loop().set_exception_handler(lambda *_: None)

    thread = threading.Thread(target=serve, name="notebook")
    thread.start()
    loop = loop_made.result()
    try:
        asyncio.run_coroutine_threadsafe(client.async_execute(**options), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def refresh(path: Path, variables: Mapping[str, str] | None = None) -> None:
    """Execute a lesson and store its new outputs in place, without what differs for no reason."""
    notebook = execute(path, variables=variables)
    normalise(notebook)
    store(notebook, path)


def normalise(notebook: NotebookNode) -> None:
    """Take out of a notebook what tells of a machine, a day or an editor, not of the lesson."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
        for output in cell.get("outputs", ()):
            output.get("metadata", {}).clear()
            # A view whose model is gone reads as an error; the text beside it reads well.
            output.get("data", {}).pop(WIDGET_VIEW, None)


def store(notebook: NotebookNode, path: Path) -> None:
    """Replace a notebook file in one step; of an announced error only its own line is kept.

    A traceback names files of the machine that stored it, and the comparison never looks at it.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                output.traceback = [f"{output.ename}: {output.evalue}"]
    aside = path.with_name(f".{path.name}.new")
    nbformat.write(notebook, aside)
    os.replace(aside, path)


@contextmanager
def fresh_lab() -> Iterator[dict[str, str]]:
    """Yield the variables of a lab of its own: an empty home, a free port; removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="drydock-proof-"))
    home.chmod(0o711)  # the user that PostgreSQL runs as must be able to pass through
    variables = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    variables |= SAME_EVERYWHERE | {"DRYDOCK_HOME": str(home), "DRYDOCK_PORT": "0"}
    variables.pop("MPLBACKEND", None)
    try:
        yield variables
    finally:
        cloud.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def prove(paths: Sequence[Path], variables: Mapping[str, str], quiet: bool = False) -> int:
    """Run nbval in strict mode over stored notebooks and return pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env"]
    command += [f"--nbval-cell-timeout={CELL_SECONDS}", f"--timeout={CELL_SECONDS + 60}"]
    command += [
        "-p",
        "no:cacheprovider",
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(ROOT),
    ]
    output = subprocess.DEVNULL if quiet else None
    # A session of its own, so that Ctrl-C reaches it once: from here.
    with subprocess.Popen(
        [*command, *map(str, paths)], env=variables, stdout=output, start_new_session=True
    ) as pytest:
        try:
            return pytest.wait()
        except KeyboardInterrupt:
            processes.end([psutil.Process(pytest.pid)], STOP_SECONDS, signal.SIGINT)
            raise


def jupyter_lab(folder: Path, *options: str) -> list[str]:
    """Return the command that serves a folder in JupyterLab, which then asks nothing of the net.

    `drydock` is found in its terminals, also when no environment is active.
    """
    paths = [str(SETTINGS), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    programs = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    command = ["env", f"JUPYTER_CONFIG_PATH={os.pathsep.join(paths)}"]
    command += [f"PATH={os.pathsep.join(programs)}", sys.executable]
    command += ["-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    command += ["--LabApp.extension_manager=readonly"]
    command += ["--allow-root"] if os.geteuid() == 0 else []
    return [*command, *options]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="drydock.notebooks", description=__doc__.split("\n")[0])
    parser.add_argument("action", choices=("refresh", "check", "test"))
    parser.add_argument("files", nargs="*", type=Path, help="all lessons when left out")
    options = parser.parse_args(arguments)
    paths = [path.resolve() for path in options.files] or sorted(FOLDER.glob("*.ipynb"))
    absent = [path for path in paths if not path.is_file()]
    if absent or not paths:
        print(f"no such notebook: {(absent or [FOLDER / '*.ipynb'])[0]}", file=sys.stderr)
        return 2
    try:
        return _refresh_all(paths) if options.action == "refresh" else _check(paths, options.action)
    except DrydockError as error:
        print(f"drydock: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(INTERRUPTED_LINE, file=sys.stderr)
        return INTERRUPTED


def _refresh_all(paths: Sequence[Path]) -> int:
    with fresh_lab() as variables:
        for path in paths:
            refresh(path, variables)
            print(f"refreshed {path.name}", flush=True)
    return _check(paths, "check")


def _check(paths: Sequence[Path], action: str) -> int:
    faults = [f"{path.name}: {fault}" for path in paths for fault in guard(path)]
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults or action == "check":
        return 1 if faults else 0
    with fresh_lab() as variables:
        return prove(paths, variables)


if __name__ == "__main__":
    sys.exit(main())
