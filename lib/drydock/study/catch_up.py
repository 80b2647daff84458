"""Bring a notebook to the beginning of a section, for who came late or fell behind.

catch_up("01_pipeline", "1.5")      # runs what stands before 1.5, and shows nothing of it
"""

from IPython import get_ipython
from IPython.utils.capture import capture_output

from drydock import notebooks
from drydock.errors import DrydockError, WrongInput
from drydock.notebook_guard import read
from drydock.study import books


class NotCaughtUp(DrydockError):
    """A cell on the way failed; the message says which one."""


def catch_up(lesson: str, number: str) -> None:
    """Run, in this notebook, the code of a lesson's sections before section `number`.

    Exercises and cells that show an error on purpose are left out.
    """
    sources = cells_before(lesson, number)
    shell = get_ipython()
    if shell is None:
        raise WrongInput("catch_up works in a notebook: run it in a cell")
    for at, source in enumerate(sources, start=1):
        with capture_output():
            done = shell.run_cell(source, store_history=False)
        if not done.success:
            error = done.error_in_exec or done.error_before_exec
            line = source.splitlines()[0]
            raise NotCaughtUp(f"cell {at} of {len(sources)} ({line}) failed: {error}") from None
    print(f"ran {len(sources)} cells: you are at the beginning of {number}")


def cells_before(lesson: str, number: str) -> list[str]:
    """Return the sources of the code cells before a section, without what may be left out."""
    path = notebooks.FOLDER / f"{lesson}.ipynb"
    if not path.is_file():
        there = ", ".join(sorted(one.stem for one in notebooks.FOLDER.glob("*.ipynb")))
        raise WrongInput(f"no lesson {lesson!r}: there are {there}")
    sources, sections = [], []
    for cell in read(path).cells:
        if title := books.section(cell):
            sections.append(title.split(" ")[0])
            if sections[-1] == number:
                return sources
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code" and not {books.TAG, "raises-exception"} & set(tags):
            sources.append(cell.source)
    raise WrongInput(f"{lesson} has no section {number}: there are {', '.join(sections)}")
