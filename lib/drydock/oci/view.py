"""What layers on top of each other show, and what they only hide."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drydock.errors import WrongInput
from drydock.oci.layers import OPAQUE, WHITEOUT, Layer, parents


@dataclass(frozen=True)
class Found:
    """A file that holds the words: in which layer (0 is the lowest), and whether it still shows."""

    layer: int
    path: str
    visible: bool


def apply(layers: Sequence[Layer]) -> dict[str, bytes]:
    """The files that a container sees when the layers are applied, lowest first."""
    return {path: content for path, (_, content) in sorted(_applied(layers).items())}


def sizes(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """One row for each layer: its step, diff ID, number of entries, and both sizes in bytes."""
    return [
        {
            "layer": number,
            "created_by": layer.created_by,
            "diff_id": layer.diff_id,
            "files": len(layer.files()),
            "uncompressed": len(layer.tar),
            "compressed": len(layer.blob),
        }
        for number, layer in enumerate(layers)
    ]


def find(layers: Sequence[Layer], words: bytes | str) -> list[Found]:
    """Every file of every layer that holds the words, also where a later layer hides the file.

    Whoever can pull the image can read them all. An image's ``config`` (ENV, build history) is not
    a layer: look for the words in those bytes too.
    """
    words = words.encode() if isinstance(words, str) else words
    if not words:
        raise WrongInput("find needs the words to look for")
    seen = {path: number for path, (number, _) in _applied(layers).items()}
    return [
        Found(number, path, seen.get(path) == number)
        for number, layer in enumerate(layers)
        for path, content in layer.files().items()
        if words in content
    ]


def _applied(layers: Sequence[Layer]) -> dict[str, tuple[int, bytes]]:
    """For each file that shows: the number of the layer it is from, and its content."""
    seen: dict[str, tuple[int, bytes]] = {}
    folders: set[str] = set()
    for number, layer in enumerate(layers):
        files = layer.files()
        # Whiteouts hide what is in lower layers only, wherever they stand in the tar.
        for path in files:
            folder, name = posixpath.split(path)
            if name == OPAQUE:
                _hide(seen, folder, itself=False)
            elif name.startswith(WHITEOUT):
                _hide(seen, posixpath.join(folder, name.removeprefix(WHITEOUT)))
        for path, content in files.items():
            if posixpath.basename(path).startswith(WHITEOUT):
                continue
            if path in folders:  # a file takes the place of a folder
                _hide(seen, path)
            for parent in parents(path):  # and a folder that of a file
                seen.pop(parent, None)
                folders.add(parent)
            seen[path] = (number, content)
    return seen


def _hide(seen: dict[str, Any], path: str, itself: bool = True) -> None:
    inside = f"{path}/" if path else ""
    for other in [o for o in seen if o.startswith(inside) or (itself and o == path)]:
        del seen[other]
