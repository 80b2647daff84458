"""The hooks of .pre-commit-config.yaml do what `make test` does, on the files they are given."""

import re
import shlex
import subprocess

import nbformat
import pytest
import yaml

from drydock.setup.environment import ROOT

HOOKS = {
    hook["id"]: hook
    for one in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    for hook in one["hooks"]
}


def run(name, *files):
    command = [*shlex.split(HOOKS[name]["entry"]), *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["ruff", "ruff-format"])
def test_a_faulty_module_is_held_back_and_a_good_one_is_not(name, tmp_path):
    assert run(name, ROOT / "lib" / "drydock" / "errors.py")[0] == 0
    bad = tmp_path / "bad.py"
    bad.write_text("import os\nx = {  }\n")
    code, said = run(name, bad)
    assert code == 1 and "bad.py" in said


def test_a_notebook_that_proves_nothing_is_held_back_and_a_lesson_is_not(tmp_path):
    lesson = ROOT / "notebooks" / "01_pipeline.ipynb"
    assert run("notebook-guard", lesson)[0] == 0
    stripped = nbformat.read(lesson, as_version=4)
    for cell in stripped.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(stripped, tmp_path / "stripped.ipynb")
    code, said = run("notebook-guard", tmp_path / "stripped.ipynb")
    assert code == 1 and "stripped.ipynb" in said


def test_the_guard_is_asked_about_lessons_and_nothing_else():
    wanted = re.compile(HOOKS["notebook-guard"]["files"])
    assert all(wanted.search(f"notebooks/{path.name}") for path in ROOT.glob("notebooks/*.ipynb"))
    assert not wanted.search("tests/notebooks/some.ipynb")
    assert not wanted.search("notebooks/.ipynb_checkpoints/01_pipeline-checkpoint.txt")
