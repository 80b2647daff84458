"""What a learner sees in a real browser: every lesson, and a small notebook for the helpers."""

import os
import shutil
from pathlib import Path

import nbformat
import pytest
from lab_browser import served
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from drydock import notebooks
from drydock.study import books

pytestmark = pytest.mark.browser

LESSONS = sorted(notebooks.FOLDER.glob("*.ipynb"))
HIDDEN = shutil.ignore_patterns(".*")  # checkpoints, half-written files
LESSON_SECONDS = 900  # on a machine that runs other tests as well
CELLS = [
    "import ipywidgets\nlabel = ipywidgets.Label('before')\nlabel",
    "button = ipywidgets.Button(description='Press')\n"
    "button.on_click(lambda _: setattr(label, 'value', 'pressed'))\nbutton",
    "import matplotlib.pyplot as plt\nplt.bar(['a', 'b'], [3, 4])\nplt.show()",
    *[f"print('line {n}\\n' * 12)" for n in range(6)],
    "print('the last of', 6 * 7)",
]


@pytest.fixture
def pictures(tmp_path):
    """Where screenshots go; DRYDOCK_SCREENSHOTS names a folder that keeps them."""
    folder = Path(os.environ.get("DRYDOCK_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_the_helpers_on_a_small_notebook(tmp_path, pictures):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    cells = [new_markdown_cell("# A small lesson"), *map(new_code_cell, CELLS)]
    nbformat.write(new_notebook(cells=cells, metadata=notebooks.METADATA), folder / "small.ipynb")
    with notebooks.fresh_lab() as variables, served(folder, variables, tmp_path) as lab:
        notebook = lab.open_notebook("small.ipynb")
        assert notebook.dialogs() == []
        notebook.run_all(60)
        shown = notebook.outputs()
        assert len(shown) == len(CELLS)
        assert "before" in shown[0]
        assert shown[-1].strip() == "the last of 42"
        notebook.page.get_by_role("button", name="Press", exact=True).click()
        notebook.page.get_by_text("pressed", exact=True).wait_for(timeout=10_000)
        assert notebook.tracebacks() == []
        assert notebook.screenshot(pictures / "small.png").stat().st_size > 10_000
        assert lab.foreign == []
        assert lab.errors == []


@pytest.mark.slow
@pytest.mark.timeout(LESSON_SECONDS + 120)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_from_top_to_bottom(lesson, tmp_path, pictures):
    folder = tmp_path / "notebooks"
    shutil.copytree(notebooks.FOLDER, folder, ignore=HIDDEN)
    # What a learner opens: no exercise is done, and the lesson runs all the same.
    nbformat.write(books.student(books.source(lesson)), folder / lesson.name)
    announced = sum(
        "raises-exception" in cell.metadata.get("tags", [])
        for cell in nbformat.read(lesson, as_version=4).cells
    )
    with notebooks.fresh_lab() as variables, served(folder, variables, tmp_path) as lab:
        notebook = lab.open_notebook(lesson.name)
        assert notebook.dialogs() == []
        notebook.run_all(LESSON_SECONDS)
        assert len(notebook.tracebacks()) == announced
        assert any(text.strip() for text in notebook.outputs())
        notebook.screenshot(pictures / f"{lesson.stem}.png")
        assert lab.foreign == []
        assert lab.errors == []
