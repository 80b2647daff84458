"""Which steps of a Dockerfile a builder would take from its cache after a change.

A step's key is made of the step's before it, the text of its instruction, and for COPY and ADD the
names, permissions and bytes of the files that it copies; times play no part. So one changed step
changes the keys of all that follow. The rules are Docker's:
https://docs.docker.com/build/cache/invalidation and, for ARG,
https://docs.docker.com/reference/dockerfile "Impact on build caching".

Real builders differ from this model:

- They resolve a base image to its digest; here its name counts, or the digest given in ``bases``.
- BuildKit compares what COPY --from really copies: a stage that was built again and came out the
  same leaves it cached. Here, as long as any step of that stage changes, COPY --from changes.
- A COPY whose source is a variable is known by the variable's value, not by its files.
- BuildKit skips stages that the last one does not need; here every stage is listed.
- BuildKit runs on when a step's text changes only in spelling (``run`` for ``RUN``, spaces between
  words); here the text counts as it is written, but for the case of the instruction.
- The text of ``RUN --mount=type=bind`` counts here, the files behind it do not. Cache mounts and
  secrets are outside of the cache everywhere. ``ADD https://...`` is fetched by builders to look
  for a change; here its text counts.
- Buildah reuses layers only with ``--layers``, which ``podman build`` sets.
- A builder has the entries of many builds, until it prunes them; ``compare`` knows one.
"""

import hashlib
import io
import json
import posixpath
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockerfile_parse import DockerfileParser

from drydock.errors import WrongInput
from drydock.oci.patterns import excluded_by, matcher

COPIES = ("COPY", "ADD")
NO_STEP = ("COMMENT",)
STAGE = re.compile(r"(?P<base>\S+)(\s+AS\s+(?P<name>\S+))?", re.IGNORECASE)
VARIABLE = re.compile(r"\$\{?(\w+)")
REMOTE = re.compile(r"(https?|git|ssh)://|git@")


@dataclass(frozen=True)
class Step:
    """One instruction of a Dockerfile: ``stage`` is its name or number, ``key`` its cache key."""

    stage: str
    instruction: str
    key: str


def steps(
    dockerfile: Path | str,
    context: Path,
    *,
    arguments: Mapping[str, str] | None = None,
    bases: Mapping[str, str] | None = None,
) -> list[Step]:
    """The steps of a Dockerfile (a path, or its text) with a build context, each with its key.

    arguments: values of ``--build-arg``. bases: digests of base images, by the name in FROM.
    Raises WrongInput where a build would not begin: no FROM, or a file to copy that is not there.
    """
    if isinstance(dockerfile, Path):
        text, ignore = _read(dockerfile), dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    else:
        text, ignore = dockerfile, context / ".dockerignore"
    ignore = ignore if ignore.is_file() else context / ".dockerignore"
    files = _context(context, ignore)
    return _Build(text, files, arguments or {}, bases or {}).steps()


def compare(before: list[Step], after: list[Step]) -> list[dict[str, Any]]:
    """One row for each step of ``after``: its stage, its text, and whether the cache has it."""
    known = {step.key for step in before}
    return [
        {"stage": step.stage, "instruction": step.instruction, "cached": step.key in known}
        for step in after
    ]


class _Build:
    def __init__(
        self,
        text: str,
        files: dict[str, str],
        arguments: Mapping[str, str],
        bases: Mapping[str, str],
    ):
        parser = DockerfileParser(
            fileobj=io.BytesIO(text.encode()), build_args=dict(arguments) or None
        )
        self._structure = [s for s in parser.structure if s["instruction"] not in NO_STEP]
        self._parents = list(parser.parent_images)
        if not self._parents:
            raise WrongInput("the Dockerfile has no FROM: it names the image to start from")
        self._files, self._arguments, self._bases = files, arguments, bases
        self._stages: dict[str, str] = {}  # name or number: key of the last step

    def steps(self) -> list[Step]:
        found: list[Step] = []
        stage, number, key = "", -1, ""
        declared: dict[str, str] = {}
        for part in self._structure:
            word, value = part["instruction"], part["value"].strip()
            if word == "FROM":
                number += 1
                stage = (STAGE.fullmatch(_without_flags(value)) or {"name": None})["name"]
                stage, declared = stage or str(number), {}
                key = self._base(self._parents[number], value)
            elif number < 0:  # an ARG for FROM, which names its value
                continue
            else:
                if word == "ARG":
                    declared |= self._declared(value)
                key = _key(key, word, value, self._used(word, value, declared))
                if word in COPIES:
                    key = _key(key, self._copied(word, value))
            self._stages[stage] = self._stages[str(number)] = key
            found.append(Step(stage, f"{word} {value}", key))
        return found

    def _base(self, image: str, value: str) -> str:
        """Another stage is what it was built from; an image is its name, or its digest."""
        platform = re.findall(r"--platform=(\S+)", value)
        return self._stages.get(image) or _key("FROM", self._bases.get(image, image), platform)

    def _declared(self, value: str) -> dict[str, str]:
        try:
            pairs = [word.partition("=") for word in shlex.split(value)]
        except ValueError as error:
            raise WrongInput(f"ARG {value}: {error}") from None
        return {name: self._arguments.get(name, default) for name, _, default in pairs}

    @staticmethod
    def _used(word: str, value: str, declared: Mapping[str, str]) -> dict[str, str]:
        """RUN has every ARG in its environment; other instructions use those that they name."""
        if word == "ARG":
            return {}
        names = declared if word == "RUN" else VARIABLE.findall(value)
        return {name: declared[name] for name in sorted(names) if name in declared}

    def _copied(self, word: str, value: str) -> Any:
        if "<<" in value:
            raise WrongInput(f"{word} {value}: here-documents are not understood; copy a file")
        sources = _words(_without_flags(value))[:-1]
        origin = re.search(r"--from=(\S+)", value)
        if origin:
            name = origin[1]
            return self._stages.get(name) or self._bases.get(name, name)
        return [self._source(word, value, source) for source in sources]

    def _source(self, word: str, value: str, source: str) -> Any:
        if REMOTE.match(source):
            return source
        pattern = posixpath.normpath(source.lstrip("/"))
        matches = matcher(pattern)
        chosen = {
            path: about
            for path, about in self._files.items()
            if pattern == "." or any(matches(p) for p in _with_parents(path))
        }
        if not chosen and not VARIABLE.search(source):
            raise WrongInput(
                f"{word} {value}: {source} is not in the build context; "
                "does .dockerignore leave it out?"
            )
        return chosen


def _context(folder: Path, ignore: Path) -> dict[str, str]:
    """Every file that the builder gets: its path, with its permissions and the digest of it."""
    if not folder.is_dir():
        raise WrongInput(f"the build context {folder} is not a folder")
    excluded = excluded_by(ignore.read_text() if ignore.is_file() else "")
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not excluded(_with_parents(name)):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found[name] = f"{path.stat().st_mode & 0o777:o} {content}"
    return found


def _with_parents(path: str) -> list[str]:
    """The path and the folders it is in, the outermost first."""
    words = path.split("/")
    return ["/".join(words[: end + 1]) for end in range(len(words))]


def _without_flags(value: str) -> str:
    return re.sub(r"^(--\S+\s+)+", "", value)


def _words(value: str) -> list[str]:
    """A JSON list, or words with spaces between them."""
    try:
        return [str(word) for word in json.loads(value)]
    except (ValueError, TypeError):
        return value.split()


def _read(dockerfile: Path) -> str:
    try:
        return dockerfile.read_text()
    except OSError as error:
        raise WrongInput(f"cannot read {dockerfile}: {error.strerror}") from None


def _key(*parts: Any) -> str:
    return f"sha256:{hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()}"
