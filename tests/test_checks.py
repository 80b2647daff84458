"""What `make test` does with a test that fails beside others."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TINY = """
from pathlib import Path

def ran(name):
    with open(Path(__file__).with_name("ran"), "a") as file:
        print(name, file=file)
    return Path(__file__).with_name("ran").read_text().split().count(name)

def test_good():
    ran("good")

def test_busy():
    assert ran("busy") > 1
"""
GROUP = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.name))
"""


@pytest.mark.parametrize("workers", ["2", "0"])
def test_only_what_failed_is_run_once_more(tmp_path, workers):
    hidden = ("MAKE", "MFLAGS", "PYTEST_")
    variables = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    wanted = ["make", "--dry-run", "checks", f"WORKERS={workers}", "ARGS=-q"]
    said = subprocess.run(wanted, cwd=ROOT, env=variables, capture_output=True, text=True).stdout
    said = said.replace("\\\n", " ")
    [command] = [line for line in said.splitlines() if "pytest" in line]
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_tiny.py").write_text(TINY)
    (folder / "conftest.py").write_text(GROUP)
    done = subprocess.run(
        [shutil.which("sh"), "-c", command], cwd=tmp_path, env=variables, capture_output=True
    )
    assert done.returncode == 0, done.stdout
    assert sorted((folder / "ran").read_text().split()) == ["busy", "busy", "good"]
