"""A Lambda function's code as a zip file."""

import io
import zipfile
from pathlib import Path

SAME_DAY = (2026, 1, 1, 0, 0, 0)  # one content, one hash, as Lambda compares it


def zipped(folder: Path) -> bytes:
    """Return the package `folder`, under its name, as Lambda takes it.

    Its libraries are not in it: a function's runtime has them from a layer, or from this zip after
    `pip install --target`. FileNotFoundError if there is no file in the folder.
    """
    found = (file for file in folder.rglob("*") if file.is_file())
    files = sorted(file for file in found if "__pycache__" not in file.parts)
    if not files:
        raise FileNotFoundError(f"{folder} has no files: name the folder of a package")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            name = file.relative_to(folder.parent).as_posix()
            entry = zipfile.ZipInfo(name, SAME_DAY)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return content.getvalue()
