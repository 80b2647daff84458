"""A function's zip: the package's files under its name, and the same bytes each time."""

import io
import zipfile

import pytest

from drydock.function_package import zipped


def test_a_package_is_zipped_with_its_folders_and_without_what_python_made(tmp_path):
    package = tmp_path / "app"
    (package / "inner").mkdir(parents=True)
    (package / "__pycache__").mkdir()
    (package / "handler.py").write_text("from app.inner import one\n")
    (package / "page.html").write_text("<p>")
    (package / "inner" / "__init__.py").write_text("one = 1\n")
    (package / "__pycache__" / "handler.cpython-313.pyc").write_bytes(b"x")
    content = zipped(package)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["app/handler.py", "app/inner/__init__.py", "app/page.html"]
        assert archive.read("app/inner/__init__.py") == b"one = 1\n"
    (package / "handler.py").touch()
    assert zipped(package) == content


def test_a_folder_without_code_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="has no files"):
        zipped(tmp_path)
