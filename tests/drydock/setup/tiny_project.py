"""A project of one small package with our set-up in it, which installs without a network."""

import hashlib
import shutil
import zipfile
from pathlib import Path

from drydock.setup import environment

LIB = Path(environment.__file__).parents[1]
PROJECT = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tinyproject"
version = "0.1"
"""
# The whole of a build backend, so that an editable install needs nothing from the network.
BACKEND = """import os, zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "tinyproject-0.1-py3-none-any.whl"
    info = "tinyproject-0.1.dist-info/"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("tinyproject.pth", os.path.join(os.getcwd(), "lib"))
        about = "Metadata-Version: 2.1\\nName: tinyproject\\nVersion: 0.1\\n"
        wheel.writestr(info + "METADATA", about)
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
"""


def make_wheel(folder, version):
    """Write the package tinything, whose only content is its version; return its lock line."""
    path = folder / f"tinything-{version}-py3-none-any.whl"
    info = f"tinything-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: tinything\nVersion: {version}\n"
    record = f"tinything.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tinything.py", f"version = '{version}'\n")
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", record)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"tinything=={version} \\\n    --hash=sha256:{digest}\n"


def make_project(root):
    """Write a project with our set-up in it and a lock file of one package."""
    shutil.copytree(LIB / "setup", root / "lib" / "drydock" / "setup")
    for part in ("__init__.py", "errors.py"):
        shutil.copy(LIB / part, root / "lib" / "drydock")
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "backend.py").write_text(BACKEND)
    (root / "wheels").mkdir()
    (root / "requirements.lock").write_text(make_wheel(root / "wheels", "1.0"))
