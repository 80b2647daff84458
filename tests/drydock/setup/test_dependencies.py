"""One list of dependencies: the lock files and environment.yml say the same as pyproject.toml."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from drydock.setup.environment import ROOT
from drydock.setup.system_packages import CONDA_NAME

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())
LISTED = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["test"]]
# What the set-up finds through apt-get must come from conda too.
NOT_PYTHON = {"postgresql", "unixodbc", "psqlodbc", "pgbouncer", "openjdk", "pgjdbc"}


def pins(name):
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)(.*)", (ROOT / name).read_text(), re.MULTILINE)
    return {canonicalize_name(package): version for package, version, _ in found}


def check(text, locked):
    wanted = Requirement(text)
    version = locked.get(canonicalize_name(wanted.name))
    assert version, f"{wanted.name} is not locked; type: make lock"
    assert wanted.specifier.contains(version), f"{wanted.name} is locked at {version}"


@pytest.mark.parametrize("text", LISTED)
def test_what_the_project_names_is_locked(text):
    check(text, pins("requirements.lock"))


@pytest.mark.parametrize("group", GROUPS)
def test_what_a_group_names_is_locked(group):
    for text in GROUPS[group]:
        check(text, pins(f"requirements-{group}.lock"))


@pytest.mark.parametrize("group", GROUPS)
def test_the_lock_files_agree(group):
    everything, own = pins("requirements.lock"), pins(f"requirements-{group}.lock")
    assert {n: v for n, v in own.items() if n in everything and everything[n] != v} == {}


@pytest.mark.parametrize("name", ["requirements.lock", *(f"requirements-{g}.lock" for g in GROUPS)])
def test_every_locked_package_has_a_hash_and_no_address(name):
    text = (ROOT / name).read_text()
    without = re.sub(r"^[\w.-]+==.*\\\n +--hash=sha256:[0-9a-f]{64}", "", text, flags=re.MULTILINE)
    assert re.findall(r"^[\w.-]+==.*", without, re.MULTILINE) == []
    assert "://" not in text


def imported(folder):
    """Return {top-level module: a file that imports it} for what comes from elsewhere."""
    ours = [path for place in ("lib", "tests") for path in (ROOT / place).rglob("*")]
    found = {}
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            found |= {name.partition(".")[0]: str(file) for name in names}
    for name in (*sys.stdlib_module_names, *(path.stem for path in ours)):
        found.pop(name, None)
    return found


@pytest.mark.parametrize(
    ("folder", "lists"),
    [
        ("lib", [*PROJECT["project"]["dependencies"], *GROUPS["spark"]]),
        ("tests", [*LISTED, *GROUPS["spark"], *GROUPS["bench"]]),
    ],
)
def test_what_the_code_imports_is_listed(folder, lists):
    listed = {canonicalize_name(Requirement(text).name) for text in lists}
    packages = packages_distributions() | {"pyspark": ["pyspark"]}  # not there before make lab
    unlisted = {
        name: file
        for name, file in imported(folder).items()
        if not listed & {canonicalize_name(package) for package in packages.get(name, [name])}
    }
    assert unlisted == {}


def test_conda_takes_its_python_packages_from_the_lock_and_nowhere_else():
    plain = [entry for entry in CONDA["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict)]
    assert pip == ["-r requirements.lock"]
    names = {re.split(r"[<>= ]", entry)[0] for entry in plain}
    assert names == {"python", "pip"} | NOT_PYTHON
    python = next(entry for entry in plain if entry.startswith("python"))
    assert python == f"python{PROJECT['project']['requires-python']}"
    assert CONDA["channels"] == ["conda-forge"]
    assert CONDA["name"] == CONDA_NAME


@pytest.mark.parametrize("text", LISTED)
def test_each_dependency_says_why(text):
    line = next(
        line
        for line in (ROOT / "pyproject.toml").read_text().splitlines()
        if line.strip().startswith(f'"{text}"')
    )
    assert line.partition("#")[2].strip()
