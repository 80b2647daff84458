"""The five boards of lesson 7 in a real browser: every control by keyboard, and what it changes.

A board in this process is set to the same values: the page must say what it says.
"""

import os
from pathlib import Path

import ipywidgets
import nbformat
import pytest
from lab_browser import served
from nbformat.v4 import new_code_cell, new_notebook

from drydock import notebooks
from drydock.dashboards import BillBoard, ChoiceBoard, PlacementBoard, ScalingBoard, SizeBoard
from drydock.dashboards.packing import Machine
from drydock.model.throughput import TaskTime

pytestmark = pytest.mark.browser

IMPORTS = """\
from drydock.dashboards import BillBoard, ChoiceBoard, PlacementBoard, ScalingBoard, SizeBoard
from drydock.dashboards.packing import Machine
from drydock.model.throughput import TaskTime"""
BOARDS = {
    'SizeBoard(TaskTime(0.4, 1.6), 336_776, 171.0, "a machine")': SizeBoard(
        TaskTime(0.4, 1.6), 336_776, 171.0, "a machine"
    ),
    "ChoiceBoard()": ChoiceBoard(),
    'PlacementBoard([Machine(f"machine {n}", "zone", 2048, 7577) for n in (1, 2, 3)])': (
        PlacementBoard([Machine(f"machine {n}", "zone", 2048, 7577) for n in (1, 2, 3)])
    ),
    "ScalingBoard()": ScalingBoard(),
    "BillBoard()": BillBoard(),
}
FOCUSABLE = {
    ipywidgets.IntSlider: ".noUi-handle",
    ipywidgets.Dropdown: "select",
    ipywidgets.Checkbox: "input[type=checkbox]",
}
ALL_LABELS_FIT = """cell => [...cell.querySelectorAll('.widget-label')]
    .every(label => label.scrollWidth <= label.clientWidth)"""
SECONDS = 120


@pytest.mark.slow
def test_every_control_answers_the_keyboard_with_what_the_model_says(tmp_path):
    pictures = Path(os.environ.get("DRYDOCK_SCREENSHOTS", tmp_path))
    pictures.mkdir(parents=True, exist_ok=True)
    folder = tmp_path / "notebooks"
    folder.mkdir()
    cells = [new_code_cell(one) for one in (IMPORTS, *BOARDS)]
    nbformat.write(new_notebook(cells=cells, metadata=notebooks.METADATA), folder / "boards.ipynb")
    with notebooks.fresh_lab() as variables, served(folder, variables, tmp_path) as lab:
        book = lab.open_notebook("boards.ipynb")
        book.run_all(SECONDS)
        for number, board in enumerate(BOARDS.values(), start=1):
            cell = book.page.locator(".jp-CodeCell").nth(number)
            drive(book.page, cell, board)
        assert book.tracebacks() == [] and lab.errors == []
        book.screenshot(pictures / "boards.png")


def drive(page, cell, board):
    says(cell, board)
    assert cell.evaluate(ALL_LABELS_FIT)
    for button in ("more", "code"):
        found = cell.get_by_role("button", name=button, exact=True)
        if found.count():
            press(page, found, "Space")
    seen = dict.fromkeys(FOCUSABLE.values(), 0)
    for control in controls(board):
        kind = FOCUSABLE[type(control)]
        element = cell.locator(f".jp-OutputArea-output {kind}").nth(seen[kind])
        seen[kind] += 1
        press(page, element, move(control))
        says(cell, board)
    shown = cell.locator("pre", has_text="import").last
    shown.filter(has_text=board.code.splitlines()[-1]).wait_for(timeout=20_000)


def press(page, element, key):
    element.focus()
    assert element.evaluate("one => one.tabIndex >= 0 && one === document.activeElement")
    page.keyboard.press(key)


def says(cell, board):
    """Wait until the words below the controls are those of the board here."""
    cell.locator("p > b").get_by_text(board.words(), exact=True).wait_for(timeout=20_000)


def controls(board):
    return [one for row in board.children[:2] for one in row.children if type(one) in FOCUSABLE]


def move(control):
    """Move the control here to an end of its range, and return the key that does it in the page.

    JupyterLab takes the arrow keys for itself; Home and End it leaves to sliders and menus.
    """
    if isinstance(control, ipywidgets.Checkbox):
        control.value = not control.value
        return "Space"
    if isinstance(control, ipywidgets.Dropdown):
        last = len(control.options) - 1
        control.index = 0 if control.index == last else last
        return "End" if control.index else "Home"
    control.value = control.max if control.value == control.min else control.min
    return "End" if control.value == control.max else "Home"
