"""Executing, refreshing and proving notebooks, on small ones made here, with real kernels."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import psutil
import pytest
from live import processes_of, wait_for
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from drydock import notebooks
from drydock.errors import WrongInput

LESSONS = sorted(notebooks.FOLDER.glob("*.ipynb"))
HIDDEN = shutil.ignore_patterns(".*")  # checkpoints, half-written files
SOURCES = [
    "import os\nrows = [3, 5, 7]",
    "print('rows in', sum(rows))\nprint('zone', os.environ['TZ'])",
    "{'curated': 336776, 'quarantined': 0}",
    "import ipywidgets\nipywidgets.IntSlider(value=3)",
    "import matplotlib.pyplot as plt\nplt.bar([1, 2], [3, 4])\nplt.show()",
]


def write(path: Path, *sources: str, **metadata) -> Path:
    cells = [new_markdown_cell("# A lesson"), *map(new_code_cell, sources)]
    for cell in cells:
        cell.metadata.update(metadata)
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """A small lesson that was refreshed; tests copy it before they change it."""
    path = write(tmp_path_factory.mktemp("lesson") / "lesson.ipynb", *SOURCES)
    with notebooks.fresh_lab() as variables:
        notebooks.refresh(path, variables)
    return path


@pytest.fixture
def copied(lesson, tmp_path):
    def copy(change=lambda text: text):
        path = tmp_path / "lesson.ipynb"
        path.write_text(change(lesson.read_text()))
        return path

    return copy


def proves(path: Path) -> bool:
    with notebooks.fresh_lab() as variables:
        return notebooks.prove([path], variables, quiet=True) == 0


def test_a_refreshed_lesson_passes_the_guard_and_the_strict_comparison(copied):
    path = copied()
    assert notebooks.guard(path) == []
    assert proves(path)


def test_one_changed_number_fails_the_comparison(copied):
    path = copied(lambda text: text.replace("'curated': 336776, 'q", "'curated': 336775, 'q"))
    stored = json.loads(path.read_text())["cells"][3]
    # Put the code back as it was: only the stored output is wrong.
    stored["source"] = [SOURCES[2]]
    notebook = json.loads(path.read_text())
    notebook["cells"][3] = stored
    path.write_text(json.dumps(notebook))
    assert "336775" in json.dumps(stored["outputs"])
    assert notebooks.guard(path) == []
    assert not proves(path)


def test_stripped_counts_pass_the_comparison_and_so_must_fail_the_guard(copied):
    path = copied()
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    nbformat.write(notebook, path)
    assert proves(path)
    assert len(notebooks.guard(path)) > len(SOURCES) - 1


def test_refreshing_again_changes_nothing_but_pictures(copied):
    def text(path):
        return re.sub(r'"image/png": "[^"]*"', "", path.read_text())

    path = copied()
    before = text(path)
    with notebooks.fresh_lab() as variables:
        notebooks.refresh(path, variables)
    assert text(path) == before


def test_refresh_stores_nothing_of_the_machine_or_the_editor(tmp_path):
    path = write(tmp_path / "n.ipynb", *SOURCES, collapsed=True, tags=["t"], trusted=False)
    with notebooks.fresh_lab() as variables:
        notebooks.refresh(path, variables)
    stored = json.loads(path.read_text())
    assert stored["metadata"]["kernelspec"]["name"] == "python3"
    assert stored["metadata"]["language_info"] == {"name": "python"}
    assert {key for cell in stored["cells"] for key in cell["metadata"]} == {"tags"}
    assert "widget-view" not in path.read_text()
    assert [c["execution_count"] for c in stored["cells"][1:]] == [1, 2, 3, 4, 5]


def test_refresh_keeps_the_ids_of_cells(copied, lesson):
    ids = [cell["id"] for cell in json.loads(lesson.read_text())["cells"]]
    path = copied()
    with notebooks.fresh_lab() as variables:
        notebooks.refresh(path, variables)
    assert [cell["id"] for cell in json.loads(path.read_text())["cells"]] == ids


def test_refresh_refuses_to_store_an_error_that_is_not_announced(tmp_path):
    path = write(tmp_path / "n.ipynb", "x = 1", "raise ValueError('no such month')", "1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].execution_count = 7  # what is stored further down misleads nobody
    nbformat.write(notebook, path)
    before = path.read_bytes()
    with pytest.raises(notebooks.CellFailed, match=r"n\.ipynb, cell 3 .*ValueError: no such month"):
        notebooks.refresh(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_refresh_stores_an_error_that_is_announced(tmp_path):
    path = write(tmp_path / "n.ipynb", "raise ValueError('on purpose')", tags=["raises-exception"])
    notebooks.refresh(path)
    assert notebooks.guard(path) == []
    assert "on purpose" in path.read_text()


def test_execute_leaves_the_source_and_writes_the_target(tmp_path):
    path = write(tmp_path / "n.ipynb", "print(6 * 7)")
    before = path.read_bytes()
    target = tmp_path / "executed.ipynb"
    result = notebooks.execute(path, target)
    assert path.read_bytes() == before
    assert result.cells[1].outputs[0].text == "42\n"
    assert nbformat.read(target, as_version=4).cells[1].outputs[0].text == "42\n"


def test_execute_ends_a_cell_that_takes_too_long(tmp_path):
    path = write(tmp_path / "n.ipynb", "import time; time.sleep(60)")
    with pytest.raises(notebooks.CellFailed, match="more than 2 s"):
        notebooks.execute(path, timeout=2)


def test_execute_says_when_the_kernel_dies(tmp_path):
    path = write(tmp_path / "n.ipynb", "import os; os._exit(9)")
    with pytest.raises(notebooks.CellFailed, match="the kernel died"):
        notebooks.execute(path)


WAITING = """import os, subprocess, time
from pathlib import Path
from drydock import cloud
child = subprocess.Popen(["sleep", "300"])
cloud.start()
Path("started").write_text(f"{os.getpid()} {child.pid} {os.environ['DRYDOCK_HOME']}")
time.sleep(300)"""


@pytest.mark.parametrize("action", ["refresh", "test"])
def test_ctrl_c_ends_kernel_and_lab_and_stores_nothing(action, tmp_path):
    path = write(tmp_path / "n.ipynb", "print(1)", WAITING)
    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(notebook.cells[1:], start=1):
        cell.execution_count = number
    notebook.cells[1].outputs = [new_output("stream", text="1\n")]
    nbformat.write(notebook, path)
    before, started = path.read_bytes(), tmp_path / "started"
    command = subprocess.Popen(
        [sys.executable, "-m", "drydock.notebooks", action, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: started.exists() and started.read_text(), "the cell that waits", 90)
    *pids, home = started.read_text().split()
    command.send_signal(signal.SIGINT)
    out, errors = command.communicate(timeout=90)
    assert (command.returncode, errors) == (
        130,
        "drydock: interrupted; type the command again to go on\n",
    )
    assert "Traceback" not in out
    assert path.read_bytes() == before
    wait_for(lambda: not any(psutil.pid_exists(int(pid)) for pid in pids), "the kernel's end")
    assert processes_of(Path(home)) == []
    assert not Path(home).exists()


def test_an_error_of_ours_is_one_line_in_a_notebook(tmp_path):
    source = "from drydock.pipeline import raw_data\nraw_data.check_months(['2013-13'])"
    path = write(tmp_path / "n.ipynb", source, tags=["raises-exception"])
    [output] = notebooks.execute(path).cells[1].outputs
    [line] = output.traceback
    assert line.startswith("WrongInput: unknown month '2013-13'")


@pytest.mark.parametrize("content", [None, "", "{"])
def test_execute_of_what_is_no_notebook(content, tmp_path):
    path = tmp_path / "n.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(WrongInput, match="is not a notebook that can be read"):
        notebooks.execute(path)


def test_a_fresh_lab_is_empty_enterable_and_gone_afterwards():
    with notebooks.fresh_lab() as variables:
        home = Path(variables["DRYDOCK_HOME"])
        assert list(home.iterdir()) == []
        assert stat.S_IMODE(home.stat().st_mode) == 0o711
        assert variables["TZ"] == "UTC"
        assert not any(name.startswith("AWS_") for name in variables)
    assert not home.exists()


@pytest.mark.parametrize(
    ("action", "code", "says"),
    [("check", 1, "ends with ';'"), ("test", 1, "ends with ';'"), ("refresh", 1, "ends with ';'")],
)
def test_the_command_line_fails_on_a_fault(action, code, says, tmp_path):
    path = write(tmp_path / "n.ipynb", "print(1)", "1 + 1;")
    notebooks.refresh(path)
    command = [sys.executable, "-m", "drydock.notebooks", action, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_line_names_a_file_that_is_not_there(tmp_path):
    command = [sys.executable, "-m", "drydock.notebooks", "check", str(tmp_path / "no.ipynb")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no such notebook" in done.stderr


def test_drydock_is_found_in_the_terminals_of_jupyterlab(tmp_path):
    command = notebooks.jupyter_lab(tmp_path)
    until = command.index("-m")
    ask = [*command[:until], "-c", "import shutil; print(shutil.which('drydock'))"]
    environment = os.environ | {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(ask, capture_output=True, text=True, env=environment, check=True)
    assert Path(done.stdout.strip()).parent == Path(sys.executable).parent


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_lesson_passes_the_guard(path):
    assert notebooks.guard(path) == []


@pytest.mark.slow
@pytest.mark.parametrize("path", LESSONS[1:2], ids=lambda path: path.stem)
def test_a_changed_number_in_a_real_lesson_fails(path, tmp_path):
    """Change one figure in a stored output of the lesson; the strict run must notice."""
    notebook = nbformat.read(path, as_version=4)
    changed = _change_one_number(notebook)
    folder = tmp_path / "notebooks"
    shutil.copytree(path.parent, folder, ignore=HIDDEN)  # lessons may read files beside them
    nbformat.write(notebook, folder / path.name)
    report = tmp_path / "report.xml"
    with notebooks.fresh_lab() as variables:
        variables["PYTEST_ADDOPTS"] = f"--junitxml={report}"
        assert notebooks.prove([folder / path.name], variables, quiet=True) == 1
    # nbval counts code cells from 0.
    [failed] = [case for case in ElementTree.parse(report).iter("testcase") if len(case)]
    assert failed.get("name") == f"Cell {changed}"


def _change_one_number(notebook) -> int:
    """Change a digit in the last output that is compared; return the number of its code cell."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in reversed(list(enumerate(cells))):
        ignored = {"nbval-skip", "nbval-ignore-output"} & set(cell.metadata.get("tags", []))
        for output in () if ignored else cell.get("outputs", ()):
            stream = output.output_type == "stream"
            holder, key = (output, "text") if stream else (output.get("data", {}), "text/plain")
            before = holder.get(key, "")
            holder[key] = re.sub(r"\d", lambda d: str((int(d[0]) + 1) % 10), before, count=1)
            if holder[key] != before:
                return number
    raise AssertionError("the lesson shows no number that is compared")
